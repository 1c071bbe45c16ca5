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
import { ENTRY, ENTRY_HEADER_BYTES, HOLLOW_BYTES, MESSAGE_TEXTS_AT, strideOf, writeHeader } from "./entry.ts";
import type { IdTable } from "./id_table.ts";
import * as field from "./message_fields.ts";
import type { SegmentLog } from "./segment_log.ts";
import { ID_WINDOW_MS, TOMBSTONE_HEADER_BYTES } from "./tombstone.ts";
import { U32Column } from "./u32_column.ts";

/** Entries of a slice. */
const SLICE_ENTRIES = 1024;

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
    this.#expireBeforeMs = field.atMsAt(log.segmentOf(index), log.offsetOf(index)) - ID_WINDOW_MS;
    this.#lives.push({ retire: index, next: this.#before(index) });
  }

  /** Works for about half a millisecond; true: there is more to do. */
  tidy(): boolean {
    let left = SLICE_ENTRIES;
    for (; left > 0 && this.#expireOne(); left--);
    while (left > 0 && this.#lives.length > 0) {
      const life = this.#lives[0];
      for (; left > 0 && life.next !== 0; left--) life.next = this.#freeOne(life.next, life.retire);
      if (life.next === 0) this.#lives.shift();
    }
    // copying a segment takes as long as a slice
    if (left > 0) left = this.#options.log.tidy() ? 0 : left;
    return left === 0;
  }

  /** Hollows the link at `index`; answers the one before, 0 = no more. */
  #freeOne(index: number, retire: number): number {
    const { log, ids } = this.#options;
    const segment = log.segmentOf(index);
    const at = log.offsetOf(index);
    const kind = segment.bytes[at + 8];
    if (kind === ENTRY.HOLLOW) return 0;
    const isMessage = kind === ENTRY.MESSAGE;
    const before = isMessage ? this.#before(index) : 0;
    if (isMessage) ids.remove(field.idHashAt(segment, at), index);
    const stride = strideOf(segment.view.getUint32(at, true));
    writeHeader(segment.view, at, HOLLOW_BYTES, segment.view.getUint32(at + 4, true), ENTRY.HOLLOW);
    segment.view.setUint32(at + ENTRY_HEADER_BYTES, retire, true);
    log.shrunk(index, stride, HOLLOW_BYTES);
    return before;
  }

  #before(index: number): number {
    const { log, takeGap } = this.#options;
    const gap = takeGap(index);
    return gap === undefined ? field.previousAt(log.segmentOf(index), log.offsetOf(index)) : gap?.lastIndex ?? 0;
  }

  /** Takes the records out of the oldest tombstone that has any, if all of them are out of their window. */
  #expireOne(): boolean {
    const { log } = this.#options;
    if (this.#expired === this.#tombstones.length) return false;
    const index = this.#tombstones.get(this.#expired);
    const segment = log.segmentOf(index);
    const { view, bytes } = segment;
    const at = log.offsetOf(index);
    // a later life of the actor may have ended since
    if (bytes[at + 8] === ENTRY.RETIRE) {
      if (field.atMsAt(segment, at) >= this.#expireBeforeMs) return false;
      const stride = strideOf(view.getUint32(at, true));
      const from = field.payloadFrom(segment, at);
      const total = from - at + TOMBSTONE_HEADER_BYTES;
      const digest = digest64(bytes.subarray(from, from + TOMBSTONE_HEADER_BYTES));
      const saved = bytes.slice(at + MESSAGE_TEXTS_AT, at + total);
      writeHeader(view, at, total, view.getUint32(at + 4, true), ENTRY.RETIRE);
      view.setUint32(at + 32, digest.hi, true);
      view.setUint32(at + 36, digest.lo, true);
      bytes.set(saved, at + MESSAGE_TEXTS_AT);
      if (stride > strideOf(total)) log.shrunk(index, stride, strideOf(total));
    }
    this.#expired++;
    return true;
  }
}
