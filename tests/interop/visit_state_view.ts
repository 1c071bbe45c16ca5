import type { PatientState } from "../../plugins/patient/state.ts";
import type { ExpectedPatient } from "./visit_state_oracle.ts";

/** The patient plugin's projection in the form in which the oracle speaks: for comparing, field by field. */
export function oracleViewOf(state: PatientState): ExpectedPatient {
  const { demographics, visit } = state;
  const { name, address } = demographics;
  return {
    mrn: text(demographics.mrn),
    identifiers: demographics.identifiers.map((identifier) => identifier.id),
    family: text(name?.family),
    given: text(name?.given),
    prefix: text(name?.prefix),
    birthDate: digits(demographics.birthDate),
    sex: text(demographics.sex),
    address: address === null ? [] : [
      address.street,
      address.other,
      address.city,
      address.region,
      address.postalCode,
      address.country,
      address.type,
    ].map(text),
    phone: text(demographics.phones[0]),
    class: text(visit?.class),
    location: !visit?.location ? [] : [
      visit.location.pointOfCare,
      visit.location.room,
      visit.location.bed,
      visit.location.facility,
      visit.location.building,
      visit.location.floor,
    ].map(text),
    status: text(visit?.status),
    visitNumber: text(visit?.number),
    attending: !visit?.attending
      ? []
      : [visit.attending.id, visit.attending.family, visit.attending.given, visit.attending.prefix].map(text),
    admittedAt: digits(visit?.admittedAt),
    allergies: state.allergies.map((allergy) => [
      ...[allergy.type, allergy.code, allergy.text, allergy.severity, allergy.reaction].map(text),
      digits(allergy.since),
    ]),
    mergedFrom: state.mergedFrom.map((merge) => merge.from),
    documents: state.documents.length,
    observations: Object.fromEntries(
      Object.entries(state.observations).map(([code, { value, units, range, flag, status, at }]) => [
        code,
        [...[value, units, range, flag, status].map(text), digits(at)],
      ]),
    ),
    messages: state.messages,
    lastControlId: text(state.lastMessage?.controlId),
  };
}

function text(value: string | null | undefined): string {
  return value ?? "";
}

function digits(time: string | null | undefined): string {
  return text(time).replace(/\D/g, "");
}
