/**
 * Writes HL7 v2.5: text made fit for its place, trailing separators left out, as a careful sender does.
 *
 * @module
 */
import { escapeHl7, hl7Timestamp } from "../../runtime/wire/mod.ts";
import type { Result } from "./hospital_labs.ts";
import type { Person } from "./hospital_people.ts";
import { type Doctor, type Place, serviceOf } from "./hospital_places.ts";

/** A field: text; components; or repetitions of components. */
export type Field = string | string[] | string[][];

/** A segment from its fields by number. */
export function segment(name: string, fields: Record<number, Field>): string {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  const texts = Array.from({ length: last }, (_, i) => fieldText(fields[i + 1] ?? ""));
  return [name, ...texts].join("|").replace(/\|+$/, "");
}

function fieldText(field: Field): string {
  if (typeof field === "string") return escapeHl7(field);
  if (field.every((part) => typeof part === "string")) {
    return field.map((part) => escapeHl7(part)).join("^").replace(/\^+$/, "");
  }
  return (field as string[][]).map(fieldText).filter((text) => text !== "").join("~");
}

/** MSH; MSH-7 is `atMs`. */
export function header(
  options: { facility: string; application: string; type: string; structure: string; controlId: string; atMs: number },
): string {
  const { facility, application, type, structure, controlId, atMs } = options;
  const rest = segment("", {
    1: application,
    2: facility,
    3: "WATERPARK",
    4: "REGION",
    5: hl7Timestamp(atMs),
    7: [...type.split("^"), structure],
    8: controlId,
    9: "P",
    10: "2.5",
    13: "AL",
    14: "NE",
    16: "UNICODE UTF-8",
  });
  return `MSH|^~\\&${rest}`;
}

/** PID. */
export function pid(options: { mrn: string; facility: string; person: Person; account: string; died: string }): string {
  const { mrn, facility, person, account, died } = options;
  const { family, given, middle, prefix, street, apartment, city, state, postalCode } = person;
  return segment("PID", {
    1: "1",
    3: [[mrn, "", "", facility, "MR"], [`XXX-XX-${person.ssnLast4}`, "", "", "SSA", "SS"]],
    5: [family, given, middle, "", prefix, "", "L"],
    7: person.birthDate,
    8: person.sex,
    11: [street, apartment, city, state, postalCode, "USA", "H"],
    13: [[person.phone, "PRN", "PH"], person.mobile === "" ? [] : [person.mobile, "ORN", "CP"]],
    15: person.language,
    16: person.maritalStatus,
    18: account,
    29: died,
    30: died === "" ? "N" : "Y",
  });
}

/** PV1. */
export function pv1(options: {
  facility: string;
  patientClass: string;
  place: Place;
  prior: Place | null;
  doctor: Doctor;
  visit: string;
  admittedMs: number;
  dischargedMs: number | null;
  disposition: string;
}): string {
  const { facility, patientClass, place, prior, doctor, visit, admittedMs, dischargedMs, disposition } = options;
  const location = (at: Place) => [at.ward, at.room, at.bed, facility];
  return segment("PV1", {
    1: "1",
    2: patientClass,
    3: location(place),
    4: patientClass === "E" ? "E" : "R",
    6: prior === null ? "" : location(prior),
    7: [doctor.id, doctor.family, doctor.given, "", "", "Dr", "", "", "NPI"],
    10: serviceOf(place.ward),
    19: [visit, "", "", facility, "VN"],
    36: disposition,
    44: hl7Timestamp(admittedMs),
    45: dischargedMs === null ? "" : hl7Timestamp(dischargedMs),
  });
}

/** OBX of a number. */
export function obx(number: number, result: Result, atMs: number): string {
  return segment("OBX", {
    1: String(number),
    2: "NM",
    3: [result.code, result.text, "LN"],
    5: result.value,
    6: [result.units, "", "UCUM"],
    7: result.range,
    8: result.flag,
    11: "F",
    14: hl7Timestamp(atMs),
  });
}

/** OBX of a line of a report. */
export function reportLine(number: number, line: string, atMs: number): string {
  return segment("OBX", {
    1: String(number),
    2: "TX",
    3: ["36643-5", "XR Chest 2 Views", "LN"],
    5: line,
    11: "F",
    14: hl7Timestamp(atMs),
  });
}
