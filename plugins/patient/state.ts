/**
 * What the patient plugin keeps. Plain data; null is "not known", texts are as the sender wrote them.
 *
 * Times are ISO 8601 as far as the sender said them: `2020-05-08`, `2020-05-08T13:06:43`, with an offset only where
 * there was one. Local times stay local: no plugin can know the hospital's zone.
 *
 * @module
 */

/** One of the names by which systems know a patient. */
export interface Identifier {
  id: string;
  /** who gave it */
  authority: string | null;
  /** HL7 table 0203: `MR`, `SS`, ... */
  type: string | null;
}

/** A person's name. */
export interface Name {
  family: string | null;
  given: string | null;
  middle: string | null;
  suffix: string | null;
  prefix: string | null;
}

/** A clinician. */
export interface Clinician {
  id: string | null;
  family: string | null;
  given: string | null;
  prefix: string | null;
}

/** A postal address. */
export interface Address {
  street: string | null;
  other: string | null;
  city: string | null;
  region: string | null;
  postalCode: string | null;
  country: string | null;
  /** `HOME`, `H`, ... */
  type: string | null;
}

/** Where in a hospital. */
export interface Location {
  pointOfCare: string | null;
  room: string | null;
  bed: string | null;
  facility: string | null;
  building: string | null;
  floor: string | null;
}

/** Who it is. */
export interface Demographics {
  /** the first identifier of PID-3 */
  mrn: string | null;
  identifiers: Identifier[];
  name: Name | null;
  birthDate: string | null;
  /** HL7 table 0001: `F`, `M`, `O`, `U`, ... */
  sex: string | null;
  address: Address | null;
  phones: string[];
  maritalStatus: string | null;
  ethnicGroup: string | null;
  language: string | null;
  isDead: boolean;
  diedAt: string | null;
}

/** Where a visit stands. */
export type VisitStatus =
  /** mentioned by a system that does not decide it, as a laboratory */
  | "unknown"
  | "pre-admitted"
  | "registered"
  | "admitted"
  | "on-leave"
  | "discharged"
  | "cancelled";

/** One stay, or one outpatient visit. */
export interface Visit {
  number: string | null;
  status: VisitStatus;
  /** HL7 table 0004: `I` inpatient, `O` outpatient, `E` emergency, ... */
  class: string | null;
  location: Location | null;
  /** where the patient was before the last move; a cancelled move goes back there */
  priorLocation: Location | null;
  /** announced, not done */
  pending: { event: "admit" | "transfer" | "discharge"; location: Location | null; at: string | null } | null;
  attending: Clinician | null;
  service: string | null;
  admittedAt: string | null;
  dischargedAt: string | null;
  disposition: string | null;
}

/** The last result of one code. */
export interface Observation {
  code: string;
  text: string | null;
  system: string | null;
  value: string | null;
  /** HL7 table 0125: `NM` number, `TX` text, ... */
  valueType: string | null;
  units: string | null;
  range: string | null;
  /** HL7 table 0078: `H`, `L`, `HH`, ...; null is normal or not said */
  flag: string | null;
  /** HL7 table 0085: `F` final, `P` preliminary, `C` corrected, ... */
  status: string | null;
  at: string | null;
}

/** An order as far as it is known. */
export interface Order {
  /** the placer's number, or the filler's where there is none */
  number: string;
  code: string | null;
  text: string | null;
  /** HL7 table 0119, the last control code: `NW` new, `CA` cancel, `RE` results follow, ... */
  control: string | null;
  /** HL7 table 0038: `IP` in process, `CM` completed, ... */
  status: string | null;
  at: string | null;
}

/** A hypersensitivity. */
export interface Allergy {
  code: string | null;
  text: string | null;
  /** HL7 table 0127: `DA` drug, `FA` food, ... */
  type: string | null;
  severity: string | null;
  reaction: string | null;
  since: string | null;
}

/** A diagnosis. */
export interface Diagnosis {
  code: string | null;
  text: string | null;
  /** `A` admitting, `W` working, `F` final */
  type: string | null;
  at: string | null;
}

/** A clinical document. */
export interface ClinicalDocument {
  id: string;
  type: string | null;
  status: string | null;
  at: string | null;
  text: string;
}

/** A patient whose record became part of this one. */
export interface Merge {
  /** identifier that is not used any more */
  from: string;
  authority: string | null;
  event: string;
  at: string | null;
}

/** A patient as their messages tell. */
export interface PatientState {
  demographics: Demographics;
  /** the latest visit */
  visit: Visit | null;
  /** visits that ended before, oldest first, the last {@linkcode LIMITS.visits} */
  earlierVisits: Visit[];
  allergies: Allergy[];
  diagnoses: Diagnosis[];
  /** by code */
  observations: Record<string, Observation>;
  /** by number */
  orders: Record<string, Order>;
  documents: ClinicalDocument[];
  mergedFrom: Merge[];
  lastMessage: { type: string; controlId: string; at: string | null } | null;
  /** messages by type */
  messages: Record<string, number>;
}

/** How much is kept; what is older is in the history. A projection must stay small, as it is stored with each mark. */
export const LIMITS = {
  visits: 20,
  allergies: 100,
  diagnoses: 100,
  observations: 500,
  orders: 200,
  documents: 20,
  merges: 50,
  types: 100,
  identifiers: 20,
  phones: 10,
  textUnits: 4000,
};

/** Before the first message. */
export const NOBODY: PatientState = {
  demographics: {
    mrn: null,
    identifiers: [],
    name: null,
    birthDate: null,
    sex: null,
    address: null,
    phones: [],
    maritalStatus: null,
    ethnicGroup: null,
    language: null,
    isDead: false,
    diedAt: null,
  },
  visit: null,
  earlierVisits: [],
  allergies: [],
  diagnoses: [],
  observations: {},
  orders: {},
  documents: [],
  mergedFrom: [],
  lastMessage: null,
  messages: {},
};
