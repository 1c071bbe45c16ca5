/**
 * A fuse between a sink and a target that does not answer: after so many failures in a row nothing is tried for a while,
 * then one delivery is let through to see. A target that comes back so is not met by all that has gathered, and none of
 * it waits for one time-out after the other.
 *
 * @module
 */

/** When a fuse blows, and for how long. */
export interface BreakerOptions {
  /** failures in a row after which nothing is tried; usual: 5 */
  readonly failures?: number;
  /** ms until one delivery is let through again; usual: 10000 */
  readonly pauseMs?: number;
}

/** The fuse. It reads no clock: who asks says what time it is, in ms of any clock that does not go back. */
export class CircuitBreaker {
  readonly #failuresMax: number;
  readonly #pauseMs: number;
  #failures = 0;
  #closedUntilMs = 0;
  #isTrying = false;

  constructor({ failures = 5, pauseMs = 10_000 }: BreakerOptions = {}) {
    this.#failuresMax = failures;
    this.#pauseMs = pauseMs;
  }

  /** 0: try it, and say how it went; else in how many ms to ask again. */
  waitMs(nowMs: number): number {
    if (this.#failures < this.#failuresMax) return 0;
    if (nowMs < this.#closedUntilMs) return this.#closedUntilMs - nowMs;
    // of those that come now one is let through, the others wait for what becomes of it
    if (this.#isTrying) return Math.min(1_000, this.#pauseMs);
    this.#isTrying = true;
    return 0;
  }

  /** It answered, whatever it said. */
  succeeded(): void {
    this.#failures = 0;
    this.#isTrying = false;
  }

  /** It did not answer, or cannot work. */
  failed(nowMs: number): void {
    this.#failures++;
    this.#isTrying = false;
    if (this.#failures >= this.#failuresMax) this.#closedUntilMs = nowMs + this.#pauseMs;
  }
}
