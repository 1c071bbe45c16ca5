import fc from "fast-check";
import { SeededRandom } from "../runtime/world/mod.ts";
import type { Chance, MessageGenerator } from "./addressed_messages.ts";
import type { GivenMessage } from "./given_message.ts";

const WARDS = ["5W", "6E", "ICU", "ED"];
const FACILITIES = 3;

/**
 * What is sent where an author gives nothing: patients who are admitted, moved and discharged in three hospitals, half
 * of it as HL7, half as JSON (`{ type: "admit", ward: "5W" }`), with laboratory results and notes in between. Actors of
 * other kinds get the JSON alone.
 */
export function hospitalMessages(kinds: readonly string[]): MessageGenerator {
  return (chance, { actors }) => {
    const kind = kinds[chance.below(kinds.length)];
    const facility = `H${chance.below(FACILITIES)}`;
    const id = String(1 + chance.below(actors));
    const ward = WARDS[chance.below(WARDS.length)];
    const isHl7 = kind === "patient" && chance.next() < 0.5;
    const what = chance.below(5);
    const message = isHl7 ? hl7(what, { facility, id, ward, number: chance.below(1_000_000) }) : json(what, ward);
    return { key: { kind, facility, id }, message };
  };
}

function json(what: number, ward: string): GivenMessage {
  if (what === 4) return "a note";
  return { type: ["admit", "transfer", "discharge", "result"][what], ward };
}

function hl7(
  what: number,
  { facility, id, ward, number }: Record<"facility" | "id" | "ward", string> & { number: number },
) {
  const type = ["ADT^A01", "ADT^A02", "ADT^A03", "ORU^R01", "ADT^A08"][what];
  const segments = [
    `MSH|^~\\&|EHR|${facility}|||20260102030405||${type}|${number}|P|2.5`,
    `PID|1||${id}^^^${facility}^MR||Doe^Jane||19800203|F`,
    `PV1|1|I|${ward}^${1 + number % 20}^${1 + number % 2}`,
  ];
  if (what === 3) {
    segments.push("OBR|1|P1|F1|BMP^Basic", `OBX|1|NM|GLU^Glucose^LN||${60 + number % 90}|mg/dL|70-99||||F`);
  }
  return segments.join("\r");
}

/** The same for one actor of this kind, as an arbitrary: what a handler is checked with where its author gives nothing. */
export function hospitalArbitrary(kind: string): fc.Arbitrary<GivenMessage> {
  const draw = hospitalMessages([kind]);
  return fc.nat().map((seed) => {
    const random = new SeededRandom(seed);
    const chance: Chance = { next: () => random.next(), below: (bound) => random.below(bound) };
    return draw(chance, { actors: 1 }).message;
  });
}
