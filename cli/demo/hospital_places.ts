/**
 * A hospital's wards, beds and doctors. Two patients are never in one bed: beds are taken and given back in the order
 * of time in which journeys run.
 *
 * @module
 */
import { Chance } from "./hospital_chance.ts";

/** A bed, or a place without one. */
export interface Place {
  ward: string;
  room: string;
  bed: string;
}

/** A doctor. */
export interface Doctor {
  id: string;
  family: string;
  given: string;
  service: string;
}

interface Ward {
  name: string;
  service: string;
  rooms: number;
  bedsPerRoom: number;
}

const WARDS: Ward[] = [
  { name: "ED", service: "EMR", rooms: 24, bedsPerRoom: 1 },
  { name: "5W", service: "MED", rooms: 18, bedsPerRoom: 2 },
  { name: "6E", service: "MED", rooms: 18, bedsPerRoom: 2 },
  { name: "4S", service: "SUR", rooms: 16, bedsPerRoom: 2 },
  { name: "3N", service: "CAR", rooms: 14, bedsPerRoom: 2 },
  { name: "ICU", service: "CCM", rooms: 12, bedsPerRoom: 1 },
];

const DOCTORS: [string, string, string][] = [
  ["Reyes", "Carmen", "EMR"],
  ["Novak", "Peter", "EMR"],
  ["Iyer", "Lakshmi", "MED"],
  ["Bennett", "Grace", "MED"],
  ["Adeyemi", "Samuel", "MED"],
  ["Fischer", "Jörg", "SUR"],
  ["Whitaker", "Anne", "SUR"],
  ["Tran", "Linh", "CAR"],
  ["Goldberg", "Noah", "CAR"],
  ["Osei", "Abena", "CCM"],
];

/** One hospital. */
export class Facility {
  /** MSH-4 */
  readonly name: string;
  readonly #free = new Map<string, Place[]>();
  readonly #doctors: Doctor[];

  constructor(name: string, seed: number) {
    this.name = name;
    const chance = new Chance(seed);
    for (const { name: ward, rooms, bedsPerRoom } of WARDS) {
      const beds: Place[] = [];
      for (let room = 1; room <= rooms; room++) {
        for (let bed = 0; bed < bedsPerRoom; bed++) {
          beds.push({ ward, room: `${ward}${String(room).padStart(2, "0")}`, bed: String.fromCharCode(65 + bed) });
        }
      }
      this.#free.set(ward, beds);
    }
    this.#doctors = DOCTORS.map(([family, given, service]) => ({ id: `1${chance.digits(9)}`, family, given, service }));
  }

  /** Wards for patients who stay, without intensive care. */
  get bedWards(): string[] {
    return ["5W", "6E", "4S", "3N"];
  }

  /** A free bed in the ward; when it is full, its hallway. */
  take(ward: string): Place {
    return this.#free.get(ward)?.shift() ?? { ward, room: "HALL", bed: "" };
  }

  /** Gives a bed back; it is cleaned and comes last. */
  leave(place: Place): void {
    if (place.bed !== "") this.#free.get(place.ward)?.push(place);
  }

  /** A doctor of the ward. */
  doctorOf(ward: string, chance: Chance): Doctor {
    const service = serviceOf(ward);
    return chance.pick(this.#doctors.filter((doctor) => doctor.service === service));
  }
}

/** PV1-10 of a ward. */
export function serviceOf(ward: string): string {
  return WARDS.find(({ name }) => name === ward)?.service ?? "MED";
}
