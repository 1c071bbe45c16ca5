/**
 * The patient after one more message. Each kind of message changes its own part of the state; what is not known here is
 * counted and otherwise left alone, so that nothing a feed may bring can stop a patient's record.
 *
 * @module
 */
import { withPid } from "./demographics.ts";
import { type Hl7Message, identifiersAt, textAt, timeAt } from "./hl7_values.ts";
import { withOrders } from "./orders.ts";
import { withDocument, withObservations } from "./results.ts";
import { type Allergy, type Diagnosis, LIMITS, type Merge, type PatientState } from "./state.ts";
import { withAdt, withMention } from "./visit.ts";

const MERGES = new Set(["A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A46", "A47"]);

/** The state after `message`; never throws, changes nothing that it is given. */
export function foldPatient(state: PatientState, message: Hl7Message): PatientState {
  const [code] = message.type.split("^", 1);
  const isAdt = code === "ADT" || code === "BAR";
  let next = counted(state, message);
  const pid = message.first("PID");
  if (pid !== undefined) next = { ...next, demographics: withPid(next.demographics, pid, isAdt) };
  const pv1 = message.first("PV1");
  if (code === "ADT") {
    next = { ...next, ...withAdt(next, message), mergedFrom: withMerge(next.mergedFrom, message) };
  } else if (pv1 !== undefined) {
    next = { ...next, ...withMention(next, pv1) };
  }
  if (isAdt) {
    next = { ...next, allergies: allergiesOf(message) ?? next.allergies };
    next = { ...next, diagnoses: withDiagnoses(next.diagnoses, message) };
  }
  switch (code) {
    case "ORU":
      return {
        ...next,
        observations: withObservations(next.observations, message),
        orders: withOrders(next.orders, message),
      };
    case "ORM":
    case "ORR":
    case "OMG":
    case "ORG":
    case "OML":
    case "ORL":
      return { ...next, orders: withOrders(next.orders, message) };
    case "MDM":
      return { ...next, documents: withDocument(next.documents, message) };
    default:
      return next;
  }
}

function counted(state: PatientState, message: Hl7Message): PatientState {
  const messages = new Map(Object.entries(state.messages));
  // what is beyond the hundredth type is counted as other
  const type = messages.has(message.type) || messages.size < LIMITS.types ? message.type : "other";
  messages.set(type, (messages.get(type) ?? 0) + 1);
  const header = message.first("MSH");
  return {
    ...state,
    messages: Object.fromEntries(messages),
    lastMessage: { type: message.type, controlId: message.controlId, at: header ? timeAt(header, 7) : null },
  };
}

function withMerge(known: Merge[], message: Hl7Message): Merge[] {
  const event = message.get("MSH-9.2");
  if (!MERGES.has(event)) return known;
  const header = message.first("MSH");
  const at = header ? timeAt(header, 7) : null;
  const merges = message.all("MRG").flatMap((mrg) =>
    identifiersAt(mrg, 1).map(({ id, authority }) => ({ from: id, authority, event, at }))
  );
  const isNew = (merge: Merge) =>
    !known.some((other) => other.from === merge.from && other.authority === merge.authority);
  return [...known, ...merges.filter(isNew)].slice(-LIMITS.merges);
}

// AL1 is a snapshot: the list that a message brings is the list
function allergiesOf(message: Hl7Message): Allergy[] | null {
  const segments = message.all("AL1");
  if (segments.length === 0) return null;
  return segments.slice(0, LIMITS.allergies).map((al1) => ({
    code: textAt(al1, "3.1"),
    text: textAt(al1, "3.2"),
    type: textAt(al1, "2.1"),
    severity: textAt(al1, "4.1"),
    reaction: textAt(al1, 5),
    since: timeAt(al1, 6),
  }));
}

function withDiagnoses(known: Diagnosis[], message: Hl7Message): Diagnosis[] {
  const added = message.all("DG1").map((dg1) => ({
    code: textAt(dg1, "3.1"),
    text: textAt(dg1, "3.2") ?? textAt(dg1, 4),
    type: textAt(dg1, "6.1"),
    at: timeAt(dg1, 5),
  }));
  if (added.length === 0) return known;
  const isSaidAgain = (old: Diagnosis) => added.some((one) => one.code === old.code && one.type === old.type);
  return [...known.filter((old) => !isSaidAgain(old)), ...added].slice(-LIMITS.diagnoses);
}
