/**
 * Whose is a function? The room that a profile's call frame belongs to, from the address of its module.
 */

/** Where a function of a profile stands (the DevTools protocol's `Runtime.CallFrame`, as far as it is looked at). */
export interface CallFrame {
  functionName: string;
  /** the module's address; empty: V8's own */
  url: string;
  /** from 0 */
  lineNumber: number;
}

/**
 * The room: a folder of `runtime/`, `client`, `bench`, a package's name, `simulated` for the parts of world and transport that only
 * stand in for the real ones in tests, `deno` for what Deno is made of, `gc`, `idle`. Null: V8's own or native code, which works for
 * whoever called it.
 */
export function roomOf({ functionName, url }: CallFrame): string | null {
  if (url === "") {
    if (functionName === "(garbage collector)") return "gc";
    return functionName === "(idle)" ? "idle" : null;
  }
  if (url.startsWith("ext:") || url.startsWith("node:")) return "deno";
  if (/\/runtime\/(world\/simulated_|transport\/memory)/.test(url)) return "simulated";
  const runtime = /\/runtime\/([a-z_]+)\//.exec(url);
  if (runtime !== null) return runtime[1];
  const npm = /\/(?:npm\/)?registry\.npmjs\.org\/((?:@[^/]+\/)?[^/]+)\//.exec(url);
  if (npm !== null) return npm[1];
  const folder = /\/(client|bench|cli|plugins)\/[^:]*\.ts$/.exec(url);
  return folder === null ? "other" : folder[1];
}
