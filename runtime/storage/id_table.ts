/**
 * Where the message of an id stands: log indexes by idHash, which covers key and id. What is found is compared with
 * the bytes in the log, so two ids of one hash are told apart.
 */
import { HashIndex } from "./hash_index.ts";
import { idIs, keyIs } from "./message_fields.ts";
import type { SegmentLog } from "./segment_log.ts";

/** See the file's header. */
export class IdTable {
  readonly #log: SegmentLog;
  readonly #indexes = new HashIndex();

  constructor(log: SegmentLog) {
    this.#log = log;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#indexes.heldBytes;
  }

  /**
   * Log index of the message whose key is `keyBytes[keyFrom, keyFrom + keyLength)` and whose id is
   * `idBytes[idFrom, idFrom + idLength)`, 0 = none.
   *
   * @param after only messages that stand after this index: those before belong to a life that has ended
   */
  find(
    idHash: number,
    after: number,
    keyBytes: Uint8Array,
    keyFrom: number,
    keyLength: number,
    idBytes: Uint8Array,
    idFrom: number,
    idLength: number,
  ): number {
    for (let index = this.#indexes.first(idHash); index !== 0; index = this.#indexes.next()) {
      if (index <= after) continue;
      const segment = this.#log.segmentOf(index);
      const { at } = this.#log;
      if (idIs(segment, at, idBytes, idFrom, idLength) && keyIs(segment, at, keyBytes, keyFrom, keyLength)) {
        return index;
      }
    }
    return 0;
  }

  /** How many messages have this key and id, as for `find`: one, unless whoever appended has forgotten to ask. */
  count(
    idHash: number,
    after: number,
    key: { bytes: Uint8Array; length: number },
    id: { bytes: Uint8Array; length: number },
  ): number {
    let count = 0;
    for (let index = this.#indexes.first(idHash); index !== 0; index = this.#indexes.next()) {
      if (index <= after) continue;
      const segment = this.#log.segmentOf(index);
      const { at } = this.#log;
      if (idIs(segment, at, id.bytes, 0, id.length) && keyIs(segment, at, key.bytes, 0, key.length)) count++;
    }
    return count;
  }

  add(idHash: number, index: number): void {
    this.#indexes.insert(idHash, index);
  }

  remove(idHash: number, index: number): void {
    this.#indexes.remove(idHash, index);
  }
}
