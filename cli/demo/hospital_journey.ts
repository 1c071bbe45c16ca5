/**
 * A patient's way through a hospital. A journey is a generator that yields pauses and messages: it goes on when the
 * pause is over, so that what it then needs (a free bed) is what there is at that time.
 *
 * @module
 */
import { hl7Timestamp } from "../../runtime/wire/mod.ts";
import type { Chance } from "./hospital_chance.ts";
import { Chart, type Draft } from "./hospital_chart.ts";
import { Body, type Panel } from "./hospital_labs.ts";
import { makePerson } from "./hospital_people.ts";
import type { Facility } from "./hospital_places.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Nothing happens until then. */
export interface Pause {
  atMs: number;
  segments?: undefined;
}

const REPORT = [
  "Heart size is normal. Mediastinal contours are unremarkable.",
  "No focal consolidation, pleural effusion or pneumothorax.",
  "Patchy opacity in the right lower lobe, suspicious for pneumonia.",
  "Mild interstitial edema & small bilateral effusions.",
  "Degenerative changes of the thoracic spine.",
];

/** What all patients of one run share. */
export interface JourneyOptions {
  facility: Facility;
  /** of this patient alone, so that journeys do not depend on each other's chance */
  chance: Chance;
  mrn: string;
  startMs: number;
  /** a fresh number for orders and visits */
  nextNumber(): number;
}

/** One patient's way. */
export class Journey {
  readonly #chance: Chance;
  readonly #chart: Chart;
  readonly #body: Body;

  constructor(options: JourneyOptions) {
    const { chance, startMs } = options;
    this.#chance = chance;
    this.#chart = new Chart({ ...options, person: makePerson(chance, startMs) });
    this.#body = new Body(chance, Math.abs(chance.normal()), startMs);
  }

  /** Pauses and messages, in order of time. */
  *steps(): Generator<Pause | Draft> {
    const kind = this.#chance.between(1, 100);
    if (kind <= 45) yield* this.#emergency();
    else if (kind <= 75) yield* this.#elective();
    else yield* this.#outpatient();
  }

  *#emergency(): Generator<Pause | Draft> {
    const chart = this.#chart;
    const { person, mrn } = chart;
    // some come without a name: registered under a temporary number, merged when they are known
    const isUnknown = this.#chance.happens(0.06);
    if (isUnknown) {
      chart.mrn = `TMP${mrn}`;
      chart.person = {
        ...person,
        family: "Unknown",
        given: "Unknown",
        middle: "",
        birthDate: "",
        street: "",
        phone: "",
      };
    }
    chart.patientClass = "E";
    chart.move("ED");
    yield chart.adt("A04", "ADT_A01", chart.clinical());
    yield* this.#vitals(10 * MINUTE_MS);
    yield* this.#laboratory("CBC");
    if (isUnknown) {
      yield this.#pause(40 * MINUTE_MS);
      Object.assign(chart, { mrn, person });
      yield chart.merge(`TMP${mrn}`);
      yield chart.adt("A08", "ADT_A01");
    }
    yield* this.#laboratory("BMP");
    if (this.#chance.happens(0.3)) yield* this.#xray();
    yield this.#pause(2 * HOUR_MS);
    if (this.#chance.happens(0.45)) yield* this.#stay();
    else yield* this.#discharge("01");
  }

  *#elective(): Generator<Pause | Draft> {
    this.#chart.patientClass = "P";
    yield this.#chart.adt("A05", "ADT_A05", this.#chart.clinical());
    yield this.#pause(18 * HOUR_MS);
    yield* this.#stay();
  }

  *#outpatient(): Generator<Pause | Draft> {
    const chart = this.#chart;
    yield chart.adt("A04", "ADT_A01", chart.clinical());
    yield* this.#vitals(15 * MINUTE_MS);
    yield* this.#laboratory("LIPID");
    if (this.#chance.happens(0.5)) yield* this.#laboratory("BMP");
    if (this.#chance.happens(0.1)) {
      chart.person = { ...chart.person, phone: makePerson(this.#chance, chart.nowMs).phone };
      yield chart.adt("A31", "ADT_A05", [], false);
    }
    yield* this.#discharge("01");
  }

  *#stay(): Generator<Pause | Draft> {
    const chart = this.#chart;
    if (chart.patientClass !== "E") chart.admittedMs = chart.nowMs;
    chart.patientClass = "I";
    chart.move(this.#chance.pick(chart.facility.bedWards));
    yield chart.adt("A01", "ADT_A01", chart.clinical());
    if (this.#chance.happens(0.02)) {
      // admitted to the wrong account, taken back, done again
      yield this.#pause(10 * MINUTE_MS);
      yield chart.adt("A11", "ADT_A09");
      yield this.#pause(10 * MINUTE_MS);
      yield chart.adt("A01", "ADT_A01");
    }
    const days = 1 + this.#chance.duration(3);
    for (let day = 1; day <= days; day++) {
      yield* this.#laboratory("CBC");
      yield* this.#laboratory("BMP");
      for (let round = 0; round < 4; round++) yield* this.#vitals(5 * HOUR_MS);
      if (day < days) yield* this.#change();
    }
    if (this.#body.illnessAt(chart.nowMs) > 1 && this.#chance.happens(0.3)) {
      chart.died = hl7Timestamp(chart.nowMs);
      yield* this.#discharge("20");
    } else yield* this.#discharge(this.#chance.pick(["01", "01", "01", "06", "03"]));
  }

  // what a day may bring
  *#change(): Generator<Pause | Draft> {
    const chart = this.#chart;
    const inIntensiveCare = chart.place.ward === "ICU";
    if (!inIntensiveCare && this.#chance.happens(0.12)) {
      this.#body.worsen(1.5, chart.nowMs);
      yield* this.#transfer("ICU");
      yield* this.#vitals(HOUR_MS);
      if (this.#chance.happens(0.5)) yield* this.#xray();
    } else if (inIntensiveCare && this.#body.illnessAt(chart.nowMs) < 1.2) {
      yield* this.#transfer(this.#chance.pick(chart.facility.bedWards));
    } else if (this.#chance.happens(0.08)) {
      yield chart.adt("A08", "ADT_A01");
    }
  }

  *#transfer(ward: string): Generator<Pause | Draft> {
    yield this.#pause(30 * MINUTE_MS);
    this.#chart.move(ward);
    yield this.#chart.adt("A02", "ADT_A02");
  }

  *#discharge(disposition: string): Generator<Pause | Draft> {
    const chart = this.#chart;
    yield this.#pause(HOUR_MS);
    chart.dischargedMs = chart.nowMs;
    chart.disposition = disposition;
    yield chart.adt("A03", "ADT_A03");
    chart.facility.leave(chart.place);
  }

  *#laboratory(panel: Panel): Generator<Pause | Draft> {
    const chart = this.#chart;
    yield this.#pause(20 * MINUTE_MS);
    const { draft, placer } = chart.order(panel);
    const drawnMs = chart.nowMs;
    yield draft;
    yield this.#pause(50 * MINUTE_MS);
    yield chart.results(panel, this.#body.measure(panel, chart.nowMs), { placer, drawnMs });
  }

  *#vitals(afterMs: number): Generator<Pause | Draft> {
    yield this.#pause(afterMs);
    yield this.#chart.vitals(this.#body.measure("VITALS", this.#chart.nowMs));
  }

  *#xray(): Generator<Pause | Draft> {
    yield this.#pause(HOUR_MS);
    yield this.#chart.report(["IMPRESSION:", this.#chance.pick(REPORT), this.#chance.pick(REPORT)]);
  }

  #pause(meanMs: number): Pause {
    this.#chart.nowMs += this.#chance.duration(meanMs);
    return { atMs: this.#chart.nowMs };
  }
}
