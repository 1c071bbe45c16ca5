/**
 * Makes a plugin's one file out of its modules. What every node runs is this file, named by the SHA-256 of its bytes,
 * though the URL that it came from be gone or say something else tomorrow.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { WaterparkError } from "../base/mod.ts";
import { gates, systemWorld } from "../world/mod.ts";
import { bundleHandler, doesNotCompile } from "./handler_bundle.ts";
import { bundleIo } from "./io_bundler.ts";
import { inspectIo } from "./io_manifest.ts";
import { type ModuleReader, readModule } from "./module_source.ts";
import { problemOfPackage } from "./package_bundle.ts";
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

/** How {@linkcode bundlePlugin} bundles. */
export interface BundleOptions {
  /** how modules are read; default: from disk, and by fetch */
  read?: ModuleReader;
  /** variables for Deno's process, where packages are bundled, beside the own ones: another registry */
  environment?: Readonly<Record<string, string>>;
}

/**
 * Bundles a plugin and loads it once where it can do nothing, to see that it is one.
 *
 * @param entry its main module: a path, or a `file:`, `http:`, `https:`, `data:` or `npm:` URL. It may import relative
 *   modules, `@waterpark/waterpark` and `npm:` packages; what touches the outside may import `node:` modules, too.
 * @throws {WaterparkError} `plugin_host/does-not-compile` with file and line of each error,
 *   `plugin_host/too-large` above {@linkcode BUNDLE_BYTES_MAX}, `plugin_host/not-a-plugin` when it exports no handler
 */
export async function bundlePlugin(entry: string | URL, options: BundleOptions = {}): Promise<PluginBundle> {
  const url = urlOf(entry);
  const problem = url.protocol === "npm:" ? problemOfPackage(url.href) : "";
  if (problem !== "") throw doesNotCompile(url, problem);
  let found: { text: string; name: string; actorKind: string };
  try {
    const text = await bundleHandler(url, { read: options.read ?? readModule, environment: options.environment });
    found = { text, ...new PluginContext(text, "bundle").about };
  } catch (error) {
    const other = options.read === undefined ? await bundleOutside(url) : null;
    if (other !== null) return other;
    throw error;
  }
  const bytes = sized(url, found.text);
  return { name: found.name, kind: "handler", actorKind: found.actorKind, hash: await sha256(bytes), bytes };
}

/** Stands in what defines a function, a sink or a source, and is left out of bundles of what does not. */
const DECLARES = "Cannot define the ${kind} as";

/** The bundle of what touches the outside; null: it is no such plugin. */
async function bundleOutside(url: URL): Promise<PluginBundle | null> {
  let text: string;
  try {
    text = await bundleIo(url);
  } catch {
    return null; // what the other bundler has said about it stands
  }
  if (!text.includes(DECLARES)) return null;
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

function urlOf(entry: string | URL): URL {
  if (entry instanceof URL) return entry;
  return /^[a-z][a-z0-9+.-]+:/i.test(entry) && URL.canParse(entry) ? new URL(entry) : pathToFileURL(entry);
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await gates.webCrypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
