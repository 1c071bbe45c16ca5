/**
 * Where each actor's history ends: a row of three numbers per actor, found by the hash of its key.
 *
 * The key itself is not kept: every message of the actor holds it, and so does the RETIRE that ends a life; the newest
 * of them is read to compare. Rows are numbered in the order in which the actors were first seen in this copy: a copy
 * that was fed a hollow history learns of an actor by the end of its life. Taking back what made a row takes back the
 * row, which then is the last one. The row of an actor whose life has ended stays, as its next life goes on from there.
 */
import { assert } from "../base/mod.ts";
import { HashIndex } from "./hash_index.ts";
import { keyIs } from "./message_fields.ts";
import type { SegmentLog } from "./segment_log.ts";
import { U32Column } from "./u32_column.ts";

/** What a row says. */
export interface ActorEnd {
  /** log index of the actor's newest message, or of the RETIRE behind it */
  lastIndex: number;
  /** seq of the newest message */
  seq: number;
  /** log index of the newest RETIRE, 0 = none */
  retired: number;
}

/** See the file's header. */
export class ActorTable {
  readonly #log: SegmentLog;
  /** hash of the key -> row + 1 */
  readonly #rows = new HashIndex();
  readonly #lastIndexes = new U32Column();
  readonly #seqs = new U32Column();
  readonly #retired = new U32Column();

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** how many rows there are */
  get rowCount(): number {
    return this.#seqs.length;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#rows.heldBytes + this.#lastIndexes.heldBytes + this.#seqs.heldBytes + this.#retired.heldBytes;
  }

  /** The row of the actor whose key is `bytes[from, from + length)`, -1 = none. */
  find(keyHash: number, bytes: Uint8Array, from: number, length: number): number {
    for (let value = this.#rows.first(keyHash); value !== 0; value = this.#rows.next()) {
      const index = this.#lastIndexes.get(value - 1);
      if (keyIs(this.#log.segmentOf(index), this.#log.offsetOf(index), bytes, from, length)) return value - 1;
    }
    return -1;
  }

  /** log index of the actor's newest message, or of the RETIRE behind it */
  lastIndex(row: number): number {
    assert(row >= 0 && row < this.#seqs.length, "a row that is asked for stands in the table");
    return this.#lastIndexes.get(row);
  }

  /** seq of the actor's newest message */
  seq(row: number): number {
    assert(row >= 0 && row < this.#seqs.length, "a row that is asked for stands in the table");
    return this.#seqs.get(row);
  }

  /** log index of the actor's newest RETIRE, 0 = none */
  retired(row: number): number {
    assert(row >= 0 && row < this.#seqs.length, "a row that is asked for stands in the table");
    return this.#retired.get(row);
  }

  /** Something new about the actor stands in the log; row -1: it is the first. */
  advance(row: number, keyHash: number, lastIndex: number, seq: number, retired: number): void {
    if (row < 0) {
      this.#lastIndexes.push(lastIndex);
      this.#seqs.push(seq);
      this.#retired.push(retired);
      this.#rows.insert(keyHash, this.#seqs.length);
      return;
    }
    this.#lastIndexes.set(row, lastIndex);
    this.#seqs.set(row, seq);
    this.#retired.set(row, retired);
  }

  /** The newest about the actor is taken back; `end` is what was before it, null = nothing. */
  retreat(row: number, keyHash: number, end: ActorEnd | null): void {
    if (end !== null) {
      this.advance(row, keyHash, end.lastIndex, end.seq, end.retired);
      return;
    }
    assert(row === this.#seqs.length - 1, "rows are taken back in the order opposite to their making");
    this.#rows.remove(keyHash, row + 1);
    this.#lastIndexes.pop();
    this.#seqs.pop();
    this.#retired.pop();
  }
}
