/**
 * What a hospital knows about one patient, and the messages that say so.
 *
 * @module
 */
import { hl7Timestamp } from "../../runtime/wire/mod.ts";
import type { Chance } from "./hospital_chance.ts";
import { obx, pid, pv1, reportLine, segment } from "./hospital_hl7.ts";
import { type Panel, PANELS, type Result } from "./hospital_labs.ts";
import type { Person } from "./hospital_people.ts";
import type { Doctor, Facility, Place } from "./hospital_places.ts";

/** A message without its header, which needs the number that it gets when it leaves. */
export interface Draft {
  atMs: number;
  patientId: string;
  application: string;
  type: string;
  structure: string;
  segments: string[];
}

const DIAGNOSES: [string, string][] = [
  ["I10", "Essential (primary) hypertension"],
  ["J18.9", "Pneumonia, unspecified organism"],
  ["I50.9", "Heart failure, unspecified"],
  ["N17.9", "Acute kidney failure, unspecified"],
  ["E11.9", "Type 2 diabetes mellitus without complications"],
  ["A41.9", "Sepsis, unspecified organism"],
  ["K35.80", "Unspecified acute appendicitis"],
  ["S72.001A", "Fracture of unspecified part of neck of right femur"],
  ["J44.1", "COPD with (acute) exacerbation"],
  ["R07.9", "Chest pain, unspecified"],
];
const ALLERGIES: [string, string, string, string][] = [
  ["DA", "7980", "Penicillin G", "Hives"],
  ["DA", "10831", "Sulfamethoxazole", "Rash"],
  ["DA", "1191", "Aspirin", "Wheezing"],
  ["FA", "256349002", "Peanut", "Anaphylaxis"],
  ["EA", "111088007", "Latex", "Itching"],
];
/** A patient's chart. Its fields are what is so now; its methods write messages about it. */
export class Chart {
  nowMs: number;
  admittedMs: number;
  dischargedMs: number | null = null;
  disposition = "";
  died = "";
  /** PV1-2 */
  patientClass = "O";
  place: Place = { ward: "OPD", room: "", bed: "" };
  doctor: Doctor;
  person: Person;
  mrn: string;
  readonly facility: Facility;
  readonly #visit: string;
  readonly #chance: Chance;
  readonly #nextNumber: () => number;
  #prior: Place | null = null;

  constructor(options: {
    facility: Facility;
    chance: Chance;
    mrn: string;
    person: Person;
    startMs: number;
    nextNumber(): number;
  }) {
    const { facility, chance, mrn, person, startMs, nextNumber } = options;
    this.facility = facility;
    this.#chance = chance;
    this.mrn = mrn;
    this.person = person;
    this.nowMs = this.admittedMs = startMs;
    this.#nextNumber = nextNumber;
    this.#visit = `V${nextNumber()}`;
    this.doctor = facility.doctorOf("5W", chance);
  }

  /** Takes a bed in a ward, gives back the one before. */
  move(ward: string): void {
    const next = this.facility.take(ward);
    this.#prior = this.place.bed === "" ? null : this.place;
    this.facility.leave(this.place);
    this.place = next;
    this.doctor = this.facility.doctorOf(ward, this.#chance);
  }

  /** Next of kin, a diagnosis, sometimes an allergy: what comes with a registration. */
  clinical(): string[] {
    const { kin } = this.person;
    const [code, text] = this.#chance.pick(DIAGNOSES);
    const segments = [
      segment("NK1", { 1: "1", 2: [kin.family, kin.given], 3: kin.relation, 5: kin.phone }),
      segment("DG1", { 1: "1", 3: [code, text, "I10"], 5: hl7Timestamp(this.nowMs), 6: "A" }),
    ];
    if (this.#chance.happens(0.3)) {
      const [type, allergen, name, reaction] = this.#chance.pick(ALLERGIES);
      segments.push(segment("AL1", { 1: "1", 2: type, 3: [allergen, name], 4: "MO", 5: reaction }));
    }
    return segments;
  }

  /** An ADT message. */
  adt(event: string, structure: string, more: string[] = [], withVisit = true): Draft {
    const evn = segment("EVN", { 2: hl7Timestamp(this.nowMs), 5: "ADTCLERK", 6: hl7Timestamp(this.nowMs) });
    return this.#draft("ADT", `ADT^${event}`, structure, more, { before: [evn], withVisit });
  }

  /** The merge of another number into this patient's. */
  merge(other: string): Draft {
    return this.adt("A40", "ADT_A39", [segment("MRG", { 1: [other, "", "", this.facility.name, "MR"] })], false);
  }

  /** An order for a panel, and the number it has. */
  order(panel: Panel): { draft: Draft; placer: string } {
    const placer = `P${this.#nextNumber()}`;
    const at = hl7Timestamp(this.nowMs);
    const segments = [
      segment("ORC", { 1: "NW", 2: placer, 5: "SC", 9: at, 12: this.#doctorField() }),
      segment("OBR", { 1: "1", 2: placer, 4: serviceField(panel), 7: at, 16: this.#doctorField() }),
    ];
    return { draft: this.#draft("CPOE", "ORM^O01", "ORM_O01", segments), placer };
  }

  /** The results of an order; critical ones are called to the doctor. */
  results(panel: Panel, results: Result[], order: { placer: string; drawnMs: number }): Draft {
    const filler = `F${this.#nextNumber()}`;
    const drawn = hl7Timestamp(order.drawnMs);
    const now = hl7Timestamp(this.nowMs);
    const notes = results.filter(({ flag }) => flag.length === 2).map(({ text }) =>
      segment("NTE", { 1: "1", 2: "L", 3: `CRITICAL: ${text} called to ${this.doctor.family} & read back` })
    );
    return this.#draft("LAB", "ORU^R01", "ORU_R01", [
      segment("ORC", { 1: "RE", 2: order.placer, 3: filler, 5: "CM", 9: drawn, 12: this.#doctorField() }),
      segment("OBR", { 1: "1", 2: order.placer, 3: filler, 4: serviceField(panel), 7: drawn, 22: now, 25: "F" }),
      ...results.map((result, i) => obx(i + 1, result, this.nowMs)),
      ...notes,
    ]);
  }

  /** What a monitor at the bed says. */
  vitals(results: Result[]): Draft {
    return this.#draft("MONITOR", "ORU^R01", "ORU_R01", [
      this.#unordered(serviceField("VITALS")),
      ...results.map((result, i) => obx(i + 1, result, this.nowMs)),
    ]);
  }

  /** A radiologist's report. */
  report(lines: string[]): Draft {
    return this.#draft("RIS", "ORU^R01", "ORU_R01", [
      this.#unordered(["36643-5", "XR Chest 2 Views", "LN"]),
      ...lines.map((line, i) => reportLine(i + 1, line, this.nowMs)),
    ]);
  }

  #unordered(service: string[]): string {
    return segment("OBR", { 1: "1", 3: `F${this.#nextNumber()}`, 4: service, 7: hl7Timestamp(this.nowMs), 25: "F" });
  }

  #doctorField(): string[] {
    return [this.doctor.id, this.doctor.family, this.doctor.given];
  }

  #draft(
    application: string,
    type: string,
    structure: string,
    more: string[],
    { before = [] as string[], withVisit = true } = {},
  ): Draft {
    const { mrn, person, died } = this;
    const facility = this.facility.name;
    const visit = withVisit
      ? [pv1({
        facility,
        patientClass: this.patientClass,
        place: this.place,
        prior: this.#prior,
        doctor: this.doctor,
        visit: this.#visit,
        admittedMs: this.admittedMs,
        dischargedMs: this.dischargedMs,
        disposition: this.disposition,
      })]
      : [];
    // the standard's order: next of kin before the visit, allergies before diagnoses
    const of = (name: string) => more.filter((text) => text.startsWith(name));
    const rest = more.filter((text) => !/^(?:NK1|AL1)/.test(text));
    const segments = [
      ...before,
      pid({ mrn, facility, person, account: this.#visit, died }),
      ...of("NK1"),
      ...visit,
      ...of("AL1"),
      ...rest,
    ];
    return { atMs: this.nowMs, patientId: mrn, application, type, structure, segments };
  }
}

function serviceField(panel: Panel): string[] {
  return [PANELS[panel].code, PANELS[panel].text, "LN"];
}
