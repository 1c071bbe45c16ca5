import { chainInto, digestInto, hashInt32 } from "../base/mod.ts";
import { ActorReader } from "./actor_reader.ts";
import { ENTRY, ENTRY_HEADER_BYTES, entryFault, MESSAGE_TEXTS_AT, peekBytes, strideOf } from "./entry.ts";
import { badEntry } from "./errors.ts";
import * as field from "./message_fields.ts";
import type { Segment } from "./segment.ts";
import { TombstoneView } from "./tombstone.ts";

/** the digest at hand, two halves; shared by all stores, as everything here runs to its end before anything else runs */
export const LINK: Uint32Array = new Uint32Array(2);

/** How a follower takes entries: the half of a {@linkcode ShardStore} that believes nothing. */
export abstract class RawTaking extends ActorReader {
  /** @ignore time of the last link, which times never go back behind */
  protected lastAtMs = -Infinity;
  /** @ignore */
  protected termAtHand = 0;
  readonly #verifyDigests: boolean;

  constructor(verifyDigests: boolean) {
    super();
    this.#verifyDigests = verifyDigests;
  }

  /** term of the last entry, 0 = none */
  get lastTerm(): number {
    return this.termAtHand;
  }

  /**
   * Appends the entry at `from` of bytes that another copy's `copyRange` made; about 0.5 us for 300 bytes.
   *
   * @returns its log index, and the offset of the entry after it
   * @throws {WaterparkError} `storage/bad-entry` when it is malformed or does not follow this log: term, seq, previous,
   * digests, an id that the actor has already
   */
  appendRaw(bytes: Uint8Array, from: number): { index: number; next: number } {
    const next = this.appendRawMany(bytes, from, 1);
    return { index: this.lastIndex, next };
  }

  /**
   * As {@linkcode appendRaw}, `count` entries one after the other, which are copied at once and then looked at one by
   * one where they stand: `subarray` and `set` cost 100 ns a call. Those before one that may not stand have been
   * appended when it throws: `lastIndex` tells.
   *
   * @returns the offset of the entry after them
   */
  appendRawMany(bytes: Uint8Array, from: number, count: number): number {
    let left = count;
    let at = from;
    while (left > 0) {
      let run = 0;
      let to = at;
      while (run < left) {
        const total = peekBytes(bytes, to);
        if (total === 0) break;
        const next = to + strideOf(total);
        if (run > 0 && !this.log.hasRoom(next - at)) break;
        to = next;
        run++;
      }
      if (run === 0) throw badEntry("no whole entry is there");
      this.#takeRun(bytes, at, to);
      at = to;
      left -= run;
    }
    return at;
  }

  #takeRun(bytes: Uint8Array, from: number, to: number): void {
    const segment = this.log.room(to - from);
    segment.bytes.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), segment.used);
    const { view } = segment;
    for (const end = segment.used + to - from; segment.used < end;) {
      const at = segment.used;
      const term = view.getUint32(at + 4, true);
      const fault = term < this.termAtHand
        ? "its term is below the last"
        : entryFault(segment.bytes, view, at) || this.#take(segment, at);
      if (fault !== "") {
        this.log.giveBack();
        throw badEntry(fault);
      }
      this.termAtHand = term;
      this.log.push(strideOf(view.getUint32(at, true)));
    }
  }

  /** Takes a well-formed entry that stands at the log's end but is not pushed yet; answers what is wrong, or "". */
  #take(segment: Segment, at: number): string {
    const kind = segment.bytes[at + 8];
    if (kind === ENTRY.MESSAGE) return this.#tie(segment, at, false);
    if (kind === ENTRY.RETIRE) return this.#tie(segment, at, true);
    if (kind === ENTRY.HOLLOW) {
      const freedBy = segment.view.getUint32(at + ENTRY_HEADER_BYTES, true);
      if (freedBy <= this.lastIndex + 1) return "a hollow entry that was freed before it was";
      this.becomesWhole(freedBy);
    }
    return "";
  }

  #tie(segment: Segment, at: number, isRetire: boolean): string {
    const { bytes, view } = segment;
    const index = this.log.lastIndex + 1;
    const keyFrom = at + MESSAGE_TEXTS_AT;
    const keyLength = view.getUint16(at + 48, true);
    const idFrom = keyFrom + keyLength;
    const idLength = view.getUint16(at + 50, true);
    const keyHash = hashInt32(bytes, 0, keyFrom, idFrom);
    const idHash = isRetire ? 0 : hashInt32(bytes, keyHash, idFrom, idFrom + idLength);
    if (idHash !== view.getInt32(at + 12, true)) return "its id hash is another";
    const atMs = view.getFloat64(at + 24, true);
    if (atMs < this.lastAtMs) return "its time goes back";
    const { actors } = this;
    const row = actors.find(keyHash, bytes, keyFrom, keyLength);
    const last = row < 0 ? 0 : actors.lastIndex(row);
    const lastSeq = row < 0 ? 0 : actors.seq(row);
    const retired = row < 0 ? 0 : actors.retired(row);
    const seq = view.getUint32(at + 20, true);
    const previous = view.getUint32(at + 16, true);
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
    const payloadFrom = field.payloadFrom(segment, at);
    const payloadTo = field.payloadTo(segment, at);
    let knowsLess = isGap;
    if (isRetire && !isGap) {
      const { before } = new TombstoneView(segment, payloadFrom, payloadTo);
      knowsLess = before !== retired;
      if (knowsLess && !this.#isFreed(before, retired, index)) return "its tombstone follows another";
    }
    if (this.#verifyDigests) {
      digestInto(LINK, view, payloadFrom, payloadTo);
      if (!isAt(view, at + 32)) return "its payload has another digest";
    } else {
      LINK[0] = view.getUint32(at + 32, true);
      LINK[1] = view.getUint32(at + 36, true);
    }
    if (!isGap) {
      const hi = row < 0 ? 0 : actors.chainHi(row);
      const lo = row < 0 ? 0 : actors.chainLo(row);
      if (isRetire) {
        LINK[0] = hi;
        LINK[1] = lo;
      } else chainInto(LINK, hi, lo);
      if (!isAt(view, at + 40)) return "its history has another digest";
    }
    if (knowsLess) (this.gaps ??= new Map()).set(index, row < 0 ? null : { lastIndex: last, seq: lastSeq, retired });
    const made = row < 0 ? actors.add(keyHash, bytes, keyFrom, keyLength) : row;
    const chainHi = view.getUint32(at + 40, true);
    actors.advance(made, index, seq, isRetire ? index : retired, chainHi, view.getUint32(at + 44, true));
    this.appended(index, made);
    if (!isRetire) this.ids.add(idHash, index);
    this.lastAtMs = atMs;
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

/** True when the digest at hand is what stands there. */
function isAt(view: DataView, at: number): boolean {
  return view.getUint32(at, true) === LINK[0] && view.getUint32(at + 4, true) === LINK[1];
}
