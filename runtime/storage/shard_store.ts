import { assert, chainInto, type Digest64, digest64, digestInto, hashInt32 } from "../base/mod.ts";
import { ID, KEY, SOUGHT } from "./actor_reader.ts";
import type { ActorEnd } from "./actor_table.ts";
import { badEntry, duplicate, full, tooLarge } from "./errors.ts";
import {
  ENTRY,
  ENTRY_HEADER_BYTES,
  type EntryKind,
  MESSAGE_TEXTS_AT,
  PAYLOAD_BYTES_MAX,
  type PlainEntryKind,
  strideOf,
  TEXT_BYTES_MAX,
  writeHeader,
} from "./entry.ts";
import type { NewMessage } from "./entry_reader.ts";
import { Freeing } from "./freeing.ts";
import * as field from "./message_fields.ts";
import { LINK, RawTaking } from "./raw_taking.ts";
import type { Segment } from "./segment.ts";
import type { SlabRoom } from "./slab_room.ts";
import { EncodedText } from "./text.ts";
import { ID_WINDOW_MS, TombstoneMaker } from "./tombstone.ts";

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

const TYPE = new EncodedText("type", TEXT_BYTES_MAX.type);
const CONTENT_TYPE = new EncodedText("content type", TEXT_BYTES_MAX.contentType);
const NO_CHAIN: Digest64 = Object.freeze({ hi: 0, lo: 0 });

/**
 * One shard's log with its tables. A writer appends with `appendMessage` and `appendEntry`; a follower is given what
 * `copyRange` copied, entry by entry, through `appendRaw`, and then answers every lookup as the writer does.
 *
 * May be relied on: an append that throws has changed nothing. Everything that was appended is found at once, committed
 * or not: the store knows of commitment only what `free` says, and `truncateFrom` takes back a suffix exactly. Views
 * (`body`, `payload`) stay valid until their entry is truncated. Indexes, seqs and rows asked for must exist, or it asserts.
 *
 * Costs, measured on 2 shared cores: see bench/storage_bench.ts. An empty store holds 1 KB, and no buffers.
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
export class ShardStore extends RawTaking {
  readonly #bytesMax: number;
  #freeing: Freeing | null = null;

  /** An empty store; it allocates no buffers before the first append. */
  constructor(options: ShardStoreOptions = {}) {
    super(options.verifyDigests ?? true);
    this.#bytesMax = options.bytesMax ?? Infinity;
  }

  /** bytes of memory: segments and tables, unused parts included */
  get heldBytes(): number {
    return this.log.heldBytes + this.tableBytes;
  }

  /** the part of them that is no log: what finds actors and ids */
  get tableBytes(): number {
    return this.actors.heldBytes + this.ids.heldBytes + (this.#freeing?.heldBytes ?? 0);
  }

  /**
   * Appends a message to its actor's history. The hot path: about 1 us for 300 bytes. Its time is raised to that of the
   * message before in the log, whosever: times never go back within a shard.
   *
   * @param term the writer's; at least `lastTerm`
   * @throws {WaterparkError} `storage/full`, `storage/too-large` (a part is over its limit), `storage/duplicate` (the
   * actor has a message of this id, or had in a former life within 30 days), `storage/bad-entry` (no key or id, half a character, a time that is no number)
   */
  appendMessage(term: number, message: NewMessage): Appended {
    assert(term >= this.termAtHand, "terms never fall in a log");
    const { payload } = message;
    KEY.encode(message.key);
    ID.encode(message.id);
    TYPE.encode(message.type);
    CONTENT_TYPE.encode(message.contentType);
    if (payload.length > PAYLOAD_BYTES_MAX) throw tooLarge("payload", payload.length, PAYLOAD_BYTES_MAX);
    if (KEY.length === 0 || ID.length === 0) throw badEntry("it has no key or no id");
    if (!Number.isFinite(message.atMs)) throw badEntry("its time is no number");
    const total = MESSAGE_TEXTS_AT + KEY.length + ID.length + TYPE.length + CONTENT_TYPE.length + payload.length;
    if (this.log.bytes + strideOf(total) > this.#bytesMax) throw full(this.log.bytes, this.#bytesMax);

    const isSought = SOUGHT.by === this && SOUGHT.lastIndex === this.log.lastIndex && SOUGHT.key === message.key &&
      SOUGHT.id === message.id;
    const twin = isSought ? 0 : this.findMessage(message.key, message.id);
    if (twin !== 0) throw duplicate(twin);
    const { keyHash, idHash, row } = SOUGHT;
    SOUGHT.by = null;
    const previous = row < 0 ? 0 : this.actors.lastIndex(row);
    const seq = row < 0 ? 1 : this.actors.seq(row) + 1;
    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, ENTRY.MESSAGE);
    view.setUint16(at + 48, KEY.length, true);
    view.setUint16(at + 50, ID.length, true);
    view.setUint16(at + 52, TYPE.length, true);
    view.setUint16(at + 54, CONTENT_TYPE.length, true);
    let end = KEY.copyTo(bytes, at + MESSAGE_TEXTS_AT);
    end = ID.copyTo(bytes, end);
    end = TYPE.copyTo(bytes, end);
    end = CONTENT_TYPE.copyTo(bytes, end);
    bytes.set(payload, end);
    // of what stands in the log, as that is memory whose view is there already
    digestInto(LINK, view, end, at + total);
    const digest = { hi: LINK[0], lo: LINK[1] };
    this.#writeLink(view, at, idHash, previous, seq, message.atMs);
    if (row < 0) chainInto(LINK, 0, 0);
    else chainInto(LINK, this.actors.chainHi(row), this.actors.chainLo(row));
    view.setUint32(at + 40, LINK[0], true);
    view.setUint32(at + 44, LINK[1], true);

    const index = this.log.push(strideOf(total));
    const made = row < 0 ? this.actors.add(keyHash, KEY.bytes, 0, KEY.length) : row;
    this.actors.advance(made, index, seq, this.actors.retired(made), LINK[0], LINK[1]);
    this.appended(index, made);
    this.ids.add(idHash, index);
    this.termAtHand = term;
    return { index, seq, digest };
  }

  /**
   * Ends the life of an actor that has one: from now on `history` is empty until a next life begins, at the next seq.
   * Nothing is freed before {@linkcode free}. Costs a walk over the messages of the last 30 days, a few milliseconds
   * for the 16,384 that there may be.
   *
   * @param atMs the writer's wall time
   * @returns the log index of the RETIRE entry
   * @throws {WaterparkError} `storage/too-large` when more messages than that were recorded within 30 days
   */
  appendRetire(term: number, key: string, atMs: number): number {
    assert(term >= this.termAtHand, "terms never fall in a log");
    const row = this.actorRow(key);
    assert(row >= 0 && !this.isRetired(row), "who is retired lives");
    assert(Number.isFinite(atMs), "time is a number");
    const previous = this.actors.lastIndex(row);
    const seq = this.actors.seq(row);
    const [chainHi, chainLo] = [this.actors.chainHi(row), this.actors.chainLo(row)];
    const tombstone = this.#tombstone(row, Math.max(atMs, this.lastAtMs) - ID_WINDOW_MS);
    const total = MESSAGE_TEXTS_AT + KEY.length + tombstone.length;

    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, ENTRY.RETIRE);
    const digest = digest64(tombstone);
    LINK[0] = digest.hi;
    LINK[1] = digest.lo;
    this.#writeLink(view, at, 0, previous, seq, atMs);
    view.setUint32(at + 40, chainHi, true);
    view.setUint32(at + 44, chainLo, true);
    view.setUint32(at + 48, KEY.length, true);
    view.setUint32(at + 52, 0, true);
    bytes.set(tombstone, KEY.copyTo(bytes, at + MESSAGE_TEXTS_AT));

    const index = this.log.push(strideOf(total));
    this.actors.advance(row, index, seq, index, chainHi, chainLo);
    this.appended(index, row);
    this.termAtHand = term;
    return index;
  }

  /**
   * Appends an entry that is no message; answers its log index.
   *
   * @param body at most 16 MiB; copied
   * @throws {WaterparkError} `storage/too-large`
   */
  appendEntry(term: number, kind: PlainEntryKind, body: Uint8Array): number {
    assert(term >= this.termAtHand, "terms never fall in a log");
    assert(
      kind >= ENTRY.NOOP && kind <= ENTRY.COMMAND && (kind as EntryKind) !== ENTRY.MESSAGE,
      "a plain entry's kind",
    );
    if (body.length > PAYLOAD_BYTES_MAX) throw tooLarge("body", body.length, PAYLOAD_BYTES_MAX);
    const total = ENTRY_HEADER_BYTES + body.length;
    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, kind);
    bytes.set(body, at + ENTRY_HEADER_BYTES);
    this.termAtHand = term;
    return this.log.push(strideOf(total));
  }

  /**
   * Takes back the entries from `index` on, as if they had never been appended; nothing if there are none. Views of
   * them become void: their memory is used again. Nothing that was freed may be among them.
   */
  truncateFrom(index: number): void {
    assert(index >= 1, "log indexes start at 1");
    assert(index > (this.#freeing?.upTo ?? 0), "what is freed is committed, and not taken back");
    assert(index > this.log.sealedUpTo, "what is sealed is committed, and not taken back");
    SOUGHT.by = null;
    const hadLast = this.log.lastIndex >= index;
    for (let last = this.log.lastIndex; last >= index; last--) {
      const segment = this.log.segmentOf(last);
      const { at } = this.log;
      if (isLink(segment.bytes[at + 8])) this.#untie(segment, at, last);
      this.log.pop(strideOf(segment.view.getUint32(at, true)));
    }
    this.termAtHand = this.termAt(this.log.lastIndex);
    if (hadLast) this.lastAtMs = this.#newestAtMs();
  }

  /**
   * The RETIRE at `index` is committed and applied here: what it ended is freed, by and by, by {@linkcode tidy}. To be
   * called for each of them, in log order. Views of freed payloads stay what they were, and keep their memory.
   */
  free(index: number): void {
    assert(this.kindAt(index) === ENTRY.RETIRE, "what is freed has ended");
    this.#freeing ??= new Freeing({ log: this.log, ids: this.ids, takeGap: (index) => this.#takeGap(index) });
    this.#freeing.free(index);
  }

  /**
   * Packs old entries, whose bytes then are the same but take a quarter of the memory; reading them costs up to 45 us
   * for each block of 32 KiB that is not in the cache. Whole segments are sealed, oldest first: at least one, then until
   * `bytesMax` bytes were packed, 1 MiB in 5 ms. To be called now and then, by whoever knows what is committed.
   *
   * @param upTo the commit index: what is sealed is never taken back
   * @param room what the stores of this node share
   * @returns bytes packed; 0: there is nothing to do
   */
  sealSome(upTo: number, { bytesMax, room }: { bytesMax: number; room: SlabRoom }): number {
    return this.log.seal(Math.min(upTo, this.lastIndex), bytesMax, room);
  }

  /** bytes of entries that are packed, as they were before */
  get sealedRawBytes(): number {
    return this.log.sealedRawBytes;
  }

  /** bytes that they take now */
  get sealedHeldBytes(): number {
    return this.log.sealedHeldBytes;
  }

  /** Gives memory back for about half a millisecond; true: there is more to do. */
  tidy(): boolean {
    return this.#freeing?.tidy() ?? false;
  }

  #untie(segment: Segment, at: number, index: number): void {
    const from = at + MESSAGE_TEXTS_AT;
    const keyLength = field.keyLengthAt(segment, at);
    const keyHash = hashInt32(segment.bytes, 0, from, from + keyLength);
    const row = this.actors.find(keyHash, segment.bytes, from, keyLength);
    const isRetire = segment.bytes[at + 8] === ENTRY.RETIRE;
    if (!isRetire) this.ids.remove(field.idHashAt(segment, at), index);
    const gap = this.#takeGap(index);
    if (gap !== undefined) {
      this.#retreat(row, keyHash, gap);
      return;
    }
    const lastIndex = field.previousAt(segment, at);
    const seq = this.actors.seq(row);
    const retired = isRetire ? this.tombstoneOf(index).before : this.actors.retired(row);
    this.#retreat(row, keyHash, lastIndex === 0 ? null : { lastIndex, seq: isRetire ? seq : seq - 1, retired });
  }

  /** The newest about the actor is taken back; `end` is what was before it, null = nothing. */
  #retreat(row: number, keyHash: number, end: ActorEnd | null): void {
    if (end === null) return this.actors.remove(row, keyHash);
    const { lastIndex, seq, retired } = end;
    const chain = lastIndex > 0 && isLink(this.kindAt(lastIndex)) ? this.chainOf(lastIndex) : NO_CHAIN;
    this.actors.advance(row, lastIndex, seq, retired, chain.hi, chain.lo);
  }

  #takeGap(index: number): ActorEnd | null | undefined {
    const gap = this.gaps?.get(index);
    this.gaps?.delete(index);
    return gap;
  }

  #newestAtMs(): number {
    for (let index = this.log.lastIndex; index > 0; index--) if (isLink(this.kindAt(index))) return this.atMsOf(index);
    return -Infinity;
  }

  /** All of a link but its chain; the digest is the one at hand. */
  #writeLink(view: DataView, at: number, idHash: number, previous: number, seq: number, atMs: number): void {
    this.lastAtMs = Math.max(atMs, this.lastAtMs);
    view.setInt32(at + 12, idHash, true);
    view.setUint32(at + 16, previous, true);
    view.setUint32(at + 20, seq, true);
    view.setFloat64(at + 24, this.lastAtMs, true);
    view.setUint32(at + 32, LINK[0], true);
    view.setUint32(at + 36, LINK[1], true);
  }

  /** What must still be known of an actor's messages that were recorded after `youngMs`. */
  #tombstone(row: number, youngMs: number): Uint8Array {
    const maker = new TombstoneMaker();
    for (let at = this.actors.lastIndex(row); at > 0 && this.kindAt(at) === ENTRY.MESSAGE; at = this.previousOf(at)) {
      const segment = this.log.segmentOf(at);
      const offset = this.log.at;
      const atMs = field.atMsAt(segment, offset);
      // times never go back: those before are older still
      if (atMs <= youngMs) break;
      maker.add({
        id: digest64(field.idBytes(segment, offset)),
        digest: field.digestAt(segment, offset),
        seq: field.seqAt(segment, offset),
        index: at,
        atS: Math.max(0, Math.ceil(atMs / 1000)),
      });
    }
    const before = this.actors.retired(row);
    if (before > 0) {
      const tombstone = this.tombstoneOf(before);
      for (let i = 0; i < tombstone.length; i++) {
        const record = tombstone.at(i);
        if (record.atS * 1000 > youngMs) maker.add(record);
      }
    }
    return maker.take(before);
  }
}

function isLink(kind: number): boolean {
  return kind === ENTRY.MESSAGE || kind === ENTRY.RETIRE;
}
