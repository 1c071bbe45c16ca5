import assert from "node:assert/strict";
import fc from "fast-check";
import { foldPatient } from "../../plugins/patient/fold.ts";
import { NOBODY, type PatientState } from "../../plugins/patient/state.ts";
import { parseHl7, readHl7Route } from "../../runtime/wire/mod.ts";
import { Hospital } from "./hospital.ts";

Deno.test("hospital: one seed, one text; another seed, another", () => {
  fc.assert(
    fc.property(fc.nat(), fc.integer({ min: 1, max: 5 }), (seed, patients) => {
      const textOf = (s: number) => [...new Hospital({ seed: s, patients }).messages()].map((m) => m.text).join("\n");
      assert.equal(textOf(seed), textOf(seed));
      assert.notEqual(textOf(seed), textOf(seed + 1));
    }),
    { numRuns: 15 },
  );
});

Deno.test("hospital: every message is routed as it says, under its own control id, in order of time", () => {
  const seen = new Set<string>();
  let before = 0;
  for (const message of new Hospital({ seed: 7, patients: 150 }).messages()) {
    const answer = readHl7Route(new TextEncoder().encode(message.text));
    assert.deepEqual(answer, {
      state: "ok",
      route: {
        facility: message.facility,
        id: message.patientId,
        controlId: message.controlId,
        type: message.type,
        sendingFacility: message.facility,
      },
    });
    assert.ok(!seen.has(message.controlId));
    seen.add(message.controlId);
    assert.ok(message.atMs >= before);
    before = message.atMs;
    const view = parseHl7(message.text);
    assert.match(view.get("PID-5.1"), /^\p{L}/u);
    assert.equal(view.all("PID").length, 1);
    for (const segment of view.segments()) assert.match(segment.name, /^[A-Z][A-Z0-9]{2}$/);
    for (const obx of view.all("OBX")) if (obx.get(2) === "NM") assert.ok(Number(obx.get(5)) > 0, obx.text);
  }
  assert.ok(seen.size > 2000, `${seen.size} messages`);
});

Deno.test("hospital: the patient plugin makes sense of it", () => {
  const states = new Map<string, PatientState>();
  const beds = new Map<string, string>();
  const types = new Set<string>();
  for (const { text, facility, patientId, type } of new Hospital({ seed: 3, patients: 300 }).messages()) {
    const key = `${facility}/${patientId}`;
    const state = foldPatient(states.get(key) ?? NOBODY, parseHl7(text));
    states.set(key, state);
    types.add(type);
    const { visit } = state;
    for (const [bed, inIt] of beds) if (inIt === key) beds.delete(bed);
    for (const merge of state.mergedFrom) {
      for (const [bed, inIt] of beds) if (inIt === `${facility}/${merge.from}`) beds.delete(bed);
    }
    if (visit?.location?.bed && visit.status !== "discharged") {
      const bed = `${facility}/${visit.location.room}/${visit.location.bed}`;
      assert.ok(!beds.has(bed), `two patients in ${bed}`);
      beds.set(bed, key);
    }
  }
  const expected = "ADT^A01 ADT^A02 ADT^A03 ADT^A04 ADT^A05 ADT^A08 ADT^A11 ADT^A31 ADT^A40 ORM^O01 ORU^R01";
  assert.deepEqual([...types].sort(), expected.split(" "));
  const known = [...states.values()].filter((state) => !state.demographics.mrn?.startsWith("TMP"));
  assert.equal(known.length, 300);
  assert.ok(known.every((state) => state.visit?.status === "discharged"));
  assert.ok(known.some((state) => state.mergedFrom.length === 1));
  assert.ok(known.some((state) => state.demographics.isDead));
  const flags = known.flatMap((state) => Object.values(state.observations).map((o) => o.flag ?? "normal"));
  const normal = flags.filter((flag) => flag === "normal").length / flags.length;
  assert.ok(normal > 0.5 && normal < 0.95, `${normal} of the last results are normal`);
});
