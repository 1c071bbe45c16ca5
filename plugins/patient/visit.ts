/**
 * Where the visit stands, from PV1 and the trigger event. Only ADT moves a patient: what a laboratory writes into its
 * PV1 fills what nobody has said yet, and changes nothing.
 *
 * @module
 */
import { clinicianAt, type Hl7Message, locationAt, renewed, type Segment, textAt, timeAt } from "./hl7_values.ts";
import { LIMITS, type Location, type PatientState, type Visit, type VisitStatus } from "./state.ts";

const NEW_VISIT: Visit = {
  number: null,
  status: "unknown",
  class: null,
  location: null,
  priorLocation: null,
  pending: null,
  attending: null,
  service: null,
  admittedAt: null,
  dischargedAt: null,
  disposition: null,
};

type Visits = Pick<PatientState, "visit" | "earlierVisits">;

/** The visits after an ADT message. */
export function withAdt(visits: Visits, message: Hl7Message): Visits {
  const event = message.get("MSH-9.2") || message.get("EVN-1");
  const pv1 = message.first("PV1");
  const begun = beginVisit(visits, pv1, event);
  // person and merge events come without PV1, and say nothing about a visit
  if (begun.visit === null || pv1 === undefined && !EVENTS_WITHOUT_PV1.has(event)) return begun;
  const described = pv1 === undefined ? begun.visit : describedBy(begun.visit, pv1);
  return { ...begun, visit: moved(described, begun.visit, event, pv1, timeOf(message)) };
}

/** The visits after a message that is not ADT. */
export function withMention(visits: Visits, pv1: Segment): Visits {
  const said = describedBy(NEW_VISIT, pv1);
  if (visits.visit === null) return { ...visits, visit: said };
  const kept = { ...said };
  for (const [field, value] of Object.entries(visits.visit)) {
    if (value !== null) Object.assign(kept, { [field]: value });
  }
  return { ...visits, visit: kept };
}

const EVENTS_WITHOUT_PV1 = new Set(["A03", "A11", "A13", "A23", "A25", "A26", "A27", "A38"]);
const EVENTS_THAT_BEGIN = new Set(["A01", "A04", "A05", "A14"]);
const ENDED = new Set<VisitStatus>(["discharged", "cancelled"]);

// A visit begins with the first message about one, with another visit number, or with an admission after a discharge.
function beginVisit(visits: Visits, pv1: Segment | undefined, event: string): Visits {
  const { visit, earlierVisits } = visits;
  if (event === "A23") return { visit: null, earlierVisits };
  if (visit === null) return pv1 === undefined ? visits : { visit: NEW_VISIT, earlierVisits };
  const number = pv1 === undefined ? null : textAt(pv1, "19.1");
  const isOther = EVENTS_THAT_BEGIN.has(event) &&
    (number !== null && visit.number !== null ? number !== visit.number : ENDED.has(visit.status));
  if (!isOther) return visits;
  return { visit: NEW_VISIT, earlierVisits: [...earlierVisits, visit].slice(-LIMITS.visits) };
}

function describedBy(visit: Visit, pv1: Segment): Visit {
  return {
    ...visit,
    number: renewed(visit.number, pv1, 19, () => textAt(pv1, "19.1")),
    class: renewed(visit.class, pv1, 2, () => textAt(pv1, "2.1")),
    location: renewed(visit.location, pv1, 3, () => locationAt(pv1, 3)),
    attending: renewed(visit.attending, pv1, 7, () => clinicianAt(pv1, 7)),
    service: renewed(visit.service, pv1, 10, () => textAt(pv1, "10.1")),
    admittedAt: renewed(visit.admittedAt, pv1, 44, () => timeAt(pv1, 44)),
    dischargedAt: renewed(visit.dischargedAt, pv1, 45, () => timeAt(pv1, 45)),
    disposition: renewed(visit.disposition, pv1, 36, () => textAt(pv1, "36.1")),
  };
}

// `visit` is as the message describes it, `before` as it was
function moved(visit: Visit, before: Visit, event: string, pv1: Segment | undefined, at: string | null): Visit {
  switch (event) {
    case "A01":
      return { ...visit, status: "admitted", pending: null, admittedAt: visit.admittedAt ?? at, dischargedAt: null };
    case "A04":
      return { ...visit, status: "registered", class: visit.class ?? "O", admittedAt: visit.admittedAt ?? at };
    case "A05":
      return { ...visit, status: "pre-admitted" };
    case "A02":
      return { ...visit, pending: null, priorLocation: priorOf(pv1) ?? before.location };
    case "A06":
      return { ...visit, status: "admitted", class: classOf(pv1) ?? "I", admittedAt: visit.admittedAt ?? at };
    case "A07":
      return { ...visit, status: "registered", class: classOf(pv1) ?? "O" };
    case "A03":
      return { ...visit, status: "discharged", pending: null, dischargedAt: visit.dischargedAt ?? at };
    case "A11":
    case "A38":
      return { ...visit, status: "cancelled" };
    case "A12": {
      const back = pv1 === undefined ? null : locationAt(pv1, 3);
      return { ...visit, location: back ?? before.priorLocation ?? before.location, priorLocation: null };
    }
    case "A13":
      return { ...visit, status: "admitted", dischargedAt: null, disposition: null };
    case "A14":
      return { ...visit, status: "pre-admitted", pending: announced("admit", pv1, visit.location, at) };
    case "A15":
      return { ...visit, location: before.location, pending: announced("transfer", pv1, visit.location, at) };
    case "A16":
      return { ...visit, dischargedAt: before.dischargedAt, pending: announced("discharge", undefined, null, at) };
    case "A25":
    case "A26":
      return { ...visit, pending: null };
    case "A27":
      return { ...visit, pending: null, status: before.status === "pre-admitted" ? "cancelled" : before.status };
    case "A21":
    case "A53":
      return { ...visit, status: "on-leave" };
    case "A22":
    case "A52":
      return { ...visit, status: "admitted" };
    default:
      return visit;
  }
}

function announced(
  event: "admit" | "transfer" | "discharge",
  pv1: Segment | undefined,
  location: Location | null,
  at: string | null,
): Visit["pending"] {
  return { event, location: (pv1 === undefined ? null : locationAt(pv1, 42)) ?? location, at };
}

function classOf(pv1: Segment | undefined): string | null {
  return pv1 === undefined ? null : textAt(pv1, "2.1");
}

function priorOf(pv1: Segment | undefined): Location | null {
  return pv1 === undefined ? null : locationAt(pv1, 6);
}

// when it happened (EVN-6), else when it was recorded (EVN-2), else when it was sent
function timeOf(message: Hl7Message): string | null {
  const evn = message.first("EVN");
  const header = message.first("MSH");
  return (evn && (timeAt(evn, 6) ?? timeAt(evn, 2))) ?? (header ? timeAt(header, 7) : null);
}
