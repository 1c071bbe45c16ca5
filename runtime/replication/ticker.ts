import type { Timer, World } from "../world/mod.ts";

/** On a tick that is on time, what is remembered of lateness shrinks to this part: in a second to a tenth. */
const FADING = 0.955;
/** However late this node is, nobody is waited for longer than this, ms. */
const LATE_MS_MAX = 1200;
/** A timer that comes so late is on time, ms. */
const ON_TIME_MS = 5;

/**
 * Ticks, while there is something to tick for, and how late they have come of late: what this node has not heard meanwhile
 * lies in its own queues, and must not be held against others. Its owner adds `lateMs` to what it is patient for.
 */
export class Ticker {
  readonly #options: { world: World; tickMs: number; onTick: () => void };
  #timer: Timer | null = null;
  #dueMs = 0;
  #lateMs = 0;

  constructor(options: { world: World; tickMs: number; onTick: () => void }) {
    this.#options = options;
  }

  /** ms; 0 where the machine has time, at most 1200 */
  get lateMs(): number {
    return this.#lateMs;
  }

  /** There will be a tick. */
  plan(): void {
    if (this.#timer !== null) return;
    const { world, tickMs, onTick } = this.#options;
    this.#dueMs = world.nowMonoMs() + tickMs;
    this.#timer = world.after(tickMs, () => {
      this.#timer = null;
      const lateMs = Math.max(0, world.nowMonoMs() - this.#dueMs - ON_TIME_MS);
      this.#lateMs = Math.min(LATE_MS_MAX, this.#lateMs * FADING + lateMs);
      onTick();
    });
  }

  /** There will be none. */
  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
