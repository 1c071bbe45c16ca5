import { decodeHl7 } from "./hl7_charset.ts";
import { isDelimiterCode, unescapeHl7 } from "./hl7_escape.ts";
import { type Hl7Path, parseHl7Path } from "./hl7_path.ts";

const CR = 13;
const LF = 10;
const CHARSET = parseHl7Path("MSH-18");

/**
 * A finger on the bytes of an HL7 v2 message. It walks to an address and stands on its bytes; nothing is decoded, cut
 * or copied on the way. The hot path reads three short values of a message of kilobytes, of which only the first few
 * hundred bytes are touched.
 */
export class Hl7Cursor {
  /** first byte of the value last found */
  from = 0;
  /** the byte after it */
  to = 0;
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #field: number;
  readonly #component: number;
  readonly #repetition: number;
  readonly #escape: number;
  readonly #subcomponent: number;

  readonly #defaultCharset: string;

  private constructor(bytes: Uint8Array, start: number, delimiters: number[], defaultCharset: string) {
    this.#bytes = bytes;
    this.#defaultCharset = defaultCharset;
    this.#start = start;
    [this.#field, this.#component, this.#repetition, this.#escape, this.#subcomponent] = delimiters;
  }

  /**
   * A cursor, or null when the bytes do not begin with an MSH segment that declares its delimiters.
   *
   * @param defaultCharset of messages that leave MSH-18 empty; default: by what the bytes are
   */
  static open(bytes: Uint8Array, defaultCharset = ""): Hl7Cursor | null {
    let at = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
    while (bytes[at] === CR || bytes[at] === LF || bytes[at] === 0x20) at++;
    if (bytes[at] !== 0x4d || bytes[at + 1] !== 0x53 || bytes[at + 2] !== 0x48) return null;
    const field = bytes[at + 3];
    if (!isDelimiterCode(field)) return null;
    const delimiters = [field, 0x5e, 0x7e, 0x5c, 0x26];
    for (let i = at + 4, n = 1;; i++, n++) {
      if (bytes[i] === field) break;
      if (bytes[i] === undefined || bytes[i] === CR || bytes[i] === LF) return null;
      if (n > 4) continue;
      if (!isDelimiterCode(bytes[i])) return null;
      delimiters[n] = bytes[i];
    }
    return new Hl7Cursor(bytes, at, delimiters, defaultCharset);
  }

  /** field separator, component, repetition, escape, subcomponent, as five characters */
  get delimiters(): string {
    return String.fromCharCode(this.#field, this.#component, this.#repetition, this.#escape, this.#subcomponent);
  }

  /**
   * Walks to an address; false when nothing stands there, then the cursor stands on no bytes. Repetition 0 is the whole
   * field with all its repetitions.
   */
  seek(path: Hl7Path): boolean {
    this.from = this.to = 0;
    const bytes = this.#bytes;
    const line = this.#lineOf(path);
    if (line < 0) return false;
    let from = line + 3;
    // field 1 of a header segment is the separator that follows its name
    const isHeader = path.segment === "MSH" || path.segment === "FHS" || path.segment === "BHS";
    if (isHeader && path.field <= 2) return this.#seekHeader(path, line);
    for (let left = isHeader ? path.field - 1 : path.field; left > 0; left--) {
      while (bytes[from] !== this.#field) {
        if (from >= bytes.length || bytes[from] === CR || bytes[from] === LF) return false;
        from++;
      }
      from++;
    }
    let to = from;
    while (to < bytes.length && !this.#endsField(bytes[to])) to++;
    this.from = from;
    this.to = to;
    return (path.repetition === 0 || this.#narrow(this.#repetition, path.repetition)) &&
      (path.component === 0 || this.#narrow(this.#component, path.component)) &&
      (path.subcomponent === 0 || this.#narrow(this.#subcomponent, path.subcomponent)) && this.from < this.to;
  }

  /** The bytes the cursor stands on, one character a byte: for what is copied, not read. */
  binary(bytesMax: number = this.to - this.from): string {
    let text = "";
    for (let i = this.from, end = Math.min(this.to, this.from + bytesMax); i < end; i++) {
      text += String.fromCharCode(this.#bytes[i]);
    }
    return text;
  }

  /** The text the cursor stands on, decoded by MSH-18, escapes resolved. The cursor may have moved afterwards. */
  text(): string {
    let plain = true;
    let escaped = false;
    const { from, to } = this;
    for (let i = from; i < to; i++) {
      if (this.#bytes[i] > 0x7e) plain = false;
      else if (this.#bytes[i] === this.#escape) escaped = true;
    }
    // 8-bit text, and shifted Japanese, which is 7-bit, need the charset; the latter never looks like a key
    let text = plain ? this.binary() : decodeHl7(this.#bytes.subarray(from, to), this.#charset());
    if (escaped) {
      const [field, component, repetition, escape, subcomponent] = this.delimiters;
      text = unescapeHl7(text, { field, component, repetition, escape, subcomponent });
    }
    return text;
  }

  #charset(): string {
    return this.seek(CHARSET) ? this.binary(40) : this.#defaultCharset;
  }

  #seekHeader(path: Hl7Path, line: number): boolean {
    if (path.repetition > 1 || path.component > 1) return false;
    const bytes = this.#bytes;
    this.from = this.to = line + 2 + path.field;
    if (path.field === 1) this.to++;
    else while (this.to < bytes.length && !this.#endsField(bytes[this.to])) this.to++;
    return this.from < this.to;
  }

  #endsField(byte: number): boolean {
    return byte === this.#field || byte === CR || byte === LF;
  }

  #lineOf(path: Hl7Path): number {
    const bytes = this.#bytes;
    const a = path.segment.charCodeAt(0), b = path.segment.charCodeAt(1), c = path.segment.charCodeAt(2);
    let left = path.occurrence;
    let at = this.#start;
    while (at < bytes.length) {
      if (bytes[at] === a && bytes[at + 1] === b && bytes[at + 2] === c && bytes[at + 3] === this.#field) {
        if (--left === 0) return at;
      }
      while (at < bytes.length && bytes[at] !== CR && bytes[at] !== LF) at++;
      while (bytes[at] === CR || bytes[at] === LF) at++;
    }
    return -1;
  }

  #narrow(delimiter: number, number: number): boolean {
    const bytes = this.#bytes;
    let from = this.from;
    for (let left = number; left > 1; left--) {
      while (from < this.to && bytes[from] !== delimiter) from++;
      if (from === this.to) return this.#nowhere();
      from++;
    }
    let to = from;
    while (to < this.to && bytes[to] !== delimiter) to++;
    this.from = from;
    this.to = to;
    return true;
  }

  #nowhere(): boolean {
    this.from = this.to = 0;
    return false;
  }
}
