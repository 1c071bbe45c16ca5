/**
 * The demo's numbers, and what happened when. Only counts; draws nothing.
 */
import type { Delivery } from "./mllp_sender.ts";

/** One line of the log. */
export interface DemoEvent {
  /** since the start, ms */
  atMs: number;
  text: string;
  tone: "plain" | "good" | "bad";
}

/** A node as the picture shows it. */
export interface NodeFigure {
  name: string;
  state: "starting" | "alive" | "dead" | "asked" | "frozen";
  /** shards that it writes */
  shards: number;
  /** messages in the histories that it writes */
  written: number;
}

/** Per so many ms there is one bar of the rate's curve. */
export const BAR_MS = 500;

/** Everything that is shown. */
export class Tally {
  /** the messages to send */
  readonly messages: number;
  readonly nodes: NodeFigure[];
  readonly events: DemoEvent[] = [];
  /** home of each facility, by facility, as far as known */
  readonly homes = new Map<string, string>();
  /** acknowledgements per {@linkcode BAR_MS}, since sending began */
  readonly bars: number[] = [];
  sent = 0;
  acknowledged = 0;
  repeated = 0;
  readonly #onEvent: (event: DemoEvent) => void;
  readonly #startMs = performance.now();
  readonly #waits: number[] = [];
  #flowMs = 0;

  /** Nothing sent yet; `onEvent` is told what happens as it does. */
  constructor(options: { messages: number; names: readonly string[]; onEvent: (event: DemoEvent) => void }) {
    this.messages = options.messages;
    this.nodes = options.names.map((name) => ({ name, state: "starting", shards: 0, written: 0 }));
    this.#onEvent = options.onEvent;
  }

  /** since the start, ms */
  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** Something that a person wants to know has happened. */
  happened(text: string, tone: DemoEvent["tone"] = "plain"): void {
    const event = { atMs: this.nowMs, text, tone };
    this.events.push(event);
    this.#onEvent(event);
  }

  /** A message goes out for the first time. */
  sending(): void {
    if (this.sent++ === 0) this.#flowMs = this.nowMs;
  }

  /** A message was acknowledged. */
  delivered({ tries, ms }: Delivery): void {
    this.acknowledged++;
    this.repeated += tries - 1;
    this.#waits.push(ms);
    const bar = Math.floor((this.nowMs - this.#flowMs) / BAR_MS);
    while (this.bars.length <= bar) this.bars.push(0);
    this.bars[bar]++;
  }

  /** messages per second in the last full bar */
  get rate(): number {
    return (this.bars.at(-2) ?? 0) * 1000 / BAR_MS;
  }

  /** The longest wait, ms, of the messages acknowledged after the first `acknowledged`. */
  longestAfter(acknowledged: number): number {
    return Math.max(0, ...this.#waits.slice(acknowledged));
  }

  /** How long senders waited for acknowledgements, ms: half of them shorter than `p50` ... */
  waits(): { p50: number; p99: number; longest: number } {
    const sorted = this.#waits.toSorted((a, b) => a - b);
    const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
    return { p50: at(0.5), p99: at(0.99), longest: at(1) };
  }
}
