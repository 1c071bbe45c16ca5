import assert from "node:assert/strict";
import fc from "fast-check";
import { digest64 } from "../base/mod.ts";
import { runPacker } from "../world/mod.ts";
import { ENTRY, ID_WINDOW_MS, ShardStore, SlabRoom, TOMBSTONE_IDS_MAX } from "./mod.ts";

const DAY_MS = 24 * 3600 * 1000;
const KEYS = ["patient/HOSPX/1", "patient/HOSPX/2", "ward/HOSPX/Zürich"];
const IDS = ["a", "b", "c", "d", "e", "ü"];

interface Line {
  key: string;
  /** "" = the end of a life */
  id: string;
  seq: number;
  atMs: number;
  payload: Uint8Array;
}

/** The naive log: a list of lines that nothing is ever freed of. `null` is an entry about no actor. */
class Model {
  lines: (Line | null)[] = [];

  upTo(index: number): Model {
    const model = new Model();
    model.lines = this.lines.slice(0, index);
    return model;
  }

  of(key: string): { index: number; line: Line }[] {
    return this.lines.flatMap((line, i) => line?.key === key ? [{ index: i + 1, line }] : []);
  }

  seq(key: string): number {
    return this.of(key).at(-1)?.line.seq ?? 0;
  }

  isAlive(key: string): boolean {
    return (this.of(key).at(-1)?.line.id ?? "") !== "";
  }

  history(key: string): number[] {
    const all = this.of(key);
    return all.slice(all.findLastIndex(({ line }) => line.id === "") + 1).map(({ index }) => index);
  }

  /** The message of the id: of this life, or of former ones while its window lasts; 0 = none. */
  find(key: string, id: string): number {
    const all = this.of(key);
    const end = all.findLast(({ line }) => line.id === "");
    const found = all.findLast(({ line }) => line.id === id);
    if (found === undefined || end === undefined || found.index > end.index) return found?.index ?? 0;
    const later = this.lines.slice(end.index).filter((line) => line?.id === "");
    const isForgotten = later.some((line) => line!.atMs - ID_WINDOW_MS > end.line.atMs);
    return found.line.atMs > end.line.atMs - ID_WINDOW_MS && !isForgotten ? found.index : 0;
  }
}

/** One copy, and what it has been told of commitment. */
class Copy {
  readonly store = new ShardStore();
  applied = 0;

  apply(upTo: number): void {
    while (this.applied < Math.min(upTo, this.store.lastIndex)) {
      if (this.store.kindAt(++this.applied) === ENTRY.RETIRE) this.store.free(this.applied);
    }
  }

  feedFrom(other: Copy, bytesMax: number, entriesMax: number): void {
    const first = this.store.lastIndex + 1;
    const last = Math.min(other.store.lastIndex, first + entriesMax);
    if (last < first) return;
    const copied = other.store.copyRange(first, bytesMax, last);
    const { bytes } = other.store.viewRange(first, bytesMax, last);
    assert.deepEqual(bytes, copied.bytes);
    const count = copied.last - first + 1;
    if ((count & 1) === 0) assert.equal(this.store.appendRawMany(bytes, 0, count), bytes.length);
    else for (let at = 0; at < bytes.length;) at = this.store.appendRaw(bytes, at).next;
  }
}

/** What a whole copy answers must be what the list of lines says. */
function check({ store }: Copy, model: Model): void {
  for (const key of KEYS) {
    const row = store.actorRow(key);
    assert.equal(row < 0 ? 0 : store.rowSeq(row), model.seq(key), "seq");
    const history = model.history(key);
    assert.deepEqual(store.history(key, 0, 1000), history, "history");
    assert.equal(row >= 0 && store.isRetired(row), model.seq(key) > 0 && history.length === 0, "retired or not");
    for (const after of [1, model.seq(key) - 1, model.seq(key)]) {
      const page = history.filter((index) => model.lines[index - 1]!.seq > after).slice(0, 2);
      assert.deepEqual(store.history(key, after, 2), page, "page");
    }
    for (const index of history) {
      const { id, seq, atMs, payload } = store.message(index);
      assert.deepEqual({ key, id, seq, atMs, payload }, model.lines[index - 1]);
    }
    for (const id of IDS) {
      const index = model.find(key, id);
      const line = model.lines[index - 1];
      const expected = index === 0 ? null : { index, seq: line!.seq, digest: digest64(line!.payload) };
      const found = store.findRecorded(key, id);
      assert.deepEqual(found && { index: found.index, seq: found.seq, digest: found.digest }, expected, "found");
    }
  }
}

const message = fc.record({
  what: fc.constant("message" as const),
  key: fc.constantFrom(...KEYS),
  id: fc.constantFrom(...IDS),
  atMs: fc.nat(90).map((days) => days * DAY_MS),
  // some fill a segment, some get their own
  bytes: fc.constantFrom(0, 1, 30, 900, 900, 70_000, 300_000),
});
const copy = fc.integer({ min: 1, max: 2 });
const step = fc.oneof(
  { weight: 8, arbitrary: message },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("retire" as const),
      key: fc.constantFrom(...KEYS),
      atMs: fc.nat(90).map((days) => days * DAY_MS),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ what: "other" as const }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("commit" as const), entries: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("truncate" as const), back: fc.nat(6) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant("apply" as const), copy: fc.nat(2), entries: fc.nat(20) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant("tidy" as const), copy: fc.nat(2) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant("feed" as const),
      copy,
      from: fc.nat(2),
      bytes: fc.constantFrom(1, 200, 5000, 1 << 20),
      entries: fc.nat(9),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant("seal" as const),
      copy: fc.nat(2),
      bytes: fc.constantFrom(1, 1 << 20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant("lose" as const), copy }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant("take back" as const), copy, back: fc.nat(6) }) },
);

Deno.test("retirement: whatever is freed and copied when, whole copies say what a log that nothing is freed of says", () => {
  let gaps = 0;
  let sealedBytes = 0;
  fc.assert(
    fc.property(fc.array(step, { maxLength: 90, size: "max" }), (steps) => {
      const copies = [new Copy(), new Copy(), new Copy()];
      // a cache of a block or two, so that what is read is mostly unpacked anew
      const room = new SlabRoom({ packer: runPacker, cacheBytesMax: 20_000 });
      const writer = copies[0].store;
      const model = new Model();
      let committed = 0;
      for (const step of steps) {
        if (step.what === "message") {
          const { key, id, bytes } = step;
          const last = model.lines.findLast((line) => line !== null);
          const atMs = Math.max(step.atMs, last?.atMs ?? 0);
          const payload = new Uint8Array(bytes).fill(model.lines.length);
          // what is forgotten by tidying is new; until it is tidied the writer may still know it
          const twin = writer.findMessage(key, id);
          const expected = model.find(key, id);
          if (twin === 0) {
            assert.equal(expected, 0);
            model.lines.push({ key, id, seq: model.seq(key) + 1, atMs, payload });
            writer.appendMessage(1, { key, id, type: "t", contentType: "", atMs: step.atMs, payload });
          } else {
            assert.throws(
              () => writer.appendMessage(1, { key, id, type: "t", contentType: "", atMs, payload }),
              { code: "storage/duplicate" },
            );
          }
        } else if (step.what === "retire" && model.isAlive(step.key)) {
          const atMs = Math.max(step.atMs, model.lines.findLast((line) => line !== null)!.atMs);
          model.lines.push({ key: step.key, id: "", seq: model.seq(step.key), atMs, payload: new Uint8Array() });
          writer.appendRetire(1, step.key, step.atMs);
        } else if (step.what === "other") {
          model.lines.push(null);
          writer.appendEntry(1, ENTRY.OUTCOMES, new Uint8Array(3));
        } else if (step.what === "commit") committed = Math.min(writer.lastIndex, committed + step.entries);
        else if (step.what === "truncate") {
          const from = Math.max(committed + 1, writer.lastIndex - step.back);
          model.lines.splice(from - 1);
          for (const { store } of copies) store.truncateFrom(from);
        } else if (step.what === "apply") {
          const copy = copies[step.copy];
          copy.apply(Math.min(committed, copy.applied + step.entries));
        } else if (step.what === "tidy") copies[step.copy].store.tidy();
        else if (step.what === "seal") {
          const { store, applied } = copies[step.copy];
          sealedBytes += store.sealSome(applied, { bytesMax: step.bytes, room });
        } else if (step.what === "feed") copies[step.copy].feedFrom(copies[step.from], step.bytes, step.entries);
        else if (step.what === "take back") {
          const { store, applied } = copies[step.copy];
          store.truncateFrom(Math.max(applied + 1, store.lastIndex - step.back));
        } else if (step.what === "lose") copies[step.copy] = new Copy();
        assert.equal(writer.lastIndex, model.lines.length);
        for (const { store, applied } of copies) if (store.wholeFrom > applied) gaps++;
      }
      for (const copy of copies) {
        while (copy.store.lastIndex < writer.lastIndex) copy.feedFrom(copies[0], 1 << 20, 1000);
        copy.apply(writer.lastIndex);
        while (copy.store.tidy());
        assert.ok(copy.store.wholeFrom <= copy.applied);
        check(copy, model);
        assert.equal(copy.store.bytes, writer.bytes);
        for (let index = 1; index <= writer.lastIndex; index++) {
          assert.equal(copy.store.termAt(index), writer.termAt(index));
          assert.equal(copy.store.kindAt(index), writer.kindAt(index));
          // by which of two lives' ends a message was freed may differ
          if (writer.kindAt(index) === ENTRY.HOLLOW) continue;
          assert.deepEqual(copy.store.copyRange(index, 1, index), writer.copyRange(index, 1, index));
        }
      }
      const late = new Copy();
      while (late.store.lastIndex < writer.lastIndex) late.feedFrom(copies[1], 1 << 20, 1000);
      late.apply(writer.lastIndex);
      check(late, model);
    }),
    { numRuns: 250 },
  );
  assert.ok(gaps > 100, "copies were fed freed histories");
  assert.ok(sealedBytes > 10_000_000, "much was sealed before it was read, fed and freed");
});

const say = (store: ShardStore, key: string, id: string, atMs: number, bytes = 100) =>
  store.appendMessage(1, { key, id, type: "t", contentType: "", atMs, payload: new Uint8Array(bytes) });

Deno.test("retirement: a life ends, its receipts can be given again, and the next one goes on at the next seq", () => {
  const store = new ShardStore();
  const first = say(store, KEYS[0], "a", 0);
  say(store, KEYS[0], "b", 29 * DAY_MS);
  const end = store.appendRetire(1, KEYS[0], 31 * DAY_MS);
  assert.equal(store.isRetired(0), true);
  assert.equal(
    store.isRetired(0, 2),
    false,
    "as long as it is not committed, readers of the committed part see no end",
  );
  assert.deepEqual(store.history(KEYS[0], 0, 9, 2), [1, 2]);
  store.free(end);
  while (store.tidy());
  assert.deepEqual([store.kindAt(1), store.kindAt(2), store.termAt(2)], [ENTRY.HOLLOW, ENTRY.HOLLOW, 1]);
  assert.equal(store.findRecorded(KEYS[0], "a"), null, "recorded more than 30 days before the end");
  const again = store.findRecorded(KEYS[0], "b")!;
  assert.deepEqual([again.index, again.seq, again.digest], [2, 2, first.digest]);
  const next = say(store, KEYS[0], "c", 31 * DAY_MS);
  assert.equal(next.seq, 3);
  assert.deepEqual(store.history(KEYS[0], 0, 9), [4]);
  assert.throws(() => store.truncateFrom(3), { name: "AssertionError" });
});

Deno.test("retirement: memory comes back, in slices, whatever the size of messages, and for good", () => {
  const store = new ShardStore();
  say(store, KEYS[1], "stays", 0, 200_000);
  const stays = store.message(1).payload;
  let heldAfterFirst = 0;
  for (let life = 0; life < 30; life++) {
    const atMs = life * 31 * DAY_MS;
    for (let i = 0; i < 100; i++) say(store, KEYS[0], `${life}-${i}`, atMs, i % 20 === 0 ? 300_000 : 2000);
    store.free(store.appendRetire(1, KEYS[0], atMs));
    let slices = 1;
    while (store.tidy()) slices++;
    assert.ok(slices < 10);
    if (life === 0) heldAfterFirst = store.heldBytes;
  }
  // 20 bytes for each of 3,000 messages, the last tombstone, and what the open segment and the tables have to spare
  assert.ok(store.heldBytes < heldAfterFirst + 200_000, `${heldAfterFirst} bytes became ${store.heldBytes}`);
  assert.ok(store.heldBytes < 800_000, `${store.heldBytes} bytes held`);
  assert.equal(store.bytes < 300_000, true);
  assert.deepEqual(store.message(1).payload, stays);
  // what is fed to a new copy is as little
  const copy = new Copy();
  const whole = new Copy();
  Object.assign(whole, { store });
  copy.feedFrom(whole, 1 << 20, 1 << 20);
  assert.deepEqual(copy.store.message(1).payload, stays);
});

Deno.test("retirement: of thousands of small messages 20 bytes each stay, and nothing in the tables", () => {
  const store = new ShardStore();
  for (let life = 0; life < 20; life++) {
    for (let i = 0; i < 2000; i++) say(store, KEYS[0], `${life}-${i}`, life * 31 * DAY_MS, 0);
    store.free(store.appendRetire(1, KEYS[0], life * 31 * DAY_MS));
    while (store.tidy());
  }
  // and the segment that is open
  assert.ok(store.heldBytes < 40_000 * 20 + (1 << 20) + 200_000, `${store.heldBytes} bytes held`);
});

Deno.test("retirement: too many young messages do not fit on a tombstone, and nothing happens", () => {
  const store = new ShardStore();
  for (let i = 0; i <= TOMBSTONE_IDS_MAX; i++) say(store, KEYS[0], `${i}`, i === 0 ? 0 : DAY_MS, 0);
  const before = store.bytes;
  assert.throws(() => store.appendRetire(1, KEYS[0], DAY_MS), { code: "storage/too-large" });
  assert.deepEqual([store.bytes, store.isRetired(0)], [before, false]);
  const index = store.appendRetire(1, KEYS[0], 30 * DAY_MS + 1);
  store.free(index);
  let slices = 0;
  for (; store.tidy(); slices++);
  assert.ok(slices >= 16);
  assert.equal(store.findRecorded(KEYS[0], "0"), null);
  assert.equal(store.findRecorded(KEYS[0], "777")?.seq, 778);
});

Deno.test("retirement: the end of a life is taken from one copy though a later end had hollowed what was before it", () => {
  const writer = new Copy();
  say(writer.store, KEYS[0], "a", 0);
  writer.store.appendRetire(1, KEYS[0], 0);
  const slow = new Copy();
  slow.feedFrom(writer, 1 << 20, 9);
  const half = new Copy();
  half.feedFrom(writer, 1, 0);
  say(writer.store, KEYS[0], "b", 0);
  writer.store.appendRetire(1, KEYS[0], 0);
  slow.feedFrom(writer, 1 << 20, 9);
  writer.apply(4);
  while (writer.store.tidy());
  half.feedFrom(writer, 1 << 20, 9);
  half.apply(4);
  while (half.store.tidy());
  const third = new Copy();
  third.feedFrom(half, 1, 0);
  assert.equal(third.store.wholeFrom, 4);
  third.feedFrom(slow, 1 << 20, 9);
  third.apply(4);
  assert.equal(third.store.findRecorded(KEYS[0], "a")?.seq, 1);
  assert.equal(third.store.rowSeq(0), 2);
});

Deno.test("retirement: a hollow entry, an end or a tombstone that does not fit is refused", () => {
  const writer = new ShardStore();
  for (const id of ["a", "b", "c"]) say(writer, KEYS[0], id, 5000);
  writer.appendRetire(1, KEYS[0], 5000);
  const end = writer.copyRange(4, 1).bytes;
  const follower = new ShardStore();
  const { bytes } = writer.copyRange(1, 1 << 20, 3);
  for (let at = 0; at < bytes.length;) at = follower.appendRaw(bytes, at).next;
  const before = follower.copyRange(1, 1 << 20).bytes;
  for (let at = 0; at < end.length; at++) {
    const changed = end.slice();
    changed[at] ^= 0x80;
    // the term may rise, and so may the time
    if (at === 4 || at === 5 || at === 6 || at === 7) continue;
    if (at >= 24 && at < 32 && new DataView(changed.buffer).getFloat64(24, true) >= 5000) continue;
    assert.throws(() => follower.appendRaw(changed, 0), { code: "storage/bad-entry" }, `byte ${at}`);
    assert.deepEqual(follower.copyRange(1, 1 << 20).bytes, before);
  }
  follower.appendRaw(end, 0);
  assert.throws(() => follower.appendRaw(end, 0), { code: "storage/bad-entry", message: /seq|previous|life/ });
  const hollow = new Uint8Array(new Uint32Array([16, 1, ENTRY.HOLLOW, 5]).buffer);
  assert.throws(() => follower.appendRaw(hollow, 0), { code: "storage/bad-entry", message: /hollow/ });
  const longer = new Uint8Array(new Uint32Array([20, 1, ENTRY.HOLLOW, 9, 0]).buffer);
  assert.throws(() => follower.appendRaw(longer, 0), { code: "storage/bad-entry", message: /hollow/ });
  const other = new ShardStore();
  assert.throws(() => other.appendRaw(end, 0), { code: "storage/bad-entry", message: /seq/ });
});

Deno.test("retirement: a copy may be fed one life's end by who has freed it, and the next life by who has not", () => {
  const [writer, other, copy] = [new ShardStore(), new ShardStore(), new ShardStore()];
  const key = KEYS[0];
  say(writer, key, "a", 0);
  writer.appendRetire(1, key, 0);
  say(writer, key, "b", 0);
  const end = writer.appendRetire(1, key, 0);
  const feed = (from: ShardStore, to: ShardStore, first: number, last: number) => {
    const { bytes } = from.copyRange(first, 1 << 20, last);
    for (let at = 0; at < bytes.length;) at = to.appendRaw(bytes, at).next;
  };
  feed(writer, other, 1, 3);
  writer.free(2);
  writer.free(end);
  while (writer.tidy());
  feed(writer, copy, 1, 2);
  feed(other, copy, 3, 3);
  feed(writer, copy, 4, 4);
  copy.free(end);
  while (copy.tidy());
  assert.deepEqual([copy.isRetired(copy.actorRow(key)), copy.rowSeq(copy.actorRow(key))], [true, 2]);
  assert.deepEqual(copy.history(key, 0, 9), []);
  assert.equal(copy.findRecorded(key, "b")!.seq, 2, "its receipt can be given again");
});
