/**
 * Packages in handlers: what an import of `npm:zod@4.6.7` becomes. Deno's own bundler makes one module of the package and
 * all that it imports, in a process of its own, and that text is bundled on as any other module is. So npm's ways of
 * finding files, its cache, registries and proxies are Deno's affair, and no package is asked to run a script.
 *
 * Only exact versions, or the same plugin would be other bytes next month. What a package itself imports by a range is
 * found anew with each bundling; the cluster keeps what came out, by its hash.
 *
 * @module
 */
import { gates } from "../world/mod.ts";
import type { ModuleReader } from "./module_source.ts";

const BUNDLE_MS = 60_000;
const SAID_UNITS_MAX = 500;
const EXACT = /^npm:\/?(?:@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+(?:[-+][\w.+-]*)?(?:\/[\w./-]*)?$/;
/** A module of CommonJS has one export where it is bundled to ECMAScript's form: its names are lost. */
const IS_COMMON = /\nexport default require_\w+\(\);\s*$/;

/** Why a package is refused; `""`: it is not. */
export function problemOfPackage(specifier: string): string {
  if (EXACT.test(specifier)) return "";
  const name = /^npm:\/?((?:@[^@/]*\/)?[^@/]*)/.exec(specifier)?.[1] ?? "";
  const example = `npm:${name === "" ? "zod" : name}@1.2.3`;
  return `"${specifier}" must say its version exactly, as in ${example}, so that the same plugin becomes the same bytes`;
}

/**
 * Reads a package as one module.
 *
 * @param environment variables for Deno's process beside the node's own: another registry
 * @returns a reader for `npm:` URLs
 */
export function packageReader(environment: Readonly<Record<string, string>> = {}): ModuleReader {
  return async (url) => {
    const text = await bundled(url, "esm", environment);
    const contents = IS_COMMON.test(text) ? await bundled(url, "cjs", environment) : text;
    // Where a package asks for what the bundle cannot have, the bundler leaves a call that fails when it is run. As a
    // plain `require` it is seen now, and refused with its name.
    return { contents: contents.replaceAll(/\b__require\((?=["'])/g, "require("), url, loader: "js" };
  };
}

async function bundled(
  url: URL,
  format: "esm" | "cjs",
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await gates.files.makeTempDir({ prefix: "waterpark-package-" });
  try {
    const child = new gates.process.Command(gates.process.execPath(), {
      // For browsers: where a package has a form that does without Node, this finds it.
      args: ["bundle", "--quiet", "--no-config", "--no-lock", "--platform", "browser", "--format", format].concat(
        "--external=@waterpark/waterpark",
        url.href,
      ),
      env: { NO_COLOR: "1", ...environment },
      cwd: folder,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(BUNDLE_MS),
    });
    const { success, stdout, stderr } = await child.output();
    if (success) return new TextDecoder().decode(stdout);
    throw new Error(reasonIn(new TextDecoder().decode(stderr)));
  } finally {
    await gates.files.remove(folder, { recursive: true });
  }
}

// Deno 2.9.6 panics at a version that there is not, where it should say so.
function reasonIn(said: string): string {
  if (said.includes("PackageReqNotFound")) return "the registry has no such version";
  const lines = said.split("\n").map((line) => line.replace(/^error: /, "").trim());
  const reason = lines.find((line) => line !== "" && !/^(bundling failed|Stack backtrace|Warning)/.test(line));
  return (reason ?? "Deno cannot bundle it").slice(0, SAID_UNITS_MAX);
}
