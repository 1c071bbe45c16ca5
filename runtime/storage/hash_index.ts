/**
 * Finds numbers by hash: a card box with many drawers.
 *
 * A drawer (page) is an open-addressing table of (hash, value) pairs with linear probing. A drawer that fills up is
 * split in two by the next upper bit of the hash, and a directory says which drawer holds which upper bits: extendible
 * hashing (Fagin et al., 1979). So growing costs one drawer's worth of work at a time (1,536 pairs, some 20 us), where
 * a single table of millions would stop the thread for a tenth of a second. 8 bytes a slot, drawers three to six
 * eighths full.
 *
 * Weak point: who can choose texts of equal hash can make one drawer slow. Splitting does not help then, so it is
 * bounded by the number of values, and the drawer grows instead.
 */
import { assert } from "../base/mod.ts";

const PAGE_SLOTS_FIRST = 8;
const PAGE_SLOTS = 2048;

class Page {
  pairs: Int32Array;
  mask: number;
  count = 0;
  /** how many upper bits all hashes in here have in common */
  readonly depth: number;

  constructor(slots: number, depth: number) {
    this.pairs = new Int32Array(slots * 2);
    this.mask = slots - 1;
    this.depth = depth;
  }

  add(hash: number, value: number): void {
    let slot = hash & this.mask;
    while (this.pairs[slot * 2 + 1] !== 0) slot = (slot + 1) & this.mask;
    this.pairs[slot * 2] = hash;
    this.pairs[slot * 2 + 1] = value;
    this.count++;
  }
}

/** Slots of which `count` pairs fill three fifths at most. */
function slotsFor(count: number): number {
  let slots = PAGE_SLOTS_FIRST;
  while (slots * 3 < count * 5) slots *= 2;
  return slots;
}

const NO_PAIRS: Int32Array = new Int32Array(0);

/** Where the look-up stands that is under way. */
const cursor = { pairs: NO_PAIRS, mask: 0, slot: 0, hash: 0 };

function scan(): number {
  const { pairs, mask, hash } = cursor;
  for (let { slot } = cursor;; slot = (slot + 1) & mask) {
    const value = pairs[slot * 2 + 1];
    if (value !== 0 && pairs[slot * 2] !== hash) continue;
    cursor.slot = slot;
    return value;
  }
}

/** See the file's header. Of a hash 32 bits count, signed or not. Values are 1 to 2^31 - 1; several may stand under one hash. */
export class HashIndex {
  #directory: Page[] = [];
  /** how many upper bits of a hash choose the directory's entry */
  #depth = 0;
  #count = 0;
  #heldBytes = 0;
  // Of the only page while there is one: most indexes have no other, a node has thousands of them, and each step from
  // object to object is a miss of the cache.
  #pairs = NO_PAIRS;
  #mask = 0;

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#heldBytes + this.#directory.length * 8;
  }

  /** The first value under `hash`, or 0. All indexes share one cursor: whoever looks up is done before the next does. */
  first(hash: number): number {
    hash |= 0;
    if (this.#count === 0) return 0;
    if (this.#depth === 0) {
      cursor.pairs = this.#pairs;
      cursor.mask = this.#mask;
    } else {
      const page = this.#pageOf(hash);
      cursor.pairs = page.pairs;
      cursor.mask = page.mask;
    }
    cursor.hash = hash;
    cursor.slot = hash & cursor.mask;
    return scan();
  }

  /** The next value under the same hash, or 0. Nothing may have been inserted or removed since `first`. */
  next(): number {
    cursor.slot = (cursor.slot + 1) & cursor.mask;
    return scan();
  }

  insert(hash: number, value: number): void {
    hash |= 0;
    let page = this.#pageOf(hash);
    while ((page.count + 1) * 4 > (page.mask + 1) * 3) {
      this.#enlarge(page, hash);
      page = this.#pageOf(hash);
    }
    page.add(hash, value);
    this.#count++;
  }

  /** Removes the pair, which must be there. Those behind it close up, so that lookups never cross graves. */
  remove(hash: number, value: number): void {
    hash |= 0;
    const { pairs, mask } = this.#pageOf(hash);
    let hole = hash & mask;
    while (pairs[hole * 2 + 1] !== value || pairs[hole * 2] !== hash) {
      assert(pairs[hole * 2 + 1] !== 0, "what is removed from a hash index stands in it");
      hole = (hole + 1) & mask;
    }
    for (let at = (hole + 1) & mask; pairs[at * 2 + 1] !== 0; at = (at + 1) & mask) {
      const home = pairs[at * 2] & mask;
      // it may move up to the hole only if that does not lie before its home
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      pairs[hole * 2] = pairs[at * 2];
      pairs[hole * 2 + 1] = pairs[at * 2 + 1];
      hole = at;
    }
    pairs[hole * 2 + 1] = 0;
    this.#pageOf(hash).count--;
    this.#count--;
  }

  #pageOf(hash: number): Page {
    if (this.#directory.length === 0) this.#setOnly(this.#newPage(PAGE_SLOTS_FIRST, 0));
    // a shift by 32 is a shift by 0 in JavaScript
    return this.#depth === 0 ? this.#directory[0] : this.#directory[hash >>> (32 - this.#depth)];
  }

  #setOnly(page: Page): void {
    this.#directory = [page];
    this.#pairs = page.pairs;
    this.#mask = page.mask;
  }

  #newPage(slots: number, depth: number): Page {
    this.#heldBytes += slots * 8;
    return new Page(slots, depth);
  }

  #enlarge(page: Page, hash: number): void {
    const slots = page.mask + 1;
    const mayDouble = this.#directory.length * 128 <= this.#count;
    if (slots < PAGE_SLOTS || (page.depth === this.#depth && !mayDouble)) {
      this.#replace(page, hash, [this.#newPage(slots * 2, page.depth)]);
      return;
    }
    if (page.depth === this.#depth) {
      const doubled: Page[] = [];
      for (const each of this.#directory) doubled.push(each, each);
      this.#directory = doubled;
      this.#depth++;
      this.#pairs = NO_PAIRS;
    }
    // usually both halves get as many slots as the page had, and are 3/8 full; where hashes have been chosen to fall
    // on one side, that side grows and the other takes next to nothing
    let upper = 0;
    for (let at = 0; at < page.pairs.length; at += 2) {
      if (page.pairs[at + 1] !== 0) upper += (page.pairs[at] >>> (31 - page.depth)) & 1;
    }
    const halves = [page.count - upper, upper].map((count) => this.#newPage(slotsFor(count), page.depth + 1));
    this.#replace(page, hash, halves);
  }

  /** Puts one page, or two that divide it by their next upper bit, where `page` was. */
  #replace(page: Page, hash: number, by: Page[]): void {
    const span = 1 << (this.#depth - page.depth);
    const first = this.#depth === 0 ? 0 : (hash >>> (32 - this.#depth)) & ~(span - 1);
    for (let i = 0; i < span; i++) this.#directory[first + i] = by[Math.floor(i * by.length / span)];
    for (let at = 0; at < page.pairs.length; at += 2) {
      if (page.pairs[at + 1] === 0) continue;
      const half = by.length === 1 ? 0 : (page.pairs[at] >>> (31 - page.depth)) & 1;
      by[half].add(page.pairs[at], page.pairs[at + 1]);
    }
    this.#heldBytes -= page.pairs.length * 4;
    if (this.#depth === 0) this.#setOnly(by[0]);
  }
}
