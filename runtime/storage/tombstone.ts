/**
 * The tombstone of an actor's life: what is still known of its messages when they are gone. It is the payload of the
 * RETIRE entry, so it is agreed on, copied and truncated like everything else in the log.
 *
 *     0 u32  log index of the actor's RETIRE before, 0 = none
 *     4      records of 28 bytes, ascending by their first field
 *            u32 u32 digest of the id · u32 u32 digest of the payload · u32 seq · u32 index · u32 time, s since 1970
 *
 * One record for each message recorded within {@linkcode ID_WINDOW_MS} before the entry's time, those of former lives
 * included: whoever repeats such a message is given its first receipt again. Ids are known by their 64-bit digests: two
 * ids of one actor whose digests are equal (one chance in 2^64 a pair) would be taken for one.
 *
 * Sorted by one half of the digest alone, since native sorting of numbers is ten times as fast as one that compares
 * records: 16,384 of them take two milliseconds.
 */
import type { Digest64 } from "../base/mod.ts";
import { tooLarge } from "./errors.ts";
import type { Segment } from "./segment.ts";

/** How long an id is known after its message was recorded, though its actor's life has ended: 30 days. */
export const ID_WINDOW_MS = 30 * 24 * 3600 * 1000;
/** Most records of a tombstone: with more young messages a life cannot end, as one entry would stall the thread. */
export const TOMBSTONE_IDS_MAX = 16_384;

/** Bytes of a tombstone without records. */
export const TOMBSTONE_HEADER_BYTES = 4;
const RECORD_BYTES = 28;

/** What a tombstone knows of a message. */
export interface Remembered {
  /** of the id */
  id: Digest64;
  /** of the payload */
  digest: Digest64;
  seq: number;
  /** log index, where there is nothing any more but the term */
  index: number;
  /** when it was recorded, s since 1970, rounded up */
  atS: number;
}

/** Gathers records, in any order, and lays them out. */
export class TombstoneMaker {
  readonly #records: Remembered[] = [];

  /** @throws {WaterparkError} `storage/too-large` when there are too many */
  add(record: Remembered): void {
    if (this.#records.length === TOMBSTONE_IDS_MAX) {
      throw tooLarge("tombstone", (TOMBSTONE_IDS_MAX + 1) * RECORD_BYTES, TOMBSTONE_IDS_MAX * RECORD_BYTES);
    }
    this.#records.push(record);
  }

  /** The tombstone's bytes. */
  take(before: number): Uint8Array {
    const records = this.#records;
    const bytes = new Uint8Array(TOMBSTONE_HEADER_BYTES + records.length * RECORD_BYTES);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, before, true);
    // digest and number of the record in one float: 32 + 14 bits
    const order = Float64Array.from(records, ({ id }, i) => id.hi * TOMBSTONE_IDS_MAX + i).sort();
    order.forEach((each, i) => {
      const { id, digest, seq, index, atS } = records[each % TOMBSTONE_IDS_MAX];
      const at = TOMBSTONE_HEADER_BYTES + i * RECORD_BYTES;
      [id.hi, id.lo, digest.hi, digest.lo, seq, index, atS].forEach((n, field) =>
        view.setUint32(at + field * 4, n, true)
      );
    });
    return bytes;
  }
}

/** A tombstone where it stands: `from` and `to` are offsets in the segment. */
export class TombstoneView {
  readonly #view: DataView;
  readonly #from: number;
  /** how many records */
  readonly length: number;

  constructor({ view }: Pick<Segment, "view">, from: number, to: number) {
    this.#view = view;
    this.#from = from;
    this.length = (to - from - TOMBSTONE_HEADER_BYTES) / RECORD_BYTES;
  }

  /** log index of the actor's RETIRE before, 0 = none */
  get before(): number {
    return this.#view.getUint32(this.#from, true);
  }

  /** the record at place `i`, from 0 */
  at(i: number): Remembered {
    const at = this.#from + TOMBSTONE_HEADER_BYTES + i * RECORD_BYTES;
    const u32 = (field: number) => this.#view.getUint32(at + field * 4, true);
    return {
      id: { hi: u32(0), lo: u32(1) },
      digest: { hi: u32(2), lo: u32(3) },
      seq: u32(4),
      index: u32(5),
      atS: u32(6),
    };
  }

  /** What is known of the message whose id has this digest. */
  find(id: Digest64): Remembered | null {
    let low = 0;
    for (let high = this.length; low < high;) {
      const middle = (low + high) >>> 1;
      if (this.#hiAt(middle) < id.hi) low = middle + 1;
      else high = middle;
    }
    for (let i = low; i < this.length && this.#hiAt(i) === id.hi; i++) {
      const record = this.at(i);
      if (record.id.lo === id.lo) return record;
    }
    return null;
  }

  #hiAt(i: number): number {
    return this.#view.getUint32(this.#from + TOMBSTONE_HEADER_BYTES + i * RECORD_BYTES, true);
  }
}

/** What is wrong with the tombstone in `view` from `from` up to `to`, or "". */
export function tombstoneFault(view: DataView, from: number, to: number): string {
  const length = to - from - TOMBSTONE_HEADER_BYTES;
  if (length < 0 || length % RECORD_BYTES !== 0 || length > TOMBSTONE_IDS_MAX * RECORD_BYTES) return "no tombstone";
  const first = from + TOMBSTONE_HEADER_BYTES;
  for (let i = first + RECORD_BYTES; i < first + length; i += RECORD_BYTES) {
    if (view.getUint32(i, true) < view.getUint32(i - RECORD_BYTES, true)) return "a tombstone out of order";
  }
  return "";
}
