/**
 * Creatinine results out of messages: ORU as HL7 v2, and JSON.
 *
 * @module
 */
import type { HandlerMessage } from "@waterpark/waterpark";
import type { About, Creatinine } from "./algorithm.ts";

/** What is used of a segment of HL7 v2. */
interface Segment {
  readonly name: string;
  /** the value at `5` or `"5.1"`; `""` when there is none */
  get(address: number | string): string;
}

/** What is used of the body of an HL7 v2 message. */
interface Hl7Message {
  first(name: string): Segment | undefined;
  segments(): readonly Segment[];
}

/** A result, with what came beside it. */
export interface Reported extends Creatinine {
  interval: About["interval"];
  /** the laboratory takes it back */
  isWithdrawn: boolean;
}

/** LOINC's codes for creatinine in serum or plasma, by substance and by mass; and what laboratories write beside them. */
const CODES = new Set(["14682-9", "2160-0", "77140-2", "38483-4"]);
const NAMES = /^(serum |plasma )?creat(inine)?\b(?!.*(clearance|ratio|urine|kinase))/i;
/** of creatinine, 113.12 g/mol */
const UMOL_PER_L_IN_MG_PER_DL = 88.4;
/** What a living person has, umol/L; anything else is another unit or a slip. */
const PLAUSIBLE = { min: 5, max: 5000 };
// HL7 table 0085: final, corrected; and deleted, wrong
const COUNTED = new Set(["", "F", "C"]);
const WITHDRAWN = new Set(["D", "W"]);

/** The creatinine results in a message, none for most. */
export function resultsIn(message: HandlerMessage): Reported[] {
  const { contentType, body, at } = message;
  if (contentType.startsWith("x-application/hl7-v2")) return message.type.startsWith("ORU") ? fromHl7(body, at) : [];
  return message.type === "creatinine" ? fromJson(body, at) : [];
}

/** The day of birth that a message gives, `YYYY-MM-DD`. */
export function birthDateIn({ contentType, body }: HandlerMessage): string | null {
  if (!contentType.startsWith("x-application/hl7-v2")) return isDay(body?.birthDate) ? body.birthDate : null;
  const pid = (body as Hl7Message).first("PID");
  const match = /^(\d{4})(\d\d)(\d\d)/.exec(pid?.get(7).trim() ?? "");
  const day = match === null ? null : match.slice(1).join("-");
  return isDay(day) ? day : null;
}

function fromHl7(message: Hl7Message, receivedAt: number): Reported[] {
  const results: Reported[] = [];
  let takenAt: number | null = null;
  for (const segment of message.segments()) {
    if (segment.name === "OBR") takenAt = instantAt(segment, 7);
    if (segment.name !== "OBX" || !isCreatinine(segment)) continue;
    const status = segment.get(11).trim();
    const isWithdrawn = WITHDRAWN.has(status);
    if (!isWithdrawn && !COUNTED.has(status)) continue;
    const factor = factorOf(segment.get("6.1").trim() || "umol/L");
    const value = numberIn(segment.get(5)) * factor;
    const at = instantAt(segment, 14) ?? takenAt ?? receivedAt;
    if (isWithdrawn) results.push({ at, value: 0, interval: { low: null, high: null }, isWithdrawn });
    else if (isPlausible(value)) results.push({ at, value, interval: intervalIn(segment, factor), isWithdrawn });
  }
  return results;
}

function fromJson(body: unknown, receivedAt: number): Reported[] {
  const { value, unit = "umol/L", takenAt, low, high, withdrawn } = (body ?? {}) as Record<string, unknown>;
  const factor = factorOf(String(unit));
  const at = typeof takenAt === "string" ? instantOf(takenAt) ?? receivedAt : receivedAt;
  const bound = (given: unknown) => typeof given === "number" && given > 0 ? given * factor : null;
  const interval = { low: bound(low), high: bound(high) };
  if (withdrawn === true) return [{ at, value: 0, interval, isWithdrawn: true }];
  const umol = typeof value === "number" ? value * factor : NaN;
  return isPlausible(umol) ? [{ at, value: umol, interval, isWithdrawn: false }] : [];
}

function isCreatinine(obx: Segment): boolean {
  const [code, name, other] = [obx.get("3.1").trim(), obx.get("3.2").trim(), obx.get("3.4").trim()];
  return CODES.has(code) || CODES.has(other) || NAMES.test(name === "" ? code : name);
}

/** By how much a number of this unit becomes umol/L; NaN: a unit that is none of creatinine's. */
function factorOf(unit: string): number {
  const plain = unit.trim().toLowerCase().replace("µ", "u").replace("μ", "u");
  if (plain === "umol/l" || plain === "mcmol/l") return 1;
  if (plain === "mg/dl") return UMOL_PER_L_IN_MG_PER_DL;
  return NaN;
}

/** `59-104`, `<104`: the laboratory's own interval. */
function intervalIn(obx: Segment, factor: number): About["interval"] {
  const text = obx.get(7);
  const both = /^\s*(\d+(?:\.\d+)?)\s*-\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  if (both !== null) return { low: Number(both[1]) * factor, high: Number(both[2]) * factor };
  const high = /^\s*<=?\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  return { low: null, high: high === null ? null : Number(high[1]) * factor };
}

/** `>1200` is at least that; anything but one number is none. */
function numberIn(text: string): number {
  const match = /^\s*[<>]?=?\s*(\d+(?:\.\d+)?)\s*$/.exec(text);
  return match === null ? NaN : Number(match[1]);
}

function isPlausible(value: number): boolean {
  return value >= PLAUSIBLE.min && value <= PLAUSIBLE.max;
}

/** HL7's `20260530080000+0200`, or as much of it as there is from the day on. */
function instantAt(segment: Segment, field: number): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)?(\d\d)?(\d\d)?(?:\.\d+)?([+-]\d\d)?(\d\d)?/.exec(segment.get(field).trim());
  if (match === null) return null;
  const [, year, month, day, hour = "00", minute = "00", second = "00", zone, zoneMinutes = "00"] = match;
  const at = `${year}-${month}-${day}T${hour}:${minute}:${second}`;
  return instantOf(zone === undefined ? at : `${at}${zone}:${zoneMinutes}`);
}

/** Times without a zone are taken for UTC: only what lies between two of them matters. */
function instantOf(text: string): number | null {
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes("T");
  const ms = Date.parse(hasZone ? text : `${text}Z`);
  return Number.isFinite(ms) ? ms : null;
}

function isDay(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d\d-\d\d$/.test(value) && Number.isFinite(Date.parse(value));
}
