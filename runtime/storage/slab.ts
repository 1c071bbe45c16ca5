/**
 * A sealed slab: the entries of a segment, sorted by actor and packed in blocks of some 32 KiB.
 *
 * An entry keeps a place in the slab as it had in the segment: its offset in the sorted, unpacked bytes; which block
 * that is in is found by halving. So the messages of one actor lie side by side, mostly in one block: a history is read
 * by unpacking few blocks, and a block of one patient's messages packs better than one of many patients'.
 *
 * Blocks of 32 KiB take 45 us to unpack with zstd. Entries with real HL7 text are packed to 0.28 of their size, with
 * blocks of 16 KiB to 0.31, and a history of 1,000 is read in 12 and 14 ms where both code and cache are cold. A packed block that cannot be read is a broken invariant, as a broken
 * byte anywhere in memory is: the node stops, and what it held is copied anew from the others.
 */
import type { Segment } from "./segment.ts";
import type { SlabRoom } from "./slab_room.ts";

/** Blocks are closed when they have so many bytes; a larger entry has a block of its own. */
export const BLOCK_BYTES = 32 * 1024;

/** See the file's header. */
export class Slab {
  /** where each block starts in the unpacked bytes, and where the last one ends */
  readonly #starts: Uint32Array;
  /** the same in the packed bytes */
  readonly #packedStarts: Uint32Array;
  readonly #packed: Uint8Array;
  readonly #room: SlabRoom;
  /** unpacked blocks; null = not in the cache */
  readonly #blocks: (Segment | null)[];

  /** @param starts where blocks start in `bytes`, ascending, the first at 0, and behind the last its end */
  constructor(bytes: Uint8Array, starts: number[], room: SlabRoom) {
    const parts = starts.slice(1).map((end, i) => room.packer.pack(bytes.subarray(starts[i], end)));
    this.#room = room;
    this.#starts = Uint32Array.from(starts);
    this.#packedStarts = new Uint32Array(starts.length);
    parts.forEach((part, i) => this.#packedStarts[i + 1] = this.#packedStarts[i] + part.length);
    this.#packed = new Uint8Array(this.#packedStarts[parts.length]);
    parts.forEach((part, i) => this.#packed.set(part, this.#packedStarts[i]));
    this.#blocks = parts.map(() => null);
  }

  /** bytes of the packed blocks */
  get packedBytes(): number {
    return this.#packed.length;
  }

  /** bytes of memory, without what the cache holds */
  get heldBytes(): number {
    return this.#packed.length + this.#starts.byteLength * 2 + this.#blocks.length * 8;
  }

  /** Number of the block in which offset `at` lies. */
  blockAt(at: number): number {
    const starts = this.#starts;
    let low = 0;
    for (let high = starts.length - 1; high - low > 1;) {
      const middle = (low + high) >>> 1;
      if (starts[middle] <= at) low = middle;
      else high = middle;
    }
    return low;
  }

  /** Where a block starts. */
  startOf(block: number): number {
    return this.#starts[block];
  }

  /** A block, unpacked. Whoever has it may keep it: its bytes are never written to again. */
  block(number: number): Segment {
    const block = this.#blocks[number];
    if (block !== null) {
      block.isTouched = true;
      this.#room.hits++;
      return block;
    }
    const packed = this.#packed.subarray(this.#packedStarts[number], this.#packedStarts[number + 1]);
    return this.#room.take(this.#blocks, number, packed, this.#starts[number + 1] - this.#starts[number]);
  }

  /** All of it, unpacked past the cache; for whoever packs it anew. */
  unpacked(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(this.#starts[this.#blocks.length]);
    this.#blocks.forEach((block, i) => {
      const packed = this.#packed.subarray(this.#packedStarts[i], this.#packedStarts[i + 1]);
      const length = this.#starts[i + 1] - this.#starts[i];
      bytes.set(block === null ? this.#room.packer.unpack(packed, length) : block.bytes, this.#starts[i]);
    });
    return bytes;
  }
}
