/**
 * What `deno task bench` can be told. Every flag has a default with which the whole run ends within 90 seconds.
 */
import { parseArgs } from "node:util";

/** How a run is set up. */
export interface BenchOptions {
  /** node processes, 1 to 32 */
  nodes: number;
  /** ways in that are measured, by name; null: all of them */
  senders: string[] | null;
  /** messages under way at a time, one run each */
  inFlight: number[];
  /** how long a run is measured, seconds */
  seconds: number;
  /** actors that the messages go to */
  actors: number;
  /** bytes of a message's body */
  messageBytes: number;
  /** shards of the cluster */
  shards: number;
  /** how nodes talk with each other */
  transport: "auto" | "quic" | "websocket";
  /** one JSON object a line in place of the table */
  json: boolean;
  /** where the nodes leave CPU profiles, `NAME.cpuprofile`; null: none are taken */
  profile: string | null;
  /** file for every receipt, audited at the end; null: none is kept. Costs the client some microseconds a message */
  receipts: string | null;
}

/** What `--help` says. */
export const USAGE = `Measures a Waterpark cluster of real processes on this machine, over loopback.

    deno task bench [--nodes 5] [--in-flight 1,64,1024] [--seconds 4] [--actors 10000] [--message-bytes 300]
                    [--shards 128] [--transport auto|quic|websocket] [--senders http-single,ndjson,wire] [--json] [--profile DIR]
                    [--receipts FILE]

--receipts writes every receipt to FILE, one a line, and has the cluster audited for them before it ends.
Data goes to stdout, talk to stderr. It exits 1 when a receipt or the audit of the nodes' logs was wrong.
`;

/**
 * A node of five has as many copies with these (128) as one of the thirty-two that the full number, 1,024, is made for
 * (160): what a message costs a node goes by how many copies it has.
 */
export const BENCH_SHARDS = 128;

const BOUNDS = {
  nodes: { min: 1, max: 32 },
  "in-flight": { min: 1, max: 4096 },
  seconds: { min: 0.2, max: 300 },
  actors: { min: 1, max: 1_000_000 },
  shards: { min: 16, max: 1024 },
  // Below 64 there is no room for a message's own fields, above a MiB the nodes refuse it.
  "message-bytes": { min: 64, max: 1_000_000 },
};

/**
 * The options in `args`, or null where help was asked for.
 *
 * @throws {TypeError} for an unknown flag or a number out of bounds
 */
export function readOptions(args: string[]): BenchOptions | null {
  const { values } = parseArgs({
    args,
    options: {
      nodes: { type: "string", default: "5" },
      senders: { type: "string" },
      "in-flight": { type: "string", default: "1,64,1024" },
      seconds: { type: "string", default: "4" },
      actors: { type: "string", default: "10000" },
      "message-bytes": { type: "string", default: "300" },
      shards: { type: "string", default: String(BENCH_SHARDS) },
      transport: { type: "string", default: "auto" },
      json: { type: "boolean", default: false },
      profile: { type: "string" },
      receipts: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return null;
  const { transport } = values;
  if (transport !== "auto" && transport !== "quic" && transport !== "websocket") {
    throw new TypeError(`Cannot use --transport "${transport}" as it must be auto, quic or websocket`);
  }
  const inFlight = values["in-flight"].split(",");
  if (inFlight.length > 16) throw new TypeError("Cannot use --in-flight as it must have at most 16 values");
  return {
    nodes: whole("nodes", values.nodes),
    senders: values.senders === undefined ? null : values.senders.split(","),
    inFlight: inFlight.map((text) => whole("in-flight", text)),
    seconds: bounded("seconds", values.seconds),
    actors: whole("actors", values.actors),
    messageBytes: whole("message-bytes", values["message-bytes"]),
    shards: whole("shards", values.shards),
    transport,
    json: values.json,
    profile: values.profile ?? null,
    receipts: values.receipts ?? null,
  };
}

function whole(flag: keyof typeof BOUNDS, text: string): number {
  const value = bounded(flag, text);
  if (!Number.isInteger(value)) throw new TypeError(`Cannot use --${flag} "${text}" as it must be a whole number`);
  return value;
}

function bounded(flag: keyof typeof BOUNDS, text: string): number {
  const value = Number(text);
  const { min, max } = BOUNDS[flag];
  if (text.trim() !== "" && value >= min && value <= max) return value;
  throw new TypeError(`Cannot use --${flag} "${text}" as it must be a number from ${min} to ${max}`);
}
