/**
 * Writes a value to an address inside one segment's text, and leaves every other character of it alone.
 *
 * A message that passes through is mostly somebody else's: what it does not concern must come out as it came in, odd
 * escapes and trailing delimiters included. So nothing is parsed into a tree and printed again; the text is cut at the
 * address and sewn up. Plain ECMAScript, as it also runs inside plugin contexts.
 *
 * @module
 */
import { escapeHl7, type Hl7Delimiters } from "./hl7_escape.ts";
import type { Hl7Path } from "./hl7_path.ts";

/** Text or number, escaped when it is written; `""` is empty, `'""'` is HL7's "delete what you have". */
export type Hl7Scalar = string | number;

/**
 * What is written: a scalar, or the components of a field, each a scalar or its subcomponents:
 * `["718-7", "Hemoglobin", "LN"]`, `["1001", "", "", ["MRN", "1.2.3", "ISO"]]`.
 */
export type Hl7Value = Hl7Scalar | readonly (Hl7Scalar | readonly Hl7Scalar[])[];

/**
 * A value as it stands in a message; trailing empty parts are left out.
 *
 * @param depth on which level it is written: 0 field, 1 component, 2 subcomponent
 * @throws {TypeError} when its parts lie deeper than HL7 has levels, or a number is not finite
 */
export function encodeHl7Value(value: Hl7Value, delimiters: Hl7Delimiters, depth = 0): string {
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`Cannot write the number ${value} as it must be finite`);
    return plainDecimal(value);
  }
  if (typeof value === "string") return escapeHl7(value, delimiters);
  if (!Array.isArray(value) || depth > 1) {
    throw new TypeError("Cannot write the value as it must be a text, a number, or an array of parts one level below");
  }
  const parts = value.map((part) => encodeHl7Value(part as Hl7Value, delimiters, depth + 1));
  while (parts.length > 0 && parts[parts.length - 1] === "") parts.pop();
  return parts.join(depth === 0 ? delimiters.component : delimiters.subcomponent);
}

/**
 * The segment with `raw`, which is escaped already, at an address; fields and parts that are missing before it are made,
 * empty. Repetition 0 is the whole field.
 *
 * @throws {TypeError} for MSH-1 and MSH-2 (FHS, BHS too), which are the delimiters of everything else
 */
export function placeHl7(segment: string, raw: string, { path, delimiters }: {
  path: Hl7Path;
  delimiters: Hl7Delimiters;
}): string {
  const isHeader = isHeaderName(segment.slice(0, 3));
  if (isHeader && path.field <= 2) {
    throw new TypeError(`Cannot set ${segment.slice(0, 3)}-${path.field} as it declares the message's delimiters`);
  }
  const { field, repetition, component, subcomponent } = delimiters;
  // counted as the standard does, the first field of a header is the separator itself
  return within(segment, field, isHeader ? path.field : path.field + 1, (old) => {
    if (path.repetition === 0) return raw;
    return within(old, repetition, path.repetition, (old) => {
      if (path.component === 0) return raw;
      return within(old, component, path.component, (old) => {
        if (path.subcomponent === 0) return raw;
        return within(old, subcomponent, path.subcomponent, () => raw);
      });
    });
  });
}

/** True for segments whose first two fields are the delimiters. */
export function isHeaderName(name: string): boolean {
  return name === "MSH" || name === "FHS" || name === "BHS";
}

function within(text: string, delimiter: string, number: number, change: (old: string) => string): string {
  let from = 0;
  for (let skipped = 1; skipped < number; skipped++) {
    const end = text.indexOf(delimiter, from);
    if (end < 0) return text + delimiter.repeat(number - skipped) + change("");
    from = end + 1;
  }
  const end = text.indexOf(delimiter, from);
  const to = end < 0 ? text.length : end;
  return text.slice(0, from) + change(text.slice(from, to)) + text.slice(to);
}

// NM knows no exponent: 1e-7 would be read as text
function plainDecimal(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (match === null) return text;
  const [, sign, first, rest = "", exponent] = match;
  const shift = Number(exponent);
  if (shift < 0) return `${sign}0.${"0".repeat(-shift - 1)}${first}${rest}`;
  return sign + first + rest.padEnd(shift, "0");
}
