/**
 * ward-census: who lies on a ward, and how full it was at most. The other half of {@link ./moves.ts}: a ward is an actor
 * like a patient is, with a history of arrivals and departures that its patients' actors have sent.
 *
 *     waterpark actor show ward/HOSPX/5W
 *
 * @module
 */
import { defineHandler, effect } from "@waterpark/waterpark";

/** More than any ward has beds: who is beyond is counted, not listed. */
const LISTED_MAX = 200;

/** A ward, as its patients have told it. */
export interface Ward {
  /** patient's id and when the patient came, ms since 1970; the longest stay first */
  patients: { id: string; since: number }[];
  /** patients beyond the list */
  unlisted: number;
  /** the most at a time, ever */
  most: number;
}

export default defineHandler({
  name: "ward-census",
  kind: "ward",
  initial: { patients: [], unlisted: 0, most: 0 } as Ward,
  handle(_key, ward, message) {
    const { patient, since } = (message.body ?? {}) as { patient?: unknown; since?: unknown };
    if (typeof patient !== "string" || patient.length > 200) return ["ok", ward, []];
    const others = ward.patients.filter(({ id }) => id !== patient);
    const wasListed = others.length < ward.patients.length;
    if (message.type === "left") {
      const unlisted = wasListed ? ward.unlisted : Math.max(0, ward.unlisted - 1);
      return ["ok", { ...ward, patients: others, unlisted }, []];
    }
    if (message.type !== "arrived") return ["ok", ward, []];
    if (!wasListed && others.length === LISTED_MAX) {
      const most = Math.max(ward.most, LISTED_MAX + ward.unlisted + 1);
      return ["ok", { ...ward, unlisted: ward.unlisted + 1, most }, [
        ...(ward.unlisted === 0
          ? [effect.alert("ward-census/overfull", "a ward has more patients than it can list")]
          : []),
      ]];
    }
    const at = typeof since === "number" && Number.isFinite(since) ? since : message.at;
    const patients = [...others, { id: patient, since: at }].sort((a, b) => a.since - b.since);
    return ["ok", { ...ward, patients, most: Math.max(ward.most, patients.length + ward.unlisted) }, []];
  },
});
