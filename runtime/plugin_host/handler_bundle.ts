/**
 * One module out of a handler and all that it imports, by esbuild: its only importer, and only when something is bundled;
 * a node that runs plugins does without it.
 *
 * Modules are read here and handed to esbuild by their URLs, files as well as http(s), so that the bytes depend on the
 * modules alone and not on where one stood when bundling. White space and syntax are minified, names are kept: a fault
 * that says `at wardOf` is worth more than 2 KB.
 *
 * With packages it goes there and back: the plugin's own modules become one, Deno's bundler adds what that uses of the
 * packages, and the outcome is bundled as any plugin is. Of zod's 768 KB a page of schemas is left with 110 that way, and
 * with 516 when each package is made one module first, which hides from the bundler what is used.
 *
 * @module
 */
import type { BuildFailure, BuildOptions, Message, Plugin } from "esbuild";
import { WaterparkError } from "../base/mod.ts";
import { type ModuleReader, resolveModule } from "./module_source.ts";
import { packageAt, withPackages } from "./package_bundle.ts";

/** How {@linkcode bundleHandler} bundles. */
export interface HandlerBundleOptions {
  /** how modules are read */
  read: ModuleReader;
  /** variables for Deno's process, where packages are bundled */
  environment?: Readonly<Record<string, string>>;
}

/** What stays imported while packages are put in. */
const PROGRAM = "@waterpark/program";
const DOOR = "@waterpark/waterpark";

let bundler: Promise<typeof import("esbuild")> | null = null;
let building = 0;

/**
 * Bundles the handler at `entry`, and the program around it.
 *
 * @returns one CommonJS module whose default export is the program
 * @throws {WaterparkError} `plugin_host/does-not-compile` with file and line of each error
 */
export async function bundleHandler(entry: URL, { read, environment }: HandlerBundleOptions): Promise<string> {
  building++;
  try {
    const main = `import { programOf } from "${PROGRAM}";import * as plugin from ${JSON.stringify(entry.href)};` +
      `export default programOf(plugin.default);`;
    const packages = new Set<string>();
    const text = await built(main, { plugins: [modulesByUrl({ read, packages })] }, entry);
    if (packages.size === 0) return text;
    const external = [PROGRAM, DOOR];
    const own = await built(main, { format: "esm", plugins: [modulesByUrl({ read, packages, external })] }, entry);
    const whole = await withPackages(own, { external, environment }).catch((error: Error) => {
      throw doesNotCompile(entry, `${[...packages].join(", ")}: ${error.message}`);
    });
    return await built(whole, { plugins: [modulesByUrl({ read, packages, whole })] }, entry);
  } finally {
    building--;
  }
}

/**
 * Ends esbuild's process, where one runs: a program that has bundled does not end before. Does nothing while another
 * bundle is being made; whoever waits for that one stops it then.
 */
export async function stopBundler(): Promise<void> {
  if (building > 0 || bundler === null) return;
  const started = bundler;
  bundler = null;
  await (await started).stop();
}

async function built(contents: string, options: BuildOptions, entry: URL): Promise<string> {
  const { build } = await (bundler ??= import("esbuild"));
  try {
    const result = await build({
      stdin: { contents, loader: "js" },
      bundle: true,
      write: false,
      format: "cjs",
      platform: "neutral",
      target: "esnext",
      charset: "utf8",
      legalComments: "none",
      minifySyntax: true,
      minifyWhitespace: true,
      treeShaking: true,
      logLevel: "silent",
      // Packages ask for it, and a context has no `process`.
      define: { "process.env.NODE_ENV": '"production"' },
      tsconfigRaw: "{}",
      ...options,
    });
    return result.outputFiles![0].text;
  } catch (cause) {
    const errors = (cause as BuildFailure).errors;
    if (!Array.isArray(errors)) throw cause;
    throw doesNotCompile(entry, errors.map((error) => described(error, contents)).join("; "));
  }
}

const OURS = new URL("../", import.meta.url).href;

interface Modules {
  read: ModuleReader;
  /** gathers the packages that are imported; they stay imported */
  packages: Set<string>;
  /** what else stays imported */
  external?: readonly string[];
  /** the entry's text, where packages are in it */
  whole?: string;
}

function modulesByUrl({ read, packages, external = [], whole }: Modules): Plugin {
  /** where a module was really found, when it was redirected: its imports are relative to that */
  const found = new Map<string, URL>();
  return {
    name: "waterpark-modules",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, importer, namespace }) => {
        if (external.includes(path)) return { path, external: true };
        const isEntry = namespace !== "module";
        const from = isEntry ? null : found.get(importer) ?? new URL(importer);
        const isProgram = isEntry && path === PROGRAM;
        const resolved = resolveModule(isProgram ? "waterpark:program" : path, from);
        if (typeof resolved === "string") return { errors: [{ text: resolved }] };
        if (resolved.protocol === "npm:") {
          packages.add(path);
          return { path, external: true };
        }
        // A package has nothing beside it any more: what it still asks for is not there.
        if (whole !== undefined && isEntry && !resolved.href.startsWith(OURS)) {
          return { errors: [{ text: `"${path}" is not there` }] };
        }
        // Of our own modules only what is used goes in: several set up tables that a context has no means for.
        return { path: resolved.href, namespace: "module", sideEffects: !resolved.href.startsWith(OURS) };
      });
      onLoad({ filter: /.*/, namespace: "module" }, async ({ path }) => {
        try {
          const { contents, url, loader } = await read(new URL(path));
          found.set(path, url);
          return { contents, loader };
        } catch (error) {
          return { errors: [{ text: `cannot be read: ${(error as Error).message}` }] };
        }
      });
    },
  };
}

function described({ text, location }: Message, contents: string): string {
  if (location === null) return text;
  if (location.file === "<stdin>") {
    const name = packageAt(contents, location.line);
    return name === "" ? text : `npm:${name}: ${text}`;
  }
  return `${location.file.replace(/^module:/, "")}:${location.line}:${location.column + 1}: ${text}`;
}

/** The error of a plugin that does not compile. */
export function doesNotCompile(entry: URL, state: string): WaterparkError {
  return new WaterparkError(`Cannot bundle "${entry}" as it must compile: ${state}`, {
    code: "plugin_host/does-not-compile",
    outcome: "not-applied",
  });
}
