/**
 * Packages in handlers: modules that import `npm:zod@4.6.7` are handed to Deno's own bundler, in a process of its own,
 * and come back as one module with what they use of the package. So npm's ways of finding files, its cache, registries
 * and proxies are Deno's affair, and no package is asked to run a script.
 *
 * Only exact versions, or the same plugin would be other bytes next month. What a package itself imports by a range is
 * found anew with each bundling; the cluster keeps what came out, by its hash.
 *
 * @module
 */
import { gates } from "../world/mod.ts";

const BUNDLE_MS = 60_000;
const SAID_UNITS_MAX = 500;
const EXACT = /^npm:\/?(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:[-+][\w.+-]*)?(?:\/[\w./-]*)?$/;

/** How {@linkcode withPackages} bundles. */
export interface PackageOptions {
  /** what stays imported */
  external: readonly string[];
  /** variables for Deno's process beside the node's own: another registry */
  environment?: Readonly<Record<string, string>>;
}

/** Why a package is refused; `""`: it is not. */
export function problemOfPackage(specifier: string): string {
  if (EXACT.test(specifier)) return "";
  const name = /^npm:\/?((?:@[^@/]*\/)?[^@/]*)/.exec(specifier)?.[1] ?? "";
  const example = `npm:${name === "" ? "zod" : name}@1.2.3`;
  return `"${specifier}" must say its version exactly, as in ${example}, so that the same plugin becomes the same bytes`;
}

/**
 * The module, with what it uses of the packages that it imports.
 *
 * @param text an ECMAScript module that imports packages by `npm:` specifiers, and else only what is external
 * @returns the same without these imports; packages of CommonJS may be left with calls of `require`
 * @throws {Error} with what Deno says
 */
export async function withPackages(text: string, { external, environment = {} }: PackageOptions): Promise<string> {
  const folder = await gates.files.makeTempDir({ prefix: "waterpark-package-" });
  try {
    const main = `${folder}/main.js`;
    await gates.files.writeFile(main, new TextEncoder().encode(text));
    const child = new gates.process.Command(gates.process.execPath(), {
      // For browsers: where a package has a form that does without Node, this finds it.
      args: ["bundle", "--quiet", "--no-config", "--no-lock", "--platform", "browser", "--format", "esm"].concat(
        external.map((name) => `--external=${name}`),
        main,
      ),
      env: { NO_COLOR: "1", ...environment },
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(BUNDLE_MS),
    });
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(reasonIn(new TextDecoder().decode(stderr), folder));
    return new TextDecoder().decode(stdout)
      // Where a package asks for what the bundle cannot have, Deno leaves a call that fails when it is run. As a plain
      // `require` it is seen now, and refused with its name.
      .replaceAll(/\b__require\((?=["'])/g, "require(")
      // Modules of CommonJS are named by where they are on this machine: the bytes shall not depend on that.
      .replaceAll(/^(\s*)"[^"\n]*\/npm\/([^"\n]+)"(?=\()/gm, '$1"npm/$2"');
  } finally {
    await gates.files.remove(folder, { recursive: true });
  }
}

/** Which package a line of {@linkcode withPackages}' answer is from: `amqplib@2.3.1`; `""`: of none. */
export function packageAt(text: string, line: number): string {
  const lines = text.split("\n", line);
  for (let i = lines.length - 1; i >= 0; i--) {
    if (!lines[i].startsWith("// ")) continue;
    const found = /\/npm\/[^/]+\/((?:@[^/]+\/)?[^/]+)\/(\d+\.\d+\.\d+[^/]*)\//.exec(lines[i]);
    return found === null ? "" : `${found[1]}@${found[2]}`;
  }
  return "";
}

function reasonIn(said: string, folder: string): string {
  const lines = said.replaceAll(`file://${folder}/`, "").split("\n").map((line) => line.replace(/^error: /, "").trim());
  const reason = lines.find((line) => line !== "" && !/^(bundling failed|Stack backtrace|Warning)/.test(line));
  const missing = /^Could not find constraint '([^']+)'/.exec(reason ?? "")?.[1];
  if (missing !== undefined) return `the registry has no ${missing}`;
  return (reason ?? "Deno cannot bundle the packages").slice(0, SAID_UNITS_MAX);
}
