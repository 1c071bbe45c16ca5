/**
 * Hash ring: which nodes, in which order, a point belongs to.
 *
 * A clock face of 2048 sectors. Every node has one mark in every sector, at a place that only its name and the sector
 * decide; a point belongs to the node whose mark comes next, then to the node after that one, and so on around the clock.
 * The marks of one node never move because of another node: so a leaving node's points go to whoever has the next mark
 * (someone else in each sector, hence to all), and a joining one takes only what it gets.
 *
 * One mark a sector, instead of marks anywhere, gives the same spread with less luck needed, and sectors can be sorted one
 * by one. 2048 marks hold the busiest of 2 to 16 nodes under 1.15 of the mean *of all points*. The shards are a
 * sample of the points: of 256 shards on 8 nodes the busiest has, as in any fair draw, about 1.3 of the mean (see
 * `pointOfShard`). Evening that out needs memory of who has what, and then a join moves more than it must.
 *
 * Costs 6 bytes a mark. Source: Karger et al., "Consistent hashing and random trees", STOC 1997.
 */
import { assert, hashText, mix32 } from "../base/mod.ts";
import { compareText } from "./node_name.ts";

/** How a {@linkcode HashRing} is laid out. */
export interface HashRingOptions {
  /** marks of each node: a power of two, 1 to 4096; default 2048. Rings that shall agree must have the same number */
  sectors?: number;
}

/** The most names that one ring takes. */
export const RING_NAMES_MAX = 4096;

/**
 * The order of some names around a clock, as seen from any point. Immutable; does not depend on the order of `names`.
 *
 * @example
 * ```ts
 * import { HashRing } from "./hash_ring.ts";
 * const ring = new HashRing(["TN-A-1", "TN-A-2", "TN-B-1"]);
 * const [owner, next] = ring.nodesOf(0x12345678, 2);
 * const without = new HashRing(ring.names.filter((name) => name !== owner));
 * if (without.nodesOf(0x12345678, 1)[0] !== next) throw new Error("unreachable");
 * ```
 */
export class HashRing {
  /** the names, sorted, without doubles */
  readonly names: readonly string[];
  readonly #sectors: number;
  // Marks in the order of the clock: position (u32) and index of the name.
  readonly #positions: Uint32Array;
  readonly #owners: Uint16Array;

  /**
   * Lays out the marks.
   *
   * @param names at most {@linkcode RING_NAMES_MAX}; doubles count once
   * @param options the layout
   */
  constructor(names: Iterable<string>, options: HashRingOptions = {}) {
    const sectors = options.sectors ?? 2048;
    assert(sectors >= 1 && sectors <= 4096 && (sectors & (sectors - 1)) === 0, "sectors are a power of two up to 4096");
    this.names = [...new Set(names)].sort(compareText);
    assert(this.names.length <= RING_NAMES_MAX, `a ring has at most ${RING_NAMES_MAX} names`);
    this.#sectors = sectors;
    const count = this.names.length;
    this.#positions = new Uint32Array(count * sectors);
    this.#owners = new Uint16Array(count * sectors);
    // Two hashes, since names equal in one of 32 bits would hide one another in every sector.
    const first = this.names.map((name) => hashText(name, 0x41c64e6d));
    const second = this.names.map((name) => hashText(name, 0x2545f491));
    const width = 2 ** 32 / sectors;
    const marks = new Float64Array(count);
    for (let sector = 0; sector < sectors; sector++) {
      for (let i = 0; i < count; i++) {
        const chance = mix32(mix32(first[i] + Math.imul(sector, 0x9e3779b1) | 0) ^ second[i]);
        // Position and name in one number: equal positions are ordered by name.
        marks[i] = (sector * width + (chance % width)) * RING_NAMES_MAX + i;
      }
      marks.sort();
      for (let i = 0; i < count; i++) {
        this.#positions[sector * count + i] = Math.floor(marks[i] / RING_NAMES_MAX);
        this.#owners[sector * count + i] = marks[i] % RING_NAMES_MAX;
      }
    }
  }

  /**
   * The first `n` distinct names from a point on, fewer if the ring has fewer.
   *
   * @param point u32; marks at the point itself count; after the last mark comes the first again
   * @param n how many
   */
  nodesOf(point: number, n: number): string[] {
    const count = this.names.length;
    const wanted = Math.min(n, count);
    const found: string[] = [];
    if (wanted <= 0) return found;
    const seen = new Uint8Array(count);
    const total = this.#owners.length;
    for (let at = this.#next(point); found.length < wanted; at = at + 1 === total ? 0 : at + 1) {
      const owner = this.#owners[at];
      if (seen[owner] === 1) continue;
      seen[owner] = 1;
      found.push(this.names[owner]);
    }
    return found;
  }

  /** How much of the clock each name has, in points of 2^32; in the order of {@linkcode names}. */
  shares(): number[] {
    const shares = this.names.map(() => 0);
    const total = this.#owners.length;
    for (let at = 0; at < total; at++) {
      const before = at === 0 ? this.#positions[total - 1] - 2 ** 32 : this.#positions[at - 1];
      shares[this.#owners[at]] += this.#positions[at] - before;
    }
    return shares;
  }

  /** Index of the first mark at or after a point. */
  #next(point: number): number {
    const count = this.names.length;
    let low = Math.floor((point >>> 0) / (2 ** 32 / this.#sectors)) * count;
    let high = low + count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#positions[middle] < (point >>> 0)) low = middle + 1;
      else high = middle;
    }
    return low === this.#owners.length ? 0 : low;
  }
}
