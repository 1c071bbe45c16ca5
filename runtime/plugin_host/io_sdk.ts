/**
 * What the author of a plugin that touches the outside writes with: functions, sinks, sources. Unlike handlers they may
 * do what their manifest declares, and nothing else: each runs in a process of its own with just those permissions.
 *
 * In a bundle `@waterpark/waterpark` is `plugin_door.ts`, which has this file; so it imports nothing but types.
 *
 * @module
 */
import type { FullKey } from "../base/mod.ts";

/** What a plugin may touch, in the words of Deno's `--allow-…`; what is left out is refused. */
export interface Permissions {
  /** `host:port` or `host`, to connect to or to listen on */
  readonly net?: readonly string[];
  /** files and folders to read */
  readonly read?: readonly string[];
  /** files and folders to write */
  readonly write?: readonly string[];
  /** names of environment variables of the node to read: where secrets come from */
  readonly env?: readonly string[];
  /** what the process may ask about the system: `hostname`, `osRelease`, ... */
  readonly sys?: readonly string[];
}

/** What a plugin may use up. */
export interface Limits {
  /** V8 heap of its process, MiB; usual: 256 */
  readonly heapMiB?: number;
  /** ms for a call; then it counts as failed, and after three such calls in a row the process begins anew; usual: 30000 */
  readonly callMs?: number;
  /** calls under way in one process; what comes beyond waits, or is refused; usual: 64 */
  readonly openMax?: number;
}

/** What all three kinds declare. */
export interface Manifest {
  /** the plugin's name: lower-case letters, digits, `-` and `_`, a letter first, at most 64 */
  readonly name: string;
  /** what it may touch; left out: nothing */
  readonly permissions?: Permissions;
  /** what it may use up */
  readonly limits?: Limits;
}

/** One effect to be carried out by a sink. */
export interface Delivery {
  /** the effect's id, the same at every attempt: what a target may use to drop what it has already */
  readonly id: string;
  /** the actor whose handler asked for it: deliveries of one actor come in order, one after the other's end */
  readonly key: FullKey;
  /** of the message that was handled */
  readonly seq: number;
  /** which try this is, from 1 */
  readonly attempt: number;
  /** what it is, as the handler said */
  readonly type: string;
  /** media type of `bytes` */
  readonly contentType: string;
  /** what is to be sent */
  readonly bytes: Uint8Array;
  /** where to, or how, as the handler said beside the message: what a sink makes of it stands in its documentation */
  readonly options: Readonly<Record<string, string>>;
}

/**
 * How a delivery ended: `done`; `retry`, not now, and nothing is known to have arrived; `dead`, never, whoever asks.
 * `code` (`mllp/rejected`) and `text` say why, to people, without patient data; `answer` is what the target said, kept for
 * whoever follows the message, at most 4 KiB.
 */
export type DeliveryEnd =
  | { readonly state: "done"; readonly answer?: string }
  | { readonly state: "retry"; readonly code: string; readonly text: string; readonly afterMs?: number }
  | { readonly state: "dead"; readonly code: string; readonly text: string; readonly answer?: string };

/** An open sink. */
export interface SinkConnection {
  /**
   * Carries deliveries out, each of another actor; called again while earlier calls are under way, up to
   * `limits.openMax`. A rejection is a `retry` of all of them.
   *
   * @returns of each delivery its end, in the same order
   */
  deliver(deliveries: readonly Delivery[]): Promise<readonly DeliveryEnd[]>;
  /** Looks whether the target can be reached and lets one in, without sending anything; rejects with why not. */
  check?(): Promise<string>;
  /** Ends what is open. Deliveries are over by then. */
  close?(): Promise<void>;
}

/** A sink: carries effects out. */
export interface SinkDefinition extends Manifest {
  /** deliveries in one call at most; usual: 100 */
  readonly batchMax?: number;
  /** how often and when a delivery is tried again; usual: 8 times, after 0.5 s, twice as long each time, at most 60 s */
  readonly retry?: { readonly attempts?: number; readonly firstMs?: number; readonly mostMs?: number };
  /**
   * What becomes of an actor's later deliveries when one cannot be made: `hold`, they wait until somebody has looked at
   * it; `skip`, it is laid aside as a dead letter and they go on. Usual: `skip`.
   */
  readonly whenDead?: "hold" | "skip";
  /** Begins: once in each process, before the first delivery, and again after it rejects. */
  open(): Promise<SinkConnection>;
}

/**
 * Declares a sink; a plugin's module exports the answer as its default.
 *
 * @throws {TypeError} when it is none, with what is wrong
 *
 * @example
 * ```ts
 * import { defineSink } from "./io_sdk.ts";
 * const sink = defineSink({
 *   name: "pager",
 *   permissions: { net: ["pager.example:443"], env: ["PAGER_TOKEN"] },
 *   open: () =>
 *     Promise.resolve({
 *       deliver: (all) => Promise.all(all.map(async ({ id, bytes }) => {
 *         const headers = { "idempotency-key": id };
 *         const { ok, status } = await fetch("https://pager.example/", { method: "POST", headers, body: bytes.slice() });
 *         return ok ? { state: "done" } as const : { state: "retry", code: "pager/refused", text: `it says ${status}` } as const;
 *       })),
 *     }),
 * });
 * if (sink.name !== "pager") throw new Error("unreachable");
 * ```
 */
export function defineSink(definition: SinkDefinition): SinkDefinition & { readonly plugin: "sink" } {
  return declared("sink", definition, ["open"]);
}

/** What a function's `fetch` is given beside the request. */
export interface FunctionContext {
  /** Records a message, as `node.send` does; resolves when enough copies have it. */
  send(key: SourceKey, message: SourceMessage): Promise<SourceReceipt>;
  /** Reads an actor's projections, by plugin; null: there is no such actor. */
  read(key: SourceKey): Promise<{ seq: number; projections: Record<string, unknown> } | null>;
}

/** A function: answers HTTP requests to `/v1/functions/{name}/...` on every node. */
export interface FunctionDefinition extends Manifest {
  /** Answers; the path of the request's URL begins behind the function's name. */
  fetch(request: Request, context: FunctionContext): Response | Promise<Response>;
}

/**
 * Declares a function; a plugin's module exports the answer as its default.
 *
 * @throws {TypeError} when it is none, with what is wrong
 *
 * @example
 * ```ts
 * import { defineFunction } from "./io_sdk.ts";
 * const ward = defineFunction({
 *   name: "where-is",
 *   async fetch(request, { read }) {
 *     const id = new URL(request.url).pathname.slice(1);
 *     const view = await read({ facility: "HOSPX", id });
 *     return view === null ? new Response("nobody", { status: 404 }) : Response.json(view.projections.census);
 *   },
 * });
 * if (ward.plugin !== "function") throw new Error("unreachable");
 * ```
 */
export function defineFunction(definition: FunctionDefinition): FunctionDefinition & { readonly plugin: "function" } {
  return declared("function", definition, ["fetch"]);
}

/** To which actor; `kind` is `"patient"` where left out. */
export interface SourceKey {
  /** kind of actor */
  readonly kind?: string;
  /** whose it is: a hospital, mostly */
  readonly facility: string;
  /** the actor's within the facility */
  readonly id: string;
}

/** What a source brings in. */
export interface SourceMessage {
  /** the message's id: the same message brought twice is recorded once; left out: one is made up */
  readonly id?: string;
  /** what it is; `""` where left out */
  readonly type?: string;
  /** media type of the bytes; left out: JSON */
  readonly contentType?: string;
  /** bytes and strings as they are, everything else as JSON */
  readonly body: unknown;
}

/** What comes back when enough copies have it. */
export interface SourceReceipt {
  /** the message's */
  readonly id: string;
  /** its place in the actor's history */
  readonly seq: number;
  /** it was there already, with the same bytes */
  readonly duplicate: boolean;
}

/** What a source is given. */
export interface SourceContext {
  /** aborted when it is to end: it moves to another node, or another version takes over */
  readonly signal: AbortSignal;
  /**
   * Records a message; resolves when enough copies have it, tries again by itself while that is of use.
   *
   * Rejects with an error whose `code` is a stable code and whose `outcome` is `not-applied` or `unknown`.
   */
  send(key: SourceKey, message: SourceMessage): Promise<SourceReceipt>;
  /** Where it had got to, as last kept with `keep`, on whichever node that was; null at its beginning. */
  cursor(): Promise<unknown>;
  /** Keeps where it has got to: plain data, at most 16 KiB, replicated like any message. Call it after `send`. */
  keep(cursor: unknown): Promise<void>;
}

/** A source: brings messages in. */
export interface SourceDefinition extends Manifest {
  /**
   * `one`: on one node of the cluster at a time, and on another when that dies (whoever polls a folder); `each`: on every
   * node (whoever listens).
   */
  readonly runsOn: "one" | "each";
  /** Runs until `signal` is aborted; what it throws is shown, and it begins again, at first after 1 s, at most after 60. */
  run(context: SourceContext): Promise<void>;
}

/**
 * Declares a source; a plugin's module exports the answer as its default.
 *
 * @throws {TypeError} when it is none, with what is wrong
 *
 * @example
 * ```ts
 * import { defineSource } from "./io_sdk.ts";
 * const ticks = defineSource({
 *   name: "ticks",
 *   runsOn: "one",
 *   async run({ signal, send, cursor, keep }) {
 *     let n = Number(await cursor() ?? 0);
 *     while (!signal.aborted) {
 *       await send({ kind: "clock", facility: "HOSPX", id: "main" }, { id: `tick-${n}`, type: "tick", body: { n } });
 *       await keep(++n);
 *       await new Promise((resolve) => setTimeout(resolve, 60_000));
 *     }
 *   },
 * });
 * if (ticks.runsOn !== "one") throw new Error("unreachable");
 * ```
 */
export function defineSource(definition: SourceDefinition): SourceDefinition & { readonly plugin: "source" } {
  if (definition?.runsOn !== "one" && definition?.runsOn !== "each") {
    throw new TypeError(`Cannot define the source as its runsOn must be "one" or "each"`);
  }
  return declared("source", definition, ["run"]);
}

function declared<D extends Manifest, K extends string>(kind: K, definition: D, methods: string[]): D & { plugin: K } {
  const problem = problemOfManifest(definition, methods);
  if (problem !== "") throw new TypeError(`Cannot define the ${kind} as ${problem}`);
  return { ...definition, plugin: kind };
}

/** What is wrong with what a plugin declares; `""` when nothing is. */
export function problemOfManifest(value: unknown, methods: readonly string[]): string {
  if (typeof value !== "object" || value === null) return "it is no object";
  const { name, permissions = {}, limits = {} } = value as Partial<Manifest>;
  if (typeof name !== "string" || !/^[a-z][a-z0-9_-]{0,63}$/.test(name)) {
    return "its name must be 1 to 64 lower-case letters, digits, - and _, a letter first";
  }
  for (const method of methods) {
    if (typeof (value as Record<string, unknown>)[method] !== "function") return `its ${method} must be a function`;
  }
  for (const [what, names] of Object.entries(permissions)) {
    if (!["net", "read", "write", "env", "sys"].includes(what)) return `there is no permission "${what}"`;
    const isList = Array.isArray(names) && names.length <= 100 &&
      names.every((one) => typeof one === "string" && /^[^,\p{Cc}]{1,500}$/u.test(one));
    if (!isList) return `its permission ${what} must be a list of at most 100 names without commas`;
  }
  for (const [what, number] of Object.entries(limits)) {
    const [least, most] = LIMITS[what] ?? [0, -1];
    if (!Number.isInteger(number) || number < least || number > most) {
      return most < 0
        ? `there is no limit "${what}"`
        : `its limit ${what} must be a whole number from ${least} to ${most}`;
    }
  }
  return "";
}

const LIMITS: Record<string, [number, number]> = {
  heapMiB: [16, 4_096],
  callMs: [10, 600_000],
  openMax: [1, 10_000],
};
