/**
 * Where each actor's history ends: a row of eight numbers per actor, found by the hash of its key, and the key itself.
 *
 * Every entry that is appended asks for its actor, and an actor's newest message lies anywhere in memory, long out of
 * every cache. So all that the next link of its chain needs stands together: a row is half a cache line, the keys lie
 * side by side. Reading the key off the newest message instead cost three times as long (3.0 and 1.0 us, 10,000 actors),
 * and was a sixth of all that a node does; it saves the key, some 25 bytes an actor.
 *
 * Rows are numbered in the order in which the actors were first seen in this copy: a copy that was fed a hollow history
 * learns of an actor by the end of its life. Taking back what made a row takes back the row, which then is the last one.
 * The row of an actor whose life has ended stays, as its next life goes on from there.
 */
import { assert } from "../base/mod.ts";
import { HashIndex } from "./hash_index.ts";
import { KeySlab } from "./key_slab.ts";
import { readText, sameBytes } from "./text.ts";
import { U32Column } from "./u32_column.ts";

/** What a row says of the history. */
export interface ActorEnd {
  /** log index of the actor's newest message, or of the RETIRE behind it */
  lastIndex: number;
  /** seq of the newest message */
  seq: number;
  /** log index of the newest RETIRE, 0 = none */
  retired: number;
}

/** Numbers of a row; a power of two, so that no row lies across two chunks of the column. */
const ROW = 8;
const LAST_INDEX = 0;
const SEQ = 1;
const RETIRED = 2;
const CHAIN_HI = 3;
const CHAIN_LO = 4;
const KEY_AT = 5;
const KEY_LENGTH = 6;

/** See the file's header. */
export class ActorTable {
  /** hash of the key -> row + 1 */
  readonly #index = new HashIndex();
  readonly #rows = new U32Column();
  readonly #keys = new KeySlab();

  /** how many rows there are */
  get rowCount(): number {
    return this.#rows.length / ROW;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#index.heldBytes + this.#rows.heldBytes + this.#keys.heldBytes;
  }

  /** The row of the actor whose key is `bytes[from, from + length)`, -1 = none. */
  find(keyHash: number, bytes: Uint8Array, from: number, length: number): number {
    for (let value = this.#index.first(keyHash); value !== 0; value = this.#index.next()) {
      const at = (value - 1) * ROW;
      if (this.#rows.get(at + KEY_LENGTH) !== length) continue;
      const keyAt = this.#rows.get(at + KEY_AT);
      if (sameBytes(this.#keys.chunkOf(keyAt), this.#keys.offsetOf(keyAt), bytes, from, length)) return value - 1;
    }
    return -1;
  }

  /** The actor's key. */
  key(row: number): string {
    this.#check(row);
    const keyAt = this.#rows.get(row * ROW + KEY_AT);
    const from = this.#keys.offsetOf(keyAt);
    return readText(this.#keys.chunkOf(keyAt), from, from + this.#rows.get(row * ROW + KEY_LENGTH));
  }

  /** log index of the actor's newest message, or of the RETIRE behind it */
  lastIndex(row: number): number {
    this.#check(row);
    return this.#rows.get(row * ROW + LAST_INDEX);
  }

  /** seq of the actor's newest message */
  seq(row: number): number {
    this.#check(row);
    return this.#rows.get(row * ROW + SEQ);
  }

  /** log index of the actor's newest RETIRE, 0 = none */
  retired(row: number): number {
    this.#check(row);
    return this.#rows.get(row * ROW + RETIRED);
  }

  /** upper half of the digest of the actor's whole history */
  chainHi(row: number): number {
    return this.#rows.get(row * ROW + CHAIN_HI);
  }

  /** lower half of it */
  chainLo(row: number): number {
    return this.#rows.get(row * ROW + CHAIN_LO);
  }

  /** Adds the row of an actor that has none; it must be told at once, by `advance`, what it is the end of. */
  add(keyHash: number, bytes: Uint8Array, from: number, length: number): number {
    const row = this.rowCount;
    const keyAt = this.#keys.push(bytes, from, length);
    for (let i = 0; i < ROW; i++) this.#rows.push(i === KEY_AT ? keyAt : i === KEY_LENGTH ? length : 0);
    this.#index.insert(keyHash, row + 1);
    return row;
  }

  /** Something new about the actor stands in the log. */
  advance(row: number, lastIndex: number, seq: number, retired: number, chainHi: number, chainLo: number): void {
    const at = row * ROW;
    this.#rows.set(at + LAST_INDEX, lastIndex);
    this.#rows.set(at + SEQ, seq);
    this.#rows.set(at + RETIRED, retired);
    this.#rows.set(at + CHAIN_HI, chainHi);
    this.#rows.set(at + CHAIN_LO, chainLo);
  }

  /** What made the row is taken back, and the row with it. */
  remove(row: number, keyHash: number): void {
    assert(row === this.rowCount - 1, "rows are taken back in the order opposite to their making");
    this.#index.remove(keyHash, row + 1);
    this.#keys.pop(this.#rows.get(row * ROW + KEY_AT));
    for (let i = 0; i < ROW; i++) this.#rows.pop();
  }

  #check(row: number): void {
    assert(row >= 0 && row * ROW < this.#rows.length, "a row that is asked for stands in the table");
  }
}
