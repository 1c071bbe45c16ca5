import assert from "node:assert/strict";
import fc from "fast-check";
import { chainDigest, type Digest64, digest64, hashText } from "../base/mod.ts";
import { ENTRY, type EntryKind, type NewMessage, ShardStore } from "./mod.ts";

/** The naive store: objects in a list. Shares no code with the real one but the digests' definition. */
class Model {
  entries: { term: number; kind: EntryKind; body?: Uint8Array; message?: NewMessage }[] = [];

  history(key: string): number[] {
    return this.entries.flatMap((e, i) => e.message?.key === key ? [i + 1] : []);
  }

  find(key: string, id: string): number {
    return this.entries.findIndex((e) => e.message?.key === key && e.message.id === id) + 1;
  }
}

/** Everything that the door says about a store must be what the model says. */
function check(store: ShardStore, model: Model): void {
  assert.equal(store.lastIndex, model.entries.length);
  assert.equal(store.lastTerm, model.entries.at(-1)?.term ?? 0);
  const keys = [...new Set(model.entries.flatMap((e) => e.message ? [e.message.key] : []))];
  const histories = new Map(keys.map((key) => [key, model.history(key)]));
  const chains = new Map<string, Digest64>();
  for (const [i, { term, kind, body, message }] of model.entries.entries()) {
    const index = i + 1;
    assert.equal(store.termAt(index), term);
    assert.equal(store.kindAt(index), kind);
    if (!message) {
      assert.deepEqual(store.body(index), body);
      continue;
    }
    const history = histories.get(message.key)!;
    const at = history.indexOf(index);
    const digest = digest64(message.payload);
    const chain = chainDigest(chains.get(message.key) ?? { hi: 0, lo: 0 }, digest);
    chains.set(message.key, chain);
    const previous = history[at - 1] ?? 0;
    assert.deepEqual(store.message(index), { ...message, index, term, seq: at + 1, previous, digest, chain });
    assert.equal(store.findMessage(message.key, message.id), index);
    assert.equal(store.countMessages(message.key, message.id), 1);
    assert.equal(store.idOf(index), message.id);
    assert.equal(store.rowOf(index), store.actorRow(message.key));
    assert.deepEqual(store.digestOf(index), digest);
  }
  assert.equal(store.rowCount, keys.length);
  for (const [row, key] of keys.entries()) {
    const history = histories.get(key)!;
    assert.equal(store.actorRow(key), row);
    assert.equal(store.rowKey(row), key);
    assert.equal(store.rowSeq(row), history.length);
    assert.equal(store.rowLastIndex(row), history.at(-1));
    const upTo = model.entries.length >> 1;
    assert.equal(store.rowLastIndexUpTo(row, upTo), history.filter((index) => index <= upTo).at(-1) ?? 0);
    for (const after of [0, 1, history.length - 1, history.length, history.length + 1]) {
      assert.deepEqual(store.history(key, after, 2), history.slice(after, after + 2));
    }
  }
  assert.equal(store.findMessage("no/such/actor", "no"), 0);
  assert.equal(store.countMessages("no/such/actor", "no"), 0);
  assert.equal(store.actorRow("no/such/actor"), -1);
  assert.deepEqual(store.history("no/such/actor", 0, 10), []);
}

const KEYS = ["patient/HOSPX/1", "patient/HOSPX/2", "ward/HOSPX/Zürich", "patient/HOSPX/Łódź%2F", "queue/Y/🜁"];
const aMessage = fc.record({
  what: fc.constant("message" as const),
  key: fc.constantFrom(...KEYS),
  id: fc.oneof(
    fc.constantFrom("a", "b", "c", "\u{feff}a"),
    fc.string({ minLength: 1, maxLength: 12, unit: "grapheme" }),
  ),
  type: fc.constantFrom("", "ADT^A01", "Überweisung"),
  contentType: fc.constantFrom("", "application/json"),
  atMs: fc.integer({ min: 0, max: 2 ** 41 }),
  // some need a segment of their own, some just fill one
  payload: fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.constantFrom(900, 4096, 70_000).map((n) => new Uint8Array(n).fill(n)),
  ),
});
const aStep = fc.oneof(
  { weight: 6, arbitrary: aMessage },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("entry" as const), body: fc.uint8Array({ maxLength: 9 }) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("truncate" as const), back: fc.nat(12) }) },
  { weight: 1, arbitrary: fc.constant({ what: "term" as const }) },
);

Deno.test("store: after any steps it says what a list of objects says, and so does a follower that copies", () => {
  fc.assert(
    fc.property(
      fc.array(aStep, { maxLength: 60, size: "max" }),
      fc.integer({ min: 1, max: 9000 }),
      (steps, bytesMax) => {
        const store = new ShardStore();
        const follower = new ShardStore();
        const model = new Model();
        let term = 1;
        for (const [i, step] of steps.entries()) {
          if (step.what === "term") term++;
          else if (step.what === "entry") {
            assert.equal(
              store.appendEntry(term, ENTRY.OUTCOMES, step.body),
              model.entries.push({ term, kind: 4, body: step.body }),
            );
          } else if (step.what === "truncate") {
            const from = Math.max(1, model.entries.length - step.back);
            store.truncateFrom(from);
            follower.truncateFrom(from);
            model.entries.splice(from - 1);
          } else {
            const { what: _, ...message } = step;
            message.atMs = Math.max(message.atMs, model.entries.findLast((e) => e.message)?.message?.atMs ?? 0);
            const twin = model.find(message.key, message.id);
            assert.equal(store.findMessage(message.key, message.id), twin);
            if (twin > 0) {
              assert.throws(() => store.appendMessage(term, message), { code: "storage/duplicate" });
              continue;
            }
            model.entries.push({ term, kind: ENTRY.MESSAGE, message });
            const index = model.entries.length;
            const seq = model.history(message.key).length;
            // what the sender's clock said counts unless time would go back
            assert.deepEqual(store.appendMessage(term, { ...message, atMs: step.atMs }), {
              index,
              seq,
              digest: digest64(message.payload),
            });
          }
          if (i % 7 === 0) copy(store, follower, bytesMax);
        }
        copy(store, follower, bytesMax);
        check(store, model);
        check(follower, model);
        assert.equal(follower.bytes, store.bytes);
        store.truncateFrom(1);
        check(store, new Model());
        assert.equal(store.bytes, 0);
      },
    ),
    { numRuns: 150 },
  );
});

/** Feeds the follower what it lacks, in ranges of at most `bytesMax`. */
function copy(from: ShardStore, to: ShardStore, bytesMax: number): void {
  while (to.lastIndex < from.lastIndex) {
    const first = to.lastIndex + 1;
    const range = from.copyRange(first, bytesMax);
    assert.ok(range.bytes.length <= bytesMax || range.last === first);
    for (let at = 0; at < range.bytes.length;) at = to.appendRaw(range.bytes, at).next;
    assert.equal(to.lastIndex, range.last);
  }
}

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

Deno.test("store: keys and ids of equal hash are told apart", () => {
  // found by trying: hash32 of both keys is one number, and so is hash32(id, hash32(key)) of both ids under either key
  const keys = ["patient/X/61946", "patient/X/65772"];
  const ids = ["i50780", "i60073"];
  assert.equal(hashText(keys[0]), hashText(keys[1]));
  assert.equal(hashText(ids[0], hashText(keys[0])), hashText(ids[1], hashText(keys[1])));
  const store = new ShardStore();
  const model = new Model();
  for (const id of ids) {
    for (const key of keys) {
      assert.equal(store.findMessage(key, id), 0);
      store.appendMessage(1, sample({ key, id }));
      model.entries.push({ term: 1, kind: ENTRY.MESSAGE, message: sample({ key, id }) });
      check(store, model);
    }
  }
  const follower = new ShardStore();
  copy(store, follower, 1);
  for (let index = 4; index >= 1; index--) {
    check(follower, model);
    follower.truncateFrom(index);
    model.entries.pop();
  }
  // and those of other lengths
  store.appendMessage(1, sample({ key: keys[0], id: "i94917" }));
  assert.equal(store.findMessage(keys[0], "i122423"), 0);
  store.appendMessage(1, sample({ key: "patient/X/50149", id: "a" }));
  assert.equal(store.actorRow("patient/X/209844"), -1);
});

Deno.test("store: limits are kept, and what is over them changes nothing", () => {
  const store = new ShardStore({ bytesMax: 3000 });
  assert.equal(store.heldBytes, 0);
  const refuse = (over: Partial<NewMessage>, code: string) =>
    assert.throws(() => store.appendMessage(1, sample(over)), { code, outcome: "not-applied" });
  refuse({ key: text(1025) }, "storage/too-large");
  refuse({ key: "ü".repeat(513) }, "storage/too-large");
  refuse({ id: text(513) }, "storage/too-large");
  refuse({ type: text(257) }, "storage/too-large");
  refuse({ contentType: text(257) }, "storage/too-large");
  refuse({ payload: new Uint8Array(16 * 1024 * 1024 + 1) }, "storage/too-large");
  assert.equal(store.actorRow(text(1025)), -1);
  assert.equal(store.findMessage(text(1025), "a"), 0);
  assert.equal(store.findMessage("a", text(513)), 0);
  assert.deepEqual([store.countMessages(text(1025), "a"), store.countMessages("a", text(513))], [0, 0]);
  refuse({ key: "" }, "storage/bad-entry");
  refuse({ id: "" }, "storage/bad-entry");
  refuse({ id: "\ud800" }, "storage/bad-entry");
  refuse({ atMs: NaN }, "storage/bad-entry");
  refuse({ payload: new Uint8Array(3000) }, "storage/full");
  assert.deepEqual([store.lastIndex, store.rowCount, store.bytes, store.heldBytes], [0, 0, 0, 0]);
  store.appendMessage(1, sample({ key: text(1024), id: text(512), type: text(256), contentType: text(256) }));
  refuse({ payload: new Uint8Array(1000) }, "storage/full");
  assert.equal(store.appendEntry(1, ENTRY.CONFIG, new Uint8Array(2000)), 2);
  assert.throws(() => store.appendEntry(0, ENTRY.NOOP, new Uint8Array()), { name: "AssertionError" });
  assert.throws(() => store.termAt(3), { name: "AssertionError" });
  assert.throws(() => store.message(2), { name: "AssertionError" });
});

Deno.test("store: a view of an entry stays what it was while others are appended", () => {
  const store = new ShardStore();
  store.appendMessage(1, sample());
  const { payload } = store.message(1);
  for (let i = 0; i < 500; i++) store.appendMessage(1, sample({ id: `n${i}`, payload: new Uint8Array(200) }));
  assert.deepEqual(payload, sample().payload);
});

Deno.test("store: the largest payload goes in, travels, and its memory is given back", () => {
  const store = new ShardStore();
  store.appendMessage(1, sample());
  const small = store.heldBytes;
  store.appendMessage(1, sample({ id: "large", payload: new Uint8Array(16 * 1024 * 1024) }));
  store.appendMessage(1, sample({ id: "after" }));
  const follower = new ShardStore({ verifyDigests: false });
  copy(store, follower, 1);
  assert.equal(follower.seqOf(3), 3);
  store.truncateFrom(2);
  assert.equal(store.heldBytes, small);
});
