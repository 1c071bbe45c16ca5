/**
 * A hospital region that does not exist: patients come, are examined, moved, treated, sent home, and every step is an
 * HL7 v2.5 message, as interface engines see them. From one seed comes the same text, byte by byte.
 *
 * Journeys interleave as time goes: some two hundred patients are under way at once, however many there are in all, so
 * a million patients take no more memory than a thousand.
 *
 * @module
 */
import { Chance } from "./hospital_chance.ts";
import { header } from "./hospital_hl7.ts";
import type { Draft } from "./hospital_chart.ts";
import { Journey, type Pause } from "./hospital_journey.ts";
import { Facility } from "./hospital_places.ts";

/** What a region has. */
export interface HospitalOptions {
  /** what comes of chance */
  seed: number;
  /** names of the facilities, as in MSH-4; default four */
  facilities?: string[];
  /** how many patients come in all */
  patients: number;
  /** simulated time of the first arrival, ms since 1970; default 2026-01-01 */
  startMs?: number;
}

/** One message. */
export interface HospitalMessage {
  facility: string;
  /** PID-3.1 */
  patientId: string;
  /** MSH-10, never the same twice in a run */
  controlId: string;
  /** `ADT^A01` */
  type: string;
  /** simulated time, ms since 1970; never goes back from message to message */
  atMs: number;
  /** the message, segments ended by CR */
  text: string;
}

interface Running {
  step: Pause | Draft;
  rest: Generator<Pause | Draft>;
  facility: string;
  /** breaks ties */
  order: number;
}

// 200 patients under way who stay three days on average
const ARRIVAL_MEAN_MS = 3 * 86_400_000 / 200;

/**
 * Makes a region's messages.
 *
 * @example
 * ```ts
 * import { Hospital } from "./hospital.ts";
 * const [first] = new Hospital({ seed: 1, patients: 3 }).messages();
 * if (!first.text.startsWith("MSH|")) throw new Error("unreachable");
 * ```
 */
export class Hospital {
  readonly #options: Required<HospitalOptions>;

  constructor(options: HospitalOptions) {
    this.#options = {
      facilities: ["HOSPX", "MERCY", "STLUKE", "CEDAR"],
      startMs: Date.UTC(2026, 0, 1, 7),
      ...options,
    };
  }

  /** All messages in order of time; each call begins anew and gives the same. */
  *messages(): Generator<HospitalMessage> {
    const { seed, facilities: names, patients, startMs } = this.#options;
    const chance = new Chance(seed);
    const facilities = names.map((name, i) => new Facility(name, seed * 31 + i));
    let number = 100_000;
    const nextNumber = () => ++number;
    const underWay: Running[] = [];
    let arrivalMs = startMs;
    let arrived = 0;
    let sent = 0;
    for (;;) {
      while (arrived < patients && (underWay.length === 0 || arrivalMs <= underWay[0].step.atMs)) {
        const facility = chance.pick(facilities);
        const journey = new Journey({
          facility,
          chance: new Chance(seed * 1_000_003 + arrived + 1),
          mrn: String(1_000_000 + arrived * 7 + chance.between(0, 6)),
          startMs: arrivalMs,
          nextNumber,
        });
        const rest = journey.steps();
        const first = rest.next();
        if (!first.done) insert(underWay, { step: first.value, rest, facility: facility.name, order: arrived });
        arrived++;
        arrivalMs += chance.duration(ARRIVAL_MEAN_MS);
      }
      const running = underWay.shift();
      if (running === undefined) return;
      const { step, facility } = running;
      if (step.segments !== undefined) {
        const controlId = `WP${String(++sent).padStart(9, "0")}`;
        const { atMs, patientId, type, application, structure, segments } = step;
        const msh = header({ facility, application, type, structure, controlId, atMs });
        yield { facility, patientId, controlId, type, atMs, text: [msh, ...segments].join("\r") + "\r" };
      }
      const next = running.rest.next();
      if (!next.done) insert(underWay, { ...running, step: next.value });
    }
  }
}

// kept sorted by time; a few hundred entries, so a binary search and a splice do
function insert(underWay: Running[], running: Running): void {
  let low = 0;
  let high = underWay.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const other = underWay[middle];
    const isBefore = other.step.atMs < running.step.atMs ||
      (other.step.atMs === running.step.atMs && other.order < running.order);
    if (isBefore) low = middle + 1;
    else high = middle;
  }
  underWay.splice(low, 0, running);
}
