/**
 * A steady load that does not wait for anybody: a message is due every so often, whatever became of those before. Its
 * clients prefer different nodes, the one that will die among them, and go elsewhere by themselves.
 */
import { connect, type Receipt, type WaterparkClient } from "../../client.ts";
import type { Timeline } from "./timeline.ts";

/** How much, from how many. */
export interface LoadOptions {
  /** messages due a second */
  rate: number;
  clients: number;
  actors: number;
  messageBytes: number;
  /** HTTP addresses of the nodes */
  urls: readonly string[];
  /** when a message is given up, ms */
  deadlineMs: number;
}

/** Messages under way at a time, at most: what comes due beyond is given up, and counts as failed. */
const UNDER_WAY_MAX = 20_000;

/** Sends until told to stop. */
export class Load {
  readonly #options: LoadOptions;
  readonly #timeline: Timeline;
  readonly #onReceipt: (receipt: Receipt) => void;
  readonly #clients: WaterparkClient[];
  readonly #startMs = performance.now();
  readonly #body: string;
  readonly #failures = new Map<string, number>();
  readonly #run = crypto.randomUUID().slice(0, 8);
  #sent = 0;
  #underWay = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #idle: (() => void) | null = null;

  constructor(options: LoadOptions, timeline: Timeline, onReceipt: (receipt: Receipt) => void) {
    this.#options = options;
    this.#timeline = timeline;
    this.#onReceipt = onReceipt;
    const { urls, clients, deadlineMs } = options;
    this.#clients = Array.from({ length: clients }, (_, i) => {
      const first = i % urls.length;
      return connect([...urls.slice(first), ...urls.slice(0, first)], { deadlineMs });
    });
    this.#body = "x".repeat(options.messageBytes);
    this.#sendDue();
  }

  /** ms since the load began */
  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  /** why messages were given up, with how many */
  get failures(): ReadonlyMap<string, number> {
    return this.#failures;
  }

  /** No more; resolves when every message has its answer. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#idle = resolve);
  }

  #sendDue(): void {
    const { rate } = this.#options;
    // Number 0 is due at once.
    for (const due = Math.floor(this.nowMs * rate / 1000) + 1; this.#sent < due; this.#sent++) {
      const dueMs = this.#sent * 1000 / rate;
      if (this.#underWay < UNDER_WAY_MAX) this.#send(this.#sent, dueMs);
      else this.#gaveUp(dueMs, "too many under way");
    }
    // A timer of its own for each: a tick every few milliseconds would be counted as the cluster's delay.
    this.#timer = setTimeout(() => this.#sendDue(), this.#sent * 1000 / rate - this.nowMs);
  }

  async #send(number: number, dueMs: number): Promise<void> {
    const { actors } = this.#options;
    const client = this.#clients[number % this.#clients.length];
    // coprime to any round number of clients, so that every client comes to every actor
    const actor = number * 7919 % actors;
    this.#underWay++;
    try {
      const key = { facility: `H${actor % 16}`, id: String(actor) };
      const receipt = await client.send(key, { type: "tick", number, body: this.#body }, {
        id: `${this.#run}-${number}`,
      });
      this.#timeline.took(dueMs, this.nowMs);
      this.#onReceipt(receipt);
    } catch (error) {
      this.#gaveUp(dueMs, (error as { code?: string }).code ?? (error as Error).name);
    } finally {
      if (--this.#underWay === 0) this.#idle?.();
    }
  }

  #gaveUp(dueMs: number, why: string): void {
    this.#timeline.gaveUp(dueMs);
    this.#failures.set(why, (this.#failures.get(why) ?? 0) + 1);
  }
}
