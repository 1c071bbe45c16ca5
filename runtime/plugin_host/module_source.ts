import { isBuiltin } from "node:module";
import { gates } from "../world/mod.ts";
import { problemOfPackage } from "./package_bundle.ts";

/** How the text of a module is to be understood. */
export type ModuleLoader = "ts" | "tsx" | "js" | "jsx" | "json" | "text";

/** Reads a module; `url` is where it was really found. Rejects when it cannot. */
export type ModuleReader = (
  url: URL,
) => Promise<{ contents: Uint8Array | string; url: URL; loader: ModuleLoader }>;

const MODULE_BYTES_MAX = 4 * 1024 * 1024;
const FETCH_DEADLINE_MS = 15_000;

const LOADERS: Record<string, ModuleLoader> = {
  ts: "ts",
  mts: "ts",
  tsx: "tsx",
  js: "js",
  mjs: "js",
  cjs: "js",
  jsx: "jsx",
  json: "json",
  txt: "text",
};

/**
 * What an import means.
 *
 * @param specifier as it stands in the module
 * @param from the importing module's URL; null for the entry of the bundle
 * @returns the URL, a package's being `npm:`, or why it is refused
 */
export function resolveModule(specifier: string, from: URL | null): URL | string {
  if (specifier === "waterpark:program") return new URL("./program.ts", import.meta.url);
  if (specifier === "@waterpark/waterpark") return new URL("./plugin_door.ts", import.meta.url);
  if (specifier.startsWith("@waterpark/waterpark/")) {
    return `"${specifier}" is not for plugins: use @waterpark/waterpark`;
  }
  if (specifier.startsWith("jsr:")) {
    return `"${specifier}" is from JSR, and only npm's packages are bundled: npm:@jsr/... has it, or bundle it into the plugin's file first`;
  }
  if (specifier.startsWith("npm:")) {
    const problem = problemOfPackage(specifier);
    return problem === "" ? new URL(specifier) : problem;
  }
  if (isBuiltin(specifier)) {
    return `"${specifier}" is Node's: handlers are pure and run without it; a function, sink or source may have it`;
  }
  const isRelative = /^\.{0,2}\//.test(specifier);
  if (!isRelative && !/^(https?|file|data):/.test(specifier)) {
    return `"${specifier}" must be a relative path, a URL, a package with its version as in npm:zod@4.6.7, or @waterpark/waterpark`;
  }
  const url = URL.canParse(specifier, from?.href) ? new URL(specifier, from?.href) : null;
  if (url === null) return `"${specifier}" cannot be resolved`;
  // A module from elsewhere must not put files of this machine into a bundle.
  const isRemote = from !== null && from.protocol !== "file:";
  if (isRemote && url.protocol === "file:") return `"${specifier}" is a file, and "${from}" is not`;
  return url;
}

/** Reads a module from disk, by fetch, or out of a `data:` URL. */
export const readModule: ModuleReader = async (url) => {
  if (url.protocol === "file:") return { contents: await gates.files.readFile(url), url, loader: loaderOf(url, "") };
  const signal = AbortSignal.timeout(FETCH_DEADLINE_MS);
  const response = await gates.http.fetch(url, { signal });
  if (!response.ok) {
    await response.body?.cancel();
    throw new Error(`the server answers ${response.status}`);
  }
  const contents = new Uint8Array(await response.arrayBuffer());
  if (contents.length > MODULE_BYTES_MAX) throw new Error(`it has more than ${MODULE_BYTES_MAX} bytes`);
  const found = response.url === "" ? url : new URL(response.url);
  return { contents, url: found, loader: loaderOf(found, response.headers.get("content-type") ?? "") };
};

function loaderOf(url: URL, contentType: string): ModuleLoader {
  const extension = /\.([a-z]+)$/.exec(url.protocol === "data:" ? "" : url.pathname)?.[1] ?? "";
  if (LOADERS[extension] !== undefined) return LOADERS[extension];
  if (contentType.includes("json")) return "json";
  return contentType.includes("javascript") ? "js" : "ts";
}
