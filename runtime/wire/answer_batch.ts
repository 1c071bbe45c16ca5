/**
 * A batch of answers, node to client: what became of posts, in whatever order they ended.
 *
 *     u8 kind (ANSWERS)  u8 epoch  u16 answers  u32 bytes of texts
 *     answers, each:
 *       u32 request id  u8 state (0 recorded, 1 recorded before, 2 refused; +4: with what handlers made of it)
 *       recorded: u8 copies  u16 shard  u32 generation  u32 index  u32 seq  f64 term  u16 writer  u16 each copy
 *                 (writer and copies by their numbers), with +4: u32 units of a JSON text
 *       refused:  u8 outcome  u16 status  u32 retry-after, ms  u32 seq (both 2^32 - 1: none)  u16 code units
 *                 u16 message units
 *     the texts, UTF-8, without a gap: a receipt's digest (16 hexadecimal digits) and JSON; a refusal's code and message
 *
 * The digest goes as a text: on both sides it is one, and as a slice of the batch's one text it costs less than eight
 * bytes that are made into digits.
 */
import type { Outcome } from "../base/mod.ts";
import { badPayload } from "./bytes.ts";
import { WIRE } from "./client_protocol.ts";
import type { Receipt } from "./proposal.ts";

const HEAD_BYTES = 8;
const RECORDED_BYTES = 32;
const REFUSED_BYTES = 20;
const DIGEST_UNITS = 16;
const DUPLICATE = 1;
const REFUSED = 2;
const HANDLED = 4;
const NONE = 0xffff_ffff;
const ANSWERS_MAX = 65_535;
const COPIES_MAX = 255;
const OUTCOMES: readonly Outcome[] = ["not-applied", "applied", "unknown"];
const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Why a post was refused. */
export interface WireRefusal {
  code: string;
  outcome: Outcome;
  message: string;
  /** what HTTP would have said */
  status: number;
  retryAfterMs?: number;
  seq?: number;
}

/** Gathers answers of one turn. */
export class AnswerBatchWriter {
  readonly #numberOf: (name: string) => number;
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #at = HEAD_BYTES;
  #count = 0;
  #texts = "";

  /** @param numberOf the number by which the client knows, or will know before this batch, the node of this name */
  constructor(numberOf: (name: string) => number) {
    this.#numberOf = numberOf;
  }

  /** answers gathered */
  get count(): number {
    return this.#count;
  }

  /** true: nothing more fits */
  get isFull(): boolean {
    return this.#count === ANSWERS_MAX;
  }

  /** A post was recorded. `handled`: what handlers made of it, JSON. */
  recorded(
    requestId: number,
    receipt: Receipt,
    { duplicate, handled }: { duplicate: boolean; handled?: string },
  ): void {
    const copies = Math.min(receipt.copies.length, COPIES_MAX);
    const at = this.#grow(RECORDED_BYTES + 2 * copies + 4);
    const view = this.#view;
    view.setUint32(at, requestId, true);
    view.setUint8(at + 4, (duplicate ? DUPLICATE : 0) | (handled === undefined ? 0 : HANDLED));
    view.setUint8(at + 5, copies);
    view.setUint16(at + 6, shardNumber(receipt.shard), true);
    view.setUint32(at + 8, receipt.generation, true);
    view.setUint32(at + 12, receipt.index, true);
    view.setUint32(at + 16, receipt.seq, true);
    view.setFloat64(at + 20, receipt.term, true);
    view.setUint16(at + 28, this.#numberOf(receipt.writer), true);
    view.setUint16(at + 30, 0, true);
    let end = at + RECORDED_BYTES;
    for (let i = 0; i < copies; i++, end += 2) view.setUint16(end, this.#numberOf(receipt.copies[i]), true);
    this.#texts += receipt.digest;
    if (handled !== undefined) {
      view.setUint32(end, handled.length, true);
      this.#texts += handled;
      end += 4;
    }
    this.#at = end;
    this.#count++;
  }

  /** A post was refused. */
  refused(requestId: number, { code, outcome, message, status, retryAfterMs, seq }: WireRefusal): void {
    const at = this.#grow(REFUSED_BYTES);
    const view = this.#view;
    const words = message.slice(0, 0xffff);
    view.setUint32(at, requestId, true);
    view.setUint8(at + 4, REFUSED);
    view.setUint8(at + 5, OUTCOMES.indexOf(outcome));
    view.setUint16(at + 6, status, true);
    view.setUint32(at + 8, retryAfterMs === undefined ? NONE : Math.min(Math.ceil(retryAfterMs), NONE - 1), true);
    view.setUint32(at + 12, seq === undefined ? NONE : seq, true);
    view.setUint16(at + 16, code.length, true);
    view.setUint16(at + 18, words.length, true);
    this.#texts += code + words;
    this.#at = at + REFUSED_BYTES;
    this.#count++;
  }

  /** The batch, void as soon as anything is written again; the writer is empty afterwards. */
  take(epoch: number): Uint8Array<ArrayBuffer> {
    const texts = this.#texts;
    const at = this.#grow(3 * texts.length);
    const { written } = ENCODER.encodeInto(texts, this.#bytes.subarray(at));
    this.#bytes[0] = WIRE.ANSWERS;
    this.#bytes[1] = epoch;
    this.#view.setUint16(2, this.#count, true);
    this.#view.setUint32(4, written, true);
    this.#at = HEAD_BYTES;
    this.#count = 0;
    this.#texts = "";
    return this.#bytes.subarray(0, at + written);
  }

  /** The next offset, with so many bytes free behind it. */
  #grow(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(at + bytes, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads batches answer by answer, as `PostBatchReader` reads posts. */
export class AnswerBatchReader {
  requestId = 0;
  /** true: the refusal's fields hold, else the receipt's */
  isRefused = false;
  duplicate = false;
  /** JSON of what handlers made of it; `""`: that was not asked for */
  handled = "";
  shard = 0;
  generation = 0;
  index = 0;
  seq = 0;
  term = 0;
  /** number of the writer's name */
  writer = 0;
  /** how many copies there are; their names' numbers are asked for by {@linkcode copy} */
  copies = 0;
  digest = "";
  code = "";
  message = "";
  outcome: Outcome = "unknown";
  status = 0;
  /** -1: none */
  retryAfterMs = -1;
  /** of the batch: which refusal for now it comes after */
  epoch = 0;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #texts = "";
  #left = 0;
  #at = 0;
  #end = 0;
  #textAt = 0;
  #copiesAt = 0;

  /** Begins a batch; the bytes must not change before its last answer was read. @throws {WaterparkError} `wire/bad-payload` */
  open(bytes: Uint8Array): number {
    if (bytes.length < HEAD_BYTES) throw badPayload("a batch without a head");
    const view = this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const textBytes = view.getUint32(4, true);
    this.#end = bytes.length - textBytes;
    if (this.#end < HEAD_BYTES) throw badPayload("a batch's head");
    try {
      this.#texts = DECODER.decode(bytes.subarray(this.#end));
    } catch (cause) {
      throw badPayload("not UTF-8", cause);
    }
    this.epoch = view.getUint8(1);
    this.#at = HEAD_BYTES;
    this.#textAt = 0;
    return this.#left = view.getUint16(2, true);
  }

  /** Goes to the next answer; false: there is none. @throws {WaterparkError} `wire/bad-payload` */
  next(): boolean {
    if (this.#left === 0) return false;
    this.#left--;
    const view = this.#view;
    const at = this.#at;
    if (at + REFUSED_BYTES > this.#end) throw badPayload("an answer's length");
    this.requestId = view.getUint32(at, true);
    const state = view.getUint8(at + 4);
    this.isRefused = state === REFUSED;
    if (this.isRefused) {
      this.outcome = OUTCOMES[view.getUint8(at + 5)] ?? "unknown";
      this.status = view.getUint16(at + 6, true);
      const retryAfterMs = view.getUint32(at + 8, true);
      const seq = view.getUint32(at + 12, true);
      this.retryAfterMs = retryAfterMs === NONE ? -1 : retryAfterMs;
      this.seq = seq === NONE ? -1 : seq;
      this.code = this.#text(view.getUint16(at + 16, true));
      this.message = this.#text(view.getUint16(at + 18, true));
      this.#at = at + REFUSED_BYTES;
      return true;
    }
    if (state > (HANDLED | DUPLICATE)) throw badPayload("an answer's state");
    const copies = this.copies = view.getUint8(at + 5);
    this.#copiesAt = at + RECORDED_BYTES;
    const isHandled = (state & HANDLED) !== 0;
    const end = this.#copiesAt + 2 * copies + (isHandled ? 4 : 0);
    if (end > this.#end) throw badPayload("an answer's length");
    this.duplicate = (state & DUPLICATE) !== 0;
    this.shard = view.getUint16(at + 6, true);
    this.generation = view.getUint32(at + 8, true);
    this.index = view.getUint32(at + 12, true);
    this.seq = view.getUint32(at + 16, true);
    this.term = view.getFloat64(at + 20, true);
    this.writer = view.getUint16(at + 28, true);
    this.digest = this.#text(DIGEST_UNITS);
    this.handled = isHandled ? this.#text(view.getUint32(end - 4, true)) : "";
    this.#at = end;
    return true;
  }

  /** The number of the i-th copy's name. */
  copy(i: number): number {
    return this.#view.getUint16(this.#copiesAt + 2 * i, true);
  }

  #text(units: number): string {
    const from = this.#textAt;
    this.#textAt = from + units;
    if (this.#textAt > this.#texts.length) throw badPayload("an answer's texts");
    return this.#texts.slice(from, this.#textAt);
  }
}

/** The number of a shard that a receipt names: `S05/017`. Made by nodes, so that it need not be checked. */
function shardNumber(text: string): number {
  const digit = (at: number) => text.charCodeAt(at) - 48;
  if (text.charCodeAt(2) > 57) return 1024;
  return (digit(1) * 10 + digit(2)) * 64 + digit(4) * 100 + digit(5) * 10 + digit(6);
}
