/**
 * Trace: every event of a simulation as one line of fixed columns, so that `grep`, `cut` and `diff` can work on it.
 *
 *        1234.567  TN-A-1      replication  writer-gained     shard=S00/017 term=3
 *
 * Virtual time in ms, node (or client, or `-`), room, event, details as `name=value`. There is no object where nobody
 * reads: callers write `trace?.write({ ... })`, which makes nothing, not even its argument, while there is no trace.
 */
import type { SimulatedTime } from "../../runtime/world/mod.ts";

/** Where an event happens: a room of the node, or the simulator itself. */
export type TraceRoom =
  | "node"
  | "mesh"
  | "membership"
  | "topology"
  | "replication"
  | "storage"
  | "mailroom"
  | "actors"
  | "effects"
  | "plugins"
  | "client"
  | "fault"
  | "checker";

/** One event; whatever else it holds is a detail, printed in the order written. */
export interface TraceEvent {
  /** name of the node, `client-3`, or `-` for what is nobody's */
  node: string;
  room: TraceRoom;
  /** a word, or some with hyphens */
  event: string;
  /** `name=value`; values with blanks are quoted */
  [detail: string]: string | number | boolean | readonly (string | number)[];
}

/** `usual`: what a person reads. `all`: every commit on every node, too. */
export type TraceLevel = "usual" | "all";

/** Writes events down as lines. */
export class Trace {
  /** true when every commit and every hand-shake is to be written as well */
  readonly isFull: boolean;
  readonly #time: SimulatedTime;
  readonly #write: (line: string) => void;

  constructor(time: SimulatedTime, write: (line: string) => void, level: TraceLevel = "usual") {
    this.#time = time;
    this.#write = write;
    this.isFull = level === "all";
  }

  /** One line. */
  write({ node, room, event, ...details }: TraceEvent): void {
    const columns = [
      this.#time.nowMs.toFixed(3).padStart(12),
      node.padEnd(10),
      room.padEnd(11),
      event.padEnd(16),
      ...Object.entries(details).map(([name, value]) => `${name}=${shown(value)}`),
    ];
    this.#write(`${columns.slice(0, 4).join("  ")}  ${columns.slice(4).join(" ")}`.trimEnd());
  }
}

function shown(value: TraceEvent[string]): string {
  const text = Array.isArray(value) ? value.join(",") : String(value);
  return /[\s"=]/.test(text) || text === "" ? JSON.stringify(text) : text;
}
