/**
 * Makes one module out of a plugin that touches the outside and all that it imports, packages too. Deno itself does it:
 * it knows how npm packages are found, and where they are cached. What comes out runs with `--no-npm --no-remote`.
 *
 * Two things are mended in it. `import.meta.url` is no file's there, and packages make their `require` from it. And files
 * that a package reads beside its module (WebAssembly, mostly) become part of the bundle, as they will not be there.
 *
 * @module
 */
import { fileURLToPath, pathToFileURL } from "node:url";
import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";
import { inlineFiles } from "./inlined_files.ts";

const BUNDLE_MS = 60_000;
const TEXT_UNITS_MAX = 2_000;

/**
 * Bundles the plugin at `entry`.
 *
 * @param environment variables for Deno's process beside the node's own: another registry
 * @returns one ECMAScript module whose default export is the plugin's
 * @throws {WaterparkError} `plugin_host/does-not-compile`
 */
export async function bundleIo(entry: URL, environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = await gates.files.makeTempDir({ prefix: "waterpark-bundle-" });
  try {
    const map = `${folder}/imports.json`;
    await write(map, JSON.stringify({ imports: doors() }));
    const main = `${folder}/main.ts`;
    await write(main, `export { default } from ${JSON.stringify(entry.href)};\n`);
    const child = new gates.process.Command(gates.process.execPath(), {
      args: ["bundle", "--quiet", "--platform", "deno", "--format", "esm", "--no-lock", "--import-map", map, main],
      env: { NO_COLOR: "1", ...environment },
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(BUNDLE_MS),
    });
    const { success, stdout, stderr } = await child.output();
    if (!success) throw doesNotCompile(entry, new TextDecoder().decode(stderr));
    return withoutPlaces(new TextDecoder().decode(stdout), folder);
  } finally {
    await gates.files.remove(folder, { recursive: true });
  }
}

/** Puts in files that packages read beside themselves, and a file's URL where modules ask for their own. */
function withoutPlaces(text: string, folder: string): string {
  const whole = inlineFiles(text, {
    from: pathToFileURL(`${folder}/`),
    read: (file) => {
      try {
        return gates.files.readFileSync(file);
      } catch {
        return null; // it is read when it is called for, if ever: whoever does that is told so then
      }
    },
  });
  // The comments name folders of the machine that bundled: the same plugin must be the same bytes everywhere.
  const lines = whole.replaceAll("import.meta.url", '"file:///waterpark/plugin.js"').split("\n");
  const module = lines.filter((line) => !PLACE.test(line)).join("\n");
  return HAS_BUFFER.test(module) ? module : `import { Buffer } from "node:buffer";\n${module}`;
}

/** What was put in is made with Buffer, which a module need not have imported. */
const HAS_BUFFER = /^import \{[^}]*\bBuffer\b(?! as)[^}]*\} from "(node:)?buffer";$/m;

const PLACE = /^\/\/ \S+\.[cm]?[jt]sx?$/;

/** What plugins may import beside packages: the doors for them. */
function doors(): Record<string, string> {
  const url = (path: string) => new URL(path, import.meta.url).href;
  const doors: Record<string, string> = { "@waterpark/waterpark": url("./plugin_door.ts") };
  for (const sink of ["http", "file", "kafka", "nats", "amqp", "mail", "mllp"]) {
    doors[`@waterpark/waterpark/sinks/${sink}`] = url(`../../plugins/sinks/${sink}.ts`);
  }
  for (const source of ["file", "http", "timer", "kafka", "alerts"]) {
    doors[`@waterpark/waterpark/sources/${source}`] = url(`../../plugins/sources/${source}.ts`);
  }
  return doors;
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
