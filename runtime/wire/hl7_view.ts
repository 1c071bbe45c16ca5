/**
 * An HL7 v2 message as handlers see it: a text, looked into where it is asked.
 *
 * Like a book with a table of contents rather than its translation: lines are found at the first question, the fields
 * of a segment when that segment is touched, and nothing below is kept. A handler that reads five values of a message
 * of eighty segments pays for five. Imports nothing but paths and escapes, all of it plain ECMAScript, as it is bundled
 * into the plugin host's contexts; bytes become text outside (`hl7_charset.ts`).
 *
 * @module
 */
import { type Hl7Path, parseHl7Path } from "./hl7_path.ts";
import { readHl7Number, readHl7Time } from "./hl7_time.ts";
import { DEFAULT_DELIMITERS, type Hl7Delimiters, isDelimiterCode, unescapeHl7 } from "./hl7_escape.ts";

/** One segment of a message. */
export class Hl7Segment {
  /** the segment as sent, without its line end */
  readonly text: string;
  /** those of its message */
  readonly delimiters: Hl7Delimiters;
  #fields: string[] | null = null;

  /** Made by {@linkcode Hl7View}. */
  constructor(text: string, delimiters: Hl7Delimiters) {
    this.text = text;
    this.delimiters = delimiters;
  }

  /** `PID`, `OBX`, `ZBX` ...: what stands before the first field separator */
  get name(): string {
    const end = this.text.indexOf(this.delimiters.field);
    return end < 0 ? this.text : this.text.slice(0, end);
  }

  /** the number of the last field there is, empty ones counted */
  get length(): number {
    return this.#split().length - 1;
  }

  /**
   * The value at an address inside the segment: `5`, `"5.1"`, `"3[2].4"`; see {@linkcode Hl7View.get}.
   *
   * @throws {TypeError} when the address is none
   */
  get(address: number | string): string {
    return this.at(parseHl7Path(`SEG-${address}`));
  }

  /** As {@linkcode Hl7Segment.get}, as a number (NM, SI); null when it is empty or none. */
  number(address: number | string): number | null {
    return readHl7Number(this.get(address));
  }

  /** As {@linkcode Hl7Segment.get}, as an ISO 8601 time, as far as it is told; null when it is empty or none. */
  time(address: number | string): string | null {
    return readHl7Time(this.get(address));
  }

  /** How many repetitions a field has: 0 when it is empty or absent. */
  count(field: number): number {
    const text = this.#split()[field] ?? "";
    return text === "" ? 0 : this.#isHeader(field) ? 1 : text.split(this.delimiters.repetition).length;
  }

  /** The value at a parsed address, whose segment and occurrence are not looked at. */
  at(path: Hl7Path): string {
    return unescapeOf(this.rawAt(path), this.#isHeader(path.field), this.delimiters);
  }

  /** As {@linkcode Hl7Segment.at}, with escapes as sent. */
  rawAt(path: Hl7Path): string {
    const { repetition, component, subcomponent } = this.delimiters;
    const field = this.#split()[path.field] ?? "";
    if (field === "") return "";
    if (this.#isHeader(path.field)) return path.repetition === 1 && path.component <= 1 ? field : "";
    let text = part(field, repetition, path.repetition);
    if (path.component > 0) text = part(text, component, path.component);
    if (path.subcomponent > 0) text = part(text, subcomponent, path.subcomponent);
    return text;
  }

  /** the segment as sent */
  toString(): string {
    return this.text;
  }

  // MSH-1 and MSH-2 (FHS, BHS too) are the delimiters themselves and must not be cut by them
  #isHeader(field: number): boolean {
    return field <= 2 && /^(?:MSH|FHS|BHS)/.test(this.text);
  }

  #split(): string[] {
    if (this.#fields === null) {
      const fields = this.text.split(this.delimiters.field);
      if (/^(?:MSH|FHS|BHS)$/.test(fields[0])) fields.splice(1, 0, this.delimiters.field);
      this.#fields = fields;
    }
    return this.#fields;
  }
}

/** An HL7 v2 message, read lazily. Immutable; every method may be called in any order. */
export class Hl7View {
  /** the message as sent, decoded from its charset */
  readonly text: string;
  /** the delimiters that it declares */
  readonly delimiters: Hl7Delimiters;
  #segments: Hl7Segment[] | null = null;

  private constructor(text: string, delimiters: Hl7Delimiters) {
    this.text = text;
    this.delimiters = delimiters;
  }

  /** The message that `text` is, or null when it does not begin with an MSH segment that declares its delimiters. */
  static read(text: string): Hl7View | null {
    const body = /^[\uFEFF\s]/.test(text) ? text.replace(/^[\uFEFF\r\n ]+/, "") : text;
    const delimiters = delimitersOf(body);
    return delimiters === null ? null : new Hl7View(body, delimiters);
  }

  /** message code and trigger event, `ADT^A01`; the code alone where there is no event */
  get type(): string {
    const code = this.get("MSH-9.1");
    const event = this.get("MSH-9.2");
    return event === "" ? code : `${code}^${event}`;
  }

  /** MSH-10, by which the sender knows the message */
  get controlId(): string {
    return this.get("MSH-10");
  }

  /**
   * The value at an address, escapes decoded; `""` when there is none. HL7's "delete what you have" is the two
   * characters `""` and comes back as these. Above the lowest level (`PID-5` of a name with components) the delimiters
   * of the lower levels are in the value, and cannot be told from escaped ones any more: ask {@linkcode Hl7View.raw}
   * to cut it yourself.
   *
   * @param path `PID-5.1`, `PID-3[2].4` (second repetition), `OBX[2]-5` (second such segment), `PID-5.1.2`
   * @throws {TypeError} when the path is none
   */
  get(path: string): string {
    const parsed = parseHl7Path(path);
    return this.#segmentAt(parsed)?.at(parsed) ?? "";
  }

  /**
   * As {@linkcode Hl7View.get}, with escapes as sent.
   *
   * @throws {TypeError} when the path is none
   */
  raw(path: string): string {
    const parsed = parseHl7Path(path);
    return this.#segmentAt(parsed)?.rawAt(parsed) ?? "";
  }

  /**
   * How many repetitions the field at `PID-3` has; 0 when it is empty or absent.
   *
   * @throws {TypeError} when the path is none
   */
  count(path: string): number {
    const parsed = parseHl7Path(path);
    return this.#segmentAt(parsed)?.count(parsed.field) ?? 0;
  }

  /** As {@linkcode Hl7View.get}, as a number (NM, SI): null when it is empty or none, as in `>200`. */
  number(path: string): number | null {
    return readHl7Number(this.get(path));
  }

  /**
   * As {@linkcode Hl7View.get}, as an ISO 8601 time, as far as it is told: `2020-05-08T13:06+02:00`, `2020-05`. Null when
   * it is empty or none.
   */
  time(path: string): string | null {
    return readHl7Time(this.get(path));
  }

  /** The first segment of that name, or undefined. */
  first(name: string): Hl7Segment | undefined {
    return this.segments().find((segment) => segment.name === name);
  }

  /** All segments of that name, in order. */
  all(name: string): Hl7Segment[] {
    return this.segments().filter((segment) => segment.name === name);
  }

  /**
   * The segments cut into groups, each from one segment of that name up to the next: `groups("OBR")` are the orders of a
   * result message, each with its OBX and NTE. What stands before the first is in none.
   */
  groups(name: string): Hl7Segment[][] {
    const groups: Hl7Segment[][] = [];
    for (const segment of this.segments()) {
      if (segment.name === name) groups.push([segment]);
      else groups[groups.length - 1]?.push(segment);
    }
    return groups;
  }

  /** All segments, in order. */
  segments(): readonly Hl7Segment[] {
    this.#segments ??= this.text.split(/[\r\n]+/).filter((line) => line !== "")
      .map((line) => new Hl7Segment(line, this.delimiters));
    return this.#segments;
  }

  /** the message as sent */
  toString(): string {
    return this.text;
  }

  /** as JSON a message is its text */
  toJSON(): string {
    return this.text;
  }

  #segmentAt(path: Hl7Path): Hl7Segment | undefined {
    let left = path.occurrence;
    for (const segment of this.segments()) {
      if (segment.name === path.segment && --left === 0) return segment;
    }
    return undefined;
  }
}

function delimitersOf(text: string): Hl7Delimiters | null {
  if (!text.startsWith("MSH")) return null;
  const field = text[3] ?? "";
  if (!isDelimiterCode(field.charCodeAt(0))) return null;
  const end = text.indexOf(field, 4);
  const declared = text.slice(4, end < 0 ? 4 : end);
  if (end < 0 || /[\r\n]/.test(declared)) return null;
  for (let i = 0; i < Math.min(4, declared.length); i++) {
    if (!isDelimiterCode(declared.charCodeAt(i))) return null;
  }
  return {
    field,
    component: declared[0] ?? DEFAULT_DELIMITERS.component,
    repetition: declared[1] ?? DEFAULT_DELIMITERS.repetition,
    escape: declared[2] ?? DEFAULT_DELIMITERS.escape,
    subcomponent: declared[3] ?? DEFAULT_DELIMITERS.subcomponent,
  };
}

function unescapeOf(text: string, isHeader: boolean, delimiters: Hl7Delimiters): string {
  return isHeader ? text : unescapeHl7(text, delimiters);
}

function part(text: string, delimiter: string, number: number): string {
  let from = 0;
  for (let skipped = 1; skipped < number; skipped++) {
    const end = text.indexOf(delimiter, from);
    if (end < 0) return "";
    from = end + 1;
  }
  const end = text.indexOf(delimiter, from);
  return end < 0 ? text.slice(from) : text.slice(from, end);
}
