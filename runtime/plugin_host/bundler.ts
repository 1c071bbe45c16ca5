/**
 * Makes a plugin's one file out of its modules. What every node runs is this file, named by the SHA-256 of its bytes,
 * though the URL that it came from be gone or say something else tomorrow.
 *
 * Modules are read here and handed to esbuild by their URLs, files as well as http(s), so that the bytes depend on the
 * modules alone and not on where one stood when bundling. White space and syntax are minified, names are kept: a fault
 * that says `at wardOf` is worth more than 2 KB.
 *
 * The only importer of esbuild, and only when something is bundled: a node that runs plugins does without it.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import type { BuildFailure, Message, Plugin } from "esbuild";
import { WaterparkError } from "../base/mod.ts";
import { gates, systemWorld } from "../world/mod.ts";
import { bundleIo } from "./io_bundler.ts";
import { inspectIo } from "./io_manifest.ts";
import { type ModuleReader, readModule, resolveModule } from "./module_source.ts";
import { PluginContext } from "./plugin_context.ts";

/** Largest bundle, in bytes. */
export const BUNDLE_BYTES_MAX = 4 * 1024 * 1024;

/** A bundled plugin. */
export interface PluginBundle {
  /** the plugin's name, as it gives it itself */
  name: string;
  /** what it is */
  kind: "handler" | "function" | "sink" | "source";
  /** kind of the actors whose messages a handler handles; `"*"` for the other kinds */
  actorKind: string;
  /** SHA-256 of `bytes`, hexadecimal */
  hash: string;
  /** one CommonJS module of a handler, one ECMAScript module of what touches the outside */
  bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Bundles a plugin and loads it once where it can do nothing, to see that it is one.
 *
 * @param entry its main module: a path, or a `file:`, `http:`, `https:` or `data:` URL. It may import relative modules
 *   and `@waterpark/waterpark`; what touches the outside may import `npm:` packages and `node:` modules, too.
 * @param options.read how modules are read; default: from disk, and by fetch
 * @throws {WaterparkError} `plugin_host/does-not-compile` with file and line of each error,
 *   `plugin_host/too-large` above {@linkcode BUNDLE_BYTES_MAX}, `plugin_host/not-a-plugin` when it exports no handler
 */
export async function bundlePlugin(entry: string | URL, options: { read?: ModuleReader } = {}): Promise<PluginBundle> {
  const url = urlOf(entry);
  let found: { text: string; name: string; actorKind: string };
  try {
    const text = await compile(url, options.read ?? readModule);
    found = { text, ...new PluginContext(text, "bundle").about };
  } catch (error) {
    const other = options.read === undefined ? await bundleOutside(url) : null;
    if (other !== null) return other;
    throw error;
  }
  const bytes = sized(url, found.text);
  return { name: found.name, kind: "handler", actorKind: found.actorKind, hash: await sha256(bytes), bytes };
}

/** The bundle of what touches the outside; null: it is no such plugin. */
async function bundleOutside(url: URL): Promise<PluginBundle | null> {
  let text: string;
  try {
    text = await bundleIo(url);
  } catch {
    return null; // what the other bundler has said about it stands
  }
  const bytes = sized(url, text);
  try {
    const { name, plugin: kind } = await inspectIo(systemWorld(), bytes);
    return { name, kind, actorKind: "*", hash: await sha256(bytes), bytes };
  } catch (error) {
    if (error instanceof WaterparkError && error.code === "plugin_host/not-a-plugin") return null;
    throw error;
  }
}

function sized(url: URL, text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length > BUNDLE_BYTES_MAX) {
    throw new WaterparkError(
      `Cannot bundle "${url}" as a bundle may have ${BUNDLE_BYTES_MAX} bytes: ${bytes.length} bytes`,
      { code: "plugin_host/too-large", outcome: "not-applied" },
    );
  }
  return bytes;
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

let bundler: Promise<typeof import("esbuild")> | null = null;
let building = 0;

async function compile(entry: URL, read: ModuleReader): Promise<string> {
  building++;
  try {
    const { build } = await (bundler ??= import("esbuild"));
    const result = await build({
      stdin: {
        contents:
          `import { programOf } from "waterpark:program";import * as plugin from ${JSON.stringify(entry.href)};` +
          `export default programOf(plugin.default);`,
        loader: "js",
      },
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
      tsconfigRaw: "{}",
      plugins: [modulesByUrl(read)],
    });
    return result.outputFiles[0].text;
  } catch (cause) {
    const errors = (cause as BuildFailure).errors;
    if (!Array.isArray(errors)) throw cause;
    throw new WaterparkError(`Cannot bundle "${entry}" as it must compile: ${errors.map(describe).join("; ")}`, {
      code: "plugin_host/does-not-compile",
      outcome: "not-applied",
    });
  } finally {
    building--;
  }
}

const OURS = new URL("../", import.meta.url).href;

function modulesByUrl(read: ModuleReader): Plugin {
  /** where a module was really found, when it was redirected: its imports are relative to that */
  const found = new Map<string, URL>();
  return {
    name: "waterpark-modules",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /.*/ }, ({ path, importer, namespace }) => {
        const from = namespace === "module" ? found.get(importer) ?? new URL(importer) : null;
        const resolved = resolveModule(path, from);
        if (typeof resolved === "string") return { errors: [{ text: resolved }] };
        // Of our own modules only what is used goes in: several set up tables that a context has no means for.
        const sideEffects = !(resolved.href.startsWith(OURS));
        return { path: resolved.href, namespace: "module", sideEffects };
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

function describe({ text, location }: Message): string {
  if (location === null) return text;
  const file = location.file.replace(/^module:/, "").replace(/^<stdin>$/, "entry");
  return `${file}:${location.line}:${location.column + 1}: ${text}`;
}

function urlOf(entry: string | URL): URL {
  if (entry instanceof URL) return entry;
  return /^[a-z][a-z0-9+.-]+:/i.test(entry) && URL.canParse(entry) ? new URL(entry) : pathToFileURL(entry);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await gates.webCrypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
