import { assert, chainInto, type Digest64, digest64, digestInto, hash32 } from "../base/mod.ts";
import { ActorReader, ID, KEY, SOUGHT } from "./actor_reader.ts";
import type { ActorEnd } from "./actor_table.ts";
import { badEntry, duplicate, full, tooLarge } from "./errors.ts";
import {
  ENTRY,
  ENTRY_HEADER_BYTES,
  entryFault,
  type EntryKind,
  MESSAGE_TEXTS_AT,
  PAYLOAD_BYTES_MAX,
  peekBytes,
  type PlainEntryKind,
  strideOf,
  TEXT_BYTES_MAX,
  writeHeader,
} from "./entry.ts";
import type { NewMessage } from "./entry_reader.ts";
import { Freeing } from "./freeing.ts";
import * as field from "./message_fields.ts";
import type { Segment } from "./segment_log.ts";
import { EncodedText } from "./text.ts";
import { ID_WINDOW_MS, TombstoneMaker, TombstoneView } from "./tombstone.ts";

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
export class ShardStore extends ActorReader {
  readonly #bytesMax: number;
  readonly #verifyDigests: boolean;
  #freeing: Freeing | null = null;
  #lastTerm = 0;
  #lastAtMs = -Infinity;

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
    return this.log.heldBytes + this.actors.heldBytes + this.ids.heldBytes + (this.#freeing?.heldBytes ?? 0);
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
    if (this.log.bytes + strideOf(total) > this.#bytesMax) throw full(this.log.bytes, this.#bytesMax);

    const isSought = SOUGHT.by === this && SOUGHT.lastIndex === this.log.lastIndex && SOUGHT.key === message.key &&
      SOUGHT.id === message.id;
    const twin = isSought ? 0 : this.findMessage(message.key, message.id);
    if (twin !== 0) throw duplicate(twin);
    const { keyHash, idHash, row } = SOUGHT;
    SOUGHT.by = null;
    const previous = row < 0 ? 0 : this.actors.lastIndex(row);
    const seq = row < 0 ? 1 : this.actors.seq(row) + 1;
    const digest = digest64(payload);
    LINK[0] = digest.hi;
    LINK[1] = digest.lo;
    chainInto(LINK, previous === 0 ? 0 : this.actors.chainHi(row), previous === 0 ? 0 : this.actors.chainLo(row));
    const [chainHi, chainLo] = [LINK[0], LINK[1]];

    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, ENTRY.MESSAGE);
    this.#writeLink(view, at, { idHash, previous, seq, atMs: message.atMs, digest, chainHi, chainLo });
    view.setUint16(at + 48, KEY.length, true);
    view.setUint16(at + 50, ID.length, true);
    view.setUint16(at + 52, TYPE.length, true);
    view.setUint16(at + 54, CONTENT_TYPE.length, true);
    let end = KEY.copyTo(bytes, at + MESSAGE_TEXTS_AT);
    end = ID.copyTo(bytes, end);
    end = TYPE.copyTo(bytes, end);
    end = CONTENT_TYPE.copyTo(bytes, end);
    bytes.set(payload, end);

    const index = this.log.push(strideOf(total));
    const made = row < 0 ? this.actors.add(keyHash, KEY.bytes, 0, KEY.length) : row;
    this.actors.advance(made, index, seq, this.actors.retired(made), chainHi, chainLo);
    this.appended(index, made);
    this.ids.add(idHash, index);
    this.#lastTerm = term;
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
    assert(term >= this.#lastTerm, "terms never fall in a log");
    const row = this.actorRow(key);
    assert(row >= 0 && !this.isRetired(row), "who is retired lives");
    assert(Number.isFinite(atMs), "time is a number");
    const previous = this.actors.lastIndex(row);
    const seq = this.actors.seq(row);
    const [chainHi, chainLo] = [this.actors.chainHi(row), this.actors.chainLo(row)];
    const tombstone = this.#tombstone(row, Math.max(atMs, this.#lastAtMs) - ID_WINDOW_MS);
    const total = MESSAGE_TEXTS_AT + KEY.length + tombstone.length;

    const { bytes, view, used: at } = this.log.room(strideOf(total));
    writeHeader(view, at, total, term, ENTRY.RETIRE);
    const digest = digest64(tombstone);
    this.#writeLink(view, at, { idHash: 0, previous, seq, atMs, digest, chainHi, chainLo });
    view.setUint32(at + 48, KEY.length, true);
    view.setUint32(at + 52, 0, true);
    bytes.set(tombstone, KEY.copyTo(bytes, at + MESSAGE_TEXTS_AT));

    const index = this.log.push(strideOf(total));
    this.actors.advance(row, index, seq, index, chainHi, chainLo);
    this.appended(index, row);
    this.#lastTerm = term;
    return index;
  }

  /**
   * Appends an entry that is no message; answers its log index.
   *
   * @param body at most 16 MiB; copied
   * @throws {WaterparkError} `storage/too-large`
   */
  appendEntry(term: number, kind: PlainEntryKind, body: Uint8Array): number {
    assert(term >= this.#lastTerm, "terms never fall in a log");
    assert(
      kind >= ENTRY.NOOP && kind <= ENTRY.COMMAND && (kind as EntryKind) !== ENTRY.MESSAGE,
      "a plain entry's kind",
    );
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
    SOUGHT.by = null;
    const stride = strideOf(total);
    const segment = this.log.room(stride);
    const at = segment.used;
    segment.bytes.set(bytes.subarray(from, from + stride), at);
    const term = segment.view.getUint32(at + 4, true);
    const fault = term < this.#lastTerm
      ? "its term is below the last"
      : entryFault(segment.bytes, segment.view, at) || this.#takeRaw(segment, at);
    if (fault !== "") {
      this.log.giveBack();
      throw badEntry(fault);
    }
    this.#lastTerm = term;
    return { index: this.log.push(stride), next: from + stride };
  }

  /**
   * Takes back the entries from `index` on, as if they had never been appended; nothing if there are none. Views of
   * them become void: their memory is used again. Nothing that was freed may be among them.
   */
  truncateFrom(index: number): void {
    assert(index >= 1, "log indexes start at 1");
    assert(index > (this.#freeing?.upTo ?? 0), "what is freed is committed, and not taken back");
    SOUGHT.by = null;
    const hadLast = this.log.lastIndex >= index;
    for (let last = this.log.lastIndex; last >= index; last--) {
      const segment = this.log.segmentOf(last);
      const at = this.log.offsetOf(last);
      if (isLink(segment.bytes[at + 8])) this.#untie(segment, at, last);
      this.log.pop(strideOf(segment.view.getUint32(at, true)));
    }
    this.#lastTerm = this.termAt(this.log.lastIndex);
    if (hadLast) this.#lastAtMs = this.#newestAtMs();
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

  /** Gives memory back for about half a millisecond; true: there is more to do. */
  tidy(): boolean {
    return this.#freeing?.tidy() ?? false;
  }

  #untie(segment: Segment, at: number, index: number): void {
    const from = at + MESSAGE_TEXTS_AT;
    const keyLength = field.keyLengthAt(segment, at);
    const keyHash = hash32(segment.bytes, 0, from, from + keyLength);
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

  #writeLink(view: DataView, at: number, link: Link): void {
    this.#lastAtMs = Math.max(link.atMs, this.#lastAtMs);
    view.setUint32(at + 12, link.idHash, true);
    view.setUint32(at + 16, link.previous, true);
    view.setUint32(at + 20, link.seq, true);
    view.setFloat64(at + 24, this.#lastAtMs, true);
    view.setUint32(at + 32, link.digest.hi, true);
    view.setUint32(at + 36, link.digest.lo, true);
    view.setUint32(at + 40, link.chainHi, true);
    view.setUint32(at + 44, link.chainLo, true);
  }

  /** What must still be known of an actor's messages that were recorded after `youngMs`. */
  #tombstone(row: number, youngMs: number): Uint8Array {
    const maker = new TombstoneMaker();
    for (let at = this.actors.lastIndex(row); at > 0 && this.kindAt(at) === ENTRY.MESSAGE; at = this.previousOf(at)) {
      const segment = this.log.segmentOf(at);
      const offset = this.log.offsetOf(at);
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

  /** Takes a well-formed entry that stands at the log's end but is not pushed yet; answers what is wrong, or "". */
  #takeRaw(segment: Segment, at: number): string {
    const index = this.log.lastIndex + 1;
    const kind = segment.bytes[at + 8];
    if (isLink(kind)) return this.#tieRaw(segment, at, index);
    if (kind === ENTRY.HOLLOW) {
      const freedBy = segment.view.getUint32(at + ENTRY_HEADER_BYTES, true);
      if (freedBy <= index) return "a hollow entry that was freed before it was";
      this.becomesWhole(freedBy);
    }
    return "";
  }

  #tieRaw(segment: Segment, at: number, index: number): string {
    const { bytes } = segment;
    const isRetire = bytes[at + 8] === ENTRY.RETIRE;
    const keyFrom = at + MESSAGE_TEXTS_AT;
    const keyLength = field.keyLengthAt(segment, at);
    const idFrom = keyFrom + keyLength;
    const idLength = field.idLengthAt(segment, at);
    const keyHash = hash32(bytes, 0, keyFrom, idFrom);
    const idHash = isRetire ? 0 : hash32(bytes, keyHash, idFrom, idFrom + idLength);
    if (idHash !== field.idHashAt(segment, at)) return "its id hash is another";
    const atMs = field.atMsAt(segment, at);
    if (atMs < this.#lastAtMs) return "its time goes back";
    const row = this.actors.find(keyHash, bytes, keyFrom, keyLength);
    const last = row < 0 ? 0 : this.actors.lastIndex(row);
    const lastSeq = row < 0 ? 0 : this.actors.seq(row);
    const retired = row < 0 ? 0 : this.actors.retired(row);
    const seq = field.seqAt(segment, at);
    const previous = field.previousAt(segment, at);
    const isGap = previous > last && this.#isGapBefore(previous, { seq, lastSeq, index, isRetire });
    if (!isGap) {
      const next = isRetire ? lastSeq : lastSeq + 1;
      if (seq !== next) return `its seq follows another history: ${next} is next here`;
      if (previous !== last) return "its previous message is another";
      if (isRetire && (last === 0 || last === retired)) return "it ends a life that is none";
    }
    // what the writer knows of former lives the follower may know longer, or not any more: that is not looked at
    if (!isRetire && this.ids.find(idHash, retired, bytes, keyFrom, keyLength, bytes, idFrom, idLength) !== 0) {
      return "its id stands here";
    }
    const { view } = segment;
    const payloadFrom = field.payloadFrom(segment, at);
    let knowsLess = isGap;
    if (isRetire && !isGap) {
      const { before } = new TombstoneView(segment, payloadFrom, field.payloadTo(segment, at));
      knowsLess = before !== retired;
      if (knowsLess && !this.#isFreed(before, retired, index)) return "its tombstone follows another";
    }
    if (this.#verifyDigests) {
      digestInto(LINK, bytes, payloadFrom, field.payloadTo(segment, at));
      if (!isAt(view, at + 32)) return "its payload has another digest";
    } else {
      LINK[0] = view.getUint32(at + 32, true);
      LINK[1] = view.getUint32(at + 36, true);
    }
    if (!isGap) {
      const hi = previous === 0 ? 0 : this.actors.chainHi(row);
      const lo = previous === 0 ? 0 : this.actors.chainLo(row);
      if (isRetire) {
        LINK[0] = hi;
        LINK[1] = lo;
      } else chainInto(LINK, hi, lo);
      if (!isAt(view, at + 40)) return "its history has another digest";
    }
    if (knowsLess) (this.gaps ??= new Map()).set(index, row < 0 ? null : { lastIndex: last, seq: lastSeq, retired });
    const made = row < 0 ? this.actors.add(keyHash, bytes, keyFrom, keyLength) : row;
    this.actors.advance(
      made,
      index,
      seq,
      isRetire ? index : retired,
      view.getUint32(at + 40, true),
      view.getUint32(at + 44, true),
    );
    this.appended(index, made);
    if (!isRetire) this.ids.add(idHash, index);
    this.#lastAtMs = atMs;
    return "";
  }

  /**
   * True when the end of a life at `before`, later than the last that is known here, is hollow: this copy was fed the
   * beginning of the present life by who had not freed it yet, and the end of the life before by who had.
   */
  #isFreed(before: number, known: number, index: number): boolean {
    return before > known && before < index && this.kindAt(before) === ENTRY.HOLLOW && this.freedBy(before) >= index;
  }

  /**
   * True when what lies between the actor's last message here and this entry was freed where it comes from: the message
   * before is hollow here, by the RETIRE of the very life that this entry is part of, or of a later one.
   */
  #isGapBefore(
    previous: number,
    { seq, lastSeq, index, isRetire }: { seq: number; lastSeq: number; index: number; isRetire: boolean },
  ): boolean {
    if (previous >= index || this.kindAt(previous) !== ENTRY.HOLLOW) return false;
    const freedBy = this.freedBy(previous);
    return isRetire ? freedBy >= index && seq > lastSeq : freedBy > index && seq > lastSeq + 1;
  }
}

/** The digest at hand, two halves. */
const LINK = new Uint32Array(2);

/** True when the digest at hand is what stands there. */
function isAt(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === LINK[0] && view.getUint32(at + 4, true) === LINK[1];
}

/** What every link of an actor's chain has. */
interface Link {
  idHash: number;
  previous: number;
  seq: number;
  /** raised to the log's last time where it is below */
  atMs: number;
  digest: Digest64;
  chainHi: number;
  chainLo: number;
}

function isLink(kind: number): boolean {
  return kind === ENTRY.MESSAGE || kind === ENTRY.RETIRE;
}
