import assert from "node:assert/strict";
import { joined } from "./byte_stream.ts";
import { comparisonTable, type Measurement, median, medians } from "./comparison.ts";
import { FrameReader, writeErlangFrame } from "./erlang_frames.ts";
import { isPublished, natsPublish, NatsReader } from "./nats_protocol.ts";
import { RespReader, type RespReply, respText } from "./resp.ts";

const ENCODER = new TextEncoder();
const bytesOf = (text: string) => ENCODER.encode(text);

/** Hands over the bytes in every way to cut them once, and at last one by one. */
function cutEverywhere(bytes: Uint8Array, read: (chunks: Uint8Array[]) => void): void {
  for (let at = 0; at <= bytes.length; at++) read([bytes.slice(0, at), bytes.slice(at)]);
  read(Array.from(bytes, (byte) => Uint8Array.of(byte)));
}

Deno.test("Redis's replies are read wherever the bytes were cut", () => {
  const text = "+OK\r\n$15\r\n1795410626465-0\r\n:3\r\n$-1\r\n$0\r\n\r\n-ERR no\r\n$4\r\na\r\nb\r\n";
  const wanted: RespReply[] = [
    { kind: "simple", value: "OK" },
    { kind: "bulk", value: "1795410626465-0" },
    { kind: "integer", value: 3 },
    { kind: "bulk", value: null },
    { kind: "bulk", value: "" },
    { kind: "error", value: "ERR no" },
    { kind: "bulk", value: "a\r\nb" },
  ];
  cutEverywhere(bytesOf(text), (chunks) => {
    const replies: RespReply[] = [];
    const reader = new RespReader((reply) => replies.push(reply));
    for (const chunk of chunks) reader.push(chunk);
    assert.deepEqual(replies, wanted);
  });
  assert.throws(() => new RespReader(() => {}).push(bytesOf("what?\r\n")), /must begin with/);
});

Deno.test("a command for Redis says its words and their lengths", () => {
  assert.equal(respText(["WAIT", "2", "0"]), "*3\r\n$4\r\nWAIT\r\n$1\r\n2\r\n$1\r\n0\r\n");
});

Deno.test("what a NATS server says is read wherever the bytes were cut", () => {
  const text = `INFO {}\r\nPING\r\nMSG _I.a.7 1 13\r\n{"seq":1}\r\n  \r\nMSG _I.a.8 1 _R 2\r\n{}\r\n`;
  cutEverywhere(bytesOf(text), (chunks) => {
    const heard: string[] = [];
    const reader = new NatsReader({
      onMessage: (subject, payload) => heard.push(`${subject} ${new TextDecoder().decode(payload)}`),
      onPing: () => heard.push("ping"),
    });
    for (const chunk of chunks) reader.push(chunk);
    assert.deepEqual(heard, ["ping", `_I.a.7 {"seq":1}\r\n  `, "_I.a.8 {}"]);
  });
  const deaf = { onMessage: () => {}, onPing: () => {} };
  assert.throws(() => new NatsReader(deaf).push(bytesOf("-ERR 'no'\r\n")), /-ERR/);
});

Deno.test("a NATS message names its answer's inbox; an error is no publication", () => {
  assert.equal(natsPublish("p.H1.2", "_I.a.7", "{}"), "PUB p.H1.2 _I.a.7 2\r\n{}\r\n");
  assert.equal(isPublished(bytesOf(`{"stream":"WP","seq":1}`)), true);
  assert.equal(isPublished(bytesOf(`{"error":{"code":503}}`)), false);
});

Deno.test("frames for Erlang are laid out as its program reads them, and read wherever the bytes were cut", () => {
  const bytes = new Uint8Array(100);
  const stream = { room: (_: number) => ({ bytes, at: 3 }) };
  writeErlangFrame(stream, [{ number: 258, message: { key: "a/b", body: "{}" } }]);
  assert.deepEqual([...bytes.subarray(3, 19)], [0, 0, 0, 12, 0, 0, 1, 2, 3, 97, 47, 98, 0, 2, 123, 125]);
  cutEverywhere(Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1, 0, 0, 0, 2), (chunks) => {
    const frames: number[][] = [];
    const reader = new FrameReader((view, from, to) => {
      frames.push(Array.from({ length: (to - from) / 4 }, (_, i) => view.getUint32(from + 4 * i)));
    });
    for (const chunk of chunks) reader.push(chunk);
    assert.deepEqual(frames, [[9], [], [1, 2]]);
  });
});

Deno.test("what was left over comes first", () => {
  assert.deepEqual(joined(Uint8Array.of(1), Uint8Array.of(2)), Uint8Array.of(1, 2));
});

const run = (name: string, messagesPerSecond: number, cpuUsPerMessage: number): Measurement => ({
  name,
  inFlight: 64,
  messagesPerSecond,
  p50Us: 100,
  p99Us: 2000,
  cpuUsPerMessage,
});

Deno.test("rounds come down to their medians", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  const rows = medians([run("a", 10, 1), run("b", 5, 9), run("a", 30, 2), run("a", 20, 9)]);
  assert.deepEqual(
    rows.map(({ name, runs, messagesPerSecond, cpuUsPerMessage }) => ({
      name,
      runs,
      messagesPerSecond,
      cpuUsPerMessage,
    })),
    [
      { name: "a", runs: 3, messagesPerSecond: 20, cpuUsPerMessage: 2 },
      { name: "b", runs: 1, messagesPerSecond: 5, cpuUsPerMessage: 9 },
    ],
  );
});

Deno.test("ratios above 1 are in our favour, in every column", () => {
  const table = comparisonTable(medians([run("ours", 20, 2), run("theirs", 10, 8)]), "ours");
  assert.match(table, /^theirs +64 +10 +x2\.00 +100 us +x1\.00 +2\.00 ms +x1\.00 +8\.0 us +x4\.00$/m);
  assert.match(table, /^ours +64 +20 +100 us +2\.00 ms +2\.0 us$/m);
});
