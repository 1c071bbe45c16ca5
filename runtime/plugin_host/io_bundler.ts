/**
 * Makes one module out of a plugin that touches the outside and all that it imports, packages too. Deno itself does it:
 * it knows how npm packages are found, and where they are cached. What comes out runs with `--no-npm --no-remote`.
 *
 * Two things are mended in it. `import.meta.url` is no file's there, and packages make their `require` from it. And files
 * that a package reads beside its module (WebAssembly, mostly) become part of the bundle, as they will not be there.
 *
 * @module
 */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";

const BUNDLE_MS = 60_000;
const TEXT_UNITS_MAX = 2_000;

/**
 * Bundles the plugin at `entry`.
 *
 * @returns one ECMAScript module whose default export is the plugin's
 * @throws {WaterparkError} `plugin_host/does-not-compile`
 */
export async function bundleIo(entry: URL): Promise<string> {
  const folder = await gates.files.makeTempDir({ prefix: "waterpark-bundle-" });
  try {
    const door = new URL("./plugin_door.ts", import.meta.url).href;
    const map = `${folder}/imports.json`;
    await write(map, JSON.stringify({ imports: { "@waterpark/waterpark": door } }));
    const main = `${folder}/main.ts`;
    await write(main, `export { default } from ${JSON.stringify(entry.href)};\n`);
    const child = new gates.process.Command(gates.process.execPath(), {
      args: ["bundle", "--quiet", "--platform", "deno", "--format", "esm", "--no-lock", "--import-map", map, main],
      env: { NO_COLOR: "1" },
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(BUNDLE_MS),
    });
    const { success, stdout, stderr } = await child.output();
    if (!success) throw doesNotCompile(entry, new TextDecoder().decode(stderr));
    return await withoutPlaces(new TextDecoder().decode(stdout), folder);
  } finally {
    await gates.files.remove(folder, { recursive: true });
  }
}

const PLACE = /^\/\/ (.+\.[cm]?[jt]sx?)$/;
const FILE_BESIDE = /readFileSync\d*\((?:\(0, )?new URL\w*\("([^"]+)", import\.meta\.url\)\)?\)/g;

/** Puts in files that modules read beside themselves, and a file's URL where modules ask for their own. */
async function withoutPlaces(text: string, folder: string): Promise<string> {
  const lines = text.split("\n");
  /** the module that the line is from, as the bundler says above it */
  let place = "";
  for (let i = 0; i < lines.length; i++) {
    place = PLACE.exec(lines[i])?.[1] ?? place;
    if (!lines[i].includes("import.meta.url")) continue;
    for (const [all, file] of [...lines[i].matchAll(FILE_BESIDE)]) {
      const bytes = await gates.files.readFile(resolve(folder, place, "..", file));
      lines[i] = lines[i].replace(all, `Buffer.from("${bytes.toBase64()}", "base64")`);
    }
    lines[i] = lines[i].replaceAll("import.meta.url", '"file:///waterpark/plugin.js"');
  }
  // the comments name folders of the machine that bundled: the same plugin must be the same bytes everywhere
  return `import { Buffer } from "node:buffer";\n${lines.filter((line) => !PLACE.test(line)).join("\n")}`;
}

async function write(path: string, text: string): Promise<void> {
  await gates.files.writeFile(path, new TextEncoder().encode(text));
}

function doesNotCompile(entry: URL, said: string): WaterparkError {
  const name = entry.protocol === "file:" ? fileURLToPath(entry) : entry.href;
  const text = said.trim().split("\n").filter((line) => !line.startsWith("Stack backtrace")).join(" ");
  return new WaterparkError(`Cannot bundle "${name}" as it must compile: ${text.slice(0, TEXT_UNITS_MAX)}`, {
    code: "plugin_host/does-not-compile",
    outcome: "not-applied",
  });
}
