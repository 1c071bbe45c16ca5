/**
 * What the stores of one node share to keep old entries packed: who packs, and a cache of what was unpacked.
 *
 * The cache is a ring with a hand (CLOCK): a block that was read since the hand came by last is passed over once, any
 * other makes room. Bounded in bytes; one block is let in whatever its size. It holds blocks alone, never a slab: what a
 * store that was dropped has left here goes when the hand comes by.
 */
import type { Packer } from "../world/mod.ts";
import { Segment } from "./segment.ts";

/** What a room is made of. */
export interface SlabRoomOptions {
  packer: Packer;
  /** unpacked blocks kept, bytes */
  cacheBytesMax: number;
  /** segments with less in them are left alone; default 8 KiB: less does not pack well, and is little */
  segmentBytesMin?: number;
}

const SEGMENT_BYTES_MIN = 8 * 1024;

/** See the file's header. */
export class SlabRoom {
  /** blocks that were read and stood in the cache */
  hits = 0;
  /** blocks that were unpacked to be read */
  misses = 0;
  readonly packer: Packer;
  /** segments with less in them are left alone, bytes */
  readonly segmentBytesMin: number;
  readonly #cacheBytesMax: number;
  readonly #holders: (Segment | null)[][] = [];
  readonly #places: number[] = [];
  #hand = 0;
  #cachedBytes = 0;

  constructor(options: SlabRoomOptions) {
    this.packer = options.packer;
    this.segmentBytesMin = options.segmentBytesMin ?? SEGMENT_BYTES_MIN;
    this.#cacheBytesMax = options.cacheBytesMax;
  }

  /** unpacked bytes in the cache */
  get cachedBytes(): number {
    return this.#cachedBytes;
  }

  /** Unpacks a block and keeps it at `holder[place]`, until others need the room. */
  take(holder: (Segment | null)[], place: number, packed: Uint8Array, length: number): Segment {
    this.misses++;
    const bytes = this.packer.unpack(packed, length);
    const block = new Segment(bytes);
    while (this.#holders.length > 0 && this.#cachedBytes + length > this.#cacheBytesMax) this.#step();
    holder[place] = block;
    this.#holders.push(holder);
    this.#places.push(place);
    this.#cachedBytes += length;
    return block;
  }

  #step(): void {
    if (this.#hand >= this.#holders.length) this.#hand = 0;
    const at = this.#hand;
    const block = this.#holders[at][this.#places[at]]!;
    if (block.isTouched) {
      block.isTouched = false;
      this.#hand++;
      return;
    }
    this.#holders[at][this.#places[at]] = null;
    this.#cachedBytes -= block.bytes.length;
    const holder = this.#holders.pop()!;
    const place = this.#places.pop()!;
    if (at < this.#holders.length) {
      this.#holders[at] = holder;
      this.#places[at] = place;
    }
  }
}
