const SENT = 4096;
const SAMPLES = 512;
/** Sorting is put off until so many samples are new. */
const FRESH_SAMPLES = 32;

/**
 * Round trips of pings: who was pinged when, and the 99th percentile of the last 512 answers of all peers. Fixed arrays;
 * a ping that is 4,096 pings old is forgotten and its answer measures nothing.
 */
export class RoundTrips {
  readonly #numbers = new Float64Array(SENT);
  readonly #peers = new Float64Array(SENT);
  readonly #sentAtMs = new Float64Array(SENT);
  readonly #samples = new Float64Array(SAMPLES);
  #count = 0;
  #p99 = 0;
  #sortedAt = 0;

  /** Ping `number` (from 1) goes to `peer`. */
  sent(number: number, peer: number, nowMs: number): void {
    const at = number % SENT;
    this.#numbers[at] = number;
    this.#peers[at] = peer;
    this.#sentAtMs[at] = nowMs;
  }

  /** `peer` has answered ping `number`: how long that took, ms; -1 for the second answer, or one nobody waits for. */
  answered(number: number, peer: number, nowMs: number): number {
    const at = number % SENT;
    if (number === 0 || this.#numbers[at] !== number || this.#peers[at] !== peer) return -1;
    this.#numbers[at] = 0;
    return this.#samples[this.#count++ % SAMPLES] = nowMs - this.#sentAtMs[at];
  }

  /** 99th percentile in ms; 0 before anything was measured. */
  p99Ms(): number {
    const fresh = this.#count - this.#sortedAt;
    if (fresh >= FRESH_SAMPLES || (fresh > 0 && this.#count <= FRESH_SAMPLES)) {
      const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort();
      this.#p99 = sorted[Math.ceil(sorted.length * 0.99) - 1];
      this.#sortedAt = this.#count;
    }
    return this.#p99;
  }
}
