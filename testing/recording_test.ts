import assert from "node:assert/strict";
import { logged } from "./given_message.ts";
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

Deno.test("recording: a history as the command line prints it is that history: ids, times, texts and bytes", () => {
  const lines = [
    {
      key: "patient/H/1",
      seq: 7,
      id: "a",
      at: 5e12,
      type: "admit",
      contentType: "application/json",
      body: { ward: 1 },
    },
    { key: "patient/H/1", seq: 8, id: "b", at: 6e12, type: "", contentType: "text/plain", body: "a note" },
    {
      key: "patient/H/1",
      seq: 9,
      id: "c",
      at: 7e12,
      type: "x",
      contentType: "image/png",
      body: "AP8=",
      encoding: "base64",
    },
    {
      key: "patient/H/1",
      seq: 10,
      id: "d",
      at: 8e12,
      type: "",
      contentType: "application/json",
      body: "ew==",
      encoding: "base64",
    },
  ];
  const [history] = historiesIn(recordingOf(lines.map((line) => JSON.stringify(line)).join("\n")));
  const text = (bytes: Uint8Array) => new TextDecoder("latin1").decode(bytes);
  assert.deepEqual(logged(history).map(({ payload, ...rest }) => ({ ...rest, payload: text(payload) })), [
    { id: "a", at: 5e12, type: "admit", contentType: "application/json", payload: '{"ward":1}' },
    { id: "b", at: 6e12, type: "", contentType: "text/plain", payload: "a note" },
    { id: "c", at: 7e12, type: "x", contentType: "image/png", payload: "\0\xff" },
    { id: "d", at: 8e12, type: "", contentType: "application/json", payload: "{" },
  ]);
  const line = '{"key":"H/1","body":1';
  assert.throws(() => recordingOf(`${line},"at":"today"}`), /line 1 .* its at must be a number/);
  assert.throws(() => recordingOf(`${line},"id":1}`), /its id must be a text/);
  assert.throws(() => recordingOf(`${line},"encoding":"base64"}`), /its body must be base64/);
  assert.throws(() => recordingOf(`${line},"encoding":"gzip"}`), /its encoding must be base64/);
});
