import { assert, chainDigest, type Digest64, digest64, hash32 } from "../base/mod.ts";
import { ActorTable } from "./actor_table.ts";
import { badEntry, duplicate, full, tooLarge } from "./errors.ts";
import {
  ENTRY,
  ENTRY_HEADER_BYTES,
  entryFault,
  type EntryKind,
  MESSAGE_TEXTS_AT,
  PAYLOAD_BYTES_MAX,
  peekBytes,
  strideOf,
  TEXT_BYTES_MAX,
  writeHeader,
} from "./entry.ts";
import { IdTable } from "./id_table.ts";
import * as field from "./message_fields.ts";
import { EntryReader, type NewMessage } from "./entry_reader.ts";
import type { Segment } from "./segment_log.ts";
import { EncodedText } from "./text.ts";

/** Limits of a {@linkcode ShardStore}. */
export interface ShardStoreOptions {
  /**
   * The most bytes of entries that `appendMessage` fills the log up to, default no limit. Other entries are let in
   * above it (a full shard must still change its members), and so are a follower's: the writer alone refuses.
   */
  bytesMax?: number;
  /**
   * Whether `appendRaw` computes the payload's digest anew and compares, about 0.4 us for 300 bytes; default true.
   * Without it a byte that memory or the network has flipped is found by the next audit only.
   */
  verifyDigests?: boolean;
}

/** Where an appended message stands. */
export interface Appended {
  /** log index */
  index: number;
  /** place in the actor's history, from 1 */
  seq: number;
  /** of the payload */
  digest: Digest64;
}

// Shared by all stores, as everything here runs to its end before anything else runs; an empty store holds no buffers.
const KEY = new EncodedText("key", TEXT_BYTES_MAX.key);
const ID = new EncodedText("id", TEXT_BYTES_MAX.id);
const TYPE = new EncodedText("type", TEXT_BYTES_MAX.type);
const CONTENT_TYPE = new EncodedText("content type", TEXT_BYTES_MAX.contentType);
const NO_CHAIN: Digest64 = Object.freeze({ hi: 0, lo: 0 });

/**
 * One shard's log with its tables. A writer appends with `appendMessage` and `appendEntry`; a follower is given what
 * `copyRange` copied, entry by entry, through `appendRaw`, and then answers every lookup as the writer does.
 *
 * May be relied on: an append that throws has changed nothing. Everything that was appended is found at once, committed
 * or not: the store knows nothing of commitment, except that `truncateFrom` takes back a suffix exactly. Views (`body`,
 * `payload`) stay valid until their entry is truncated. Indexes, seqs and rows asked for must exist, or it asserts.
 *
 * Costs, measured on 2 shared cores: see bench/storage_bench.ts. An empty store holds under 1 KB, and no buffers.
 *
 * @example
 * ```ts
 * import { ShardStore } from "./mod.ts";
 * const writer = new ShardStore(), follower = new ShardStore();
 * const payload = new TextEncoder().encode("{}");
 * writer.appendMessage(1, { key: "ward/X/3", id: "a", type: "t", contentType: "application/json", atMs: 0, payload });
 * const { bytes } = writer.copyRange(1, 65536);
 * follower.appendRaw(bytes, 0);
 * if (follower.findMessage("ward/X/3", "a") !== 1) throw new Error("unreachable");
 * ```
 */
export class ShardStore extends EntryReader {
  readonly #bytesMax: number;
  readonly #verifyDigests: boolean;
  readonly #actors = new ActorTable(this.log);
  readonly #ids = new IdTable(this.log);
  #lastTerm = 0;

  /** An empty store; it allocates no buffers before the first append. */
  constructor(options: ShardStoreOptions = {}) {
    super();
    this.#bytesMax = options.bytesMax ?? Infinity;
    this.#verifyDigests = options.verifyDigests ?? true;
  }

  /** term of the last entry, 0 = none */
  get lastTerm(): number {
    return this.#lastTerm;
  }

  /** bytes of memory: segments and tables, unused parts included */
  get heldBytes(): number {
    return this.log.heldBytes + this.#actors.heldBytes + this.#ids.heldBytes;
  }

  /**
   * Appends a message to its actor's history. The hot path: about 1 us for 300 bytes.
   *
   * @param term the writer's; at least `lastTerm`
   * @throws {WaterparkError} `storage/full`, `storage/too-large` (a part is over its limit), `storage/duplicate` (the
   * actor has a message of this id), `storage/bad-entry` (no key or id, half a character, a time that is no number)
   */
  appendMessage(term: number, message: NewMessage): Appended {
    assert(term >= this.#lastTerm, "terms never fall in a log");
    const { payload } = message;
    KEY.encode(message.key);
    ID.encode(message.id);
    TYPE.encode(message.type);
    CONTENT_TYPE.encode(message.contentType);
    if (payload.length > PAYLOAD_BYTES_MAX) throw tooLarge("payload", payload.length, PAYLOAD_BYTES_MAX);
    if (KEY.length === 0 || ID.length === 0) throw badEntry("it has no key or no id");
    if (!Number.isFinite(message.atMs)) throw badEntry("its time is no number");
    const total = MESSAGE_TEXTS_AT + KEY.length + ID.length + TYPE.length + CONTENT_TYPE.length + payload.length;
    const stride = strideOf(total);
    if (this.log.bytes + stride > this.#bytesMax) throw full(this.log.bytes, this.#bytesMax);

    const keyHash = hash32(KEY.bytes, 0, 0, KEY.length);
    const idHash = hash32(ID.bytes, keyHash, 0, ID.length);
    const twin = this.#ids.find(idHash, KEY.bytes, 0, KEY.length, ID.bytes, 0, ID.length);
    if (twin !== 0) throw duplicate(twin);
    const row = this.#actors.find(keyHash, KEY.bytes, 0, KEY.length);
    const previous = row < 0 ? 0 : this.#actors.lastIndex(row);
    const seq = row < 0 ? 1 : this.#actors.seq(row) + 1;
    const digest = digest64(payload);
    const chain = chainDigest(previous === 0 ? NO_CHAIN : this.chainOf(previous), digest);

    const { bytes, view, used: at } = this.log.room(stride);
    writeHeader(view, at, total, term, ENTRY.MESSAGE);
    view.setUint32(at + 12, idHash, true);
    view.setUint32(at + 16, previous, true);
    view.setUint32(at + 20, seq, true);
    view.setFloat64(at + 24, message.atMs, true);
    view.setUint32(at + 32, digest.hi, true);
    view.setUint32(at + 36, digest.lo, true);
    view.setUint32(at + 40, chain.hi, true);
    view.setUint32(at + 44, chain.lo, true);
    view.setUint16(at + 48, KEY.length, true);
    view.setUint16(at + 50, ID.length, true);
    view.setUint16(at + 52, TYPE.length, true);
    view.setUint16(at + 54, CONTENT_TYPE.length, true);
    let end = KEY.copyTo(bytes, at + MESSAGE_TEXTS_AT);
    end = ID.copyTo(bytes, end);
    end = TYPE.copyTo(bytes, end);
    end = CONTENT_TYPE.copyTo(bytes, end);
    bytes.set(payload, end);

    const index = this.log.push(stride);
    this.#actors.advance(row, keyHash, index);
    this.#ids.add(idHash, index);
    this.#lastTerm = term;
    return { index, seq, digest };
  }

  /**
   * Appends an entry that is no message; answers its log index.
   *
   * @param body at most 16 MiB; copied
   * @throws {WaterparkError} `storage/too-large`
   */
  appendEntry(term: number, kind: Exclude<EntryKind, typeof ENTRY.MESSAGE>, body: Uint8Array): number {
    assert(term >= this.#lastTerm, "terms never fall in a log");
    assert((kind as EntryKind) !== ENTRY.MESSAGE, "messages are appended by appendMessage");
    if (body.length > PAYLOAD_BYTES_MAX) throw tooLarge("body", body.length, PAYLOAD_BYTES_MAX);
    const total = ENTRY_HEADER_BYTES + body.length;
    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, kind);
    bytes.set(body, at + ENTRY_HEADER_BYTES);
    this.#lastTerm = term;
    return this.log.push(strideOf(total));
  }

  /**
   * Appends the entry at `from` of bytes that another copy's `copyRange` made; about 0.9 us for 300 bytes.
   *
   * @returns its log index, and the offset of the entry after it
   * @throws {WaterparkError} `storage/bad-entry` when it is malformed or does not follow this log: term, seq, previous,
   * digests, an id that the actor has already
   */
  appendRaw(bytes: Uint8Array, from: number): { index: number; next: number } {
    const total = peekBytes(bytes, from);
    if (total === 0) throw badEntry("no whole entry is there");
    const stride = strideOf(total);
    const segment = this.log.room(stride);
    const at = segment.used;
    segment.bytes.set(bytes.subarray(from, from + stride), at);
    const term = segment.view.getUint32(at + 4, true);
    const fault = term < this.#lastTerm ? "its term is below the last" : entryFault(segment.bytes, segment.view, at) ||
      (segment.bytes[at + 8] === ENTRY.MESSAGE ? this.#indexRaw(segment, at) : "");
    if (fault !== "") {
      this.log.giveBack();
      throw badEntry(fault);
    }
    this.#lastTerm = term;
    return { index: this.log.push(stride), next: from + stride };
  }

  /**
   * Takes back the entries from `index` on, as if they had never been appended; nothing if there are none. Views of
   * them become void: their memory is used again.
   */
  truncateFrom(index: number): void {
    assert(index >= 1, "log indexes start at 1");
    for (let last = this.log.lastIndex; last >= index; last--) {
      const segment = this.log.segmentOf(last);
      const at = this.log.offsetOf(last);
      if (segment.bytes[at + 8] === ENTRY.MESSAGE) {
        const keyLength = field.keyLengthAt(segment, at);
        const keyHash = hash32(segment.bytes, 0, at + MESSAGE_TEXTS_AT, at + MESSAGE_TEXTS_AT + keyLength);
        const row = this.#actors.find(keyHash, segment.bytes, at + MESSAGE_TEXTS_AT, keyLength);
        this.#ids.remove(field.idHashAt(segment, at), last);
        this.#actors.retreat(row, keyHash, field.previousAt(segment, at));
      }
      this.log.pop(strideOf(segment.view.getUint32(at, true)));
    }
    this.#lastTerm = this.termAt(this.log.lastIndex);
  }

  /** row of the actor of the message at `index` */
  rowOf(index: number): number {
    const segment = this.messageSegment(index);
    const from = this.log.offsetOf(index) + MESSAGE_TEXTS_AT;
    const length = field.keyLengthAt(segment, from - MESSAGE_TEXTS_AT);
    return this.#actors.find(hash32(segment.bytes, 0, from, from + length), segment.bytes, from, length);
  }

  /** how many actors have a message; their rows are 0 to `rowCount - 1`, in the order of their first messages */
  get rowCount(): number {
    return this.#actors.rowCount;
  }

  /** row of an actor, -1 = it has no message here; the same in every copy, and stable while the actor has a message */
  actorRow(key: string): number {
    if (!KEY.canEncode(key)) return -1;
    return this.#actors.find(hash32(KEY.bytes, 0, 0, KEY.length), KEY.bytes, 0, KEY.length);
  }

  /** key of the actor of a row */
  rowKey(row: number): string {
    return this.keyOf(this.#actors.lastIndex(row));
  }

  /** seq of the actor of a row: how many messages it has */
  rowSeq(row: number): number {
    return this.#actors.seq(row);
  }

  /** log index of the newest message of the actor of a row */
  rowLastIndex(row: number): number {
    return this.#actors.lastIndex(row);
  }

  /** Log index of the actor's newest message at or before `upTo` (the commit index, say), 0 = none. */
  rowLastIndexUpTo(row: number, upTo: number): number {
    let at = this.#actors.lastIndex(row);
    while (at > upTo) at = this.previousOf(at);
    return at;
  }

  /** Log index of the actor's message of this id, in the whole log with its uncommitted tail; 0 = none. */
  findMessage(key: string, id: string): number {
    if (!KEY.canEncode(key) || !ID.canEncode(id)) return 0;
    const idHash = hash32(ID.bytes, hash32(KEY.bytes, 0, 0, KEY.length), 0, ID.length);
    return this.#ids.find(idHash, KEY.bytes, 0, KEY.length, ID.bytes, 0, ID.length);
  }

  /** How often the actor has a message of this id: once or never, which an audit does not take for granted. */
  countMessages(key: string, id: string): number {
    if (!KEY.canEncode(key) || !ID.canEncode(id)) return 0;
    return this.#ids.count(hash32(ID.bytes, hash32(KEY.bytes, 0, 0, KEY.length), 0, ID.length), KEY, ID);
  }

  /**
   * Log indexes of the actor's messages of seq `afterSeq + 1` to `afterSeq + limit`, ascending, the uncommitted tail
   * included. It walks back from the newest, so a page far back costs a step for every message after it.
   */
  history(key: string, afterSeq: number, limit: number): number[] {
    const row = this.actorRow(key);
    const seq = row < 0 ? 0 : this.#actors.seq(row);
    const count = Math.max(0, Math.min(limit, seq - afterSeq));
    const indexes = new Array<number>(count).fill(0);
    if (count === 0) return indexes;
    let index = this.#actors.lastIndex(row);
    for (let at = seq; at > afterSeq; at--) {
      if (at <= afterSeq + count) indexes[at - afterSeq - 1] = index;
      index = this.previousOf(index);
    }
    return indexes;
  }

  /** Indexes a well-formed message that stands at the log's end but is not pushed yet; answers what is wrong, or "". */
  #indexRaw(segment: Segment, at: number): string {
    const { bytes } = segment;
    const keyFrom = at + MESSAGE_TEXTS_AT;
    const keyLength = field.keyLengthAt(segment, at);
    const idFrom = keyFrom + keyLength;
    const idLength = field.idLengthAt(segment, at);
    const keyHash = hash32(bytes, 0, keyFrom, idFrom);
    const idHash = hash32(bytes, keyHash, idFrom, idFrom + idLength);
    if (idHash !== field.idHashAt(segment, at)) return "its id hash is another";
    const row = this.#actors.find(keyHash, bytes, keyFrom, keyLength);
    const previous = row < 0 ? 0 : this.#actors.lastIndex(row);
    const seq = row < 0 ? 1 : this.#actors.seq(row) + 1;
    if (field.seqAt(segment, at) !== seq) return `its seq follows another history: ${seq} is next here`;
    if (field.previousAt(segment, at) !== previous) return "its previous message is another";
    if (this.#ids.find(idHash, bytes, keyFrom, keyLength, bytes, idFrom, idLength) !== 0) return "its id stands here";
    const digest = field.digestAt(segment, at);
    if (this.#verifyDigests) {
      const own = digest64(bytes.subarray(field.payloadFrom(segment, at), field.payloadTo(segment, at)));
      if (own.hi !== digest.hi || own.lo !== digest.lo) return "its payload has another digest";
    }
    const chain = chainDigest(previous === 0 ? NO_CHAIN : this.chainOf(previous), digest);
    const given = field.chainAt(segment, at);
    if (chain.hi !== given.hi || chain.lo !== given.lo) return "its history has another digest";
    const index = this.log.lastIndex + 1;
    this.#actors.advance(row, keyHash, index);
    this.#ids.add(idHash, index);
    return "";
  }
}
