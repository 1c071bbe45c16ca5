/**
 * How far this node's wall clock is from its peers': whoever meets somebody compares watches.
 *
 * A pong brings the peer's wall time; half of its round trip ago is when that was. What is kept is the peer's wall time
 * against this node's *monotonic* clock, so that a jump of the own wall clock shows at once and not with the next pongs.
 * The answer to "how far off am I" is the median over the peers that were heard lately: one wrong clock among three
 * nodes is found to be wrong by its owner and moves nobody else. It stops being right where most clocks are wrong alike.
 *
 * Source: Cristian, Probabilistic clock synchronization, 1989.
 */

/** A round trip longer than this says nothing about clocks: the error is up to half of it. */
const ROUND_TRIP_MS_MAX = 1000;
/** What was heard so long ago says nothing about now, ms: clocks drift, peers are mended. */
const HEARD_MS_MAX = 30_000;

interface Watch {
  /** the peer's wall time minus this node's monotonic time */
  offsetMs: number;
  heardAtMs: number;
}

/** See the file's header. */
export class ClockOffsets {
  readonly #watches = new Map<number, Watch>();
  /** the two in the middle when they were looked for last; every posting's time is held against them */
  #middle: { low: number; high: number; untilMs: number } | null = null;

  /** A peer's pong: its wall time, and how long the round trip took. */
  heard(peer: number, { wallMs, tripMs, nowMs }: { wallMs: number; tripMs: number; nowMs: number }): void {
    if (tripMs > ROUND_TRIP_MS_MAX) return;
    this.#middle = null;
    this.#watches.set(peer, { offsetMs: wallMs - (nowMs - tripMs / 2), heardAtMs: nowMs });
  }

  /** Only these are peers from now on. */
  keep(peers: readonly { incarnation: number }[]): void {
    this.#middle = null;
    const known = new Set(peers.map(({ incarnation }) => incarnation));
    for (const peer of this.#watches.keys()) if (!known.has(peer)) this.#watches.delete(peer);
  }

  /**
   * How far `wallMs`, this node's wall time at `nowMs`, is ahead of the median of the peers' (negative: behind); 0 when
   * nobody was heard. Of the two in the middle of an even number the one that is nearer counts.
   */
  aheadMs(wallMs: number, nowMs: number): number {
    if (this.#middle === null || nowMs > this.#middle.untilMs) this.#middle = this.#lookFor(nowMs);
    if (Number.isNaN(this.#middle.low)) return 0;
    const low = wallMs - (nowMs + this.#middle.high);
    const high = wallMs - (nowMs + this.#middle.low);
    return Math.abs(low) < Math.abs(high) ? low : high;
  }

  /** Offsets of the peers in the middle, NaN where none was heard lately; right until one of them counts no more. */
  #lookFor(nowMs: number): { low: number; high: number; untilMs: number } {
    const offsets: number[] = [];
    let untilMs = Infinity;
    for (const { offsetMs, heardAtMs } of this.#watches.values()) {
      if (nowMs - heardAtMs > HEARD_MS_MAX) continue;
      offsets.push(offsetMs);
      untilMs = Math.min(untilMs, heardAtMs + HEARD_MS_MAX);
    }
    if (offsets.length === 0) return { low: NaN, high: NaN, untilMs: Infinity };
    offsets.sort((a, b) => a - b);
    return { low: offsets[(offsets.length - 1) >> 1], high: offsets[offsets.length >> 1], untilMs };
  }
}
