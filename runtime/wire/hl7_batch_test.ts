import assert from "node:assert/strict";
import fc from "fast-check";
import { hl7Pieces, Hl7View, isHl7Batch, joinHl7Batch, readHl7Number, readHl7Time, splitHl7Batch } from "./hl7.ts";

const one = (id: string) => `MSH|^~\\&|LAB|F|||||ADT^A08|${id}\rPID|||7\rZMS|MSH|x`;
const messages = (...ids: string[]) => ids.map((id) => Hl7View.read(one(id) + "\r") as Hl7View);

Deno.test("batch: a file of batches, a batch, and messages one behind the other", () => {
  const file = [
    "FHS|^~\\&|LAB||||||||f1",
    "BHS|^~\\&|LAB||||||||b1",
    one("1"),
    one("2"),
    "BTS|2",
    "BHS|^~\\&",
    one("3"),
    "BTS| 1",
    "FTS|2",
  ];
  for (const end of ["\r", "\n", "\r\n"]) {
    const batch = splitHl7Batch(file.join(end).replaceAll("\r", end));
    assert.deepEqual(batch.messages.map(({ controlId }) => controlId), ["1", "2", "3"]);
    assert.deepEqual(batch.messages[1].segments().map(({ name }) => name), ["MSH", "PID", "ZMS"]);
    assert.deepEqual([batch.controlId, batch.promised], ["b1", 3]);
  }
  assert.deepEqual(splitHl7Batch(one("1") + "\r" + one("2")).messages.length, 2);
  assert.equal(splitHl7Batch(one("1")).promised, null);
  assert.equal(splitHl7Batch(`BHS#!*?%#LAB########b#2\r${one("1")}\rBTS#7`).promised, 7);
  assert.equal(splitHl7Batch(`BHS|^~\\&\r${one("1")}\rBTS|`).promised, null);
  assert.deepEqual(splitHl7Batch("").messages, []);
  assert.throws(() => splitHl7Batch("BHS|^~\\&\rMSH"), TypeError);
  assert.deepEqual([isHl7Batch("FHS|"), isHl7Batch(new TextEncoder().encode("BHS|")), isHl7Batch(one("1"))], [
    true,
    true,
    false,
  ]);
});

Deno.test("batch: what is joined is split into the same messages", () => {
  fc.assert(fc.property(fc.array(fc.stringMatching(/^[a-z0-9]{1,5}$/), { maxLength: 5 }), (ids) => {
    const all = messages(...ids);
    const text = joinHl7Batch(all, { header: "WP|DC|||20260101||||b9" });
    const batch = splitHl7Batch(text);
    assert.deepEqual(batch.messages.map(String), all.map(String));
    assert.deepEqual([batch.controlId, batch.promised], ["b9", ids.length]);
  }));
});

Deno.test("batch: for any bytes the pieces are in order, and text and bytes are cut alike", () => {
  const line = fc.constantFrom("MSH|", "BHS", "FTS|1", "BTS", "FHS", "PID|1", "xMSH", "S", "H", "", " MSH", "HS");
  fc.assert(fc.property(fc.array(line, { maxLength: 12 }), fc.constantFrom("\r", "\n", "\r\n"), (lines, end) => {
    const text = lines.join(end);
    const pieces = hl7Pieces(text);
    assert.deepEqual(hl7Pieces(new TextEncoder().encode(text)), pieces);
    const expected = lines.filter((line) => /^(?:MSH|[FB][HT]S)/.test(line)).map((line) => line.slice(0, 3));
    assert.deepEqual(pieces.map(({ name }) => name), expected);
    for (const [i, { from, to, name }] of pieces.entries()) {
      assert.equal(to, pieces[i + 1]?.from ?? text.length);
      assert.equal(text.slice(from, from + 3), name);
    }
  }));
});

Deno.test("times and numbers are read as far as they are told", () => {
  const times = {
    "2026": "2026",
    "202605": "2026-05",
    "20260508": "2026-05-08",
    "2026050813": "2026-05-08T13:00",
    "202605081306": "2026-05-08T13:06",
    "20260508130643.1234+0200": "2026-05-08T13:06:43.1234+02:00",
    "2026-05-08": null,
    "": null,
    '""': null,
    "20260508130643x": null,
  };
  for (const [text, time] of Object.entries(times)) assert.equal(readHl7Time(text), time, text);
  const numbers = {
    "5.40": 5.4,
    "-3": -3,
    "+.5": 0.5,
    "7.": 7,
    ">200": null,
    "1e5": null,
    "": null,
    '""': null,
    "1,5": null,
  };
  for (const [text, number] of Object.entries(numbers)) assert.equal(readHl7Number(text), number, text);
});

Deno.test("groups: each order with what belongs to it", () => {
  const view = Hl7View.read("MSH|^~\\&|A\rPID|1\rOBR|1\rOBX|1\rNTE|1\rOBR|2\rOBX|2") as Hl7View;
  assert.deepEqual(view.groups("OBR").map((group) => group.map(({ text }) => text)), [["OBR|1", "OBX|1", "NTE|1"], [
    "OBR|2",
    "OBX|2",
  ]]);
  assert.deepEqual(view.groups("DG1"), []);
});
