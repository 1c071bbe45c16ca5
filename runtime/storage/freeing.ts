/**
 * Gives back the memory of lives that have ended: a gravedigger who works a little each turn.
 *
 * Every copy that applies a RETIRE entry frees the same: the messages of that life become hollow, and so does the RETIRE
 * of the life before, whose tombstone the newer one has taken over. It goes from the newest message to the oldest, so
 * that whoever is fed meanwhile gets a history whose beginning is there and whose end is not, never the other way
 * round. Tombstones of which every id is out of its window lose their records, when a later RETIRE entry is applied:
 * the log's time decides, no clock.
 *
 * A slice takes about half a millisecond. What is not given back: the tables of ids keep their size, for ids to come.
 */
import { assert, digest64 } from "../base/mod.ts";
import type { ActorEnd } from "./actor_table.ts";
import { ENTRY, ENTRY_HEADER_BYTES, HOLLOW_BYTES, strideOf, writeHeader } from "./entry.ts";
import type { IdTable } from "./id_table.ts";
import * as field from "./message_fields.ts";
import type { Segment } from "./segment.ts";
import type { SegmentLog } from "./segment_log.ts";
import { ID_WINDOW_MS, TOMBSTONE_HEADER_BYTES } from "./tombstone.ts";
import { U32Column } from "./u32_column.ts";

/** Entries of a slice. */
const SLICE_ENTRIES = 1024;
/** A sealed entry may have to be unpacked first, 45 us: it counts as so many. */
const SEALED_ENTRY_COSTS = 32;
const HOLLOW = new Uint8Array(HOLLOW_BYTES);

/** What is worked on. */
export interface FreeingOptions {
  log: SegmentLog;
  ids: IdTable;
  /** what this copy knew before the link at `index`, if what lies between was hollow when it came; asked for once */
  takeGap(index: number): ActorEnd | null | undefined;
}

/** See the file's header. */
export class Freeing {
  readonly #options: FreeingOptions;
  /** lives to be freed: the RETIRE, and how far back its chain has been walked, 0 = done */
  readonly #lives: { retire: number; next: number }[] = [];
  /** RETIRE entries in log order; those before `#expired` have no records any more */
  readonly #tombstones = new U32Column();
  #expired = 0;
  #expireBeforeMs = -Infinity;
  #upTo = 0;

  constructor(options: FreeingOptions) {
    this.#options = options;
  }

  /** nothing up to here may be truncated any more */
  get upTo(): number {
    return this.#upTo;
  }

  /** bytes of memory */
  get heldBytes(): number {
    return this.#tombstones.heldBytes;
  }

  /** The RETIRE at `index` has been committed and applied; in log order. */
  free(index: number): void {
    assert(index > this.#upTo, "lives are freed in the order of the log");
    const { log } = this.#options;
    this.#upTo = index;
    this.#tombstones.push(index);
    const segment = log.segmentOf(index);
    this.#expireBeforeMs = field.atMsAt(segment, log.at) - ID_WINDOW_MS;
    this.#lives.push({ retire: index, next: this.#before(index) });
  }

  /** Works for about half a millisecond; true: there is more to do. */
  tidy(): boolean {
    let left = SLICE_ENTRIES;
    while (left > 0 && this.#expireOne()) {
      left -= this.#options.log.isSealed(this.#tombstones.get(this.#expired - 1)) ? SEALED_ENTRY_COSTS : 1;
    }
    while (left > 0 && this.#lives.length > 0) {
      const life = this.#lives[0];
      while (left > 0 && life.next !== 0) {
        left -= this.#options.log.isSealed(life.next) ? SEALED_ENTRY_COSTS : 1;
        life.next = this.#freeOne(life.next, life.retire);
      }
      if (life.next === 0) this.#lives.shift();
    }
    // copying a segment takes as long as a slice
    if (left > 0) left = this.#options.log.tidy() ? 0 : left;
    return left <= 0;
  }

  /** Hollows the link at `index`; answers the one before, 0 = no more. */
  #freeOne(index: number, retire: number): number {
    const { log, ids } = this.#options;
    const segment = log.segmentOf(index);
    const { at } = log;
    const kind = segment.bytes[at + 8];
    if (kind === ENTRY.HOLLOW) return 0;
    const isMessage = kind === ENTRY.MESSAGE;
    const before = isMessage ? this.#before(index) : 0;
    if (isMessage) ids.remove(field.idHashAt(segment, at), index);
    const stride = strideOf(segment.view.getUint32(at, true));
    const isSealed = log.isSealed(index);
    const view = isSealed ? new DataView(HOLLOW.buffer) : segment.view;
    const to = isSealed ? 0 : at;
    writeHeader(view, to, HOLLOW_BYTES, segment.view.getUint32(at + 4, true), ENTRY.HOLLOW);
    view.setUint32(to + ENTRY_HEADER_BYTES, retire, true);
    if (isSealed) log.replaceSealed(index, stride, HOLLOW);
    else log.shrunk(index, stride, HOLLOW_BYTES);
    return before;
  }

  #before(index: number): number {
    const { log, takeGap } = this.#options;
    const gap = takeGap(index);
    if (gap !== undefined) return gap?.lastIndex ?? 0;
    const segment = log.segmentOf(index);
    return field.previousAt(segment, log.at);
  }

  /** Takes the records out of the oldest tombstone that has any, if all of them are out of their window. */
  #expireOne(): boolean {
    const { log } = this.#options;
    if (this.#expired === this.#tombstones.length) return false;
    const index = this.#tombstones.get(this.#expired);
    const segment = log.segmentOf(index);
    const { at } = log;
    // a later life of the actor may have ended since
    if (segment.bytes[at + 8] === ENTRY.RETIRE) {
      if (field.atMsAt(segment, at) >= this.#expireBeforeMs) return false;
      this.#strip(index, segment, at);
    }
    this.#expired++;
    return true;
  }

  /** Rewrites a RETIRE as what it is without records. */
  #strip(index: number, segment: Segment, at: number): void {
    const { log } = this.#options;
    const stride = strideOf(segment.view.getUint32(at, true));
    const total = field.payloadFrom(segment, at) - at + TOMBSTONE_HEADER_BYTES;
    const entry = new Uint8Array(strideOf(total));
    const view = new DataView(entry.buffer);
    const digest = digest64(segment.bytes.subarray(at + total - TOMBSTONE_HEADER_BYTES, at + total));
    writeHeader(view, 0, total, segment.view.getUint32(at + 4, true), ENTRY.RETIRE);
    entry.set(segment.bytes.subarray(at + ENTRY_HEADER_BYTES, at + total), ENTRY_HEADER_BYTES);
    view.setUint32(32, digest.hi, true);
    view.setUint32(36, digest.lo, true);
    if (stride === entry.length) return;
    if (log.isSealed(index)) {
      log.replaceSealed(index, stride, entry);
      return;
    }
    segment.bytes.set(entry, at);
    log.shrunk(index, stride, entry.length);
  }
}
