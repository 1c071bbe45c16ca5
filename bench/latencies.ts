/**
 * Latencies in buckets that grow with what they hold, like a ruler whose marks lie 1 % apart: millions of measurements in
 * a fixed 8 KiB, percentiles wrong by less than one mark. (Gil Tene's HdrHistogram, with a logarithm in place of its
 * bit tricks.)
 */
const GROWTH = Math.log(1.01);
/** The last bucket starts at about 160 s; what is slower lands there. */
const BUCKETS = 1_900;
/** Microseconds of the first mark. */
const FIRST_US = 1;

/** A histogram of latencies. */
export class Latencies {
  readonly #buckets = new Uint32Array(BUCKETS);
  #count = 0;

  /** Measurements taken in. */
  get count(): number {
    return this.#count;
  }

  /** Takes in one measurement, microseconds. */
  add(us: number): void {
    const mark = us <= FIRST_US ? 0 : Math.ceil(Math.log(us / FIRST_US) / GROWTH);
    this.#buckets[Math.min(mark, BUCKETS - 1)]++;
    this.#count++;
  }

  /** Forgets everything: the end of a warm-up. */
  clear(): void {
    this.#buckets.fill(0);
    this.#count = 0;
  }

  /** The latency, in whole microseconds, that the part `share` (0 to 1) of all stayed within; 0 without any. */
  percentile(share: number): number {
    const wanted = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (let mark = 0; mark < BUCKETS; mark++) {
      seen += this.#buckets[mark];
      if (seen >= wanted) return Math.round(FIRST_US * Math.exp(mark * GROWTH));
    }
    return 0;
  }
}
