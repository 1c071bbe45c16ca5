/**
 * patient: what a hospital's HL7 v2 messages tell about a patient: who it is, where the visit stands, the last result
 * of every kind, orders, documents, allergies, merges.
 *
 * The first handler to read when you write your own: `state.ts` says what is kept, `fold.ts` what a message does to it;
 * the rest is HL7. It asks for no effects.
 *
 *     waterpark plugin deploy plugins/patient/mod.ts
 *     waterpark actor show HOSPX/1001
 *
 * @module
 */
import { defineHandler, type HandlerMessage } from "@waterpark/waterpark";
import { foldPatient } from "./fold.ts";
import type { Hl7Message } from "./hl7_values.ts";
import { NOBODY, type PatientState } from "./state.ts";

export default defineHandler<PatientState>({
  name: "patient",
  kind: "patient",
  initial: NOBODY,
  handle(_key, state, message) {
    const body = hl7Of(message);
    return ["ok", body === null ? state : foldPatient(state, body), []];
  },
});

// Other programs may send a patient's actor other things, and over HTTP things that call themselves HL7 and are none:
// touching the body of such a message throws. They stand in the history; this plugin has no opinion about them.
function hl7Of(message: HandlerMessage): Hl7Message | null {
  if (!message.contentType.includes("hl7-v2")) return null;
  try {
    const body = message.body;
    return typeof body?.segments === "function" ? body : null;
  } catch {
    return null;
  }
}
