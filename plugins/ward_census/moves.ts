/**
 * ward-moves: tells wards who comes and who goes. One half of the ward census: patients' actors send, wards' actors
 * ({@link ./ward.ts}) keep the list. What one actor sends another arrives once for ever and in order, so the ward need not
 * ask, and nobody needs a table of all patients.
 *
 * It takes ADT as HL7 v2 (A01, A02, A03, A13: PV1-3.1 is the ward) and as JSON: `{"type": "admit", "ward": "5W"}`,
 * `transfer`, `discharge`.
 *
 *     waterpark plugin deploy plugins/ward_census/moves.ts
 *     waterpark plugin deploy plugins/ward_census/ward.ts
 *
 * @module
 */
import { defineHandler, effect, type HandlerMessage } from "@waterpark/waterpark";

const ARRIVES = new Set(["admit", "transfer", "ADT^A01", "ADT^A02", "ADT^A13"]);
const LEAVES = new Set(["discharge", "ADT^A03"]);

export default defineHandler({
  name: "ward-moves",
  kind: "patient",
  initial: { ward: null as string | null },
  handle(key, { ward }, message) {
    const isLeaving = LEAVES.has(message.type);
    if (!isLeaving && !ARRIVES.has(message.type)) return ["ok", { ward }, []];
    const next = isLeaving ? null : wardOf(message);
    // an admission that names no ward says nothing about where the patient is
    if (next === ward || (next === null && !isLeaving)) return ["ok", { ward }, []];
    const tell = (id: string, type: string) =>
      effect.send({ kind: "ward", facility: key.facility, id }, { type, patient: key.id, since: message.at });
    return ["ok", { ward: next }, [
      ...(ward === null ? [] : [tell(ward, "left")]),
      ...(next === null ? [] : [tell(next, "arrived")]),
    ]];
  },
});

/** The ward that a message names: at most 50 characters, as it becomes an actor's id; null: none, or none that can be. */
function wardOf({ contentType, body }: HandlerMessage): string | null {
  const named: unknown = contentType.startsWith("x-application/hl7-v2") ? body.get("PV1-3.1") : body?.ward;
  if (typeof named !== "string") return null;
  const ward = named.trim();
  // "." and ".." are no ids
  return /^\w[\w .-]{0,49}$/.test(ward) ? ward : null;
}
