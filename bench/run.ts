/**
 * One measured run, from the sender's side: hands out messages, takes answers, and keeps time. The load is a closed loop:
 * as many messages are under way as were asked for, and the next goes out when one comes back. A cluster that stalls is
 * therefore asked less while it stalls; latencies here say nothing about a load that does not wait.
 */
import { Latencies } from "./latencies.ts";
import type { Receipt as FullReceipt } from "../client.ts";
import type { Ledger, Receipt } from "./ledger.ts";
import type { Message, Messages } from "./messages.ts";
import { cpuSeconds, machineSeconds } from "./processes.ts";

/** What a run measured. */
export interface RunResult {
  seconds: number;
  messagesPerSecond: number;
  p50Us: number;
  p99Us: number;
  /** the slowest of all messages sent in the measured time, those answered after its end included: shows stalls */
  maxUs: number;
  serverCpuUsPerMessage: number;
  clientCpuUsPerMessage: number;
  /** CPU that neither the nodes nor the client used, in cores: near 0, or something disturbed the run */
  othersCores: number;
}

/** How long a run takes. */
export interface RunLimits {
  /** answers within this time are booked, not measured */
  warmUpMs: number;
  /** measured time; Infinity: until `messagesMax` are answered */
  measureMs: number;
  messagesMax: number;
}

/** Receipt or problem, as a node says it. */
export type Answer = Receipt | { code: string; outcome: string };

/** Where answers are written down. */
export type Book = Pick<Ledger, "take" | "takeRefusal">;

/** Counts acknowledged messages between two readings of the clocks. */
export class Run {
  readonly #messages: Messages;
  readonly #ledger: Book;
  readonly #limits: RunLimits;
  readonly #nodePids: readonly number[];
  readonly #onReceipt: (receipt: FullReceipt) => void;
  readonly #latencies = new Latencies();
  #from: Reading | null = null;
  #to: Reading | null = null;
  #left: number;
  #acknowledged = 0;
  #maxMs = 0;

  constructor(
    { messages, ledger, nodePids, onReceipt = () => {}, ...limits }: RunLimits & {
      messages: Messages;
      ledger: Book;
      nodePids: readonly number[];
      /** told of every receipt, right or wrong */
      onReceipt?: (receipt: FullReceipt) => void;
    },
  ) {
    this.#onReceipt = onReceipt;
    this.#messages = messages;
    this.#ledger = ledger;
    this.#limits = limits;
    this.#nodePids = nodePids;
    this.#left = limits.messagesMax;
  }

  /** Runs `send`, which takes messages until there is none and resolves when all have their answers. */
  async measure(send: (run: Run) => Promise<void>): Promise<RunResult> {
    const { warmUpMs, measureMs } = this.#limits;
    const timers: ReturnType<typeof setTimeout>[] = [];
    if (warmUpMs > 0) timers.push(setTimeout(() => this.#begin(), warmUpMs));
    else this.#begin();
    if (measureMs < Infinity) timers.push(setTimeout(() => this.#finish(), warmUpMs + measureMs));
    await send(this);
    for (const timer of timers) clearTimeout(timer);
    this.#finish();
    return this.#result();
  }

  /** The next message to send; null: no more. */
  next(): Message | null {
    if (this.#to !== null || this.#left <= 0) return null;
    this.#left--;
    return this.#messages.next();
  }

  /** Takes the answer to a message that went out at `sentMs`. True: it is recorded. */
  answered(message: Message, sentMs: number, answer: Answer): boolean {
    if ("code" in answer) {
      this.#ledger.takeRefusal(message.actor, answer);
      return false;
    }
    this.#ledger.take(message.actor, message, answer);
    this.#onReceipt(answer as FullReceipt);
    if (this.#from === null) return true;
    const ms = performance.now() - sentMs;
    if (ms > this.#maxMs) this.#maxMs = ms;
    if (this.#to !== null) return true;
    this.#acknowledged++;
    this.#latencies.add(ms * 1000);
    return true;
  }

  #begin(): void {
    this.#from ??= this.#read();
  }

  #finish(): void {
    this.#to ??= this.#read();
  }

  #read(): Reading {
    return {
      atMs: performance.now(),
      serverSeconds: cpuSeconds(this.#nodePids),
      clientSeconds: cpuSeconds([Deno.pid]),
      machineSeconds: machineSeconds(),
    };
  }

  #result(): RunResult {
    const from = this.#from ?? this.#to!;
    const to = this.#to!;
    const seconds = (to.atMs - from.atMs) / 1000;
    const server = to.serverSeconds - from.serverSeconds;
    const client = to.clientSeconds - from.clientSeconds;
    const each = (cpu: number) => this.#acknowledged === 0 ? 0 : round(cpu * 1e6 / this.#acknowledged, 1);
    return {
      seconds: round(seconds, 2),
      messagesPerSecond: seconds === 0 ? 0 : Math.round(this.#acknowledged / seconds),
      p50Us: this.#latencies.percentile(0.5),
      p99Us: this.#latencies.percentile(0.99),
      maxUs: Math.round(this.#maxMs * 1000),
      serverCpuUsPerMessage: each(server),
      clientCpuUsPerMessage: each(client),
      othersCores: seconds === 0
        ? 0
        : Math.max(0, round((to.machineSeconds - from.machineSeconds - server - client) / seconds, 2)),
    };
  }
}

interface Reading {
  atMs: number;
  serverSeconds: number;
  clientSeconds: number;
  machineSeconds: number;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
