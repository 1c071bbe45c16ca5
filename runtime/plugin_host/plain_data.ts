/**
 * Plain data and its one canonical text. Projections are kept, compared and handed out as this text only: a handler
 * gets a fresh copy each time, so that nothing which it changes in place, or keeps behind our back, outlives the call.
 *
 * Imports nothing, as it runs inside plugin contexts; what it needs of the language is taken before the plugin's code
 * runs, so that a plugin which patches `JSON` or `Object` breaks itself only.
 *
 * @module
 */
const { stringify } = JSON;
const { getPrototypeOf, keys, prototype: PLAIN } = Object;
const { isArray } = Array;
const { isFinite } = Number;
const { imul } = Math;

/** How deep plain data may be nested. */
export const PLAIN_DEPTH_MAX = 100;

/** Thrown by {@linkcode canonicalText}; its code is the fault's. */
export class PlainDataError extends Error {
  override name = "PlainDataError";
  /** `plugin_host/not-plain-data` or `plugin_host/too-large` */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The canonical JSON of a value: keys sorted, no spaces, properties that are `undefined` left out. Equal data gives
 * equal text.
 *
 * @param value what should be plain data: null, booleans, finite numbers, strings, arrays, plain objects
 * @param options.name what the value is, for the error
 * @param options.unitsMax bound of the text's length, in UTF-16 units
 * @throws {PlainDataError} when it is something else, or too deep, or too large
 *
 * @example
 * ```ts
 * import { canonicalText } from "./plain_data.ts";
 * const text = canonicalText({ b: 1, a: [true, null] }, { name: "value", unitsMax: 100 });
 * if (text !== '{"a":[true,null],"b":1}') throw new Error("unreachable");
 * ```
 */
export function canonicalText(value: unknown, options: { name: string; unitsMax: number }): string {
  return write(value, { path: [options.name], unitsLeft: options.unitsMax, unitsMax: options.unitsMax });
}

interface Walk {
  path: (string | number)[];
  unitsLeft: number;
  unitsMax: number;
}

function write(value: unknown, walk: Walk): string {
  switch (typeof value) {
    case "string":
      return spend(stringify(value), walk);
    case "number":
      if (!isFinite(value)) throw notPlain(`the number ${value}`, walk);
      return spend(`${value}`, walk);
    case "boolean":
      return spend(value ? "true" : "false", walk);
    case "object":
      break;
    case "undefined":
      throw notPlain("undefined", walk);
    default:
      throw notPlain(`a ${typeof value}`, walk);
  }
  if (value === null) return spend("null", walk);
  if (walk.path.length > PLAIN_DEPTH_MAX) throw notPlain(`nested deeper than ${PLAIN_DEPTH_MAX}, or in a circle`, walk);
  return isArray(value) ? writeArray(value, walk) : writeObject(value, walk);
}

function writeArray(value: unknown[], walk: Walk): string {
  let text = "[";
  const at = walk.path.length;
  for (let i = 0; i < value.length; i++) {
    walk.path[at] = i;
    if (i > 0) text += ",";
    text += write(value[i], walk);
  }
  walk.path.length = at;
  return text + spend("]", walk);
}

function writeObject(value: object, walk: Walk): string {
  const prototype = getPrototypeOf(value);
  if (prototype !== PLAIN && prototype !== null) throw notPlain(`an instance of ${className(prototype)}`, walk);
  let text = "{";
  const at = walk.path.length;
  for (const key of keys(value).sort()) {
    const field = (value as Record<string, unknown>)[key];
    if (field === undefined) continue;
    walk.path[at] = key;
    if (text.length > 1) text += ",";
    text += spend(stringify(key), walk) + ":" + write(field, walk);
  }
  walk.path.length = at;
  return text + spend("}", walk);
}

function spend(text: string, walk: Walk): string {
  walk.unitsLeft -= text.length;
  if (walk.unitsLeft < 0) {
    throw new PlainDataError(
      "plugin_host/too-large",
      `Cannot keep ${walk.path[0]} as it may have at most ${walk.unitsMax} characters of JSON`,
    );
  }
  return text;
}

function className(prototype: { constructor?: { name?: unknown } }): string {
  const name = prototype.constructor?.name;
  return typeof name === "string" && name !== "" ? name : "a class";
}

// The path names fields, never values: values are patients' data.
function notPlain(what: string, walk: Walk): PlainDataError {
  let path = `${walk.path[0]}`;
  for (let i = 1; i < walk.path.length && i < 8; i++) {
    const step = walk.path[i];
    path += typeof step === "number" ? `[${step}]` : `.${step}`;
  }
  return new PlainDataError(
    "plugin_host/not-plain-data",
    `Cannot keep ${path} as it must be plain JSON data: it is ${what}`,
  );
}

/**
 * 64-bit digest of a text's UTF-16 units, 16 hexadecimal digits: two lanes of MurmurHash3. Not base's `digest64`, which
 * is over bytes: there is no encoder inside a plugin's context, and copying texts into bytes would cost more than this.
 */
export function digestOfText(text: string): string {
  let hi = 0x9747b28c | 0;
  let lo = 0x3c6ef372 | 0;
  const pairs = text.length & ~1;
  for (let i = 0; i < pairs; i += 2) {
    let k = imul(text.charCodeAt(i) | (text.charCodeAt(i + 1) << 16), 0xcc9e2d51);
    k = imul((k << 15) | (k >>> 17), 0x1b873593);
    hi ^= k;
    hi = imul((hi << 13) | (hi >>> 19), 5) + 0xe6546b64 | 0;
    lo ^= k;
    lo = imul((lo << 11) | (lo >>> 21), 9) + 0x561ccd1b | 0;
  }
  if (pairs < text.length) {
    const k = imul(text.charCodeAt(pairs) + 1, 0xcc9e2d51);
    hi ^= k;
    lo ^= (k << 15) | (k >>> 17);
  }
  return hex(finish(hi ^ text.length)) + hex(finish(lo ^ imul(text.length, 0x85ebca77)));
}

function finish(h: number): number {
  h ^= h >>> 16;
  h = imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
