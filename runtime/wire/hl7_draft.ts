/**
 * An HL7 v2 message in the making: a copy of one that came, or a new one, changed by address and then taken as a message.
 *
 * A draft is a list of segments' texts. Each change touches one of them; the others leave as they came, character by
 * character. Plain ECMAScript, as it also runs inside plugin contexts.
 *
 * @module
 */
import { type Hl7Delimiters } from "./hl7_escape.ts";
import { type Hl7Path, parseHl7Path } from "./hl7_path.ts";
import { encodeHl7Value, type Hl7Value, placeHl7 } from "./hl7_place.ts";
import { Hl7Segment, Hl7View } from "./hl7_view.ts";

/** Where a segment is put: before or after another; left out: at the end. */
export interface Hl7Where {
  /** `OBX` (the first), `OBX[2]` */
  readonly before?: string;
  /** `OBX` (the first), `OBX[2]` */
  readonly after?: string;
}

const NAME = /^[A-Z][A-Z0-9]{2}$/;
const ADDRESS = /^([A-Z][A-Z0-9]{2})(?:\[([1-9]\d{0,5})\])?$/;

/** A message that may be changed; every method that changes it answers the draft itself. */
export class Hl7Draft {
  /** the delimiters of the message, which a draft keeps */
  readonly delimiters: Hl7Delimiters;
  readonly #segments: string[];

  /** Made by {@linkcode editHl7} and {@linkcode newHl7}. */
  constructor(segments: readonly string[], delimiters: Hl7Delimiters) {
    this.#segments = [...segments];
    this.delimiters = delimiters;
  }

  /** The value at an address, escapes decoded, as {@linkcode Hl7View.get}. */
  get(path: string): string {
    const parsed = parseHl7Path(path);
    const at = this.#find(parsed.segment, parsed.occurrence);
    return at < 0 ? "" : new Hl7Segment(this.#segments[at], this.delimiters).at(parsed);
  }

  /**
   * Writes a value, escaped. A segment that is not there is added at the end, if it is the next of its name.
   *
   * @param path `PID-5.1`, `PID-3[2].4.1`, `OBX[3]-5`; a field alone is its first repetition
   * @param value a text or a number; for a field also its components, for a component its subcomponents, as an array
   * @throws {TypeError} when the path is none, or the value does not fit its level
   * @throws {RangeError} when segments are missing before the one that is named
   */
  set(path: string, value: Hl7Value): this {
    const parsed = parseHl7Path(path);
    const depth = parsed.subcomponent > 0 ? 2 : parsed.component > 0 ? 1 : 0;
    return this.#place(path, parsed, encodeHl7Value(value, this.delimiters, depth));
  }

  /** As {@linkcode Hl7Draft.set} for text that is escaped already, delimiters of lower levels included. */
  setRaw(path: string, raw: string): this {
    if (raw.includes(this.delimiters.field) || /[\r\n]/.test(raw)) {
      throw new TypeError(`Cannot set ${path} as the text must stay inside a field`);
    }
    return this.#place(path, parseHl7Path(path), raw);
  }

  /**
   * Writes all repetitions of a field in place of those that are there; none empties it.
   *
   * @example
   * ```ts
   * import { editHl7 } from "./hl7_draft.ts";
   * const message = editHl7("MSH|^~\\&|A|F\rPID|1||7").setAll("PID-3", [["7", "", "", "MRN"], ["99", "", "", "NHS"]]).done();
   * if (message.get("PID-3[2].4") !== "NHS") throw new Error("unreachable");
   * ```
   */
  setAll(path: string, values: readonly Hl7Value[]): this {
    const parsed = parseHl7Path(path);
    if (parsed.component > 0) throw new TypeError(`Cannot set all of ${path} as only fields have repetitions`);
    const raw = values.map((value) => encodeHl7Value(value, this.delimiters)).join(this.delimiters.repetition);
    return this.#place(path, { ...parsed, repetition: 0 }, raw);
  }

  /**
   * Adds a segment.
   *
   * @param name `OBX`, `ZPI`
   * @param fields field 1 and on; trailing empty ones are left out
   * @throws {RangeError} when there is no segment at `where`
   */
  add(name: string, fields: readonly Hl7Value[] = [], where: Hl7Where = {}): this {
    if (!NAME.test(name) || /^(?:MSH|[FB][HT]S)$/.test(name)) {
      throw new TypeError(`Cannot add the segment ${JSON.stringify(name)} as it must be like OBX or ZPI, and not MSH`);
    }
    const parts = [name, ...fields.map((value) => encodeHl7Value(value, this.delimiters))];
    while (parts.length > 1 && parts[parts.length - 1] === "") parts.pop();
    return this.#insert(parts.join(this.delimiters.field), where);
  }

  /**
   * Adds a copy of a segment, as it is: of this message, or of another one with the same delimiters.
   *
   * @throws {TypeError} when its delimiters are others
   */
  addSegment(segment: Hl7Segment, where: Hl7Where = {}): this {
    const theirs = segment.delimiters, ours = this.delimiters;
    if ((Object.keys(ours) as (keyof Hl7Delimiters)[]).some((which) => ours[which] !== theirs[which])) {
      throw new TypeError(`Cannot add a segment ${segment.name} as its delimiters are not the message's`);
    }
    return this.#insert(segment.text, where);
  }

  /** Removes all segments of a name (`NTE`), or one of them (`OBX[2]`); MSH stays. Nothing there: nothing happens. */
  remove(address: string): this {
    const [name, occurrence] = addressOf(address);
    if (name === "MSH") throw new TypeError("Cannot remove MSH as a message begins with it");
    if (occurrence > 0) {
      const at = this.#find(name, occurrence);
      if (at >= 0) this.#segments.splice(at, 1);
      return this;
    }
    return this.keep((segment) => segment.name !== name);
  }

  /** Keeps the segments of which this is true, and MSH. */
  keep(isKept: (segment: Hl7Segment, index: number) => boolean): this {
    const kept = this.#segments.filter((text, index) => index === 0 || isKept(this.#segment(text), index));
    this.#segments.splice(0, this.#segments.length, ...kept);
    return this;
  }

  /** The segments as they are now. */
  segments(): Hl7Segment[] {
    return this.#segments.map((text) => this.#segment(text));
  }

  /** The message: a copy, each segment ended by CR. The draft may be changed on. */
  done(): Hl7View {
    return Hl7View.read(this.#segments.join("\r") + "\r") as Hl7View;
  }

  #segment(text: string): Hl7Segment {
    return new Hl7Segment(text, this.delimiters);
  }

  #find(name: string, occurrence: number): number {
    let left = occurrence;
    const { field } = this.delimiters;
    return this.#segments.findIndex((text) =>
      text.startsWith(name) && (text.length === name.length || text[name.length] === field) && --left === 0
    );
  }

  #place(shown: string, path: Hl7Path, raw: string): this {
    let at = this.#find(path.segment, path.occurrence);
    if (at < 0) {
      if (path.occurrence > 1 && this.#find(path.segment, path.occurrence - 1) < 0) {
        throw new RangeError(`Cannot set ${shown} as the segments before it are missing`);
      }
      if (!NAME.test(path.segment)) throw new TypeError(`Cannot set ${shown} as it names no segment`);
      at = this.#segments.push(path.segment) - 1;
    }
    this.#segments[at] = placeHl7(this.#segments[at], raw, { path, delimiters: this.delimiters });
    return this;
  }

  #insert(text: string, { before, after }: Hl7Where): this {
    const beside = before ?? after;
    if (beside === undefined) {
      this.#segments.push(text);
      return this;
    }
    const [name, occurrence] = addressOf(beside);
    const at = this.#find(name, occurrence || 1);
    if (at < 0) throw new RangeError(`Cannot add a segment beside ${beside} as the message has none`);
    if (before !== undefined && at === 0) {
      throw new RangeError("Cannot add a segment before MSH as a message begins with it");
    }
    this.#segments.splice(before === undefined ? at + 1 : at, 0, text);
    return this;
  }
}

/**
 * A draft that begins as a copy of a message.
 *
 * @param message the message, or its text
 * @throws {TypeError} when the text does not begin with an MSH segment that declares its delimiters
 *
 * @example
 * ```ts
 * import { editHl7 } from "./hl7_draft.ts";
 * const text = "MSH|^~\\&|LAB|HOSPX|||20260101||ORU^R01|7|P|2.5\rPID|1||1001\rNTE|1||internal";
 * const message = editHl7(text).set("MSH-5", "EHR & more").set("PID-3[2].4.1", "NHS").remove("NTE").done();
 * if (message.raw("MSH-5") !== "EHR \\T\\ more") throw new Error("unreachable");
 * if (message.raw("PID-3[2]") !== "^^^NHS") throw new Error("unreachable");
 * ```
 */
export function editHl7(message: Hl7View | string): Hl7Draft {
  const view = typeof message === "string" ? Hl7View.read(message) : message;
  if (view === null) throw new TypeError("Cannot edit the message as it must begin with an MSH segment");
  return new Hl7Draft(view.segments().map((segment) => segment.text), view.delimiters);
}

function addressOf(address: string): [name: string, occurrence: number] {
  const match = ADDRESS.exec(address);
  if (match === null) {
    throw new TypeError(`Cannot read the segment ${JSON.stringify(address)} as it must be like OBX or OBX[2]`);
  }
  return [match[1], Number(match[2] ?? 0)];
}
