import assert from "node:assert/strict";
import fc from "fast-check";
import { formatKey, parseKey } from "../base/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { LineReader } from "./body.ts";
import { FakeNode } from "./fake_node.ts";
import type { GatewayLimits } from "./limits.ts";
import { canonicalKey } from "./routing.ts";

function setUp(limits: Partial<GatewayLimits> = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const node = new FakeNode();
  const app = createApp(node, { world, limits });
  const send = (body: BodyInit, contentType = "application/x-ndjson") =>
    app.request("/v1/messages", {
      method: "POST",
      body,
      headers: { "content-type": contentType },
      duplex: "half",
    } as RequestInit);
  // deno-lint-ignore no-explicit-any
  const lines = async (body: string): Promise<any[]> =>
    (await (await send(body)).text()).trim().split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  return { app, node, send, lines, time };
}

const line = (key: string, id: string, more = {}) => JSON.stringify({ key, id, message: { type: "t" }, ...more });

Deno.test("each line has its answer, in order, under one sender", async () => {
  const { node, lines } = setUp();
  const answers = await lines([line("HOSPX/1", "a"), line("ward/HOSPX/2", "b"), line("HOSPX/1", "c")].join("\n"));
  assert.deepEqual(answers.map(({ key, id, seq }) => [key, id, seq]), [
    ["patient/HOSPX/1", "a", 1],
    ["ward/HOSPX/2", "b", 1],
    ["patient/HOSPX/1", "c", 2],
  ]);
  assert.equal(new Set(node.posted.map((request) => request.sender)).size, 1);
  assert.equal(node.posted[0].type, "t");
});

Deno.test("a bad line is an error in its place, the others go on", async () => {
  const { node, lines } = setUp({ bodyBytesMax: 200 });
  node.refusal = ({ id }) =>
    id === "busy"
      ? { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "Cannot", retryAfterMs: 50 }
      : null;
  const answers = await lines(
    [
      "{",
      "",
      "[]",
      "{}",
      line("a/b/c/d", "x"),
      line("HOSPX/1", "busy"),
      line("HOSPX/1", "long", { message: "x".repeat(300) }),
      line("HOSPX/1", "type", { contentType: "nonsense" }),
      line("HOSPX/1", "object as text", { contentType: "text/plain" }),
      line("HOSPX/1", "good"),
    ].join("\r\n"),
  );
  assert.deepEqual(answers.map(({ line, code }) => [line, code]), [
    [1, "gateway/bad-json"],
    [2, "gateway/bad-request"],
    [3, "gateway/bad-request"],
    [4, "base/bad-key"],
    [5, "mailroom/busy"],
    [6, "gateway/too-large"],
    [7, "gateway/bad-content-type"],
    [8, "gateway/bad-request"],
    [undefined, undefined],
  ]);
  assert.deepEqual([answers[4].status, answers[4].id, answers[4].retryAfterMs], [503, "busy", 50]);
  assert.equal(answers[8].id, "good");
});

Deno.test("an event of a history can be sent as it is shown", async () => {
  const { app, node, lines } = setUp();
  await lines([
    line("HOSPX/1", "a", { message: { v: 1 } }),
    line("HOSPX/1", "b", { message: "grüß", contentType: "text/plain" }),
    line("HOSPX/1", "c", { message: "AP8=", contentType: "image/png", encoding: "base64" }),
  ].join("\n"));
  const { events } = await (await app.request("/v1/actors/patient/HOSPX/1/history")).json();
  await lines(events.map((event: object) => JSON.stringify({ key: "HOSPX/2", ...event })).join("\n"));
  const kept = (key: string) => node.historyOf(key).map(({ contentType, payload }) => [contentType, ...payload]);
  assert.deepEqual(kept("HOSPX/2"), kept("HOSPX/1"));
});

Deno.test("an answer goes out before the next line comes in", async () => {
  const { app, send } = setUp();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const response = await send(readable);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  for (const id of ["a", "b"]) {
    writer.write(new TextEncoder().encode(line("HOSPX/1", id) + "\n"));
    assert.equal(JSON.parse((await reader.read()).value!).id, id);
  }
  assert.equal(app.streams.count, 1);
  writer.close();
  assert.equal((await reader.read()).done, true);
  assert.equal(app.streams.count, 0);
});

Deno.test("no more is read than may be in flight; what is in flight is answered when the gateway goes down", async () => {
  const { app, node, send } = setUp({ streamInFlightMax: 4 });
  const answers: (() => void)[] = [];
  const post = node.postNow;
  node.postNow = (request, done) => post(request, (answer) => answers.push(() => done(answer)));
  let sent = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode(line("HOSPX/1", `m${sent++}`) + "\n")),
  }, { highWaterMark: 0 });
  const response = await send(endless);
  const text = response.text();
  while (answers.length < 4) await Promise.resolve();
  for (let turn = 0; turn < 1000; turn++) await Promise.resolve();
  assert.equal(answers.length, 4);
  assert.ok(sent <= 6, `${sent} lines were fetched`);
  app.streams.closeAll();
  for (const answer of answers.reverse()) answer();
  const ids = (await text).trim().split("\n").map((line) => JSON.parse(line).id);
  assert.deepEqual(ids.slice(0, 4), ["m0", "m1", "m2", "m3"]);
  assert.equal(app.streams.count, 0);
});

Deno.test("a line without an answer in time has the deadline for one, and those behind it are answered", async () => {
  const { node, lines, time } = setUp();
  const post = node.postNow;
  node.postNow = (request, done) => request.id === "b" ? undefined : post(request, done);
  const answers = lines([line("HOSPX/1", "a"), line("HOSPX/1", "b"), line("HOSPX/1", "c")].join("\n"));
  while (node.posted.length < 2) await new Promise<void>((resolve) => queueMicrotask(resolve));
  time.runUntil(12_000);
  assert.deepEqual((await answers).map(({ line, id, code, outcome }) => [line, id, code, outcome]), [
    [undefined, "a", undefined, undefined],
    [2, undefined, "gateway/deadline", "unknown"],
    [undefined, "c", undefined, undefined],
  ]);
});

Deno.test("a key means the same in every spelling, looked at fast or slowly", () => {
  const part = fc.oneof(fc.constantFrom(".", "..", "a", "%2F", "ü", " ", "patient", "x".repeat(201)), fc.string());
  const slowly = (text: string) => {
    try {
      return formatKey(parseKey(text));
    } catch {
      return null;
    }
  };
  fc.assert(
    fc.property(fc.array(part, { maxLength: 4 }), (parts) => {
      const text = parts.join("/");
      const expected = slowly(text);
      if (expected === null) assert.throws(() => canonicalKey(text), { code: "base/bad-key" });
      else assert.equal(canonicalKey(text), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("anything but NDJSON is refused", async () => {
  const { send } = setUp();
  assert.equal((await send("[]", "application/json")).status, 415);
});

Deno.test("lines are the same however the bytes are cut", async () => {
  const lines = fc.array(fc.string({ minLength: 1 }).filter((text) => !/[\r\n]/.test(text)), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(lines, fc.array(fc.nat(40)), fc.boolean(), async (texts, cuts, endsByLine) => {
      const bytes = new TextEncoder().encode(texts.join("\r\n") + (endsByLine ? "\n" : ""));
      const ends = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].sort((a, b) =>
        a - b
      );
      const chunks = ends.slice(1).map((end, i) => bytes.slice(ends[i], end));
      const reader = new LineReader(ReadableStream.from(chunks), { lineBytesMax: 20 });
      const read: string[] = [];
      for (let next = await reader.next(); next !== null; next = await reader.next()) {
        read.push(
          next.state === "line" ? new TextDecoder("utf-8", { ignoreBOM: true }).decode(next.bytes) : "too long",
        );
      }
      assert.deepEqual(read, texts.map((text) => new TextEncoder().encode(text).length > 20 ? "too long" : text));
    }),
    { numRuns: 200 },
  );
});
