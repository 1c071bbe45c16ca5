/**
 * Where each actor's history ends: a row of two numbers per actor, found by the hash of its key.
 *
 * The key itself is not kept: every message of the actor holds it, the newest one is read to compare. Rows are numbered
 * in the order in which the actors got their first message, which the log alone decides, so the numbers are the same in
 * every copy; taking back an actor's first message takes back its row, which then is the last one.
 */
import { assert } from "../base/mod.ts";
import { HashIndex } from "./hash_index.ts";
import { keyIs } from "./message_fields.ts";
import type { SegmentLog } from "./segment_log.ts";
import { U32Column } from "./u32_column.ts";

/** See the file's header. */
export class ActorTable {
  readonly #log: SegmentLog;
  /** hash of the key -> row + 1 */
  readonly #rows = new HashIndex();
  readonly #lastIndexes = new U32Column();
  readonly #seqs = new U32Column();

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** how many actors have a message */
  get rowCount(): number {
    return this.#seqs.length;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#rows.heldBytes + this.#lastIndexes.heldBytes + this.#seqs.heldBytes;
  }

  /** The row of the actor whose key is `bytes[from, from + length)`, -1 = none. */
  find(keyHash: number, bytes: Uint8Array, from: number, length: number): number {
    for (let value = this.#rows.first(keyHash); value !== 0; value = this.#rows.next()) {
      const index = this.#lastIndexes.get(value - 1);
      if (keyIs(this.#log.segmentOf(index), this.#log.offsetOf(index), bytes, from, length)) return value - 1;
    }
    return -1;
  }

  /** log index of the actor's newest message */
  lastIndex(row: number): number {
    assert(row >= 0 && row < this.#seqs.length, "a row that is asked for stands in the table");
    return this.#lastIndexes.get(row);
  }

  /** the actor's seq: how many messages it has */
  seq(row: number): number {
    assert(row >= 0 && row < this.#seqs.length, "a row that is asked for stands in the table");
    return this.#seqs.get(row);
  }

  /** The actor's next message stands at `index`; row -1: it is its first. */
  advance(row: number, keyHash: number, index: number): void {
    if (row >= 0) {
      this.#lastIndexes.set(row, index);
      this.#seqs.set(row, this.#seqs.get(row) + 1);
      return;
    }
    this.#lastIndexes.push(index);
    this.#seqs.push(1);
    this.#rows.insert(keyHash, this.#seqs.length);
  }

  /** The actor's newest message is taken back; the one before stands at `previous`, 0 = it was the only one. */
  retreat(row: number, keyHash: number, previous: number): void {
    if (previous > 0) {
      this.#lastIndexes.set(row, previous);
      this.#seqs.set(row, this.#seqs.get(row) - 1);
      return;
    }
    assert(row === this.#seqs.length - 1, "rows are taken back in the order opposite to their making");
    this.#rows.remove(keyHash, row + 1);
    this.#lastIndexes.pop();
    this.#seqs.pop();
  }
}
