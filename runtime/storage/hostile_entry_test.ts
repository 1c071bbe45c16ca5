import assert from "node:assert/strict";
import { chainDigest, digest64, hash32 } from "../base/mod.ts";
import { ByteWriter } from "../wire/mod.ts";
import { ENTRY, type NewMessage, ShardStore } from "./mod.ts";

const text = (n: number) => "x".repeat(n);
const sample = (over: Partial<NewMessage> = {}): NewMessage => ({
  key: "patient/HOSPX/1",
  id: "id-1",
  type: "ADT^A01",
  contentType: "x-application/hl7-v2+er7",
  atMs: 1_700_000_000_000,
  payload: new TextEncoder().encode("MSH|^~\\&|"),
  ...over,
});

Deno.test("store: an entry with any byte changed is refused without a trace, or taken as another", () => {
  const writer = new ShardStore();
  writer.appendMessage(3, sample());
  writer.appendMessage(3, sample({ id: "é" }));
  const good = writer.copyRange(2, 1 << 20).bytes;
  assert.equal(new DataView(good.buffer).getUint32(0, true), good.length - 3, "there is padding to be changed, too");
  const follower = new ShardStore();
  follower.appendRaw(writer.copyRange(1, 1).bytes, 0);
  const typesFrom = 56 + "patient/HOSPX/1".length + "é".length + 1;
  const typesTo = typesFrom + "ADT^A01x-application/hl7-v2+er7".length;
  for (let at = 0; at < good.length; at++) {
    for (const flip of [0x01, 0x80]) {
      const bytes = good.slice();
      bytes[at] ^= flip;
      // no digest covers the term (which may rise), the kind, the time, and the types, which stay ASCII
      const uncovered = (at === 8 && flip === 0x01) || (at === 4 && flip === 0x80) || (at > 4 && at < 8) ||
        (at >= 24 && at < 32) ||
        (at >= typesFrom && at < typesTo && flip === 0x01);
      const goesBack = at >= 24 && at < 32 && new DataView(bytes.buffer).getFloat64(24, true) < sample().atMs;
      if (uncovered && !goesBack) follower.appendRaw(bytes, 0);
      else assert.throws(() => follower.appendRaw(bytes, 0), { code: "storage/bad-entry" }, `byte ${at}`);
      follower.truncateFrom(2);
      assert.deepEqual(follower.copyRange(1, 1 << 20), writer.copyRange(1, 1));
      assert.equal(follower.findMessage("patient/HOSPX/1", "é"), 0);
      assert.equal(follower.rowSeq(0), 1);
    }
  }
  assert.equal(follower.appendRaw(good, 0).index, 2);
});

Deno.test("store: a follower refuses what does not follow its own log", () => {
  const writer = new ShardStore();
  for (const id of ["a", "b", "c"]) writer.appendMessage(2, sample({ id }));
  const other = new ShardStore();
  other.appendMessage(2, sample({ id: "c" }));
  other.appendMessage(2, sample({ id: "d" }));
  const refuse = (store: ShardStore, bytes: Uint8Array, because: RegExp) => {
    const before = store.lastIndex;
    assert.throws(() => store.appendRaw(bytes, 0), (error: Error & { code: string }) => {
      assert.equal(error.code, "storage/bad-entry");
      assert.match(error.message, because);
      return true;
    });
    assert.equal(store.lastIndex, before);
  };
  const third = writer.copyRange(3, 1, 3).bytes;
  const empty = new ShardStore();
  refuse(empty, third, /seq/);
  assert.equal(empty.heldBytes, 0);
  refuse(other, third, /id stands here/);
  const moved = new ShardStore();
  moved.appendMessage(2, sample({ key: "patient/HOSPX/2", id: "z" }));
  moved.appendMessage(2, sample({ id: "a" }));
  refuse(moved, writer.copyRange(2, 1, 2).bytes, /previous/);
  const forged = new ShardStore();
  forged.appendMessage(2, sample({ id: "a", payload: new Uint8Array(1) }));
  refuse(forged, writer.copyRange(2, 1, 2).bytes, /history has another digest/);
  const later = new ShardStore();
  later.appendEntry(9, ENTRY.NOOP, new Uint8Array());
  refuse(later, writer.copyRange(1, 1, 1).bytes, /term/);
  for (let cut = 0; cut < third.length; cut++) refuse(other, third.subarray(0, cut), /whole/);
  assert.throws(() => other.appendRaw(third, third.length), { code: "storage/bad-entry" });
  assert.throws(() => other.appendRaw(third, -1), { code: "storage/bad-entry" });
});

/** A first message of an actor, valid in every digest, made of whatever parts it is given. */
function forge(
  parts: { key?: string; id?: string; type?: Uint8Array; lengths?: number[]; atMs?: number; kind?: number },
) {
  const bytes = (text: string) => new TextEncoder().encode(text);
  const { key = "k", id = "i", type = bytes("t"), kind = ENTRY.MESSAGE, atMs = 1 } = parts;
  const digest = digest64(new Uint8Array());
  const chain = chainDigest({ hi: 0, lo: 0 }, digest);
  const writer = new ByteWriter();
  writer.u32(0).u32(1).u32(kind).u32(hash32(bytes(id), hash32(bytes(key)))).u32(0).u32(1).f64(atMs);
  writer.u32(digest.hi).u32(digest.lo).u32(chain.hi).u32(chain.lo);
  for (const length of parts.lengths ?? [bytes(key).length, bytes(id).length, type.length, 0]) writer.u16(length);
  writer.raw(bytes(key)).raw(bytes(id)).raw(type).patchU32(0, writer.length);
  return writer.raw(new Uint8Array(-writer.length & 3)).take();
}

Deno.test("store: a follower refuses what is malformed, however well its digests fit", () => {
  const refuse = (bytes: Uint8Array, because: RegExp) =>
    assert.throws(() => new ShardStore().appendRaw(bytes, 0), { code: "storage/bad-entry", message: because });
  assert.equal(new ShardStore().appendRaw(forge({}), 0).index, 1);
  refuse(forge({ key: "" }), /no key/);
  refuse(forge({ id: "" }), /no key or no id/);
  refuse(forge({ key: text(1025) }), /limit/);
  refuse(forge({ id: text(513) }), /limit/);
  refuse(forge({ type: new Uint8Array(257) }), /limit/);
  refuse(forge({ type: Uint8Array.of(0xc3) }), /UTF-8/);
  refuse(forge({ lengths: [1, 1, 1, 1] }), /texts longer/);
  refuse(forge({ lengths: [1, 1, 2, 0] }), /texts longer/);
  refuse(forge({ atMs: NaN }), /time/);
  refuse(forge({ atMs: Infinity }), /time/);
  refuse(forge({ kind: 0 }), /kind/);
  refuse(forge({ kind: ENTRY.HOLLOW + 1 }), /kind/);
  refuse(forge({ kind: ENTRY.NOOP + 256 }), /flags/);
  const short = new ByteWriter().u32(12).u32(1).u32(ENTRY.MESSAGE).take();
  refuse(short, /shorter/);
});

Deno.test("store: of a run the entries before one that may not stand are taken, and nothing behind it", () => {
  const writer = new ShardStore();
  for (let i = 0; i < 20; i++) writer.appendMessage(1, sample({ id: `id-${i}` }));
  const { bytes } = writer.copyRange(1, 1 << 20);
  const stride = bytes.length / 20;
  for (const bad of [0, 1, 7, 19]) {
    const follower = new ShardStore();
    const broken = bytes.slice();
    broken[bad * stride + stride - 4] ^= 1;
    assert.throws(() => follower.appendRawMany(broken, 0, 20), { code: "storage/bad-entry" });
    assert.equal(follower.lastIndex, bad);
    assert.equal(follower.appendRawMany(bytes, bad * stride, 20 - bad), bytes.length);
    assert.deepEqual(follower.copyRange(1, 1 << 20), writer.copyRange(1, 1 << 20));
    assert.throws(() => follower.appendRawMany(bytes, bytes.length, 1), { code: "storage/bad-entry" }, "there is none");
    assert.equal(follower.lastIndex, 20);
  }
});
