import assert from "node:assert/strict";
import fc from "fast-check";
import { parseHl7 } from "../../runtime/wire/mod.ts";
import { foldPatient } from "./fold.ts";
import { LIMITS, NOBODY, type PatientState } from "./state.ts";

/** A message as ADT senders write it; further segments as they are. */
function adt(event: string, pv1 = "", ...more: string[]): string {
  return [
    `MSH|^~\\&|EHR|HOSPX|||20260102030405||ADT^${event}|c${event}|P|2.5`,
    `EVN|${event}|20260102030400`,
    "PID|1||1001^^^MRN^MR~77^^^NHS||Doe^Jane^Q^^Dr||19800203|F|||1 Road^Apt 2^Town^ST^12345^US^H||555-1^HOME~555-2",
    ...(pv1 === "" ? [] : [`PV1|1|${pv1}`]),
    ...more,
  ].join("\r");
}

const fold = (...messages: string[]): PatientState =>
  messages.reduce((state, text) => foldPatient(state, parseHl7(text)), NOBODY);

const visitOf = (...messages: string[]) => {
  const { visit } = fold(...messages);
  return [visit?.status, visit?.class, visit?.location?.pointOfCare ?? null, visit?.location?.bed ?? null];
};

Deno.test("patient: an admission tells who and where", () => {
  const { demographics, visit, lastMessage, messages } = fold(
    adt(
      "A01",
      `I|5W^12^B^HOSP^^^MAIN^5||||C1^House^Greg^^^Dr|||MED${"|".repeat(9)}V9${"|".repeat(25)}20260102030000`,
    ),
  );
  assert.deepEqual(demographics.identifiers, [
    { id: "1001", authority: "MRN", type: "MR" },
    { id: "77", authority: "NHS", type: null },
  ]);
  assert.deepEqual(demographics.name, { family: "Doe", given: "Jane", middle: "Q", suffix: null, prefix: "Dr" });
  assert.deepEqual([demographics.mrn, demographics.birthDate, demographics.sex], ["1001", "1980-02-03", "F"]);
  assert.deepEqual(demographics.address?.city, "Town");
  assert.deepEqual(demographics.phones, ["555-1", "555-2"]);
  assert.equal(demographics.isDead, false);
  assert.deepEqual(visit?.location, {
    pointOfCare: "5W",
    room: "12",
    bed: "B",
    facility: "HOSP",
    building: "MAIN",
    floor: "5",
  });
  assert.deepEqual([visit?.status, visit?.class, visit?.number], ["admitted", "I", "V9"]);
  assert.deepEqual(visit?.attending, { id: "C1", family: "House", given: "Greg", prefix: "Dr" });
  assert.equal(visit?.admittedAt, "2026-01-02T03:00:00");
  assert.deepEqual(lastMessage, { type: "ADT^A01", controlId: "cA01", at: "2026-01-02T03:04:05" });
  assert.deepEqual(messages, { "ADT^A01": 1 });
});

Deno.test("patient: what each event does to the visit", () => {
  const a01 = adt("A01", "I|5W^12^B");
  assert.deepEqual(visitOf(adt("A05", "P|")), ["pre-admitted", "P", null, null]);
  assert.deepEqual(visitOf(adt("A04", "|ED^1^2")), ["registered", "O", "ED", "2"]);
  assert.deepEqual(visitOf(a01, adt("A02", "I|ICU^1^3")), ["admitted", "I", "ICU", "3"]);
  assert.deepEqual(visitOf(a01, adt("A02", "I|ICU^1^3"), adt("A12", "I|")), ["admitted", "I", "5W", "B"]);
  assert.deepEqual(visitOf(a01, adt("A03", "I|")), ["discharged", "I", "5W", "B"]);
  assert.equal(fold(a01, adt("A03", "I|")).visit?.dischargedAt, "2026-01-02T03:04:00");
  assert.deepEqual(visitOf(a01, adt("A03", "I|"), adt("A13", "I|")), ["admitted", "I", "5W", "B"]);
  assert.deepEqual(visitOf(a01, adt("A11", "I|")), ["cancelled", "I", "5W", "B"]);
  assert.deepEqual(visitOf(adt("A04", "O|ED"), adt("A06", "|5W^1^1")), ["admitted", "I", "5W", "1"]);
  assert.deepEqual(visitOf(a01, adt("A07", "")), ["admitted", "I", "5W", "B"], "without PV1 nothing moves");
  assert.deepEqual(visitOf(a01, adt("A07", "O|OPD")), ["registered", "O", "OPD", null]);
  assert.deepEqual(visitOf(a01, adt("A08", "I|5W^12^C")), ["admitted", "I", "5W", "C"]);
  assert.deepEqual(visitOf(a01, adt("A21", "I|")), ["on-leave", "I", "5W", "B"]);
  assert.deepEqual(visitOf(a01, adt("A21", "I|"), adt("A22", "I|")), ["admitted", "I", "5W", "B"]);
  assert.deepEqual(visitOf(a01, adt("A23")), [undefined, undefined, null, null]);
  const announced = fold(a01, adt("A15", "I|5W^12^B" + "|".repeat(39) + "ICU^9^9")).visit;
  assert.deepEqual([announced?.location?.pointOfCare, announced?.pending?.location?.pointOfCare], ["5W", "ICU"]);
  assert.equal(fold(a01, adt("A15", "I|"), adt("A26", "I|")).visit?.pending, null);
});

Deno.test("patient: a new stay is a new visit, the old one is kept", () => {
  const number = (n: string) => `I|5W^1^1${"|".repeat(16)}${n}`;
  const { visit, earlierVisits } = fold(adt("A01", number("V1")), adt("A03", number("V1")), adt("A01", number("V2")));
  assert.deepEqual([visit?.number, visit?.status, visit?.dischargedAt], ["V2", "admitted", null]);
  assert.deepEqual(earlierVisits.map((v) => [v.number, v.status]), [["V1", "discharged"]]);
});

Deno.test("patient: empty keeps, two quotes delete, laboratories only add", () => {
  const pid = (fields: string) => `MSH|^~\\&|E|H|||20260101||ADT^A08|1|P|2.5\rPID|||1001||${fields}`;
  assert.equal(fold(adt("A01", "I|"), pid("Smith^Jane")).demographics.sex, "F");
  assert.equal(fold(adt("A01", "I|"), pid('Smith^Jane||""|""')).demographics.sex, null);
  assert.equal(fold(adt("A01", "I|"), pid("Smith^Jane")).demographics.name?.family, "Smith");
  const lab = pid("Stale^Name").replace("ADT^A08", "ORU^R01") + "\rPV1|1|E|LAB";
  const { demographics, visit } = fold(adt("A01", "I|5W"), lab);
  assert.deepEqual([demographics.name?.family, visit?.location?.pointOfCare], ["Doe", "5W"]);
  assert.deepEqual([fold(lab).demographics.name?.family, fold(lab).visit?.status], ["Stale", "unknown"]);
});

Deno.test("patient: the last observation per code, by its own time", () => {
  const oru = (...obx: string[]) =>
    ["MSH|^~\\&|L|H|||20260101||ORU^R01|1|P|2.5", "PID|||1001", "ORC|RE|P1|F1||CM", "OBR|1|P1|F1|BMP^Basic||", ...obx]
      .join("\r");
  const glucose = (value: string, at: string, status = "F") =>
    `OBX|1|NM|GLU^Glucose^LN||${value}|mg/dL|70-99|H|||${status}|||${at}`;
  const { observations, orders } = fold(oru(glucose("101", "20260102"), glucose("90", "20260101")));
  assert.deepEqual(observations.GLU, {
    code: "GLU",
    text: "Glucose",
    system: "LN",
    value: "101",
    valueType: "NM",
    units: "mg/dL",
    range: "70-99",
    flag: "H",
    status: "F",
    at: "2026-01-02",
  });
  assert.deepEqual(orders.P1, { number: "P1", code: "BMP", text: "Basic", control: "RE", status: "CM", at: null });
  assert.equal(fold(oru(glucose("1", "20260102")), oru(glucose("2", "20260102"))).observations.GLU.value, "2");
  assert.deepEqual(fold(oru(glucose("1", "20260102")), oru(glucose("", "20260102", "D"))).observations, {});
  const note = (line: string) => `OBX|1|TX|NOTE^Note||${line}||||||F`;
  assert.equal(fold(oru(note("one"), note("two"))).observations.NOTE.value, "one\ntwo");
});

Deno.test("patient: merges, allergies, diagnoses, documents, death", () => {
  const merged = fold(adt("A40", "", "MRG|2002^^^MRN^MR"), adt("A40", "", "MRG|2002^^^MRN^MR"));
  assert.deepEqual(merged.mergedFrom.map((merge) => merge.from), ["2002"]);
  const sick = fold(adt("A01", "I|", "AL1|1|DA|PEN^Penicillin|SV|Hives|2020", "DG1|1||I10^Hypertension||20260101|A"));
  assert.deepEqual(sick.allergies[0], {
    code: "PEN",
    text: "Penicillin",
    type: "DA",
    severity: "SV",
    reaction: "Hives",
    since: "2020",
  });
  assert.deepEqual(sick.diagnoses, [{ code: "I10", text: "Hypertension", type: "A", at: "2026-01-01" }]);
  const mdm =
    "MSH|^~\\&|E|H|||20260101||MDM^T02|9|P|2.5\rPID|||1001\rTXA|1|PN||20260101||||||||D1\rOBX|1|TX|N||a\rOBX|2|TX|N||b";
  assert.deepEqual(fold(mdm, mdm).documents.map((d) => [d.id, d.text]), [["D1", "a\nb"]]);
  const dead = fold(adt("A03", "I|").replace(/^PID.*$/m, `PID|||1001${"|".repeat(26)}20260103|Y`));
  assert.deepEqual([dead.demographics.isDead, dead.demographics.diedAt], [true, "2026-01-03"]);
});

Deno.test("patient: any message leaves plain, bounded data, and changes nothing that it was given", () => {
  const name = fc.constantFrom("PID", "PV1", "OBX", "ORC", "OBR", "AL1", "DG1", "MRG", "TXA", "EVN", "ZZZ");
  const line = fc.tuple(name, fc.stringMatching(/^[A-Z0-9|^~&\\". ]{0,60}$/)).map(([n, rest]) => `${n}|${rest}`);
  const type = fc.constantFrom(
    "ADT^A01",
    "ADT^A12",
    "ADT^A40",
    "ORU^R01",
    "ORM^O01",
    "MDM^T02",
    "__proto__",
    "",
    "X^Y",
  );
  const message = fc.tuple(type, fc.array(line, { maxLength: 8 })).map(([t, lines]) =>
    [`MSH|^~\\&|E|H|||2026||${t}|1|P|2.5`, ...lines].join("\r")
  );
  fc.assert(fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
    let state = NOBODY;
    for (const text of messages) {
      const before = JSON.stringify(state);
      const next = foldPatient(state, parseHl7(text));
      assert.equal(JSON.stringify(state), before);
      assert.equal(JSON.stringify(foldPatient(state, parseHl7(text))), JSON.stringify(next), "deterministic");
      assert.deepEqual(JSON.parse(JSON.stringify(next)), next, "plain");
      state = next;
    }
  }));
  const many = Array.from({ length: LIMITS.observations + 50 }, (_, i) => `OBX|1|NM|C${i}||${i}||||||F|||${2000 + i}`);
  const { observations } = fold(["MSH|^~\\&|L|H|||2026||ORU^R01|1|P|2.5", ...many].join("\r"));
  assert.equal(Object.keys(observations).length, LIMITS.observations);
  assert.ok(observations.C549 !== undefined && observations.C0 === undefined, "the oldest give way");
});
