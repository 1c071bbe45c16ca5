import type { Slab } from "./slab.ts";

/** A stretch of memory that holds whole entries: an open segment of the log, a closed one, or a block of a slab, unpacked. */
export class Segment {
  /** all of it, written or not; empty where it is packed */
  bytes: Uint8Array<ArrayBuffer>;
  /** the same memory, by numbers */
  view: DataView;
  /** bytes written: where the next entry goes */
  used = 0;
  /** written bytes that are part of no entry any more */
  dead = 0;
  /** number of the segment that was open when this one was made, -1 = none */
  openBefore = -1;
  /** it was made for one entry alone */
  isOwn = false;
  /** index of its first entry; those that follow are in it, too, but for some that have segments of their own */
  first = 0;
  /** index of its last entry; after a truncation it may be too high, until something is written */
  last = 0;
  /** true while it waits to be copied */
  isSparse = false;
  /** of a block in a cache: it was read since the cache's hand came by */
  isTouched = false;
  /** its entries, packed; null = they stand in `bytes` */
  slab: Slab | null = null;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }
}
