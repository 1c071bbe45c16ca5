import { assert, type Digest64, digest64, hashInt32 } from "../base/mod.ts";
import { type ActorEnd, ActorTable } from "./actor_table.ts";
import { ENTRY, MESSAGE_TEXTS_AT, TEXT_BYTES_MAX } from "./entry.ts";
import { EntryReader } from "./entry_reader.ts";
import { IdTable } from "./id_table.ts";
import * as field from "./message_fields.ts";
import { EncodedText } from "./text.ts";

// Shared by all stores, as everything here runs to its end before anything else runs; an empty store holds no buffers.
/** @ignore the key at hand */
export const KEY: EncodedText = new EncodedText("key", TEXT_BYTES_MAX.key);
/** @ignore the id at hand */
export const ID: EncodedText = new EncodedText("id", TEXT_BYTES_MAX.id);

/** Links whose rows are at hand: what a shard appends in a turn, mostly. */
const YOUNG = 16;

/**
 * The look-up that was made last: whoever appends a message has asked for it just before, and need not hash and find key
 * and id once more.
 */
export const SOUGHT: {
  by: ActorReader | null;
  lastIndex: number;
  key: string;
  id: string;
  keyHash: number;
  idHash: number;
  row: number;
} = { by: null, lastIndex: 0, key: "", id: "", keyHash: 0, idHash: 0, row: -1 };

/** Where a message that was recorded once stands, or stood. */
export interface Recorded {
  /** log index; when the message's life has ended there is a hollow entry, of the same term */
  index: number;
  /** place in the actor's history */
  seq: number;
  /** of the payload */
  digest: Digest64;
}

/**
 * What can be asked about actors: the half of a {@linkcode ShardStore} that finds things. An actor has lives: one ends
 * with a RETIRE entry, the next begins with the message after it, at the next seq. `history` is about one life; the seq
 * and the chain of digests run on through all of them.
 */
export abstract class ActorReader extends EntryReader {
  /** @ignore for the store that extends this */
  protected readonly actors: ActorTable = new ActorTable();
  /** @ignore */
  protected readonly ids: IdTable = new IdTable(this.log);
  /**
   * @ignore Links whose `previous` is hollow here, as this copy was fed a freed history: what this copy knew of the
   * actor before them, null = nothing. Forgotten when the life's RETIRE is freed.
   */
  protected gaps: Map<number, ActorEnd | null> | null = null;
  #wholeFrom = 0;
  /** log index and row of the links appended last: what is committed is mostly among them, and its row is asked for then */
  #young: Uint32Array | null = null;

  /**
   * Once entries up to here are applied this copy is whole: before, actors may be missing messages that were freed
   * where this copy was fed from, and that the RETIRE entries up to here account for. Such a copy must not be folded,
   * and not be read.
   */
  get wholeFrom(): number {
    return this.#wholeFrom;
  }

  /** @ignore the link at `index` has been appended, to the actor of `row` */
  protected appended(index: number, row: number): void {
    this.#young ??= new Uint32Array(YOUNG * 2);
    const at = (index % YOUNG) * 2;
    this.#young[at] = index;
    this.#young[at + 1] = row;
  }

  /** @ignore a hollow entry has been taken over */
  protected becomesWhole(index: number): void {
    this.#wholeFrom = Math.max(this.#wholeFrom, index);
  }

  /** row of the actor of the MESSAGE or RETIRE at `index` */
  rowOf(index: number): number {
    const at = (index % YOUNG) * 2;
    if (this.#young !== null && this.#young[at] === index && index <= this.lastIndex) return this.#young[at + 1];
    const segment = this.linkSegment(index);
    const from = this.log.at + MESSAGE_TEXTS_AT;
    const length = field.keyLengthAt(segment, from - MESSAGE_TEXTS_AT);
    return this.actors.find(hashInt32(segment.bytes, 0, from, from + length), segment.bytes, from, length);
  }

  /** how many actors have been seen; their rows are 0 to `rowCount - 1` */
  get rowCount(): number {
    return this.actors.rowCount;
  }

  /** row of an actor, -1 = it was never seen here; stable, but another one in another copy */
  actorRow(key: string): number {
    if (!KEY.canEncode(key)) return -1;
    return this.actors.find(hashInt32(KEY.bytes, 0, 0, KEY.length), KEY.bytes, 0, KEY.length);
  }

  /** key of the actor of a row */
  rowKey(row: number): string {
    return this.actors.key(row);
  }

  /** seq of the actor of a row: how many messages it has had in all its lives */
  rowSeq(row: number): number {
    return this.actors.seq(row);
  }

  /** log index of the newest message of the actor of a row, or of the RETIRE behind it */
  rowLastIndex(row: number): number {
    return this.actors.lastIndex(row);
  }

  /** As {@linkcode rowLastIndex}, of what stands at or before `upTo` (the commit index, say); 0 = nothing that is known. */
  rowLastIndexUpTo(row: number, upTo: number): number {
    let at = this.actors.lastIndex(row);
    while (at > upTo) at = this.#before(at);
    return at;
  }

  /** seq of what {@linkcode rowLastIndexUpTo} finds, 0 = nothing that is known; mostly without reading the log */
  rowSeqUpTo(row: number, upTo: number): number {
    const at = this.rowLastIndexUpTo(row, upTo);
    if (at === this.actors.lastIndex(row)) return this.actors.seq(row);
    return at === 0 ? 0 : this.seqOf(at);
  }

  /** Log index of the actor's newest RETIRE at or before `upTo`, 0 = none: the seq there is the last of a former life. */
  rowRetiredUpTo(row: number, upTo: number): number {
    let at = this.actors.retired(row);
    while (at > upTo) {
      const gap = this.gaps?.get(at);
      at = gap === undefined ? this.tombstoneOf(at).before : gap?.retired ?? 0;
    }
    return at;
  }

  /** true when the actor's life has ended, and none has begun since, by what stands at or before `upTo` */
  isRetired(row: number, upTo: number = this.lastIndex): boolean {
    const at = this.rowLastIndexUpTo(row, upTo);
    if (at === this.actors.lastIndex(row)) return at === this.actors.retired(row);
    return at > 0 && this.kindAt(at) === ENTRY.RETIRE;
  }

  /**
   * The actor's message of this id: in its present life, or, for 30 days after it was recorded, in a former one; the
   * uncommitted tail included.
   */
  findRecorded(key: string, id: string): Recorded | null {
    const index = this.findMessage(key, id);
    if (index === 0) return null;
    if (this.kindAt(index) === ENTRY.MESSAGE) return { index, seq: this.seqOf(index), digest: this.digestOf(index) };
    const row = this.actorRow(key);
    return this.tombstoneOf(this.actors.retired(row)).find(digest64(ID.bytes.subarray(0, ID.length)));
  }

  /** Log index of what {@linkcode findRecorded} finds, 0 = none. */
  findMessage(key: string, id: string): number {
    if (!KEY.canEncode(key) || !ID.canEncode(id)) return 0;
    const keyHash = hashInt32(KEY.bytes, 0, 0, KEY.length);
    const idHash = hashInt32(ID.bytes, keyHash, 0, ID.length);
    const row = this.actors.find(keyHash, KEY.bytes, 0, KEY.length);
    const index = row < 0 ? 0 : this.indexOfId(row, idHash);
    SOUGHT.by = index === 0 ? this : null;
    SOUGHT.lastIndex = this.log.lastIndex;
    SOUGHT.key = key;
    SOUGHT.id = id;
    SOUGHT.keyHash = keyHash;
    SOUGHT.idHash = idHash;
    SOUGHT.row = row;
    return index;
  }

  /** How often the actor has, or had, a message of this id: once or never, which an audit does not take for granted. */
  countMessages(key: string, id: string): number {
    const isThere = this.findMessage(key, id) > 0;
    if (!isThere) return 0;
    const keyHash = hashInt32(KEY.bytes, 0, 0, KEY.length);
    const retired = this.actors.retired(this.actors.find(keyHash, KEY.bytes, 0, KEY.length));
    const count = this.ids.count(hashInt32(ID.bytes, keyHash, 0, ID.length), retired, KEY, ID);
    const digest = digest64(ID.bytes.subarray(0, ID.length));
    return count + (retired > 0 && this.tombstoneOf(retired).find(digest) !== null ? 1 : 0);
  }

  /**
   * Log indexes of the actor's messages of seq `afterSeq + 1` on, at most `limit`, ascending; of its present life, so
   * the first may be later. It walks back from the newest, so a page far back costs a step for every message after it.
   *
   * @param upTo nothing behind this log index (the commit index, say) counts, the end of a life neither; default all
   */
  history(key: string, afterSeq: number, limit: number, upTo: number = this.lastIndex): number[] {
    const row = this.actorRow(key);
    let index = row < 0 ? 0 : this.rowLastIndexUpTo(row, upTo);
    if (index === 0 || this.kindAt(index) === ENTRY.RETIRE) return [];
    const retired = this.rowRetiredUpTo(row, upTo);
    const from = Math.max(afterSeq, retired === 0 ? 0 : this.seqOf(retired));
    const seq = this.seqOf(index);
    const count = Math.max(0, Math.min(limit, seq - from));
    const indexes = new Array<number>(count).fill(0);
    for (let at = seq; at > from; at = this.seqOf(index)) {
      if (at <= from + count) indexes[at - from - 1] = index;
      index = this.#before(index);
      if (index === 0) break;
    }
    // where messages are missing, those that are here stand behind them
    return indexes[0] === 0 ? indexes.slice(indexes.lastIndexOf(0) + 1) : indexes;
  }

  /** @ignore Log index of the actor's message of the encoded id, in this life or on the tombstone; 0 = none. */
  protected indexOfId(row: number, idHash: number): number {
    const retired = this.actors.retired(row);
    const index = this.ids.find(idHash, retired, KEY.bytes, 0, KEY.length, ID.bytes, 0, ID.length);
    if (index > 0 || retired === 0) return index;
    return this.tombstoneOf(retired).find(digest64(ID.bytes.subarray(0, ID.length)))?.index ?? 0;
  }

  /** The link before, or what this copy has in its place; 0 = none, or hollow. */
  #before(index: number): number {
    const gap = this.gaps?.get(index);
    if (gap !== undefined) return gap?.lastIndex ?? 0;
    const before = this.previousOf(index);
    assert(before < index, "chains lead back");
    return before === 0 || this.kindAt(before) === ENTRY.HOLLOW ? 0 : before;
  }
}
