/**
 * The ledger's pages: entries one after the other in segments, and where each of them starts.
 *
 * Segments begin small (most shards of most nodes hold little) and quadruple up to 1 MiB. An entry of more than a
 * quarter of that gets a segment of its own size, beside the open one, which goes on being filled: no mix of sizes
 * wastes more than a quarter.
 *
 * Entries may shrink where they stand (a life that has ended leaves hollow ones). A segment more than half of which is
 * dead is copied, live parts only, into memory of the right size, one segment at a time and only when `tidy` is called,
 * as that takes up to a millisecond. What shrinks in a segment of its own moves in with others like it, and the
 * segment's number is used again. The old memory is never written to again: views of it stay what they were, they only
 * keep it from being given back.
 *
 * Places are one u32 per entry: 14 bits of segment, 18 bits of offset in words. That bounds a shard at 16,384 segments,
 * those of ended lives included: 16 GiB of messages over all its time.
 */
import { assert } from "../base/mod.ts";
import { strideOf } from "./entry.ts";
import { full } from "./errors.ts";
import { U32Column } from "./u32_column.ts";

/** A stretch of memory that holds whole entries. */
export interface Segment {
  /** all of it, written or not */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** the same memory, by numbers */
  readonly view: DataView;
  /** bytes written: where the next entry goes */
  used: number;
  /** number of the segment that was open when this one was made, -1 = none */
  readonly openBefore: number;
  /** it was made for one entry alone */
  readonly isOwn: boolean;
  /** index of its first entry; those that follow are in it, too, but for some that have segments of their own */
  readonly first: number;
  /** written bytes that are part of no entry any more */
  dead: number;
  /** true while it waits to be copied */
  isSparse: boolean;
}

const SEGMENT_BYTES_FIRST = 256;
const SEGMENT_BYTES_MAX = 1 << 20;
const OWN_SEGMENT_BYTES = SEGMENT_BYTES_MAX / 4;
/** Memory for a few hundred entries that have shrunk in segments of their own. */
const REMNANT_BYTES = 4096;
const OFFSET_BITS = 18;
const SEGMENTS_MAX = 1 << 14;

const VACANT: Segment = Object.freeze({
  bytes: new Uint8Array(0),
  view: new DataView(new ArrayBuffer(0)),
  used: 0,
  openBefore: -1,
  isOwn: false,
  first: 0,
  dead: 0,
  isSparse: false,
});

/** See the file's header. Indexes start at 1; whoever asks for one that is not there has a bug, which is asserted. */
export class SegmentLog {
  #segments: Segment[] = [];
  #places = new U32Column();
  #open = -1;
  #current = -1;
  #bytes = 0;
  #segmentBytes = 0;
  /** numbers that may be used again */
  #vacant: number[] | null = null;
  /** segments to be copied */
  #sparse: number[] | null = null;
  /** where what has shrunk in a segment of its own goes, -1 = none yet */
  #remnants = -1;

  /** index of the last entry, 0 = none */
  get lastIndex(): number {
    return this.#places.length;
  }

  /** bytes of the entries, padding included: the same in every copy of the log */
  get bytes(): number {
    return this.#bytes;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#segmentBytes + this.#places.heldBytes;
  }

  /** The segment that holds entry `index`. */
  segmentOf(index: number): Segment {
    assert(index >= 1 && index <= this.#places.length, "an index that is asked for stands in the log");
    return this.#segments[this.#places.get(index - 1) >>> OFFSET_BITS];
  }

  /** Where in its segment entry `index` starts. */
  offsetOf(index: number): number {
    return (this.#places.get(index - 1) & ((1 << OFFSET_BITS) - 1)) << 2;
  }

  /**
   * A segment with room for `bytes` at its `used`: write there, then call `push`, or `giveBack` if it may not stand.
   *
   * @throws {WaterparkError} `storage/full` when the shard has all the segments that it may have
   */
  room(bytes: number): Segment {
    const open = this.#open < 0 ? null : this.#segments[this.#open];
    if (open !== null && open.used + bytes <= open.bytes.length) {
      this.#current = this.#open;
      return open;
    }
    const own = bytes > OWN_SEGMENT_BYTES;
    let size = bytes;
    if (!own) {
      size = open === null ? SEGMENT_BYTES_FIRST : Math.min(open.bytes.length * 4, SEGMENT_BYTES_MAX);
      while (size < bytes) size *= 4;
    }
    this.#current = this.#add(size, { isOwn: own, first: this.#places.length + 1 });
    if (!own) this.#open = this.#current;
    return this.#segments[this.#current];
  }

  /** The entry of `bytes` that was written where `room` said is the log's next; answers its index. */
  push(bytes: number): number {
    const segment = this.#segments[this.#current];
    this.#places.push((this.#current << OFFSET_BITS) | (segment.used >>> 2));
    segment.used += bytes;
    this.#bytes += bytes;
    return this.#places.length;
  }

  /** Takes back the last `room`, of which nothing was pushed. */
  giveBack(): void {
    this.#dropIfEmpty(this.#current);
  }

  /** Removes the last entry, of `bytes`. */
  pop(bytes: number): void {
    const number = this.#places.get(this.#places.length - 1) >>> OFFSET_BITS;
    const segment = this.#segments[number];
    segment.used -= bytes;
    this.#bytes -= bytes;
    this.#places.pop();
    this.#dropIfEmpty(number);
  }

  /**
   * Copies whole entries, from `first` on, up to index `last` and `bytesMax` bytes, but at least one.
   *
   * @returns the bytes, and the index of the last entry in them
   */
  copyRange(first: number, bytesMax: number, last: number): { bytes: Uint8Array<ArrayBuffer>; last: number } {
    assert(first >= 1 && first <= last && last <= this.lastIndex, "a range that is copied stands in the log");
    let total = this.#strideAt(first);
    let end = first;
    while (end < last) {
      const stride = this.#strideAt(end + 1);
      if (total + stride > bytesMax) break;
      total += stride;
      end++;
    }
    const bytes = new Uint8Array(total);
    let written = 0;
    for (let index = first; index <= end;) {
      // entries that follow each other mostly lie side by side in one segment: one blit
      const { bytes: source } = this.segmentOf(index);
      const from = this.offsetOf(index);
      let to = from;
      do to += this.#strideAt(index++); while (
        index <= end && this.segmentOf(index).bytes === source && this.offsetOf(index) === to
      );
      bytes.set(source.subarray(from, to), written);
      written += to - from;
    }
    return { bytes, last: end };
  }

  /**
   * The bytes that {@linkcode copyRange} would copy: where they lie in one segment a view of them, which is void as soon
   * as the log is touched.
   */
  viewRange(first: number, bytesMax: number, last: number): { bytes: Uint8Array<ArrayBuffer>; last: number } {
    assert(first >= 1 && first <= last && last <= this.lastIndex, "a range that is read stands in the log");
    const segment = this.segmentOf(first);
    const from = this.offsetOf(first);
    let to = from + this.#strideAt(first);
    let end = first;
    while (end < last) {
      const stride = this.#strideAt(end + 1);
      if (to - from + stride > bytesMax) break;
      if (this.segmentOf(end + 1) !== segment || this.offsetOf(end + 1) !== to) {
        return this.copyRange(first, bytesMax, last);
      }
      to += stride;
      end++;
    }
    return { bytes: segment.bytes.subarray(from, to), last: end };
  }

  /**
   * Entry `index`, which has been rewritten where it stands, is now shorter.
   *
   * @param from its bytes before, padding included
   * @param to its bytes now
   */
  shrunk(index: number, from: number, to: number): void {
    const number = this.#places.get(index - 1) >>> OFFSET_BITS;
    const segment = this.#segments[number];
    this.#bytes -= from - to;
    segment.dead += from - to;
    if (segment.isOwn) this.#moveOut(index, number, to);
    else if (!segment.isSparse && segment.dead * 2 > segment.used && index >= segment.first) {
      segment.isSparse = true;
      (this.#sparse ??= []).push(number);
    }
  }

  /** Gives the memory of one segment back of which most is dead; true: there is another. */
  tidy(): boolean {
    const number = this.#sparse?.shift();
    // it may have been taken back, and its number used again, since
    if (number !== undefined && this.#segments[number]?.isSparse) this.#copyLive(number);
    return (this.#sparse?.length ?? 0) > 0;
  }

  #add(size: number, { isOwn, first }: Pick<Segment, "isOwn" | "first">): number {
    const number = this.#vacant?.pop() ?? this.#segments.length;
    if (number === SEGMENTS_MAX) throw full(this.#segmentBytes, this.#segmentBytes);
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    this.#segments[number] = { bytes, view, used: 0, openBefore: this.#open, isOwn, first, dead: 0, isSparse: false };
    this.#segmentBytes += size;
    return number;
  }

  #moveOut(index: number, number: number, bytes: number): void {
    const segment = this.#segments[number];
    const at = this.offsetOf(index);
    let to = this.#remnants;
    if (to < 0 || this.#segments[to].used + bytes > REMNANT_BYTES) {
      // in no order, so it cannot be copied; it is small
      to = this.#remnants = this.#add(REMNANT_BYTES, { isOwn: false, first: Infinity });
    }
    const remnants = this.#segments[to];
    remnants.bytes.set(segment.bytes.subarray(at, at + bytes), remnants.used);
    this.#places.set(index - 1, (to << OFFSET_BITS) | (remnants.used >>> 2));
    remnants.used += bytes;
    this.#vacate(number);
  }

  #copyLive(number: number): void {
    const old = this.#segments[number];
    const live = old.used - old.dead;
    let size = live;
    // the open one goes on being filled: it gets room, but never more than it had
    if (number === this.#open) {
      size = SEGMENT_BYTES_FIRST;
      while (size < live * 2) size *= 4;
      if (size >= old.bytes.length) {
        old.isSparse = false;
        return;
      }
    }
    const bytes = new Uint8Array(size);
    const from = new Uint32Array(old.bytes.buffer);
    const to = new Uint32Array(bytes.buffer);
    let word = 0;
    for (let index = old.first; word * 4 < live; index++) {
      const place = this.#places.get(index - 1);
      if (place >>> OFFSET_BITS !== number) continue;
      let at = place & ((1 << OFFSET_BITS) - 1);
      this.#places.set(index - 1, (number << OFFSET_BITS) | word);
      for (let words = strideOf(from[at]) >>> 2; words > 0; words--) to[word++] = from[at++];
    }
    const view = new DataView(bytes.buffer);
    this.#segments[number] = { ...old, bytes, view, used: live, dead: 0, isSparse: false };
    this.#segmentBytes -= old.bytes.length - size;
  }

  #vacate(number: number): void {
    this.#segmentBytes -= this.#segments[number].bytes.length;
    this.#segments[number] = VACANT;
    (this.#vacant ??= []).push(number);
  }

  #strideAt(index: number): number {
    return strideOf(this.segmentOf(index).view.getUint32(this.offsetOf(index), true));
  }

  #dropIfEmpty(number: number): void {
    const segment = this.#segments[number];
    if (segment.used > 0) return;
    // segments are made by their first entry, so the one that loses its first is the last that was made
    this.#open = segment.openBefore;
    if (number < this.#segments.length - 1) return this.#vacate(number);
    this.#segmentBytes -= segment.bytes.length;
    this.#segments.pop();
  }
}
