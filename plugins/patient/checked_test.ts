import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler } from "@waterpark/waterpark/testing";
import patient from "./mod.ts";
import { LIMITS } from "./state.ts";

/** A stay as a registration system and a laboratory tell of it. */
function stay(number: string): string[] {
  const hl7 = (type: string, ...segments: string[]) =>
    [`MSH|^~\\&|EHR|HOSPX|||20260102030405||${type}|${number}${type}|P|2.5`, "PID|1||1001^^^MRN||Doe^Jane", ...segments]
      .join("\r");
  const pv1 = (bed: string) => `PV1|1|I|${bed}${"|".repeat(16)}${number}`;
  return [
    hl7("ADT^A01", pv1("5W^12^B"), "AL1|1|DA|PEN^Penicillin|SV"),
    hl7("ORU^R01", "OBR|1|P1|F1|BMP", "OBX|1|NM|GLU^Glucose||101|mg/dL|70-99|H|||F|||20260102"),
    hl7("ADT^A02", pv1("ICU^1^1")),
    hl7("ADT^A03", pv1("ICU^1^1")),
  ];
}

const noise = fc.oneof(fc.string(), fc.constant({ type: "note" }), fc.string().map((text) => `MSH|^~\\&|${text}`));

Deno.test("patient: what a feed may make of two stays leaves a sound record", () => {
  const { types } = checkHandler(patient, {
    recorded: [[...stay("V1"), ...stay("V2")], stay("V9")],
    messages: noise,
    runs: 60,
    // twenty earlier visits are kept, and in a long history there may be but one
    probeMessages: 1024,
    invariants: {
      "lists are cut": ({ earlierVisits, observations }) =>
        (earlierVisits.length <= LIMITS.visits && Object.keys(observations).length <= LIMITS.observations) ||
        "one is not",
      "every HL7 message is counted": ({ messages }, history) => {
        const counted = Object.values(messages).reduce((sum, count) => sum + count, 0);
        const sent = history.filter(({ contentType, body }) => contentType.includes("hl7-v2") && body !== null).length;
        return counted === sent || `${counted} of ${sent}`;
      },
      "a stay that has ended is over": ({ visit }) =>
        visit?.status !== "discharged" || visit.dischargedAt !== null || "it has no end",
    },
  });
  assert.ok(types["ADT^A02"] > 0 && types["ORU^R01"] > 0);
});
