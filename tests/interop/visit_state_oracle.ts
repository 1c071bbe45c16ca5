/**
 * What the simulated hospital's messages say about each patient, computed a second time: with @medplum/core's parser
 * and nothing of ours. It knows only what these messages hold (ADT A01 and A34, ORU R01, MDM T02), plainly.
 */
import { Hl7Message, type Hl7Segment } from "@medplum/core";

/** One patient, as text of the messages; times are digits; `""` is not known. */
export interface ExpectedPatient {
  mrn: string;
  identifiers: string[];
  family: string;
  given: string;
  prefix: string;
  /** `YYYYMMDD` */
  birthDate: string;
  sex: string;
  address: string[];
  phone: string;
  class: string;
  location: string[];
  status: string;
  visitNumber: string;
  attending: string[];
  admittedAt: string;
  allergies: string[][];
  mergedFrom: string[];
  documents: number;
  /** code to value, units, range, flag, status, time */
  observations: Record<string, string[]>;
  /** messages by type */
  messages: Record<string, number>;
  lastControlId: string;
}

/** The final state of every patient, by PID-3.1, after `messages` in this order. */
export function expectedPatients(messages: Uint8Array[]): Map<string, ExpectedPatient> {
  const patients = new Map<string, ExpectedPatient>();
  for (const bytes of messages) {
    const message = Hl7Message.parse(new TextDecoder().decode(bytes));
    const pid = message.getSegment("PID") as Hl7Segment;
    const id = pid.getComponent(3, 1);
    let patient = patients.get(id);
    if (patient === undefined) patients.set(id, patient = unknownPatient());
    const type = `${message.header.getComponent(9, 1)}^${message.header.getComponent(9, 2)}`;
    patient.messages[type] = (patient.messages[type] ?? 0) + 1;
    patient.lastControlId = message.header.getComponent(10, 1);
    // registration writes demographics and the visit; the laboratory only where nobody has
    if (type.startsWith("ADT") || patient.mrn === "") readPid(patient, pid);
    const pv1 = message.getSegment("PV1");
    if (pv1 !== undefined) {
      if (type === "ADT^A01") {
        readPv1(patient, pv1);
        patient.status = "admitted";
      } else if (patient.status === "") {
        readPv1(patient, pv1);
        patient.status = "unknown";
      }
    }
    if (type.startsWith("ADT")) {
      const allergies = message.getAllSegments("AL1");
      if (allergies.length > 0) {
        patient.allergies = allergies.map((al1) => [
          al1.getComponent(2, 1),
          al1.getComponent(3, 1),
          al1.getComponent(3, 2),
          al1.getComponent(4, 1),
          al1.getComponent(5, 1),
          al1.getComponent(6, 1),
        ]);
      }
    }
    if (type === "ADT^A34") patient.mergedFrom.push((message.getSegment("MRG") as Hl7Segment).getComponent(1, 1));
    if (type === "MDM^T02") patient.documents++;
    if (type !== "ORU^R01") continue;
    for (const obx of message.getAllSegments("OBX")) {
      patient.observations[obx.getComponent(3, 1)] = [
        obx.getComponent(5, 1),
        obx.getComponent(6, 1),
        obx.getComponent(7, 1),
        obx.getComponent(8, 1),
        obx.getComponent(11, 1),
        obx.getComponent(14, 1),
      ].map((text) => text === '""' ? "" : text);
    }
  }
  return patients;
}

function readPid(patient: ExpectedPatient, pid: Hl7Segment): void {
  patient.mrn = pid.getComponent(3, 1);
  patient.identifiers = pid.getField(3).components.map((repetition) => repetition[0]);
  patient.family = pid.getComponent(5, 1);
  patient.given = pid.getComponent(5, 2);
  patient.prefix = pid.getComponent(5, 5);
  patient.birthDate = pid.getComponent(7, 1).slice(0, 8);
  patient.sex = pid.getComponent(8, 1);
  patient.address = [1, 2, 3, 4, 5, 6, 7].map((component) => pid.getComponent(11, component));
  patient.phone = pid.getComponent(13, 1);
}

function readPv1(patient: ExpectedPatient, pv1: Hl7Segment): void {
  patient.class = pv1.getComponent(2, 1) || patient.class;
  const location = [1, 2, 3, 4, 7, 8].map((component) => pv1.getComponent(3, component));
  if (location.join("") !== "") patient.location = location;
  patient.visitNumber = pv1.getComponent(19, 1) || patient.visitNumber;
  patient.attending = [1, 2, 3, 6].map((component) => pv1.getComponent(7, component));
  patient.admittedAt = pv1.getComponent(44, 1) || patient.admittedAt;
}

function unknownPatient(): ExpectedPatient {
  return {
    mrn: "",
    identifiers: [],
    family: "",
    given: "",
    prefix: "",
    birthDate: "",
    sex: "",
    address: [],
    phone: "",
    class: "",
    location: [],
    status: "",
    visitNumber: "",
    attending: [],
    admittedAt: "",
    allergies: [],
    mergedFrom: [],
    documents: 0,
    observations: {},
    messages: {},
    lastControlId: "",
  };
}
