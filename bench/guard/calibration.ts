/**
 * A loop that does what a node does, in the proportions a node does it in, and is no part of it: mixing of hashes, copies
 * between typed arrays, look-ups in maps by text, small objects that soon die. Whatever a machine is, it slows both down
 * about alike, so a node's CPU per message counted in rounds of this loop is a figure that moves with the code and
 * hardly with the machine. It must never be made faster: that would look like a slower node.
 */
import { threadCpuNs } from "../processes.ts";

/** Rounds of one run: about 80 ms, as the kernel counts CPU in steps of 4 ms. */
const ROUNDS = 500_000;
const BLOCK_BYTES = 380;
const ARENA_BYTES = 1 << 20;
const NAMES = 10_000;

/** The loop's own things, kept between runs so that only work is measured. */
export class Calibration {
  readonly #arena = new Uint8Array(ARENA_BYTES);
  readonly #block = new Uint8Array(BLOCK_BYTES).map((_, i) => i * 31);
  readonly #names = Array.from({ length: NAMES }, (_, i) => `patient/FACILITY${i % 64}/${i}`);
  readonly #table = new Map(this.#names.map((name, i) => [name, { at: i, seen: 0 }]));
  #at = 0;
  /** so that nothing can be left out as unused */
  sum = 0;

  /** CPU of one round on this machine now, nanoseconds. */
  roundNs(): number {
    const from = threadCpuNs();
    for (let i = 0; i < ROUNDS; i++) this.#round(i);
    return (threadCpuNs() - from) / ROUNDS;
  }

  #round(i: number): void {
    const name = this.#names[(i * 7919) % NAMES];
    const entry = this.#table.get(name)!;
    const news = { name, seq: entry.seen + 1, digest: 0, parts: [i, entry.at] };
    let hash = 0x9747b28c;
    for (let at = 0; at < BLOCK_BYTES; at += 4) {
      hash = Math.imul(hash ^ this.#block[at], 0x5bd1e995);
      hash = (hash << 13 | hash >>> 19) + at | 0;
    }
    news.digest = hash;
    if (this.#at + BLOCK_BYTES > ARENA_BYTES) this.#at = 0;
    this.#arena.set(this.#block, this.#at);
    this.#at += BLOCK_BYTES;
    entry.seen = news.seq;
    this.sum = this.sum + news.digest + news.parts.length | 0;
  }
}
