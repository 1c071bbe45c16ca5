import assert from "node:assert/strict";
import { emptyDiff, EXAMPLES_MAX, mergeDiffs } from "./diff_book.ts";
import { DiffBooks } from "./diff_books.ts";
import { handlerOf } from "./versions.ts";
import { asDecided, compareEffects, differingPaths } from "./compare.ts";
import type { LivePlugin, VersionDiff } from "./mod.ts";
import { TestShard } from "./test_shard_test.ts";
import { standingOf } from "./standing_test.ts";

const KEY = "patient/F/1";
const NUMBERS = { numbers: { v1: 1, v2: 2 } };
const LIVE: LivePlugin = { name: "care", hash: "v1", actorKind: "patient" };
const WITH_DARK: LivePlugin = { ...LIVE, ...NUMBERS, dark: ["v2"] };

function started(plugin: LivePlugin, seed = 1): TestShard {
  const shard = new TestShard(seed);
  shard.deploy([plugin]);
  shard.elect(0);
  shard.run(10);
  return shard;
}

function diffOf(shard: TestShard, node = 0): VersionDiff {
  const diffs = shard.nodes[node].actors.shadows.diffs("care");
  assert.equal(diffs.length, 1, JSON.stringify(diffs));
  return diffs[0];
}

Deno.test("shadows: a dark version is compared, and says nothing", () => {
  const shard = started(WITH_DARK);
  for (const text of ["note", "alert same", "effect 3", "note", "bad v2", "note", "note"]) shard.record(KEY, text);
  shard.run(2000);
  const { counts, examples, compared, equal, actors } = diffOf(shard);
  assert.deepEqual([diffOf(shard).old, diffOf(shard).new, actors], ["v1", "v2", 1]);
  assert.deepEqual(Object.entries(counts).filter(([, count]) => count > 0), [["effects-changed", 1], [
    "parked-by-new",
    1,
  ]]);
  assert.deepEqual(
    examples.map(({ kind, key, seq, what }) => [kind, key, seq, what]),
    [
      ["effects-changed", KEY, 3, "send"],
      ["parked-by-new", KEY, 5, "x"],
    ].map((row) => row[0] === "parked-by-new" ? [...row.slice(0, 3), examples[1].what] : row),
  );
  assert.ok(compared >= 5 && equal === compared - 2, `${compared} compared, ${equal} equal`);
  assert.deepEqual([...shard.arrived.keys()], [`${KEY}#3#care#0`], "nothing of the dark one is carried out");
  assert.equal(new TextDecoder().decode(shard.posts[0].payload), '"v1"');
  assert.ok(shard.book.every((line) => !JSON.stringify(line).includes('"v2"')), "nothing of it is logged");
  assert.equal(shard.nodes[1].actors.shadows.diffs("care").length, 0, "only the writer compares");
});

Deno.test("diff books: who no longer folds is still counted, but its actors are let go", () => {
  const books = new DiffBooks();
  const handler = handlerOf(WITH_DARK);
  const decision = { from: 1, seq: 1, hash: "v1", effects: [], digest: "", parked: null };
  const book = books.of(handler, "v1", "v2");
  book.add("0 1", { decision, messages: 1, examples: [] }, true);
  book.add("0 2", { decision, messages: 1, examples: [] }, true);
  books.keep((_plugin, hash) => hash !== "v1");
  book.add("0 3", { decision, messages: 1, examples: [] }, true);
  assert.deepEqual([book.diff.compared, book.diff.actors], [3, 2]);
});

Deno.test("shadows: a sweep folds whole histories before anybody decides by the new version, bounded", () => {
  const shard = started(LIVE);
  for (let i = 0; i < 20; i++) for (let n = 0; n < 40; n++) shard.record(`patient/F/${i}`, "effect 3");
  shard.run(5000);
  shard.deploy([WITH_DARK]);
  shard.run(3);
  assert.notEqual(shard.nodes[0].actors.shadows.progress("care")[0].actors, 20, "not at once");
  shard.run(5000);
  const [progress] = shard.nodes[0].actors.shadows.progress("care");
  assert.deepEqual(progress, { hash: "v2", actors: 21 - 1, actorsAll: 20, shards: 1, shardsAll: 1, parked: 0 });
  const sessions = [...shard.nodes[0].host.sessions].filter(([name]) => name.startsWith("care v2"));
  assert.equal(sessions.length, 20);
  assert.ok(sessions.every(([, { at }]) => at === 40), "each stands where the decider does");
  const { calls } = shard.nodes[0].host;
  shard.deploy([{ ...LIVE, hash: "v2", ...NUMBERS, dark: ["v1"] }]);
  shard.record("patient/F/0", "note");
  shard.run(2000);
  assert.ok(shard.nodes[0].host.calls - calls < 10, "the take-over replays nothing, nor is the old version looked for");
  assert.deepEqual(shard.nodes[0].actors.shadows.progress("care")[0], { ...progress, hash: "v1" });
  assert.equal(shard.posts.length, 800, "none fires twice");
});

Deno.test("shadows: a canary decides for its part and the other folds along; each message has one decision", () => {
  const shard = started({ ...LIVE, ...NUMBERS, canary: { hash: "v2", percent: 0, actors: [KEY] } });
  for (let n = 0; n < 5; n++) for (const id of [1, 2]) shard.record(`patient/F/${id}`, "effect 3");
  shard.run(3000);
  const by = (id: number) =>
    new Set(
      [...shard.arrived].filter(([name]) => name.startsWith(`patient/F/${id}#`)).map(([, { payload }]) =>
        new TextDecoder().decode(payload)
      ),
    );
  assert.deepEqual([[...by(1)], [...by(2)]], [['"v2"'], ['"v1"']]);
  const { compared, counts } = diffOf(shard);
  assert.deepEqual([compared, counts["effects-changed"]], [10, 10], "both sides in one book, the right way round");
  assert.equal(standingOf(shard.book).effects.size, 10);
});

Deno.test("shadows: hosts that die and roles that change take nothing from who decides", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const shard = started(WITH_DARK, seed);
    shard.trouble = { ...shard.trouble, hostDies: 0.05, forgets: 0.2, slow: 0.1 };
    let recorded = 0;
    for (let turn = 0; turn < 30; turn++) {
      for (let i = 0; i < 4; i++) if (shard.record(`patient/F/${i}`, "effect 3")) recorded++;
      if (turn % 7 === 6) shard.elect(turn % 3);
      if (turn % 5 === 4) shard.deploy([turn % 2 === 0 ? { ...WITH_DARK, hash: "v2", dark: ["v1"] } : WITH_DARK]);
      shard.run(40);
    }
    shard.trouble = { ...shard.trouble, hostDies: 0, forgets: 0, slow: 0 };
    shard.run(20_000);
    const standing = standingOf(shard.book);
    assert.equal(standing.effects.size, shard.arrived.size, `seed ${seed}`);
    assert.equal(shard.nodes[shard.writer].actors.backlog(), 0);
    assert.ok(recorded > 0);
    for (const { compared, equal, counts } of shard.nodes[shard.writer].actors.shadows.diffs("care")) {
      // A host that dies by chance, twice under the same message alone, looks like poison.
      const known = counts["effects-changed"] + counts["parked-by-new"] + counts["parked-by-old"];
      assert.equal(compared - equal, known, `seed ${seed}: every difference is a true one ${JSON.stringify(counts)}`);
    }
  }
});

Deno.test("compare: effects by position, projections by path, timers as they are logged", () => {
  const alert = (text: string) => ({ type: "alert" as const, code: "a", text });
  const retire = { type: "retire" as const };
  assert.deepEqual(compareEffects([alert("x")], [alert("x")]), []);
  assert.deepEqual(compareEffects([alert("x"), retire], [alert("y")]), [
    { kind: "effects-changed", what: "alert" },
    { kind: "effects-missing", what: "retire" },
  ]);
  assert.deepEqual(compareEffects([], [retire]), [{ kind: "effects-added", what: "retire" }]);
  const timer = { type: "schedule" as const, name: "t", afterMs: 5, message: { type: "m" } };
  assert.deepEqual(asDecided([timer], 100), [{ type: "schedule", name: "t", at: 105, message: { type: "m" } }]);
  assert.deepEqual(differingPaths({ a: { b: [1, 2] }, c: 1 }, { c: 1, a: { b: [1, 3] }, d: null }), ["a.b[1]", "d"]);
  assert.deepEqual(differingPaths([1], { 0: 1 }), [""]);
  assert.deepEqual(differingPaths({ x: new Uint8Array(2) }, { x: new Uint8Array(2) }), []);
});

Deno.test("diff books: what nodes know is added up, with few examples of each kind", () => {
  const one = emptyDiff("p", "a", "b");
  one.compared = 20;
  one.counts.projection = 20;
  for (let seq = 1; seq <= EXAMPLES_MAX; seq++) one.examples.push({ kind: "projection", key: "k", seq });
  one.paths = { x: 2 };
  const [sum, other] = mergeDiffs([one, structuredClone(one), emptyDiff("p", "a", "c")]);
  assert.deepEqual([sum.compared, sum.counts.projection, sum.examples.length, sum.paths], [40, 40, EXAMPLES_MAX, {
    x: 4,
  }]);
  assert.equal(other.new, "c");
});

Deno.test("diff books: the lower number is the old one, whoever has decided", () => {
  const books = new DiffBooks();
  const handler = handlerOf(WITH_DARK);
  const decision = { from: 1, seq: 1, hash: "v2", effects: [], digest: "", parked: null };
  const examples = [{ kind: "effects-missing" as const, key: KEY, seq: 1 }, {
    kind: "parked-by-new" as const,
    key: KEY,
    seq: 1,
  }];
  const book = books.of(handler, "v2", "v1");
  assert.equal(book, books.of(handler, "v1", "v2"));
  book.add("a", { decision, messages: 1, examples }, false);
  const [{ old, counts, compared, equal }] = books.diffs("care");
  assert.deepEqual([old, counts["effects-added"], counts["parked-by-old"], counts["effects-missing"]], ["v1", 1, 1, 0]);
  assert.deepEqual([compared, equal], [1, 0], "one message, though it differs in two ways");
});
