import assert from "node:assert/strict";
import { Hl7Message } from "@medplum/core";
import { Hospital } from "../../cli/demo/hospital.ts";
import { buildAck, parseHl7, readHl7Route, unescapeHl7 } from "../../runtime/wire/mod.ts";
import { testWithSimhospital } from "./simhospital.ts";

/** Compares every component of every message; answers how many there were. */
function compare(messages: Iterable<Uint8Array>): number {
  let values = 0;
  for (const bytes of messages) {
    const ours = parseHl7(bytes);
    // theirs takes what follows the last CR for a segment
    const theirs = Hl7Message.parse(new TextDecoder().decode(bytes).replace(/\r$/, ""));
    assert.equal(ours.segments().length, theirs.segments.length);
    theirs.segments.forEach((segment, s) => {
      const mine = ours.segments()[s];
      assert.equal(mine.name, segment.name);
      if (segment.name === "MSH") return;
      assert.equal(mine.length, segment.fields.length - 1);
      segment.fields.forEach((field, f) => {
        if (f === 0) return;
        field.components.forEach((components, r) =>
          components.forEach((_, c) => {
            values++;
            // theirs leaves escapes as they are
            const expected = unescapeHl7(segment.getComponent(f, c + 1, undefined, r));
            assert.equal(mine.get(`${f}[${r + 1}].${c + 1}`), expected);
          })
        );
        if (field.toString() !== "") assert.equal(mine.count(f), field.components.length);
      });
    });
    for (let field = 1; field <= 18; field++) {
      assert.equal(ours.get(`MSH-${field}`), theirs.header.getField(field)?.toString() ?? "", `MSH-${field}`);
    }
  }
  return values;
}

testWithSimhospital(
  "hl7: every component of the simulated hospital's messages is where @medplum/core finds it",
  (all) => {
    assert.equal(all.length, 1013);
    const values = compare(all);
    assert.ok(values > 30_000, `${values} values compared`);
  },
);

Deno.test("hl7: every component of our own hospital's messages is where @medplum/core finds it", () => {
  const encoder = new TextEncoder();
  const messages = new Hospital({ seed: 11, patients: 40 }).messages().map(({ text }) => encoder.encode(text));
  assert.ok(compare(messages) > 30_000);
});

testWithSimhospital("hl7: the route is the one that @medplum/core would take", (all) => {
  const patients = new Set<string>();
  for (const bytes of all) {
    const theirs = Hl7Message.parse(new TextDecoder().decode(bytes));
    const answer = readHl7Route(bytes);
    assert.deepEqual(answer, {
      state: "ok",
      route: {
        facility: theirs.header.getComponent(4, 1),
        id: theirs.getSegment("PID")?.getComponent(3, 1),
        controlId: theirs.header.getComponent(10, 1),
        type: `${theirs.header.getComponent(9, 1)}^${theirs.header.getComponent(9, 2)}`,
        sendingFacility: theirs.header.getComponent(4, 1),
      },
    });
    if (answer.state === "ok") patients.add(answer.route.id);
  }
  assert.equal(patients.size, 403);
});

testWithSimhospital("hl7: the acknowledgement says what @medplum/core's says", (all) => {
  for (const bytes of all) {
    const theirs = Hl7Message.parse(new TextDecoder().decode(bytes)).buildAck();
    const ours = Hl7Message.parse(
      new TextDecoder().decode(buildAck({ message: bytes, code: "AA", now: "20260101000000", id: "1" })),
    );
    for (const field of [1, 2, 3, 4, 5, 6, 12]) {
      assert.equal(ours.header.getField(field)?.toString(), theirs.header.getField(field)?.toString(), `MSH-${field}`);
    }
    assert.equal(ours.header.getComponent(9, 1), "ACK");
    for (const field of [1, 2]) {
      assert.equal(
        ours.getSegment("MSA")?.getField(field).toString(),
        theirs.getSegment("MSA")?.getField(field).toString(),
      );
    }
  }
});
