import assert from "node:assert/strict";
import fc from "fast-check";
import { editHl7, escapeHl7, Hl7View, parseHl7, parseHl7Path } from "./hl7.ts";

const ORU = [
  "MSH|^~\\&|LAB|HOSPX|EHR|HQ|20260101120000||ORU^R01^ORU_R01|77|P|2.5|",
  "PID|1||1001^^^MRN~2002^^^NHS||O\\T\\Brien^Zoe",
  "OBR|1",
  "OBX|1|NM|GLU^Glucose||5.4|mmol/L",
  "NTE|1||see C:\\lab",
  "OBR|2",
  'OBX|2|TX|NOTE||""||||||',
  "ZBX",
].join("\r");

Deno.test("draft: what is set stands there, and nothing else has changed", () => {
  const lines = ORU.split("\r");
  const edited = editHl7(ORU)
    .set("MSH-5", "E|H^R")
    .set("PID-3[2].4.2", "1.2&3")
    .set("PID-3[4].1", 7)
    .set("PID-5.1", "Doe")
    .set("OBX[2]-5", "line 1\r\nline 2")
    .set("ZBX-3.2", 'a"\\')
    .done();
  assert.deepEqual(edited.text.split("\r"), [
    lines[0].replace("EHR", "E\\F\\H\\S\\R"),
    "PID|1||1001^^^MRN~2002^^^NHS&1.2\\T\\3~~7||Doe^Zoe",
    lines[2],
    lines[3],
    lines[4],
    lines[5],
    "OBX|2|TX|NOTE||line 1\\.br\\line 2||||||",
    'ZBX|||^a"\\E\\',
    "",
  ]);
  assert.equal(parseHl7(ORU).text, ORU, "the message itself is as it was");
});

Deno.test("draft: parts as arrays, repetitions, raw text, and deletion", () => {
  const draft = editHl7(ORU)
    .set("OBX-3", ["718-7", "Hemo & globin", "", "x", ["a", "", "b", ""], ""])
    .setAll("PID-3", [["1", "", "", ["MRN", "1.2"]], "2"])
    .setRaw("PID-5", "Doe^Jane~Roe^Jane")
    .set("OBX-5", '""').set("OBX[2]-5", "").setAll("OBX[2]-3", []);
  const message = draft.done();
  assert.equal(message.raw("OBX-3"), "718-7^Hemo \\T\\ globin^^x^a&&b");
  assert.equal(message.segments()[1].text, "PID|1||1^^^MRN&1.2~2||Doe^Jane~Roe^Jane");
  assert.equal(message.get("OBX-5"), '""');
  assert.equal(message.segments()[6].text, "OBX|2|TX|||||||||");
  for (
    const [number, text] of [[1e-7, "0.0000001"], [-2.5e-8, "-0.000000025"], [1e21, "1" + "0".repeat(21)], [0, "0"]]
  ) {
    assert.equal(draft.set("OBX-5", number as number).get("OBX-5"), text);
  }
});

Deno.test("draft: segments come, go and stand where they should", () => {
  const names = (draft: { segments(): { name: string }[] }) => draft.segments().map(({ name }) => name).join(" ");
  const draft = editHl7(ORU);
  draft.remove("OBX[2]").remove("NTE").remove("DG1").remove("OBX[9]");
  assert.equal(names(draft), "MSH PID OBR OBX OBR ZBX");
  draft.add("PV1", [1, "I", ["5W", "501"], "", ""], { after: "PID" }).add("ORC", [], { before: "OBR[2]" }).add("ZZZ", [
    "x",
  ]);
  assert.equal(names(draft), "MSH PID PV1 OBR OBX ORC OBR ZBX ZZZ");
  assert.equal(draft.segments()[2].text, "PV1|1|I|5W^501");
  draft.set("NTE-3", "made").set("NTE[2]-3", "too").addSegment(parseHl7(ORU).all("OBX")[1], { after: "MSH" });
  assert.equal(names(draft), "MSH OBX PID PV1 OBR OBX ORC OBR ZBX ZZZ NTE NTE");
  draft.keep(({ name }) => name === "OBX" || name === "NTE");
  assert.equal(names(draft), "MSH OBX OBX NTE NTE");
});

Deno.test("draft: what cannot be is the program's mistake, and says so", () => {
  const draft = editHl7(ORU);
  for (const path of ["MSH-1", "MSH-2", "PID", "PID-3[0]", "pid-3"]) {
    assert.throws(() => draft.set(path, "x"), TypeError, path);
  }
  assert.throws(() => draft.set("OBX[4]-1", "x"), RangeError);
  assert.throws(() => draft.set("OBX-5.1.1", ["x"]), TypeError);
  assert.throws(() => draft.set("OBX-5.1", [["x"]]), TypeError);
  assert.throws(() => draft.set("OBX-5", NaN), TypeError);
  assert.throws(() => draft.setRaw("OBX-5", "a|b"), TypeError);
  assert.throws(() => draft.setRaw("OBX-5", "a\rb"), TypeError);
  assert.throws(() => draft.add("MSH"), TypeError);
  assert.throws(() => draft.add("BHS"), TypeError);
  assert.throws(() => draft.add("obx"), TypeError);
  assert.throws(() => draft.add("OBX", [], { after: "DG1" }), RangeError);
  assert.throws(() => draft.add("OBX", [], { before: "MSH" }), RangeError);
  assert.throws(() => draft.remove("MSH"), TypeError);
  assert.throws(() => draft.setAll("PID-3.1", []), TypeError);
  assert.throws(() => draft.addSegment(parseHl7("MSH#^~\\&#A\rPID#1").all("PID")[0]), TypeError);
  assert.throws(() => editHl7("hello"), TypeError);
  assert.equal(draft.done().text, ORU + "\r", "nothing was done by halves");
});

const value = fc.string({
  unit: fc.constantFrom("a", "ä", "|", "^", "~", "\\", "&", "#", "!", "\n", "7", "X", " "),
  maxLength: 6,
});
const level = (most: number) => fc.integer({ min: 1, max: most });
const path = fc.tuple(
  fc.constantFrom("PID", "OBX[1]", "OBX[2]", "ZBX", "NTE[2]"),
  level(7),
  level(3),
  fc.nat(3),
  fc.nat(2),
).map(
  ([segment, field, repetition, component, subcomponent]) =>
    `${segment}-${field}[${repetition}]` + (component === 0 ? "" : `.${component}`) +
    (component === 0 || subcomponent === 0 ? "" : `.${subcomponent}`),
);

Deno.test("draft: for any address and text, get answers what was set, and every other address what it answered before", () => {
  for (const source of [ORU, ORU.replaceAll("|", "#").replaceAll("^", "!").replaceAll("\r", "\r\n")]) {
    fc.assert(fc.property(path, value, fc.array(path, { maxLength: 8 }), (at, text, others) => {
      const before = parseHl7(source);
      const after = editHl7(before).set(at, text).done();
      assert.equal(after.get(at), text);
      for (const other of others) if (!touches(at, other)) assert.equal(after.raw(other), before.raw(other), other);
      assert.equal(editHl7(after).set(at, before.get(at)).done().get(at), before.get(at));
    }));
  }
});

// whether one of two addresses is part of the other
function touches(a: string, b: string): boolean {
  const [x, y] = [a, b].map((text) => {
    const { segment, occurrence, field, repetition, component, subcomponent } = parseHl7Path(text);
    return [segment, occurrence, field, repetition, component, subcomponent];
  });
  // component 1 of what has no components is the whole, and the same below
  return x.every((part, i) => part === y[i] || (i >= 4 && (part === 0 || y[i] === 0)));
}

Deno.test("draft: unchanged it is the message, with CR at each segment's end", () => {
  fc.assert(fc.property(fc.array(fc.string({ unit: "binary", maxLength: 20 })), (lines) => {
    const text = ["MSH|^~\\&|A", ...lines].join("\n");
    const kept = text.split(/[\r\n]+/).filter((line) => line !== "");
    assert.equal(editHl7(text).done().text, kept.join("\r") + "\r");
    assert.equal(Hl7View.read(text)?.get("MSH-3"), "A");
    assert.equal(escapeHl7("a\r\nb\rc\nd"), "a\\.br\\b\\.br\\c\\.br\\d");
  }));
});
