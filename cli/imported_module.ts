/** Loading an author's module into this process: for `waterpark sim` and `plugin test`, which fold with it right here. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { fileState } from "./errors.ts";
import { suggest } from "./suggest.ts";

/** What a module exports, by name. */
export type Exports = Record<string, unknown>;

/**
 * Imports a module.
 *
 * @param file a path, or a URL
 * @param refuse throws, with the state that it is given
 */
export async function importModule(file: string, refuse: (state: string) => never): Promise<Exports> {
  const url = /^(https?|file|data):/.test(file) ? file : pathToFileURL(resolve(file)).href;
  try {
    if (url.startsWith("file:")) await Deno.stat(new URL(url));
    return await import(url) as Exports;
  } catch (error) {
    return refuse(fileState(error).split("\n")[0]);
  }
}

/**
 * An object that a module exports beside its default; left out: empty. A field that is none of `fields` is refused, so
 * that a typo is not silently a check that is not made.
 */
export function optionsIn(
  module: Exports,
  { name, fields }: { name: string; fields: readonly string[] },
  refuse: (state: string) => never,
): Exports {
  const { [name]: options = {} } = module;
  if (typeof options !== "object" || options === null) return refuse(`its ${name} must be an object`);
  for (const field of Object.keys(options)) {
    if (fields.includes(field)) continue;
    const meant = suggest(field, fields);
    return refuse(`its ${name} has no "${field}"${meant === undefined ? "" : `: did you mean "${meant}"?`}`);
  }
  return options as Exports;
}
