import assert from "node:assert/strict";
import fc from "fast-check";
import type { FoldAnswer } from "../actors/mod.ts";
import { ByteReader } from "../wire/mod.ts";
import { decodeFold, decodeHostFrame, encodeAnswer, encodeFold, encodeTexts, FrameCutter } from "./host_protocol.ts";
import { effect } from "./sdk.ts";

Deno.test("frames come out as they went in, however the stream is cut", () => {
  const frames = fc.array(fc.uint8Array({ minLength: 0, maxLength: 40 }), { maxLength: 8 });
  fc.assert(fc.property(frames, fc.array(fc.nat(50)), (bodies, cuts) => {
    const stream = Uint8Array.from(bodies.flatMap((body) => [...encodeTexts(9, [], body)]));
    const cutter = new FrameCutter();
    const out: number[][] = [];
    let at = 0;
    for (const size of [...cuts, stream.length]) {
      for (const frame of cutter.push(stream.subarray(at, at + size))) out.push([...frame]);
      at += size;
    }
    assert.deepEqual(out, bodies.map((body) => [9, ...body]));
  }));
  assert.throws(() => new FrameCutter().push(Uint8Array.of(255, 255, 255, 255, 1)), /a frame of/);
});

Deno.test("a request and its answers survive the way", () => {
  const message = { id: "m1", seq: 8, atMs: 1e12, type: "admit", contentType: "text/plain" };
  const frame = encodeFold(7, {
    plugin: "census",
    hash: "v1",
    key: "patient/H/ä",
    birth: 5,
    after: 7,
    wantProjections: true,
    resultsAfter: Infinity,
    fresh: true,
    switches: { a: true },
    messages: [{ ...message, payload: new TextEncoder().encode("grüße") }],
  });
  const reader = new ByteReader(frame.subarray(4));
  reader.u8();
  const { call, request } = decodeFold(reader);
  const { key, birth, after, fresh, switches, resultsAfter } = request;
  assert.deepEqual(
    { call, key, birth, after, fresh, switches, resultsAfter },
    { call: 7, key: "patient/H/ä", birth: 5, after: 7, fresh: true, switches: '{"a":true}', resultsAfter: Infinity },
  );
  assert.deepEqual(request.rows, [{ id: "m1", at: 1e12, type: "admit", contentType: "text/plain", raw: "grüße" }]);

  const digest = "0123456789abcdef";
  const answers: FoldAnswer[] = [
    { state: "behind", at: 3 },
    { state: "down", lonely: false, code: "plugin_host/not-loaded" },
    { state: "fault", at: 2, code: "c", message: "m", stack: "s", results: [{ seq: 1, effects: [], digest }] },
    {
      state: "ok",
      at: 1,
      results: [{ seq: 1, effects: [effect.emit({ type: "e", body: Uint8Array.of(200) })], digest }],
    },
  ];
  for (const answer of answers) {
    const told = decodeHostFrame(encodeAnswer(5, { answer, projections: undefined }).subarray(4));
    assert.deepEqual(told, { word: "answer", call: 5, answer });
  }
});

Deno.test("nothing that the host's process could say is believed unseen", () => {
  const kinds = fc.constantFrom(11, 12, 13, 14, 99);
  fc.assert(fc.property(kinds, fc.uint8Array({ maxLength: 60 }), (kind, rest) => {
    const bytes = Uint8Array.of(kind, ...rest);
    try {
      decodeHostFrame(bytes);
    } catch (error) {
      assert.equal((error as { code: string }).code, "wire/bad-payload");
    }
  }));
  const digest = "0123456789abcdef";
  for (const effects of [[{ type: "http" }], Array(101).fill(effect.reply(1))]) {
    const answer = { state: "ok", at: 1, results: [{ seq: 1, effects, digest }] } as unknown as FoldAnswer;
    assert.throws(() => decodeHostFrame(encodeAnswer(1, { answer, projections: undefined }).subarray(4)));
  }
});
