/**
 * The ledger's pages: entries one after the other in segments, and where each of them starts.
 *
 * Segments begin small (most shards of most nodes hold little) and quadruple up to 1 MiB. An entry of more than a
 * quarter of that gets a segment of its own size, beside the open one, which goes on being filled: no mix of sizes
 * wastes more than a quarter. A written byte is never moved, so views stay valid until the entry is truncated.
 *
 * Places are one u32 per entry: 14 bits of segment, 18 bits of offset in words. That bounds a shard at 16,384 segments.
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
}

const SEGMENT_BYTES_FIRST = 256;
const SEGMENT_BYTES_MAX = 1 << 20;
const OWN_SEGMENT_BYTES = SEGMENT_BYTES_MAX / 4;
const OFFSET_BITS = 18;
const SEGMENTS_MAX = 1 << 14;

/** See the file's header. Indexes start at 1; whoever asks for one that is not there has a bug, which is asserted. */
export class SegmentLog {
  #segments: Segment[] = [];
  #places = new U32Column();
  #open = -1;
  #current = -1;
  #bytes = 0;
  #segmentBytes = 0;

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
    if (this.#segments.length === SEGMENTS_MAX) throw full(this.#segmentBytes, this.#segmentBytes);
    const own = bytes > OWN_SEGMENT_BYTES;
    let size = bytes;
    if (!own) {
      size = open === null ? SEGMENT_BYTES_FIRST : Math.min(open.bytes.length * 4, SEGMENT_BYTES_MAX);
      while (size < bytes) size *= 4;
    }
    const buffer = new Uint8Array(size);
    const segment = { bytes: buffer, view: new DataView(buffer.buffer), used: 0, openBefore: this.#open };
    this.#current = this.#segments.push(segment) - 1;
    this.#segmentBytes += size;
    if (!own) this.#open = this.#current;
    return segment;
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
      // entries that follow each other and are in one segment lie side by side there: one blit
      const { bytes: source } = this.segmentOf(index);
      const from = this.offsetOf(index);
      let to = from;
      do to += this.#strideAt(index++); while (index <= end && this.segmentOf(index).bytes === source);
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
      if (this.segmentOf(end + 1) !== segment) return this.copyRange(first, bytesMax, last);
      to += stride;
      end++;
    }
    return { bytes: segment.bytes.subarray(from, to), last: end };
  }

  #strideAt(index: number): number {
    return strideOf(this.segmentOf(index).view.getUint32(this.offsetOf(index), true));
  }

  /** Segments are made by their first entry, so the one that loses its first is the last of all. */
  #dropIfEmpty(number: number): void {
    const segment = this.#segments[number];
    if (segment.used > 0) return;
    assert(number === this.#segments.length - 1, "segments are freed in the order opposite to their making");
    this.#segments.pop();
    this.#segmentBytes -= segment.bytes.length;
    this.#open = segment.openBefore;
  }
}
