import { WaterparkError } from "../base/mod.ts";
import { allocate } from "./slab.ts";

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true });
/** Texts up to this are tried as ASCII in a loop, which then beats calling out to the encoder and decoder. */
const SHORT_TEXT = 24;
/** One double is read at a time. */
const EIGHT = new Uint8Array(8);
const EIGHT_VIEW = new DataView(EIGHT.buffer);

/**
 * Lays values out by hand, little-endian, in a buffer that grows by doubling. One writer is used again and again:
 * `take()` copies out what was written and starts anew.
 */
export class ByteWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView<ArrayBuffer>;
  #length = 0;

  constructor(bytesAtFirst = 1024) {
    this.#bytes = new Uint8Array(bytesAtFirst);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** bytes written so far */
  get length(): number {
    return this.#length;
  }

  /** an unsigned byte */
  u8(value: number): this {
    const at = this.#grow(1);
    this.#bytes[at] = value;
    return this;
  }

  /** an unsigned 16-bit integer */
  u16(value: number): this {
    const at = this.#grow(2);
    this.#view.setUint16(at, value, true);
    return this;
  }

  /** an unsigned 32-bit integer */
  u32(value: number): this {
    const at = this.#grow(4);
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** a double; whole numbers up to 2^53 are exact: incarnations, times */
  f64(value: number): this {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value, true);
    return this;
  }

  /** u32 length, then the bytes */
  bytes(value: Uint8Array): this {
    this.u32(value.length);
    return this.raw(value);
  }

  /** the bytes alone */
  raw(value: Uint8Array): this {
    const at = this.#grow(value.length);
    this.#bytes.set(value, at);
    return this;
  }

  /** u32 length in bytes, then UTF-8 */
  text(value: string): this {
    const units = value.length;
    const lengthAt = this.#grow(4 + units * 3);
    if (units <= SHORT_TEXT) {
      let at = lengthAt + 4;
      let unit = 0;
      for (let i = 0; i < units && unit < 0x80; i++) this.#bytes[at++] = unit = value.charCodeAt(i);
      if (unit < 0x80) {
        this.#view.setUint32(lengthAt, units, true);
        this.#length = at;
        return this;
      }
    }
    const { written } = ENCODER.encodeInto(value, this.#bytes.subarray(lengthAt + 4));
    this.#view.setUint32(lengthAt, written, true);
    this.#length = lengthAt + 4 + written;
    return this;
  }

  /**
   * Makes room for `bytes`, to be written through `buffer` and `view`: many fields at the cost of one. Answers where it
   * begins; `buffer` and `view` must be asked for anew afterwards, as what is written may have moved.
   */
  reserve(bytes: number): number {
    return this.#grow(bytes);
  }

  /** what was written, and room behind it */
  get buffer(): Uint8Array<ArrayBuffer> {
    return this.#bytes;
  }

  /** the same, for fields of several bytes; little-endian */
  get view(): DataView<ArrayBuffer> {
    return this.#view;
  }

  /** overwrites a u32 written before, at byte offset `at` */
  patchU32(at: number, value: number): this {
    this.#view.setUint32(at, value, true);
    return this;
  }

  /** a copy of what was written, to be used up soon if it is small: see `slab.ts`; the writer is empty afterwards */
  take(): Uint8Array<ArrayBuffer> {
    const out = allocate(this.#length);
    out.set(this.#bytes.subarray(0, this.#length));
    this.#length = 0;
    return out;
  }

  /** what was written, uncopied; void as soon as anything is written again */
  written(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(0, this.#length);
  }

  /** starts anew */
  clear(): void {
    this.#length = 0;
  }

  #grow(bytes: number): number {
    const at = this.#length;
    this.#length = at + bytes;
    if (this.#length > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#length, this.#bytes.length * 2));
      larger.set(this.#bytes.subarray(0, at));
      this.#bytes = larger;
      this.#view = new DataView(larger.buffer);
    }
    return at;
  }
}

/** Reads what {@linkcode ByteWriter} wrote; anything past the end or not UTF-8 throws `wire/bad-payload`. */
export class ByteReader {
  // Read by bytes, without a DataView: making one costs more than most payloads take to read.
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  /** offset of the next byte */
  get at(): number {
    return this.#at;
  }

  /** bytes not read yet */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** an unsigned byte */
  u8(): number {
    return this.#bytes[this.#advance(1)];
  }

  /** an unsigned 16-bit integer */
  u16(): number {
    const at = this.#advance(2);
    return this.#bytes[at] | (this.#bytes[at + 1] << 8);
  }

  /** an unsigned 32-bit integer */
  u32(): number {
    const at = this.#advance(4);
    const bytes = this.#bytes;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }

  /** a double */
  f64(): number {
    const at = this.#advance(8);
    for (let i = 0; i < 8; i++) EIGHT[i] = this.#bytes[at + i];
    return EIGHT_VIEW.getFloat64(0, true);
  }

  /** a view, not a copy, of length-prefixed bytes */
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  /** a view of the next `length` bytes */
  raw(length: number): Uint8Array {
    const at = this.#advance(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** length-prefixed UTF-8 */
  text(): string {
    const length = this.u32();
    if (length <= SHORT_TEXT) {
      const text = this.#ascii(length);
      if (text !== null) return text;
    }
    try {
      return DECODER.decode(this.raw(length));
    } catch (cause) {
      if (cause instanceof WaterparkError) throw cause;
      throw badPayload("not UTF-8", cause);
    }
  }

  /** The next bytes as a text if they are ASCII; null, and nothing is read, otherwise. */
  #ascii(length: number): string | null {
    const to = this.#at + length;
    if (to > this.#bytes.length) return null;
    let text = "";
    for (let at = this.#at; at < to; at++) {
      const unit = this.#bytes[at];
      if (unit >= 0x80) return null;
      text += String.fromCharCode(unit);
    }
    this.#at = to;
    return text;
  }

  #advance(bytes: number): number {
    const at = this.#at;
    if (at + bytes > this.#bytes.length) throw badPayload(`${at + bytes} bytes wanted of ${this.#bytes.length}`);
    this.#at = at + bytes;
    return at;
  }
}

/** The error for bytes that are not what they should be. */
export function badPayload(state: string, cause?: unknown): WaterparkError {
  return new WaterparkError(`Cannot read the payload as it must be complete and well-formed: ${state}`, {
    code: "wire/bad-payload",
    outcome: "not-applied",
    cause,
  });
}
