/**
 * Addresses inside an HL7 v2 message: `PID-5.1`, `PID-3[2].4`, `OBX[2]-5`, `PID-5.1.2`.
 *
 * Everything counts from 1, as the standard does: segments of one name, fields, repetitions, components,
 * subcomponents. What is left out is the first segment and the first repetition, and the whole of the lower level.
 * This module imports nothing, as it also runs inside plugin contexts.
 *
 * @module
 */

/** A parsed address. */
export interface Hl7Path {
  /** three letters or digits, `PID` */
  readonly segment: string;
  /** which of the segments of that name, from 1 */
  readonly occurrence: number;
  /** field, from 1; MSH-1 is the field separator itself */
  readonly field: number;
  /** which repetition, from 1 */
  readonly repetition: number;
  /** component, from 1; 0 = the whole repetition */
  readonly component: number;
  /** subcomponent, from 1; 0 = the whole component */
  readonly subcomponent: number;
}

const FULL =
  /^([A-Z][A-Z0-9]{2})(?:\[([1-9]\d{0,5})\])?-([1-9]\d{0,2})(?:\[([1-9]\d{0,5})\])?(?:\.([1-9]\d{0,2})(?:\.([1-9]\d{0,2}))?)?$/;

// Programs have few distinct paths; a plugin that makes them up without end only loses the cache.
const PATHS_MAX = 1024;
const paths = new Map<string, Hl7Path>();

/**
 * Reads an address.
 *
 * @param text `SEG[occurrence]-field[repetition].component.subcomponent`
 * @throws {TypeError} when it is none: a mistake of the program, not of the message
 *
 * @example
 * ```ts
 * import { parseHl7Path } from "./hl7_path.ts";
 * if (parseHl7Path("PID-3[2].4").repetition !== 2) throw new Error("unreachable");
 * ```
 */
export function parseHl7Path(text: string): Hl7Path {
  const known = paths.get(text);
  if (known !== undefined) return known;
  const match = FULL.exec(text);
  if (match === null) {
    throw new TypeError(
      `Cannot read the HL7 path ${JSON.stringify(text)} as it must be like PID-5.1, PID-3[2].4 or OBX[2]-5`,
    );
  }
  const [, segment, occurrence, field, repetition, component, subcomponent] = match;
  const path = {
    segment,
    occurrence: Number(occurrence ?? 1),
    field: Number(field),
    repetition: Number(repetition ?? 1),
    component: Number(component ?? 0),
    subcomponent: Number(subcomponent ?? 0),
  };
  if (paths.size >= PATHS_MAX) paths.clear();
  paths.set(text, path);
  return path;
}
