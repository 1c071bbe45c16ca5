/**
 * Reads HL7's composite values into plain ones. Every reader takes a segment and a field number, answers null when
 * there is nothing, and never throws: a field that is not what it should be is text like any other.
 *
 * @module
 */
import type { Address, Clinician, Identifier, Location, Name } from "./state.ts";
import { LIMITS } from "./state.ts";

/** What this plugin uses of a segment. */
export interface Segment {
  readonly name: string;
  /** the value at `5`, `"5.1"`, `"3[2].4"`; `""` when there is none */
  get(address: number | string): string;
  /** how many repetitions a field has */
  count(field: number): number;
}

/** What this plugin uses of an HL7 message, which is the body of messages of type `x-application/hl7-v2+er7`. */
export interface Hl7Message {
  /** `ADT^A01` */
  readonly type: string;
  readonly controlId: string;
  get(path: string): string;
  first(name: string): Segment | undefined;
  all(name: string): Segment[];
  segments(): readonly Segment[];
}

/** HL7's way to say "delete what you have". */
export const DELETE = '""';

/** The text at an address; null when it is empty or a deletion. */
export function textAt(segment: Segment, address: number | string): string | null {
  const text = segment.get(address).trim();
  return text === "" || text === DELETE ? null : text.slice(0, LIMITS.textUnits);
}

/**
 * What is known after a message said something about a field, or nothing: an empty field leaves what is known, a
 * deletion forgets it, anything else replaces it.
 */
export function renewed<T>(known: T | null, segment: Segment, field: number, read: () => T | null): T | null {
  const raw = segment.get(field);
  if (raw === "") return known;
  return raw === DELETE ? null : read() ?? known;
}

/** `20200508130643+0200` as `2020-05-08T13:06:43+02:00`; as much of it as there is; null when it is no time. */
export function timeAt(segment: Segment, address: number | string): string | null {
  const match = /^(\d{4})(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\d\d)?(\.\d{1,4})?([+-]\d{4})?/.exec(segment.get(address).trim());
  if (match === null) return null;
  const [, year, month, day, hour, minute, second, fraction, offset] = match;
  const date = [year, month, day].filter((part) => part !== undefined).join("-");
  if (hour === undefined) return date;
  const zone = offset === undefined ? "" : `${offset.slice(0, 3)}:${offset.slice(3)}`;
  return `${date}T${hour}:${minute ?? "00"}:${second ?? "00"}${fraction ?? ""}${zone}`;
}

/** The day of a time. */
export function dateAt(segment: Segment, address: number | string): string | null {
  return timeAt(segment, address)?.slice(0, 10) ?? null;
}

/** CX, all repetitions that have an id. */
export function identifiersAt(segment: Segment, field: number): Identifier[] {
  return repetitions(segment, field, LIMITS.identifiers).flatMap((at) => {
    const id = textAt(segment, `${at}.1`);
    return id === null ? [] : [{ id, authority: textAt(segment, `${at}.4.1`), type: textAt(segment, `${at}.5`) }];
  });
}

/** XPN, its first repetition. */
export function nameAt(segment: Segment, field: number): Name | null {
  return unlessEmpty({
    family: textAt(segment, `${field}.1.1`),
    given: textAt(segment, `${field}.2`),
    middle: textAt(segment, `${field}.3`),
    suffix: textAt(segment, `${field}.4`),
    prefix: textAt(segment, `${field}.5`),
  });
}

/** XCN, its first repetition. */
export function clinicianAt(segment: Segment, field: number): Clinician | null {
  return unlessEmpty({
    id: textAt(segment, `${field}.1`),
    family: textAt(segment, `${field}.2.1`),
    given: textAt(segment, `${field}.3`),
    prefix: textAt(segment, `${field}.6`),
  });
}

/** XAD, its first repetition. */
export function addressAt(segment: Segment, field: number): Address | null {
  return unlessEmpty({
    street: textAt(segment, `${field}.1.1`),
    other: textAt(segment, `${field}.2`),
    city: textAt(segment, `${field}.3`),
    region: textAt(segment, `${field}.4`),
    postalCode: textAt(segment, `${field}.5`),
    country: textAt(segment, `${field}.6`),
    type: textAt(segment, `${field}.7`),
  });
}

/** PL. */
export function locationAt(segment: Segment, field: number): Location | null {
  return unlessEmpty({
    pointOfCare: textAt(segment, `${field}.1`),
    room: textAt(segment, `${field}.2`),
    bed: textAt(segment, `${field}.3`),
    facility: textAt(segment, `${field}.4.1`),
    building: textAt(segment, `${field}.7`),
    floor: textAt(segment, `${field}.8`),
  });
}

/** XTN, all repetitions. */
export function phonesAt(segment: Segment, field: number): string[] {
  return repetitions(segment, field, LIMITS.phones).flatMap((at) => {
    const number = textAt(segment, `${at}.1`) ?? textAt(segment, `${at}.12`);
    return number === null ? [] : [number];
  });
}

function repetitions(segment: Segment, field: number, max: number): string[] {
  return Array.from({ length: Math.min(segment.count(field), max) }, (_, i) => `${field}[${i + 1}]`);
}

function unlessEmpty<T extends object>(value: T): T | null {
  return Object.values(value).every((part) => part === null) ? null : value;
}
