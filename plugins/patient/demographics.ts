/**
 * Who the patient is, from PID. Registration (ADT) decides; other systems only add what is not known yet, since a
 * laboratory's copy of an address is older than the registration's.
 *
 * @module
 */
import {
  addressAt,
  dateAt,
  identifiersAt,
  nameAt,
  phonesAt,
  renewed,
  type Segment,
  textAt,
  timeAt,
} from "./hl7_values.ts";
import type { Demographics } from "./state.ts";

/** What is known after a PID segment. */
export function withPid(known: Demographics, pid: Segment, isRegistration: boolean): Demographics {
  const said = readPid(known, pid);
  if (isRegistration) return said;
  // never null where something was known
  const kept = { ...said };
  for (const field of Object.keys(known) as (keyof Demographics)[]) {
    const value = known[field];
    const isKnown = Array.isArray(value) ? value.length > 0 : value !== null && value !== false;
    if (isKnown) Object.assign(kept, { [field]: value });
  }
  return kept;
}

function readPid(known: Demographics, pid: Segment): Demographics {
  const identifiers = identifiersAt(pid, 3);
  const phones = [...phonesAt(pid, 13), ...phonesAt(pid, 14)];
  const death = textAt(pid, 30);
  return {
    mrn: identifiers.length > 0 ? identifiers[0].id : known.mrn,
    identifiers: identifiers.length > 0 ? identifiers : known.identifiers,
    name: renewed(known.name, pid, 5, () => nameAt(pid, 5)),
    birthDate: renewed(known.birthDate, pid, 7, () => dateAt(pid, 7)),
    sex: renewed(known.sex, pid, 8, () => textAt(pid, "8.1")),
    address: renewed(known.address, pid, 11, () => addressAt(pid, 11)),
    phones: phones.length > 0 ? phones : renewed(known.phones, pid, 13, () => null) ?? [],
    maritalStatus: renewed(known.maritalStatus, pid, 16, () => textAt(pid, "16.1")),
    ethnicGroup: renewed(known.ethnicGroup, pid, 22, () => textAt(pid, "22.2") ?? textAt(pid, "22.1")),
    language: renewed(known.language, pid, 15, () => textAt(pid, "15.1")),
    isDead: death === null ? known.isDead : death.startsWith("Y"),
    diedAt: renewed(known.diedAt, pid, 29, () => timeAt(pid, 29)),
  };
}
