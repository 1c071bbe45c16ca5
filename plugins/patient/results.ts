/**
 * What was found out: observations (ORU) and clinical documents (MDM).
 *
 * @module
 */
import { type Hl7Message, type Segment, textAt, timeAt } from "./hl7_values.ts";
import { keepNewest } from "./keep_newest.ts";
import { type ClinicalDocument, LIMITS, type Observation } from "./state.ts";

// HL7 table 0085: the result was never one
const TAKEN_BACK = new Set(["D", "W"]);

/**
 * The observations after a message's OBX segments: per code the one with the latest time, of equal times the one said
 * last. Text that comes in several OBX of one code is one text.
 */
export function withObservations(
  known: Record<string, Observation>,
  message: Hl7Message,
): Record<string, Observation> {
  const latest = new Map(Object.entries(known));
  const seenHere = new Map<string, Observation>();
  const header = message.first("MSH");
  let orderedAt: string | null = null;
  for (const segment of message.segments()) {
    if (segment.name === "OBR") orderedAt = timeAt(segment, 7);
    if (segment.name !== "OBX") continue;
    const observation = readObx(segment, orderedAt ?? (header ? timeAt(header, 7) : null));
    if (observation === null) continue;
    const { code } = observation;
    if (TAKEN_BACK.has(observation.status ?? "")) {
      latest.delete(code);
      continue;
    }
    const before = latest.get(code);
    if (before !== undefined && (before.at ?? "") > (observation.at ?? "")) continue;
    const sibling = seenHere.get(code);
    if (sibling !== undefined && isText(observation) && sibling.at === observation.at) {
      observation.value = [sibling.value, observation.value].filter((line) => line !== null).join("\n")
        .slice(0, LIMITS.textUnits);
    }
    seenHere.set(code, observation);
    latest.set(code, observation);
  }
  return keepNewest(latest, LIMITS.observations);
}

/** The documents after an MDM message. */
export function withDocument(known: ClinicalDocument[], message: Hl7Message): ClinicalDocument[] {
  const txa = message.first("TXA");
  if (txa === undefined) return known;
  const id = textAt(txa, "12.1") ?? message.controlId;
  const document = {
    id,
    type: textAt(txa, "2.1"),
    status: textAt(txa, 17),
    at: timeAt(txa, 4) ?? timeAt(txa, 6),
    text: message.all("OBX").map((obx) => textAt(obx, 5) ?? "").join("\n").slice(0, LIMITS.textUnits),
  };
  // an edited or replaced document (T08, T10) takes the place of what it replaces
  const replaced = textAt(txa, "13.1");
  return [...known.filter((other) => other.id !== id && other.id !== replaced), document].slice(-LIMITS.documents);
}

function readObx(obx: Segment, at: string | null): Observation | null {
  const code = textAt(obx, "3.1") ?? textAt(obx, "3.2");
  if (code === null) return null;
  return {
    code,
    text: textAt(obx, "3.2"),
    system: textAt(obx, "3.3"),
    value: textAt(obx, 5),
    valueType: textAt(obx, 2),
    units: textAt(obx, "6.1"),
    range: textAt(obx, 7),
    flag: textAt(obx, 8),
    status: textAt(obx, 11),
    at: timeAt(obx, 14) ?? at,
  };
}

function isText(observation: Observation): boolean {
  return ["TX", "FT", "ST"].includes(observation.valueType ?? "");
}
