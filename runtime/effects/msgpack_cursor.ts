import { badPayload } from "../wire/mod.ts";

const DECODER = new TextDecoder();
/** Texts up to this are tried as ASCII in a loop, which then beats calling out to the decoder. */
const SHORT_TEXT = 48;

/**
 * Walks over MessagePack without making objects of it: what nobody looks at is skipped. For entries that every copy
 * applies and of which a follower needs a few numbers only.
 *
 * Every method throws `wire/bad-payload` when the bytes end early, or something else stands there.
 */
export class MsgpackCursor {
  readonly bytes: Uint8Array;
  /** where it stands */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  /** true: nothing is left */
  get isAtEnd(): boolean {
    return this.at === this.bytes.length;
  }

  /** How many elements the array has that begins here. */
  array(): number {
    const head = this.#byte();
    if ((head & 0xf0) === 0x90) return head & 0x0f;
    if (head === 0xdc) return this.#uint(2);
    if (head === 0xdd) return this.#uint(4);
    throw badPayload("not an array");
  }

  /** How many pairs the map has that begins here; -1, and nothing is read: it is none. */
  map(): number {
    const head = this.#byte();
    if ((head & 0xf0) === 0x80) return head & 0x0f;
    if (head === 0xde) return this.#uint(2);
    if (head === 0xdf) return this.#uint(4);
    this.at--;
    return -1;
  }

  /** A whole number from 0 that is exact. */
  whole(): number {
    const head = this.#byte();
    let value = NaN;
    if (head < 0x80) value = head;
    else if (head >= 0xcc && head <= 0xce) value = this.#uint(1 << (head - 0xcc));
    else if (head === 0xcf) value = this.#uint(4) * 0x1_0000_0000 + this.#uint(4);
    else if (head === 0xcb) value = this.#double();
    if (!Number.isSafeInteger(value) || value < 0) throw badPayload("not a whole number");
    return value;
  }

  /** Length in bytes of the text that begins here; it stands at its first byte then. -1, and nothing is read: none. */
  textLength(): number {
    const head = this.#byte();
    if ((head & 0xe0) === 0xa0) return this.#within(head & 0x1f);
    if (head >= 0xd9 && head <= 0xdb) return this.#within(this.#uint(1 << (head - 0xd9)));
    this.at--;
    return -1;
  }

  /** A text. */
  text(): string {
    const length = this.textLength();
    if (length < 0) throw badPayload("not a text");
    const from = this.at;
    this.at += length;
    return this.textAt(from, this.at);
  }

  /** The text of these bytes. */
  textAt(from: number, to: number): string {
    const { bytes } = this;
    if (to - from > SHORT_TEXT) return DECODER.decode(bytes.subarray(from, to));
    let text = "";
    for (let at = from; at < to; at++) {
      const unit = bytes[at];
      if (unit >= 0x80) return DECODER.decode(bytes.subarray(from, to));
      text += String.fromCharCode(unit);
    }
    return text;
  }

  /** True, and nil is read, when that stands here. */
  nil(): boolean {
    if (this.bytes[this.at] !== 0xc0) return false;
    this.at++;
    return true;
  }

  /** Leaves out whatever stands here. */
  skip(): void {
    // counted, not nested: what comes from outside may be nested deep
    for (let left = 1; left > 0; left--) left += this.#skipOne();
  }

  /** How many values belong to the one that was passed. */
  #skipOne(): number {
    const head = this.#byte();
    if (head < 0x80 || head >= 0xe0) return 0;
    if (head < 0x90) return 2 * (head & 0x0f);
    if (head < 0xa0) return head & 0x0f;
    if (head < 0xc0) return this.#pass(head & 0x1f);
    switch (head) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return 0;
      case 0xc4:
      case 0xc5:
      case 0xc6:
        return this.#pass(this.#uint(1 << (head - 0xc4)));
      case 0xc7:
      case 0xc8:
      case 0xc9:
        return this.#pass(1 + this.#uint(1 << (head - 0xc7)));
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.#pass(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.#pass(8);
      case 0xcc:
      case 0xd0:
        return this.#pass(1);
      case 0xcd:
      case 0xd1:
        return this.#pass(2);
      case 0xd9:
      case 0xda:
      case 0xdb:
        return this.#pass(this.#uint(1 << (head - 0xd9)));
      case 0xdc:
        return this.#uint(2);
      case 0xdd:
        return this.#uint(4);
      case 0xde:
        return 2 * this.#uint(2);
      case 0xdf:
        return 2 * this.#uint(4);
    }
    // a fixed extension: one byte for its type, then 1, 2, 4, 8, 16
    if (head >= 0xd4 && head <= 0xd8) return this.#pass(1 + (1 << (head - 0xd4)));
    throw badPayload("not MessagePack");
  }

  #byte(): number {
    if (this.at >= this.bytes.length) throw badPayload("it ends early");
    return this.bytes[this.at++];
  }

  #uint(length: number): number {
    this.#within(length);
    let value = 0;
    for (let i = 0; i < length; i++) value = value * 256 + this.bytes[this.at++];
    return value;
  }

  #double(): number {
    this.#within(8);
    const view = new DataView(this.bytes.buffer, this.bytes.byteOffset + this.at, 8);
    this.at += 8;
    return view.getFloat64(0);
  }

  #pass(length: number): 0 {
    this.at += this.#within(length);
    return 0;
  }

  #within(length: number): number {
    if (this.at + length > this.bytes.length) throw badPayload("it ends early");
    return length;
  }
}
