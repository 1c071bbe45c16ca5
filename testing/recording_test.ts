import assert from "node:assert/strict";
import { historiesIn, recordingOf } from "./recording.ts";

const ADMIT = "MSH|^~\\&|EHR|HOSPX|||20260101||ADT^A01|1|P|2.5\rPID|1||1001^^^MRN";

Deno.test("recording: HL7, whatever ends its lines, is addressed by its own fields", () => {
  for (const end of ["\r", "\n", "\r\n"]) {
    const text = `${ADMIT}\r${ADMIT.replace("1001", "1002")}\r`.replaceAll("\r", end);
    const recording = recordingOf(text);
    assert.deepEqual(recording.map(({ key }) => key), [
      { kind: "patient", facility: "HOSPX", id: "1001" },
      { kind: "patient", facility: "HOSPX", id: "1002" },
    ]);
    assert.equal(recording[0].message, ADMIT);
  }
  assert.throws(() => recordingOf(ADMIT.replace("1001", "")), /message 1 .* PID-3\.1 is empty/);
});

Deno.test("recording: NDJSON as it is posted", () => {
  const recording = recordingOf(
    '{"key":"H/1","message":{"type":"admit"}}\n\n{"key":"ward/H/5W","type":"note","message":"full"}\n',
  );
  assert.deepEqual(recording.map(({ key }) => key), ["H/1", "ward/H/5W"]);
  assert.deepEqual(historiesIn(recording, "ward").map((history) => history.length), [1]);
  assert.throws(() => recordingOf('{"key":"H/1","message":1}\n{'), /line 2 .* no JSON/);
  assert.throws(() => recordingOf('{"message":1}'), /no key/);
  assert.throws(() => recordingOf('{"key":"a/b/c/d","message":1}'), /4 parts/);
  assert.throws(() => recordingOf('{"key":"H/1"}'), /no message/);
});

Deno.test("recording: histories are by actor, in order", () => {
  const keys = ["H/1", "H/2", "patient/H/1"];
  const histories = historiesIn(keys.map((key, i) => ({ key, message: { i } })));
  assert.deepEqual(histories, [[{ i: 0 }, { i: 2 }], [{ i: 1 }]]);
});
