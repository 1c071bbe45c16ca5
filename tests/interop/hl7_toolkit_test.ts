/**
 * The HL7 toolkit beside `@medplum/core`, and inside the sandbox that handlers live in.
 */
import assert from "node:assert/strict";
import { Hl7Message } from "@medplum/core";
import fc from "fast-check";
import * as door from "../../mod.ts";
import { bundlePlugin, rawOf, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { PluginContext } from "../../runtime/plugin_host/plugin_context.ts";
import * as sdk from "../../runtime/plugin_host/sdk.ts";
import { acknowledgeHl7, editHl7, parseHl7 } from "../../runtime/wire/mod.ts";
import { Hospital } from "../../cli/demo/hospital.ts";

const messages = new Hospital({ seed: 5, patients: 8 }).messages().map(({ text }) => text);

Deno.test("toolkit: what is set by path, @medplum/core sets and finds in the same place", () => {
  const text = fc.stringMatching(/^[a-zA-Z0-9äß .,-]{0,8}$/);
  const place = fc.record({
    name: fc.constantFrom("PID", "PV1", "EVN", "MSH"),
    field: fc.integer({ min: 3, max: 30 }),
    component: fc.integer({ min: 1, max: 8 }),
    repetition: fc.integer({ min: 1, max: 3 }),
  });
  let compared = 0;
  fc.assert(
    fc.property(fc.constantFrom(...messages), place, text, (source, at, value) => {
      const theirs = Hl7Message.parse(source);
      const segment = theirs.getSegment(at.name);
      if (segment === undefined) return;
      compared++;
      const { field, component, repetition } = at;
      const ours = editHl7(source).set(`${at.name}-${field}[${repetition}].${component}`, value).done();
      const found = Hl7Message.parse(ours.text).getSegment(at.name);
      assert.equal(found?.getComponent(field, component, undefined, repetition - 1) ?? "", value);
      // theirs writes the first repetition only, and cannot make a field grow
      if (repetition === 1 && segment.setComponent(field, component, value)) {
        assert.equal(found?.toString(), segment.toString());
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(compared > 200, `${compared} compared`);
});

Deno.test("toolkit: an acknowledgement of every kind of message is read by @medplum/core", () => {
  for (const text of messages) {
    const view = parseHl7(text);
    const ack = Hl7Message.parse(acknowledgeHl7(view, { code: "CA", id: "1", at: 0 }).done().text);
    assert.equal(ack.getSegment("MSA")?.getComponent(1, 1), "CA");
    assert.equal(ack.getSegment("MSA")?.getComponent(2, 1), view.controlId);
    assert.equal(ack.header.getComponent(9, 1), "ACK");
  }
});

Deno.test("toolkit: plugins find in the bundle's door all that the package's door says they have", () => {
  const names =
    "acknowledgeHl7 editHl7 encodeHl7 escapeHl7 HL7_CONTENT_TYPE Hl7Draft Hl7Segment hl7Timestamp Hl7View joinHl7Batch " +
    "newHl7 parseHl7 readHl7Number readHl7Time splitHl7Batch unescapeHl7";
  for (const name of names.split(" ")) {
    const inBundle = (sdk as Record<string, unknown>)[name];
    assert.ok(inBundle !== undefined && inBundle === (door as Record<string, unknown>)[name], name);
  }
});

const HANDLER = `
import { acknowledgeHl7, defineHandler, editHl7, effect, HL7_CONTENT_TYPE, Hl7View, joinHl7Batch, newHl7, parseHl7, splitHl7Batch } from "@waterpark/waterpark";
export default defineHandler({
  name: "outbound", kind: "patient", initial: { is: false, out: "", ack: "", made: "", split: 0 },
  handle(_key, _projections, message) {
    const out = editHl7(message.body).set("MSH-5", "EHR & co").remove("NTE").set("ZPI-1", message.seq).done();
    const ack = acknowledgeHl7(message.body, { code: "AA", id: message.id, at: message.at }).done();
    const made = newHl7({ type: "ADT^A08", id: message.id, at: message.at }).add("PID", [1, "", message.body.get("PID-3.1")]).done();
    const split = splitHl7Batch(joinHl7Batch([out, made])).messages.length;
    const sent = effect.send({ kind: "out", facility: "H", id: "1" }, { type: out.type, contentType: HL7_CONTENT_TYPE, body: out.text });
    return ["ok", { is: message.body instanceof Hl7View, out: out.text, ack: parseHl7(ack.text).get("MSA-2"), made: made.get("PID-3"), split }, [sent]];
  },
});`;

Deno.test("toolkit: it works where handlers live, and a handler that leaves it alone does not carry it", async () => {
  try {
    const bundle = await bundlePlugin(`data:application/typescript,${encodeURIComponent(HANDLER)}`);
    const program = new PluginContext(new TextDecoder().decode(bundle.bytes), "outbound");
    const text = "MSH|^~\\&|LAB|H|||x||ORU^R01|9|P|2.5\rPID|1||7\rNTE|1\r";
    const raw = rawOf("x-application/hl7-v2+er7", new TextEncoder().encode(text));
    program.open(1, "patient", "H", "7", 0);
    const row = { id: "m1", at: 0, type: "ORU^R01", contentType: "x-application/hl7-v2+er7", raw };
    const answer = program.run(1, [row], JSON.stringify({}), "{}", 1000) ?? "";
    const [header, projections] = answer.split("\n");
    assert.equal(JSON.parse(header).fault, null, header);
    assert.deepEqual(JSON.parse(projections), {
      is: true,
      out: "MSH|^~\\&|LAB|H|EHR \\T\\ co||x||ORU^R01|9|P|2.5\rPID|1||7\rZPI|1\r",
      ack: "9",
      made: "7",
      split: 2,
    });
    const bare = HANDLER.replace(/handle\([^]*?\n {2}\},/, "handle: (_key, projections) => ['ok', projections, []],");
    const without = await bundlePlugin(`data:application/typescript,${encodeURIComponent(bare)}`);
    assert.ok(without.bytes.length < bundle.bytes.length - 8_000, `${without.bytes.length} of ${bundle.bytes.length}`);
    assert.ok(!new TextDecoder().decode(without.bytes).includes("TextDecoder"));
  } finally {
    await stopBundler();
  }
});
