/**
 * People who do not exist. Given names follow sex, surnames mix as they do in a city; telephone numbers are from the
 * range kept free for fiction (555-0100 to 555-0199).
 *
 * @module
 */
import type { Chance } from "./hospital_chance.ts";

/** A patient as registered. */
export interface Person {
  family: string;
  given: string;
  middle: string;
  prefix: string;
  sex: "F" | "M";
  /** `YYYYMMDD` */
  birthDate: string;
  ageYears: number;
  street: string;
  apartment: string;
  city: string;
  state: string;
  postalCode: string;
  phone: string;
  mobile: string;
  maritalStatus: string;
  language: string;
  ssnLast4: string;
  kin: { family: string; given: string; relation: [string, string]; phone: string };
}

const FEMALE = [
  ..."Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Nancy Lisa Margaret Sandra".split(" "),
  ..."Ashley Emily Donna Michelle Carol Amanda Dorothy Melissa Deborah Stephanie Rebecca Laura Helen Sharon".split(" "),
  ..."Guadalupe Rosa Mei Aiko Priya Fatima Olga Ingrid Zoë Chloé Anaïs Thandiwe Amara Leilani Yetunde Soo-jin".split(
    " ",
  ),
];
const MALE = [
  ..."James Robert John Michael David William Richard Joseph Thomas Charles Christopher Daniel Matthew".split(" "),
  ..."Anthony Mark Donald Steven Andrew Paul Joshua Kenneth Kevin Brian George Timothy Ronald Jason Edward".split(" "),
  ..."José Luis Wei Hiroshi Arjun Omar Dmitri Lars Björn François Kwame Tunde Kai Mateo Young-ho Søren".split(" "),
];
const FAMILY = [
  ..."Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez".split(" "),
  ..."Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark".split(" "),
  ..."Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill Flores Green Adams".split(" "),
  ..."Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Müller Kowalski O'Brien O'Connor Núñez".split(" "),
  ..."Okafor Mensah Patel Sharma Chen Wang Kim Park Tanaka Sato Ivanova Haddad Rossi Dubois Lindqvist".split(" "),
  "St. John",
  "van der Berg",
  "de la Cruz",
];
const STREETS = [
  ..."Maple Oak Cedar Pine Elm Walnut Chestnut Willow Birch Church Main Park Washington Lincoln Jackson".split(" "),
  ..."Highland Prospect Spring Ridge Lake River Mill College Franklin Sunset Meadow Hillcrest Magnolia".split(" "),
  "Martin Luther King Jr",
  "Old Hickory",
];
const SUFFIXES = ["St", "Ave", "Rd", "Dr", "Ln", "Blvd", "Ct", "Pike"];
const CITIES = [
  ["Nashville", "TN", "372", "615"],
  ["Franklin", "TN", "370", "615"],
  ["Murfreesboro", "TN", "371", "629"],
  ["Dallas", "TX", "752", "214"],
  ["Plano", "TX", "750", "972"],
  ["Tampa", "FL", "336", "813"],
  ["Orlando", "FL", "328", "407"],
  ["Salt Lake City", "UT", "841", "801"],
  ["Provo", "UT", "846", "385"],
] as const;
const RELATIONS: [string, string][] = [["SPO", "Spouse"], ["CHD", "Child"], ["PAR", "Parent"], ["SIB", "Sibling"]];

/** A person who comes to hospital at `atMs`: more often old than young, as they do. */
export function makePerson(chance: Chance, atMs: number): Person {
  const sex = chance.happens(0.53) ? "F" : "M";
  const ageYears = Math.min(99, Math.max(0, Math.round(58 + chance.normal() * 22)));
  const birth = new Date(atMs - (ageYears * 365.25 + chance.between(0, 364)) * 86_400_000);
  const [city, state, zip, area] = chance.pick(CITIES);
  const phone = () => `(${area})555-01${chance.digits(3).slice(1)}`;
  const family = chance.pick(FAMILY);
  const given = chance.pick(sex === "F" ? FEMALE : MALE);
  return {
    family,
    given,
    middle: chance.happens(0.7) ? String.fromCharCode(65 + chance.between(0, 25)) : "",
    prefix: sex === "M" ? "Mr" : chance.happens(0.5) ? "Mrs" : "Ms",
    sex,
    birthDate: birth.toISOString().slice(0, 10).replaceAll("-", ""),
    ageYears,
    street: `${chance.between(1, 9899)} ${chance.pick(STREETS)} ${chance.pick(SUFFIXES)}`,
    apartment: chance.happens(0.25) ? `Apt ${chance.between(1, 40)}${chance.pick(["", "A", "B"])}` : "",
    city,
    state,
    postalCode: `${zip}${chance.between(10, 99)}`,
    phone: phone(),
    mobile: chance.happens(0.8) ? phone() : "",
    maritalStatus: ageYears < 20 ? "S" : chance.pick(["M", "M", "M", "S", "D", "W"]),
    language: chance.happens(0.85) ? "en" : chance.pick(["es", "zh", "vi", "ar", "ko"]),
    ssnLast4: chance.digits(4),
    kin: {
      family: chance.happens(0.7) ? family : chance.pick(FAMILY),
      given: chance.pick(chance.happens(0.5) ? FEMALE : MALE),
      relation: chance.pick(RELATIONS),
      phone: phone(),
    },
  };
}
