/**
 * Pace: how fast this node's writers bring new copies up to date. A tap on the water main: whoever fills a pool leaves
 * enough for those who want to drink.
 *
 * Three bounds, each for another cost: copies at the same time (memory and bookkeeping), copies begun per second (each
 * takes a dozen entries, frames and commits, however small it is: a thousand empty shards moved at once would delay
 * messages), and bytes per second. What clients wait for is not held up: a shard with fewer voters than a receipt needs,
 * as after a recovery from one survivor, is bounded in copies at the same time only; and the topology's own copy by
 * nothing, as who lacks it cannot be given anything else.
 */

/** Why a copy is made: nobody waits for it, receipts do, or everything does. */
export type Need = "none" | "receipts" | "topology";

/** The bounds; node's config.ts has the defaults. */
export interface PaceConfig {
  /** copies brought up to date at the same time by one node */
  catchUpsMax: number;
  /** copies begun per second by one node */
  catchUpsPerSecond: number;
  /** bytes of log sent per second by one node to copies that are being brought up to date */
  catchUpBytesPerSecond: number;
}

/** Unused allowance is kept for so long, ms: a few ticks, so that none is lost between two of them. */
const KEPT_MS = 100;

/** One node's allowance. */
export class Pace {
  readonly #config: PaceConfig;
  #begun = 1;
  #bytes = 0;
  #atMs = -Infinity;
  #open: number | null = null;

  constructor(config: PaceConfig) {
    this.#config = config;
    this.#bytes = this.#most(config.catchUpBytesPerSecond);
  }

  /** Time has passed: allowance has come in, and who is open is to be counted anew. */
  tick(nowMs: number): void {
    const sinceMs = Math.min(KEPT_MS, Math.max(0, nowMs - this.#atMs));
    const { catchUpsPerSecond, catchUpBytesPerSecond } = this.#config;
    this.#atMs = nowMs;
    this.#open = null;
    this.#begun = Math.min(
      Math.max(1, this.#most(catchUpsPerSecond)),
      this.#begun + catchUpsPerSecond * sinceMs / 1000,
    );
    this.#bytes = Math.min(this.#most(catchUpBytesPerSecond), this.#bytes + catchUpBytesPerSecond * sinceMs / 1000);
  }

  /** Takes the allowance for one more copy of a shard; `open` counts those that are being brought up to date. */
  mayBegin(need: Need, open: () => number): boolean {
    if (need === "topology") return true;
    if (need === "none" && this.#begun < 1) return false;
    this.#open ??= open();
    if (this.#open >= this.#config.catchUpsMax) return false;
    this.#open++;
    if (need === "none") this.#begun--;
    return true;
  }

  /** True while something may be sent; the last of it may go beyond, and is paid back. */
  mayFeed(need: Need): boolean {
    return need !== "none" || this.#bytes > 0;
  }

  /** So much was sent. */
  fed(need: Need, bytes: number): void {
    if (need === "none") this.#bytes -= bytes;
  }

  #most(perSecond: number): number {
    return perSecond * KEPT_MS / 1000;
  }
}
