import assert from "node:assert/strict";
import fc from "fast-check";
import { WaterparkError } from "../base/mod.ts";
import { AnswerBatchReader, AnswerBatchWriter } from "./answer_batch.ts";
import { decodeHello, decodeNames, encodeHello, encodeNames } from "./client_protocol.ts";
import { type OutgoingPost, PostBatchReader } from "./post_batch.ts";
import { PostBatchWriter } from "./post_batch_writer.ts";

const text = fc.string({ unit: "grapheme", maxLength: 30 });
const post: fc.Arbitrary<OutgoingPost> = fc.record({
  key: text,
  id: text,
  type: fc.option(text),
  contentType: fc.constantFrom("application/json", "text/plain", "x/ü"),
  payload: fc.oneof(text, fc.uint8Array({ maxLength: 200 })),
  ifMatch: fc.integer({ min: -1, max: 0xffff_fffe }),
  handled: fc.boolean(),
  sender: fc.nat(0xffff),
  requestId: fc.nat(),
});
const bytesOf = (payload: string | Uint8Array) =>
  typeof payload === "string" ? new TextEncoder().encode(payload) : payload;

/** As a socket hands it over: a buffer of its own. */
function sent(bytes: Uint8Array, room: number): ArrayBuffer {
  return bytes.slice(room).buffer as ArrayBuffer;
}

function readPosts(reader: PostBatchReader, batch: ArrayBuffer) {
  const posts: unknown[] = [];
  reader.open(batch);
  while (reader.next()) {
    const { key, id, type, contentType, payload, ifMatch, handled, sender, requestId } = reader;
    posts.push({ key, id, type, contentType, payload: payload.slice(), ifMatch, handled, sender, requestId });
  }
  return posts;
}

Deno.test("posts are read as they were written, batch after batch, whatever their texts are", () => {
  fc.assert(fc.property(fc.array(fc.array(post, { maxLength: 20 }), { maxLength: 4 }), fc.nat(14), (batches, room) => {
    const writer = new PostBatchWriter(room);
    const reader = new PostBatchReader();
    for (const posts of batches) {
      const batch = sent(writer.encode(posts, { from: 0, to: posts.length, epoch: 7 }), room);
      const read = readPosts(reader, batch);
      assert.deepEqual(read, posts.map((post) => ({ ...post, payload: Uint8Array.from(bytesOf(post.payload)) })));
      assert.equal(reader.epoch, 7);
    }
  }));
});

Deno.test("a connection knows 255 media types at a time, and then begins anew", () => {
  const writer = new PostBatchWriter();
  const reader = new PostBatchReader();
  const about = { key: "k", id: "i", type: "", payload: "", ifMatch: -1, handled: false, sender: 0, requestId: 0 };
  for (let n = 0; n < 3; n++) {
    const posts = Array.from({ length: 300 }, (_, i) => ({ ...about, contentType: `a/${n * 100 + i}` }));
    assert.equal(PostBatchWriter.typesEnd(posts, 0, 300), 255);
    for (const [from, to] of [[0, 255], [255, 300]]) {
      const read = readPosts(reader, sent(writer.encode(posts, { from, to, epoch: 0 }), 0)) as OutgoingPost[];
      assert.deepEqual(read.map((post) => post.contentType), posts.slice(from, to).map((post) => post.contentType));
    }
  }
});

const name = fc.constantFrom("TN-A-1", "TX-A-1", "FL-B-2", "UT-A-12");
const receipt = fc.record({
  key: text,
  id: text,
  seq: fc.integer({ min: 1, max: 0xffff_ffff }),
  shard: fc.constantFrom("S00/000", "S05/017", "S15/063", "SYS/000"),
  generation: fc.integer({ min: 1, max: 0xffff_ffff }),
  term: fc.maxSafeNat(),
  index: fc.integer({ min: 1, max: 0xffff_ffff }),
  writer: name,
  copies: fc.array(name, { maxLength: 6 }),
  digest: fc.stringMatching(/^[0-9a-f]{16}$/),
});
const refusal = fc.record({
  code: fc.constantFrom("mailroom/busy", "base/bad-key"),
  outcome: fc.constantFrom("not-applied" as const, "applied" as const, "unknown" as const),
  message: text,
  status: fc.constantFrom(400, 503),
  retryAfterMs: fc.option(fc.nat(), { nil: undefined }),
  seq: fc.option(fc.nat(), { nil: undefined }),
});

Deno.test("answers are read as they were written", () => {
  const numbers: Record<string, number> = { "S00/000": 0, "S05/017": 337, "S15/063": 1023, "SYS/000": 1024 };
  const answer = fc.oneof(
    fc.record({ receipt, duplicate: fc.boolean(), handled: fc.option(text, { nil: undefined }) }),
    refusal,
  );
  fc.assert(fc.property(fc.array(answer, { maxLength: 20 }), (answers) => {
    const names: string[] = [];
    const writer = new AnswerBatchWriter((name) => names.includes(name) ? names.indexOf(name) : names.push(name) - 1);
    answers.forEach((answer, id) =>
      "receipt" in answer ? writer.recorded(id, answer.receipt, answer) : writer.refused(id, answer)
    );
    const reader = new AnswerBatchReader();
    assert.equal(reader.open(writer.take(3).slice()), answers.length);
    answers.forEach((answer, id) => {
      assert.ok(reader.next());
      assert.deepEqual([reader.requestId, reader.epoch, reader.isRefused], [id, 3, !("receipt" in answer)]);
      if ("receipt" in answer) {
        const { seq, generation, term, index, writer, copies, digest } = answer.receipt;
        assert.deepEqual(
          [reader.seq, reader.generation, reader.term, reader.index, names[reader.writer], reader.digest, reader.shard],
          [seq, generation, term, index, writer, digest, numbers[answer.receipt.shard]],
        );
        assert.deepEqual(Array.from({ length: reader.copies }, (_, i) => names[reader.copy(i)]), copies);
        assert.deepEqual([reader.duplicate, reader.handled], [answer.duplicate, answer.handled ?? ""]);
      } else {
        const { code, outcome, message, status, retryAfterMs = -1, seq = -1 } = answer;
        assert.deepEqual(
          [reader.code, reader.outcome, reader.message, reader.status, reader.retryAfterMs, reader.seq],
          [code, outcome, message, status, retryAfterMs, seq],
        );
      }
    });
    assert.equal(reader.next(), false);
    assert.equal(writer.count, 0);
  }));
});

Deno.test("what has been tampered with is read, or refused as such, and never half posted", () => {
  const spoil = fc.array(fc.record({ at: fc.double({ min: 0, max: 0.999, noNaN: true }), to: fc.nat(255) }), {
    minLength: 1,
    maxLength: 4,
  });
  const spoilt = (bytes: Uint8Array, spoils: { at: number; to: number }[], cut: number) => {
    const copy = bytes.slice(0, bytes.length - Math.floor(cut * bytes.length));
    for (const { at, to } of spoils) if (copy.length > 0) copy[Math.floor(at * copy.length)] = to;
    return copy;
  };
  const cut = fc.constantFrom(0, 0, 0.1, 0.9);
  let refused = 0;
  const expectRefusal = (error: unknown) => {
    assert.ok(error instanceof WaterparkError && error.code === "wire/bad-payload", String(error));
    refused++;
  };
  fc.assert(
    fc.property(fc.array(post, { minLength: 1, maxLength: 5 }), spoil, cut, (posts, spoils, cut) => {
      const batch = new PostBatchWriter().encode(posts, { from: 0, to: posts.length, epoch: 0 });
      const reader = new PostBatchReader();
      try {
        reader.open(spoilt(batch, spoils, cut).buffer as ArrayBuffer);
      } catch (error) {
        return expectRefusal(error);
      }
      // Once a batch is open nothing is thrown any more.
      while (reader.next()) assert.equal(typeof reader.contentType, "string");
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.array(receipt, { minLength: 1, maxLength: 5 }), spoil, cut, (receipts, spoils, cut) => {
      const writer = new AnswerBatchWriter(() => 0);
      receipts.forEach((receipt, id) => writer.recorded(id, receipt, { duplicate: false }));
      writer.refused(9, { code: "a/b", outcome: "unknown", message: "c", status: 503 });
      const reader = new AnswerBatchReader();
      try {
        reader.open(spoilt(writer.take(0), spoils, cut));
        while (reader.next());
      } catch (error) {
        expectRefusal(error);
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(refused > 100, `${refused}`);
});

Deno.test("a batch whose lengths do not add up is refused before its first post", () => {
  const post = {
    key: "k",
    id: "i",
    type: "t",
    contentType: "a/b",
    payload: "p",
    ifMatch: -1,
    handled: false,
    sender: 0,
  };
  const batch = new PostBatchWriter().encode([{ ...post, requestId: 1 }], { from: 0, to: 1, epoch: 0 }).slice();
  const lengths = { posts: 2, texts: 4, types: 12, payload: 13 + 8, key: 13 + 12, id: 13 + 14, type: 13 + 16 };
  for (const [what, at] of Object.entries(lengths)) {
    for (const by of [1, -1]) {
      const spoilt = batch.slice();
      spoilt[at] += by;
      assert.throws(() => new PostBatchReader().open(spoilt.buffer), { code: "wire/bad-payload" }, what);
    }
  }
  assert.equal(new PostBatchReader().open(batch.buffer), 1);
});

Deno.test("hellos and names", () => {
  const hello = { node: "TN-A-1", windowMessages: 512, windowBytes: 1 << 24, batchBytesMax: 9, messageBytesMax: 8 };
  assert.deepEqual(decodeHello(encodeHello(hello)), hello);
  const names = [{ name: "TN-A-1", http: "http://10.0.0.1:8600" }, { name: "TX-A-1", http: "" }];
  assert.deepEqual(decodeNames(encodeNames(names)), names);
});
