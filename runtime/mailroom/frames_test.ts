import assert from "node:assert/strict";
import fc from "fast-check";
import { ByteWriter, type ProposeAnswer } from "../wire/mod.ts";
import { readAnswerFrame, writeAnswerItem } from "./answer_frame.ts";
import { beginBundle, compressBundle, endBundle } from "./bundle_frame.ts";
import { type DeliverItem, readDeliverFrame, writeDeliverItem } from "./deliver_frame.ts";

/** Objects as we make them: with a prototype, nothing left out. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(model, { noNullPrototype: true });
const whole = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const text = fc.string({ unit: "grapheme", maxLength: 12 });

const item: fc.Arbitrary<DeliverItem> = record({
  requestId: fc.nat({ max: 0xffffffff }),
  shard: fc.nat({ max: 1024 }),
  proposal: record({
    key: text,
    id: text,
    type: text,
    contentType: text,
    atMs: whole,
    payload: fc.uint8Array({ maxLength: 300 }),
    order: fc.option(record({ sender: text.filter((name) => name !== ""), a: whole, b: whole, term: whole })),
    ifMatch: fc.oneof(fc.constant(-1), whole),
  }).map(({ order, ...rest }) => ({
    ...rest,
    sender: order?.sender ?? "",
    n: order === null ? 0 : Math.max(order.a, order.b),
    oldest: order === null ? 0 : Math.min(order.a, order.b),
    term: order?.term ?? 0,
  })),
});

const answer: fc.Arbitrary<ProposeAnswer> = fc.oneof(
  record({
    state: fc.constant("recorded" as const),
    duplicate: fc.boolean(),
    receipt: record({
      key: fc.constant(""),
      id: fc.constant(""),
      seq: whole,
      shard: text,
      generation: whole,
      term: whole,
      index: whole,
      writer: text,
      copies: fc.array(text, { maxLength: 7 }),
      digest: text,
    }),
  }),
  record({
    state: fc.constant("moved" as const),
    hint: fc.option(record({ shard: fc.nat({ max: 1024 }), generation: whole, term: whole, writer: whole })),
  }),
  record({ state: fc.constant("gap" as const), expected: whole }),
  record({ state: fc.constant("mismatch" as const), seq: whole }),
  record({ state: fc.constant("busy" as const), retryAfterMs: whole }),
  record({ state: fc.constantFrom("conflict" as const, "unknown" as const) }),
);

Deno.test("frames: what was written is read, compressed or not", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 20 }), fc.boolean(), (items, compressed) => {
      const writer = new ByteWriter();
      beginBundle(writer, 5);
      for (const one of items) writeDeliverItem(writer, one);
      const frame = endBundle(writer, items.length);
      const read = readDeliverFrame(compressed ? compressBundle(frame) : frame);
      assert.equal(read.frameNumber, 5);
      assert.deepEqual(read.items, items);
    }),
    { numRuns: 100 },
  );
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
      const items = answers.map((one, requestId) => ({ requestId, answer: one }));
      const writer = new ByteWriter();
      beginBundle(writer, 1);
      for (const one of items) writeAnswerItem(writer, one);
      assert.deepEqual(readAnswerFrame(compressBundle(endBundle(writer, items.length))), items);
    }),
    { numRuns: 100 },
  );
});

Deno.test("frames: what unpacks to more than it says, or than a frame, is refused", () => {
  const writer = new ByteWriter();
  beginBundle(writer, 1);
  writer.raw(new Uint8Array(1_000_000));
  const frame = compressBundle(endBundle(writer, 1));
  assert.ok(frame.length < 10_000);
  for (const length of [0, 100, 999_999, 17 * 1024 * 1024, 0xffffffff]) {
    const lying = frame.slice();
    new DataView(lying.buffer).setUint32(1, length, true);
    assert.throws(() => readDeliverFrame(lying), { code: "wire/bad-payload" });
  }
  assert.throws(() => readDeliverFrame(frame.subarray(0, frame.length - 4)), { code: "wire/bad-payload" });
});
