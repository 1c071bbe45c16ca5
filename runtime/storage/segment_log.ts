/**
 * The ledger's pages: entries one after the other in segments, and where each of them starts.
 *
 * Segments begin small (most shards of most nodes hold little), and later have a sixteenth of the log's bytes, up to
 * 1 MiB: of a thousand shards each has an open one, whose empty part would else outweigh what is written. An entry of
 * more than 256 KiB gets a segment of its own size, beside the open one, which goes on being filled.
 *
 * A closed segment may be sealed (sealing.ts): its entries are sorted by actor and packed. They keep their indexes and
 * their bytes; a place then says where in the unpacked bytes an entry starts.
 *
 * Entries may shrink where they stand (a life that has ended leaves hollow ones). A segment more than half of which is
 * dead is copied, live parts only, into memory of the right size, one segment at a time and only when `tidy` is called,
 * as that takes up to a few milliseconds. What shrinks in a segment of its own, or in a sealed one, moves in with others
 * like it, and the number of a segment that is empty is used again. Old memory is never written to again: views of it
 * stay what they were, they only keep it from being given back.
 *
 * Places are one u32 per entry: 14 bits of segment, 18 bits of offset in words. That bounds a shard at 16,384 segments,
 * those of ended lives included: 16 GiB of messages over all its time.
 */
import { assert } from "../base/mod.ts";
import { strideOf } from "./entry.ts";
import { full } from "./errors.ts";
import { Segment } from "./segment.ts";
import { clustered, packed } from "./sealing.ts";
import type { SlabRoom } from "./slab_room.ts";
import { U32Column } from "./u32_column.ts";

const SEGMENT_BYTES_FIRST = 256;
/** Segments quadruple up to this; from where a sixteenth of the log is more, they have that. */
const SEGMENT_BYTES_SMALL = 16 * 1024;
const SEGMENT_BYTES_MAX = 1 << 20;
const OWN_SEGMENT_BYTES = SEGMENT_BYTES_MAX / 4;
/** A larger entry would be a block that takes longer to unpack than one call may. */
const SEAL_BYTES_MAX = 2 * SEGMENT_BYTES_MAX;
/** Memory for entries that have shrunk where they could not stay: some hundreds at first, then some thousands. */
const REMNANT_BYTES_FIRST = 4 * 1024;
const REMNANT_BYTES_MAX = 64 * 1024;
const OFFSET_BITS = 18;
const OFFSET_MASK = (1 << OFFSET_BITS) - 1;
const SEGMENTS_MAX = 1 << 14;

const VACANT = Object.freeze(new Segment(new Uint8Array(0)));

/** See the file's header. Indexes start at 1; whoever asks for one that is not there has a bug, which is asserted. */
export class SegmentLog {
  /** Where in its segment the entry starts that {@linkcode segmentOf} was asked for last. */
  at = 0;
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
  /** where goes what can not stay where it was, -1 = none yet */
  #remnants = -1;
  #room: SlabRoom | null = null;
  #sealedRawBytes = 0;
  #sealedHeldBytes = 0;
  #sealedUpTo = 0;

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
    return this.#segmentBytes + this.#sealedHeldBytes + this.#places.heldBytes;
  }

  /** bytes of entries that are packed, as they were before */
  get sealedRawBytes(): number {
    return this.#sealedRawBytes;
  }

  /** bytes that they take now */
  get sealedHeldBytes(): number {
    return this.#sealedHeldBytes;
  }

  /** nothing up to here may be truncated any more */
  get sealedUpTo(): number {
    return this.#sealedUpTo;
  }

  /** The segment that holds entry `index`, or the block of a slab; the entry starts at {@linkcode at}. */
  segmentOf(index: number): Segment {
    assert(index >= 1 && index <= this.#places.length, "an index that is asked for stands in the log");
    const place = this.#places.get(index - 1);
    const segment = this.#segments[place >>> OFFSET_BITS];
    this.at = (place & OFFSET_MASK) << 2;
    return segment.slab === null ? segment : this.#blockOf(segment);
  }

  /**
   * A segment with room for `bytes` at its `used`: write there, then call `push`, or `giveBack` if it may not stand.
   *
   * @throws {WaterparkError} `storage/full` when the shard has all the segments that it may have
   */
  room(bytes: number): Segment {
    if (this.#open >= 0) {
      const open = this.#segments[this.#open];
      if (open.used + bytes <= open.bytes.length) {
        this.#current = this.#open;
        return open;
      }
    }
    return this.#makeRoom(bytes);
  }

  /** Whether `bytes` fit behind what is written, so that `room` makes nothing new. */
  hasRoom(bytes: number): boolean {
    return this.#open >= 0 && this.#segments[this.#open].used + bytes <= this.#segments[this.#open].bytes.length;
  }

  /** The entry of `bytes` that was written where `room` said is the log's next; answers its index. */
  push(bytes: number): number {
    const segment = this.#segments[this.#current];
    this.#places.push((this.#current << OFFSET_BITS) | (segment.used >>> 2));
    segment.used += bytes;
    this.#bytes += bytes;
    return segment.last = this.#places.length;
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
    let source: Uint8Array = bytes;
    let from = 0;
    let to = 0;
    for (let index = first; index <= end; index++) {
      // entries that follow each other mostly lie side by side in one segment: one blit
      const segment = this.segmentOf(index);
      if (segment.bytes !== source || this.at !== to) {
        bytes.set(source.subarray(from, to), written);
        written += to - from;
        source = segment.bytes;
        from = to = this.at;
      }
      to += strideOf(segment.view.getUint32(to, true));
    }
    bytes.set(source.subarray(from, to), written);
    return { bytes, last: end };
  }

  /**
   * The bytes that {@linkcode copyRange} would copy: where they lie in one segment a view of them, which is void as soon
   * as the log is touched.
   */
  viewRange(first: number, bytesMax: number, last: number): { bytes: Uint8Array<ArrayBuffer>; last: number } {
    assert(first >= 1 && first <= last && last <= this.lastIndex, "a range that is read stands in the log");
    const segment = this.segmentOf(first);
    const from = this.at;
    let to = from + strideOf(segment.view.getUint32(from, true));
    let end = first;
    while (end < last) {
      const next = this.segmentOf(end + 1);
      const stride = strideOf(next.view.getUint32(this.at, true));
      if (to - from + stride > bytesMax) break;
      if (next !== segment || this.at !== to) return this.copyRange(first, bytesMax, last);
      to += stride;
      end++;
    }
    return { bytes: segment.bytes.subarray(from, to), last: end };
  }

  /**
   * Seals closed segments, oldest first, of which every entry stands at or before `upTo`; at least one, then until
   * `bytesMax` bytes were packed. One segment of 1 MiB takes some 5 ms.
   *
   * @returns bytes packed, 0 = there is nothing to seal
   */
  seal(upTo: number, bytesMax: number, room: SlabRoom): number {
    let done = 0;
    for (let number = 0; number < this.#segments.length && done < bytesMax; number++) {
      const { slab, used, last, isSparse, first } = this.#segments[number];
      if (slab !== null || number === this.#open || last > upTo || used < room.segmentBytesMin) continue;
      if (used > SEAL_BYTES_MAX || isSparse || first === Infinity) continue;
      this.#room = room;
      this.#seal(number);
      done += used;
    }
    return done;
  }

  /** True when entry `index` is packed, so that it can not be rewritten where it stands. */
  isSealed(index: number): boolean {
    return this.#segments[this.#places.get(index - 1) >>> OFFSET_BITS].slab !== null;
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
    if (segment.isOwn) {
      const at = (this.#places.get(index - 1) & OFFSET_MASK) << 2;
      this.#toRemnants(index, segment.bytes.subarray(at, at + to));
      this.#vacate(number);
      return;
    }
    segment.dead += from - to;
    if (segment.dead * 2 > segment.used && index >= segment.first) this.#becomesSparse(number);
  }

  /**
   * Sealed entry `index` is now `entry`, padding included, and shorter than the `from` bytes that it had. Its slab is
   * packed anew once more than half of it is dead.
   */
  replaceSealed(index: number, from: number, entry: Uint8Array): void {
    const number = this.#places.get(index - 1) >>> OFFSET_BITS;
    const segment = this.#segments[number];
    this.#bytes -= from - entry.length;
    this.#toRemnants(index, entry);
    segment.dead += from;
    if (segment.dead === segment.used) this.#vacate(number);
    else if (segment.dead * 2 > segment.used) this.#becomesSparse(number);
  }

  /** Gives the memory of one segment back of which most is dead; true: there is another. */
  tidy(): boolean {
    const number = this.#sparse?.shift();
    // it may have been taken back, and its number used again, since
    if (number !== undefined && this.#segments[number]?.isSparse) this.#copyLive(number);
    return (this.#sparse?.length ?? 0) > 0;
  }

  #blockOf(segment: Segment): Segment {
    const slab = segment.slab!;
    const block = slab.blockAt(this.at);
    this.at -= slab.startOf(block);
    return slab.block(block);
  }

  #makeRoom(bytes: number): Segment {
    const own = bytes > OWN_SEGMENT_BYTES;
    const size = own ? bytes : this.#sizeOfNext(bytes);
    this.#current = this.#add(size, { isOwn: own, first: this.#places.length + 1 });
    if (!own) this.#open = this.#current;
    return this.#segments[this.#current];
  }

  #sizeOfNext(bytes: number): number {
    const share = Math.min(SEGMENT_BYTES_MAX, (this.#bytes >>> 16) << 12);
    let size = SEGMENT_BYTES_FIRST;
    if (this.#open >= 0) size = Math.min(this.#segments[this.#open].bytes.length * 4, SEGMENT_BYTES_SMALL);
    if (size < share) return Math.max(share, (bytes + 3) & ~3);
    while (size < bytes) size *= 4;
    return size;
  }

  #add(size: number, { isOwn, first }: Pick<Segment, "isOwn" | "first">): number {
    const number = this.#vacant?.pop() ?? this.#segments.length;
    if (number === SEGMENTS_MAX) throw full(this.#segmentBytes, this.#segmentBytes);
    const segment = new Segment(new Uint8Array(size));
    segment.openBefore = this.#open;
    segment.isOwn = isOwn;
    segment.first = segment.last = first;
    this.#segments[number] = segment;
    this.#segmentBytes += size;
    return number;
  }

  /** Numbers in [first, last] whose entries stand in this segment, with where: others have segments of their own. */
  #entriesIn(number: number): { indexes: number[]; offsets: number[] } {
    const { first, last } = this.#segments[number];
    const indexes: number[] = [];
    const offsets: number[] = [];
    for (let index = first; index <= last; index++) {
      const place = this.#places.get(index - 1);
      if (place >>> OFFSET_BITS !== number) continue;
      indexes.push(index);
      offsets.push((place & OFFSET_MASK) << 2);
    }
    return { indexes, offsets };
  }

  #seal(number: number): void {
    const segment = this.#segments[number];
    this.#pack(number, segment.bytes, segment.view);
    this.#sealedUpTo = Math.max(this.#sealedUpTo, segment.last);
    // nothing goes on here, should what came after be taken back
    for (const other of this.#segments) if (other.openBefore === number) other.openBefore = -1;
  }

  /** Packs what lives of a segment, whose entries stand in `bytes`. */
  #pack(number: number, bytes: Uint8Array<ArrayBuffer>, view: DataView): void {
    const old = this.#segments[number];
    const { indexes, offsets } = this.#entriesIn(number);
    const sorted = clustered(bytes, view, offsets);
    const segment = new Segment(VACANT.bytes);
    segment.slab = packed(sorted.bytes, sorted.offsets, this.#room!);
    segment.used = sorted.bytes.length;
    segment.isOwn = old.isOwn;
    segment.first = old.first;
    segment.last = old.last;
    for (let i = 0; i < indexes.length; i++) {
      this.#places.set(indexes[i] - 1, (number << OFFSET_BITS) | (sorted.offsets[i] >>> 2));
    }
    this.#forget(number);
    this.#segments[number] = segment;
    this.#sealedRawBytes += segment.used;
    this.#sealedHeldBytes += segment.slab.heldBytes;
  }

  #toRemnants(index: number, entry: Uint8Array): void {
    let to = this.#remnants;
    if (to < 0 || this.#segments[to].used + entry.length > this.#segments[to].bytes.length) {
      const size = to < 0 ? REMNANT_BYTES_FIRST : Math.min(this.#segments[to].bytes.length * 2, REMNANT_BYTES_MAX);
      // in no order, so it can be neither copied nor sealed; it is small
      to = this.#remnants = this.#add(size, { isOwn: false, first: Infinity });
    }
    const remnants = this.#segments[to];
    remnants.bytes.set(entry, remnants.used);
    this.#places.set(index - 1, (to << OFFSET_BITS) | (remnants.used >>> 2));
    remnants.used += entry.length;
  }

  #becomesSparse(number: number): void {
    const segment = this.#segments[number];
    if (segment.isSparse) return;
    segment.isSparse = true;
    (this.#sparse ??= []).push(number);
  }

  #copyLive(number: number): void {
    const old = this.#segments[number];
    if (old.slab !== null) {
      const bytes = old.slab.unpacked();
      this.#pack(number, bytes, new DataView(bytes.buffer));
      return;
    }
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
    const segment = new Segment(new Uint8Array(size));
    const from = new Uint32Array(old.bytes.buffer);
    const to = new Uint32Array(segment.bytes.buffer);
    let word = 0;
    for (let index = old.first; word * 4 < live; index++) {
      const place = this.#places.get(index - 1);
      if (place >>> OFFSET_BITS !== number) continue;
      let at = place & OFFSET_MASK;
      this.#places.set(index - 1, (number << OFFSET_BITS) | word);
      for (let words = strideOf(from[at]) >>> 2; words > 0; words--) to[word++] = from[at++];
    }
    segment.used = live;
    segment.openBefore = old.openBefore;
    segment.first = old.first;
    segment.last = old.last;
    this.#segments[number] = segment;
    this.#segmentBytes -= old.bytes.length - size;
  }

  /** The memory of a segment counts no more. */
  #forget(number: number): void {
    const { slab, used, bytes } = this.#segments[number];
    this.#segmentBytes -= bytes.length;
    if (slab === null) return;
    this.#sealedRawBytes -= used;
    this.#sealedHeldBytes -= slab.heldBytes;
  }

  #vacate(number: number): void {
    this.#forget(number);
    this.#segments[number] = VACANT;
    (this.#vacant ??= []).push(number);
  }

  #strideAt(index: number): number {
    const segment = this.segmentOf(index);
    return strideOf(segment.view.getUint32(this.at, true));
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
