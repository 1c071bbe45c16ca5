import assert from "node:assert/strict";
import fc from "fast-check";
import { runPacker } from "../world/mod.ts";
import { ENTRY, ShardStore, SlabRoom } from "./mod.ts";

const KEYS = Array.from({ length: 40 }, (_, i) => `patient/HOSPX/${i}`);
const DAY_MS = 24 * 3600 * 1000;
const roomOf = (cacheBytesMax = 64 * 1024) => new SlabRoom({ packer: runPacker, cacheBytesMax });

let ids = 0;
function say(store: ShardStore, key: string, bytes: number, atMs = 0): void {
  const payload = new Uint8Array(bytes).map((_, i) => (i >> 4) + ids);
  store.appendMessage(1, { key, id: `id-${ids++}`, type: "t", contentType: "text/plain", atMs, payload });
}

/** Every answer about every entry and actor: two stores that give the same are the same to their readers. */
function answers(store: ShardStore): unknown[] {
  const all: unknown[] = [store.lastIndex, store.lastTerm, store.bytes, store.rowCount];
  for (let index = 1; index <= store.lastIndex; index++) {
    const kind = store.kindAt(index);
    all.push(kind, store.termAt(index), store.copyRange(index, 1, index).bytes);
    if (kind !== ENTRY.MESSAGE) continue;
    const message = store.message(index);
    all.push(
      message,
      store.rowOf(index),
      store.findMessage(message.key, message.id),
      store.countMessages(message.key, message.id),
    );
  }
  for (let row = 0; row < store.rowCount; row++) {
    const key = store.rowKey(row);
    const upTo = store.lastIndex >> 1;
    all.push(key, store.history(key, 0, 1000), store.history(key, 2, 3, upTo), store.rowSeqUpTo(row, upTo));
    all.push(store.isRetired(row), store.rowRetiredUpTo(row, upTo));
  }
  for (let first = 1; first <= store.lastIndex;) {
    const range = store.viewRange(first, 10_000);
    assert.deepEqual(range, store.copyRange(first, 10_000));
    all.push(range.bytes.slice());
    first = range.last + 1;
  }
  return all;
}

const history = fc.array(
  fc.record({
    what: fc.constantFrom("message", "message", "message", "message", "other", "retire"),
    key: fc.constantFrom(...KEYS),
    bytes: fc.constantFrom(0, 7, 300, 1500, 9000, 20_000, 290_000),
  }),
  { minLength: 10, maxLength: 120, size: "max" },
);

Deno.test("sealing: whatever was sealed, a store answers as its twin does of which nothing is sealed", () => {
  let sealed = 0;
  fc.assert(
    fc.property(history, fc.nat(100), fc.nat(40), fc.nat(3), (steps, part, back, more) => {
      const stores = [new ShardStore(), new ShardStore()];
      const [plain, store] = stores;
      const room = roomOf(16 * 1024);
      const play = (slice: typeof steps) => {
        for (const { what, key, bytes } of slice) {
          const from = ids;
          for (const one of stores) {
            ids = from;
            const row = one.actorRow(key);
            if (what === "message") say(one, key, bytes);
            else if (what === "other") one.appendEntry(1, ENTRY.OUTCOMES, new Uint8Array(bytes & 0xfff).fill(3));
            else if (row >= 0 && !one.isRetired(row)) one.appendRetire(1, key, 0);
          }
        }
      };
      play(steps);
      const committed = Math.floor(plain.lastIndex * part / 100);
      while (store.sealSome(committed, { bytesMax: 50_000, room }) > 0) sealed++;
      assert.deepEqual(answers(store), answers(plain));
      // the tail goes, whole segments among it, and something else comes instead
      const from = Math.max(committed + 1, plain.lastIndex - back);
      for (const one of stores) one.truncateFrom(from);
      assert.deepEqual(answers(store), answers(plain));
      for (let i = 0; i < more; i++) {
        play(steps.slice(0, 20));
        store.sealSome(committed, { bytesMax: 1 << 20, room });
      }
      while (store.sealSome(store.lastIndex, { bytesMax: 50_000, room }) > 0) sealed++;
      assert.deepEqual(answers(store), answers(plain));
      const follower = new ShardStore();
      for (let first = 1; first <= store.lastIndex;) {
        const { bytes, last } = store.viewRange(first, 30_000);
        assert.equal(follower.appendRawMany(bytes, 0, last - first + 1), bytes.length);
        first = last + 1;
      }
      assert.deepEqual(answers(follower), answers(plain));
    }),
    { numRuns: 40 },
  );
  assert.ok(sealed > 40, "something was sealed");
});

Deno.test("sealing: what is sealed is not taken back, and what is open is not sealed", () => {
  const store = new ShardStore();
  const room = roomOf();
  assert.equal(store.sealSome(0, { bytesMax: 1, room }), 0);
  for (let i = 0; i < 400; i++) say(store, KEYS[i % 40], 300);
  assert.equal(store.sealSome(10, { bytesMax: 1 << 20, room }), 0, "no segment ends before entry 10 that is worth it");
  assert.ok(store.sealSome(200, { bytesMax: 1 << 20, room }) > 0);
  assert.equal(store.sealSome(200, { bytesMax: 1 << 20, room }), 0, "nothing is sealed twice");
  assert.ok(store.sealedRawBytes > 0 && store.sealedHeldBytes < store.sealedRawBytes);
  store.truncateFrom(201);
  assert.throws(() => store.truncateFrom(1), { name: "AssertionError" });
  say(store, KEYS[0], 300);
  assert.equal(store.lastIndex, 201);
});

Deno.test("sealing: a budget bounds what is done at once, and slabs count what they hold", () => {
  const store = new ShardStore();
  const room = roomOf();
  for (let i = 0; i < 3000; i++) say(store, KEYS[i % 40], 1000);
  const held = store.heldBytes;
  let calls = 0;
  for (let done = -1; done !== 0; calls++) {
    done = store.sealSome(store.lastIndex, { bytesMax: 100_000, room });
    assert.ok(done < 100_000 + (1 << 20));
  }
  assert.ok(calls > 10);
  assert.ok(store.heldBytes < held * 0.5, "packed ones are smaller");
  assert.ok(store.sealedRawBytes > store.bytes * 0.85, "nearly all of it");
});

Deno.test("sealing: the cache keeps to its bound, and what is read together is unpacked once", () => {
  const store = new ShardStore();
  const room = roomOf(100_000);
  for (let i = 0; i < 2000; i++) say(store, KEYS[i % 4], 1000);
  while (store.sealSome(store.lastIndex, { bytesMax: 1 << 20, room }) > 0);
  for (const key of KEYS.slice(0, 4)) for (const index of store.history(key, 0, 1000)) store.message(index);
  assert.ok(room.cachedBytes <= 100_000 && room.cachedBytes > 50_000);
  assert.ok(room.misses < 2000 / 3 && room.hits > room.misses, "blocks hold one actor's messages side by side");
  const kept = store.message(1).payload;
  const before = kept.slice();
  for (let index = 1; index <= store.lastIndex; index++) store.message(index);
  assert.deepEqual(kept, before, "a view outlives its block's time in the cache");
});

Deno.test("sealing: of ended lives memory comes back from slabs, and others' messages stay what they were", () => {
  const store = new ShardStore();
  const room = roomOf();
  for (let i = 0; i < 4000; i++) say(store, KEYS[i % 10], 1000, 0);
  while (store.sealSome(store.lastIndex, { bytesMax: 1 << 20, room }) > 0);
  const others = () => store.history(KEYS[9], 0, 1000).map((index) => store.message(index));
  const before = others();
  assert.equal(before.length, 400);
  const held = store.sealedHeldBytes;
  for (let actor = 0; actor < 9; actor++) {
    store.free(store.appendRetire(1, KEYS[actor], 40 * DAY_MS));
    let slices = 1;
    while (store.tidy()) slices++;
    assert.ok(slices > 4, "unpacking is spread over slices");
  }
  assert.ok(store.sealedHeldBytes < held / 4);
  assert.equal(store.kindAt(1), ENTRY.HOLLOW);
  assert.deepEqual(others(), before);
  while (store.sealSome(store.lastIndex, { bytesMax: 1 << 20, room }) > 0);
  assert.deepEqual(others(), before);
});
