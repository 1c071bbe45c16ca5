import assert from "node:assert/strict";
import { decodeOutcomes, type Effect } from "../effects/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import type { LivePlugin, ProjectAnswer } from "./mod.ts";
import { standingOf } from "./standing_test.ts";
import { SHARD, TestShard } from "./test_shard_test.ts";
import { TimerWishes } from "./timer_wishes.ts";

const KEY = "patient/F/1";
const CARE: LivePlugin = { name: "care", hash: "v1", actorKind: "patient" };
const BILL: LivePlugin = { name: "bill", hash: "v1", actorKind: "patient" };

function started(plugins = [CARE]): TestShard {
  const shard = new TestShard(1);
  shard.deploy(plugins);
  shard.elect(0);
  shard.run(10);
  return shard;
}

/** Texts of an actor's messages in all its lives. */
function texts(shard: TestShard, key = KEY): string[] {
  return standingOf(shard.book).messages.get(key)?.map(({ text }) => text) ?? [];
}

function project(shard: TestShard, at?: number, node = shard.writer): ProjectAnswer {
  const answers: ProjectAnswer[] = [];
  shard.nodes[node].actors.project(SHARD, KEY, { at }, (answer) => answers.push(answer));
  shard.run(1000);
  assert.equal(answers.length, 1);
  return answers[0];
}

Deno.test("timers: a message comes when it is due, not before, and once; under a name there is one", () => {
  const shard = started();
  shard.record(KEY, "remind a 1000");
  shard.run(600);
  shard.record(KEY, "remind a 1000");
  shard.record(KEY, "remind b 1700");
  shard.run(900);
  assert.equal(texts(shard).length, 3, "the first was replaced, the second is not due");
  for (const { timers, store } of shard.nodes) assert.equal(timers.countOf(SHARD, store.actorRow(KEY)), 2);
  shard.run(150);
  assert.deepEqual(texts(shard).slice(3), ['"fired care a"']);
  shard.run(60_000);
  assert.deepEqual(texts(shard).slice(3), ['"fired care a"', '"fired care b"']);
  const { ids } = { ids: standingOf(shard.book).fired };
  assert.deepEqual(ids, [`${KEY}#2#care#0`, `${KEY}#3#care#0`], "in order of due time, under the effects' ids");
});

Deno.test("timers: cancelled is cancelled, by the plugin that scheduled", () => {
  const shard = started([CARE, BILL]);
  shard.record(KEY, "remind a 300");
  shard.run(100);
  shard.deploy([{ ...CARE, actorKind: "ward" }, BILL]);
  shard.record(KEY, "forget a");
  shard.run(1000);
  assert.deepEqual(texts(shard).slice(2), ['"fired care a"'], "bill's was taken back, care's was not");
});

Deno.test("timers: the next writer fires what is due, whoever scheduled it, and nothing twice", () => {
  const shard = started();
  for (let i = 0; i < 3; i++) shard.record(`patient/F/${i}`, `remind a ${100 + i}`);
  shard.run(50);
  shard.elect(1);
  shard.run(54);
  // what the old writer has just recorded survives or does not
  shard.elect(2, 1);
  shard.run(500);
  assert.equal(standingOf(shard.book).fired.length, 3);
  assert.equal(standingOf(shard.book).timers.size, 0);
});

Deno.test("timers: what was on its way into the log when the role was lost fires when it is won again", () => {
  const shard = started();
  shard.record(KEY, "remind a 100");
  shard.run(50);
  shard.commitMsMax = 500;
  shard.run(60);
  const { store } = shard.nodes[0];
  assert.equal(store.keyOf(store.lastIndex), KEY);
  assert.ok(store.lastIndex > shard.commit, "it is in the tail");
  shard.elect(1, 0);
  shard.nodes[1].clockAheadMs = 9000;
  shard.run(2000);
  assert.equal(standingOf(shard.book).fired.length, 0);
  shard.elect(0);
  shard.run(2000);
  assert.equal(standingOf(shard.book).fired.length, 1);
});

Deno.test("timers: of fire and cancel in one tail the first counts; one that is cancelled in the tail is held back", () => {
  const shard = started();
  shard.record(KEY, "remind a 100");
  shard.run(20);
  shard.commitMsMax = 200;
  shard.run(50);
  shard.record(KEY, "forget a");
  // committed, handled and appended, but far from committed when the timer is due
  shard.run(5000);
  assert.deepEqual(standingOf(shard.book).timers.size, 0);
  const outcomes = shard.book.flatMap(({ kind, body }, i) =>
    kind === ENTRY.OUTCOMES && decodeOutcomes(body).some((item) => item.effects?.[0]?.type === "cancel") ? [i] : []
  );
  const fires = shard.book.flatMap(({ text }, i) => text.startsWith('"fired') ? [i] : []);
  assert.equal(outcomes.length, 1);
  assert.ok(fires.length === 0 || fires[0] < outcomes[0]);
});

Deno.test("timers: a clock that is off fires nothing, and says so; when it is right again all that is due comes", () => {
  for (const clockAheadMs of [5000, -5000]) {
    const shard = started();
    shard.record(KEY, "remind a 100");
    shard.nodes[0].clockAheadMs = clockAheadMs;
    shard.run(20_000);
    assert.equal(texts(shard).length, 1);
    assert.deepEqual(new Set(shard.alerts), new Set(["effects/clock-off"]));
    shard.nodes[0].clockAheadMs = 0;
    shard.run(clockAheadMs < 0 ? 32_000 : 2000);
    assert.equal(texts(shard).length, 2);
  }
});

Deno.test("timers: after an outage they come a few at a time, in order of due time", () => {
  const shard = started();
  for (let i = 0; i < 40; i++) shard.record(`patient/F/${i}`, `remind a ${1000 - i}`);
  shard.run(100);
  shard.nodes[0].clockAheadMs = 9000;
  shard.run(10_000);
  shard.nodes[0].clockAheadMs = 0;
  let most = 0;
  for (let i = 0; i < 5000 && standingOf(shard.book).fired.length < 40; i++) {
    shard.run(1);
    most = Math.max(most, shard.nodes[0].store.lastIndex - shard.commit);
  }
  const rows = standingOf(shard.book).fired.map((id) => Number(id.slice("patient/F/".length).split("#")[0]));
  assert.deepEqual(rows, Array.from({ length: 40 }, (_, i) => 39 - i));
  assert.ok(most <= 3 + 2, `${most} entries under way: three timers, a mark of outcomes and one of effects done`);
});

Deno.test("timers: an outcome that asks for too many is parked, as is one with too large a message; others are not", () => {
  const shard = started();
  for (const name of ["a", "b", "c", "b", "c"]) shard.record(KEY, `remind ${name} 60000`);
  shard.run(200);
  assert.equal(shard.nodes[0].actors.parkedCount("care"), 0, "names that are open are replaced");
  shard.record(KEY, "remind d 60000");
  shard.record("patient/F/2", `remind ${"x".repeat(120)} 60000`);
  shard.run(200);
  assert.equal(shard.nodes[0].actors.parkedCount("care"), 2);
  const parked = standingOf(shard.book).parked;
  assert.deepEqual([...parked].sort(), [[`${KEY} care`, 6], ["patient/F/2 care", 1]]);
});

Deno.test("timer wishes: what is decided and not committed counts, and a cancel makes room", () => {
  const schedule = (name: string): Effect => ({ type: "schedule", name, afterMs: 5, message: { type: "t" } });
  const wishes = new TimerWishes({ timersMax: 2, timerBytesMax: 10 });
  const open = { count: () => 1, has: (name: string) => name === "a" };
  const settle = (seq: number, ...effects: Effect[]) => wishes.settle(effects, { seq, atMs: 100, mark: 0 }, open);
  assert.deepEqual(settle(1, schedule("b")), {
    effects: [{ type: "schedule", name: "b", at: 105, message: { type: "t" } }],
  });
  assert.equal("code" in settle(2, schedule("c")), true);
  assert.equal("code" in settle(2, schedule("a"), schedule("b")), false);
  assert.equal("code" in settle(3, { type: "cancel", name: "a" }, schedule("c")), false);
  wishes.clear();
  assert.equal("code" in settle(1, schedule("c")), false);
  const untouched: Effect[] = [{ type: "retire" }];
  assert.deepEqual(settle(9, ...untouched), { effects: untouched });
});

Deno.test("retirement: a life ends on every copy once all is done; the next begins at the next seq with nothing known", () => {
  const shard = started();
  shard.record(KEY, "note");
  shard.record(KEY, "remind a 5000");
  shard.record(KEY, "bye");
  shard.run(1000);
  assert.deepEqual(standingOf(shard.book).ends.get(KEY), [3]);
  for (const { store, timers, actors } of shard.nodes) {
    const row = store.actorRow(KEY);
    assert.equal(store.isRetired(row), true);
    assert.equal(timers.countOf(SHARD, row), 0, "its timers are cancelled");
    assert.equal(actors.handledSeq(SHARD, KEY), 3);
    const [first] = standingOf(shard.book).messages.get(KEY)!;
    assert.equal(store.kindAt(first.index), ENTRY.HOLLOW);
  }
  assert.equal(shard.nodes[0].effects.owed(), 0, "the wish is done");
  assert.deepEqual(project(shard), { state: "failed", code: "actors/retired" });
  shard.record(KEY, "effect 7");
  shard.run(100);
  assert.deepEqual(project(shard), {
    state: "ok",
    seq: 4,
    projections: { care: { count: 1, hash: "v1" } },
    parked: {},
  });
  assert.deepEqual(project(shard, 2), { state: "failed", code: "actors/retired" });
  assert.deepEqual([...shard.arrived.keys()], [`${KEY}#4#care#0`]);
  shard.record(KEY, "note");
  const past = project(shard, 4) as ProjectAnswer & { state: "ok" };
  assert.deepEqual(past.projections, { care: { count: 1, hash: "v1" } });
  shard.run(10_000);
  assert.equal(texts(shard).length, 5, "no timer of the former life fires");
});

Deno.test("retirement: a message behind the wish makes it void, committed or not, a timer's too", () => {
  const shard = started();
  shard.record(KEY, "bye");
  shard.record(KEY, "note");
  shard.record("patient/F/2", "remind a 3");
  shard.run(20);
  shard.commitMsMax = 40;
  shard.record("patient/F/3", "bye");
  for (let i = 0; i < 200; i++) {
    // in the log before the wish is looked at, and never quiet
    shard.record("patient/F/3", "note");
    shard.run(5);
  }
  shard.run(1000);
  assert.equal(standingOf(shard.book).ends.size, 0);
  assert.equal(shard.nodes[0].effects.owed(), 0, "void wishes are not kept");
});

Deno.test("retirement: it waits for other plugins and for effects, and is void while one stands still", () => {
  const shard = started([CARE, BILL]);
  shard.nodes[0].host.missing.add("v2");
  shard.deploy([CARE, { ...BILL, hash: "v2" }]);
  shard.record(KEY, "bye");
  shard.run(2000);
  assert.equal(standingOf(shard.book).ends.size, 0, "bill has not handled it");
  shard.nodes[0].host.missing.clear();
  shard.run(5000);
  assert.deepEqual(standingOf(shard.book).ends.get(KEY), [1]);

  shard.refuse = () => "mailroom/busy";
  shard.record(KEY, "effect 1");
  shard.record(KEY, "bye");
  shard.run(3000);
  assert.deepEqual(standingOf(shard.book).ends.get(KEY), [1], "its effect has not arrived");
  shard.refuse = () => null;
  shard.run(20_000);
  assert.deepEqual(standingOf(shard.book).ends.get(KEY), [1, 3]);

  shard.deploy([CARE, { ...BILL, hash: "v3" }]);
  shard.record(KEY, "bad v3");
  shard.record(KEY, "bye");
  shard.run(5000);
  assert.deepEqual(standingOf(shard.book).ends.get(KEY), [1, 3]);
  assert.equal(shard.nodes[0].effects.owed(), 0);
});

Deno.test("retirement: a writer that is lost in the middle leaves it to the next one", () => {
  for (const adopted of [0, 9]) {
    const shard = started();
    shard.record(KEY, "bye");
    shard.run(10);
    shard.commitMsMax = 50;
    for (let i = 0; i < 200 && !shard.nodes[0].store.isRetired(0); i++) shard.run(1);
    assert.equal(shard.nodes[0].store.isRetired(0), true, "it is in the tail");
    assert.deepEqual(project(shard).state, "ok", "what is committed is read");
    shard.elect(1, adopted);
    shard.run(20_000);
    assert.deepEqual(standingOf(shard.book).ends.get(KEY), [1]);
    assert.equal(shard.nodes[1].effects.owed(), 0);
  }
});

Deno.test("retirement: who reads when the life ends is told so at once", () => {
  const shard = started();
  shard.record(KEY, "bye");
  shard.run(10);
  shard.commitMsMax = 50;
  for (let i = 0; i < 200 && !shard.nodes[0].store.isRetired(0); i++) shard.run(1);
  shard.nodes[0].host.sessions.clear();
  shard.nodes[0].host.missing.add("v1");
  const answers: ProjectAnswer[] = [];
  shard.nodes[0].actors.project(SHARD, KEY, {}, (answer) => answers.push(answer));
  shard.run(200);
  assert.deepEqual(answers, [{ state: "failed", code: "actors/retired" }]);
});

Deno.test("retirement: who reads a copy that is not whole waits until it is", () => {
  const [feeder, freed, copy] = [new ShardStore(), new ShardStore(), new ShardStore()];
  const feed = (from: ShardStore, to: ShardStore, last: number) => {
    const { bytes } = from.copyRange(to.lastIndex + 1, 1 << 20, last);
    for (let at = 0; at < bytes.length;) at = to.appendRaw(bytes, at).next;
  };
  const say = (key: string, id: string) => {
    const payload = new TextEncoder().encode("note");
    feeder.appendMessage(1, { key, id, type: "t", contentType: "text/plain", atMs: 0, payload });
  };
  for (const id of ["a", "b", "c", "d"]) say(KEY, id);
  say("patient/F/2", "a");
  feed(feeder, copy, 2);
  feeder.appendRetire(1, KEY, 0);
  feed(feeder, freed, 6);
  freed.free(6);
  while (freed.tidy());
  feed(freed, copy, 6);
  assert.deepEqual([copy.kindAt(2), copy.kindAt(3), copy.wholeFrom], [ENTRY.MESSAGE, ENTRY.HOLLOW, 6]);

  const shard = new TestShard(1, 1);
  const [node] = shard.nodes;
  node.store = copy;
  shard.deploy([CARE]);
  node.actors.committed(SHARD, 1, 5);
  const answers: (ProjectAnswer & { key: string })[] = [];
  for (const key of [KEY, "patient/F/2"]) {
    node.actors.project(SHARD, key, {}, (answer) => answers.push({ key, ...answer }));
  }
  shard.run(500);
  assert.deepEqual(answers, [], "two of four notes are no state that the actor ever had here");
  node.actors.committed(SHARD, 6, 6);
  shard.run(20);
  assert.deepEqual(answers, [
    { key: KEY, state: "failed", code: "actors/retired" },
    { key: "patient/F/2", state: "ok", seq: 1, projections: { care: { count: 1, hash: "v1" } }, parked: {} },
  ]);
});

Deno.test("retirement: a copy that was fed half a freed history is not folded before it is whole", () => {
  let halves = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const shard = new TestShard(seed);
    shard.deploy([CARE]);
    shard.elect(0);
    for (let i = 0; i < 5; i++) shard.record(KEY, "note");
    shard.run(50);
    shard.crash(2);
    shard.record(KEY, "bye");
    shard.record("patient/F/2", "note");
    shard.run(1000);
    shard.record(KEY, "effect 1");
    shard.run(100);
    shard.restart(2);
    const { store, actors, commit } = shard.nodes[2];
    if (store.wholeFrom > commit && store.actorRow("patient/F/2") >= 0) halves++;
    const answers: ProjectAnswer[] = [];
    actors.project(SHARD, "patient/F/2", {}, (answer) => answers.push(answer));
    actors.project(SHARD, KEY, {}, (answer) => answers.push(answer));
    shard.run(1000);
    const sound = [[{ count: 1, hash: "v1" }, undefined], [{ count: 1, hash: "v1" }, undefined]];
    for (const [i, answer] of answers.entries()) {
      const { care } = answer.state === "ok" ? answer.projections : { care: undefined };
      assert.ok(sound[i].some((one) => JSON.stringify(one) === JSON.stringify(care)), JSON.stringify(answer));
    }
    const { projections } = project(shard, undefined, 2) as ProjectAnswer & { state: "ok" };
    assert.deepEqual(projections, { care: { count: 1, hash: "v1" } });
    assert.equal(shard.alerts.length, 0, shard.alerts.join());
  }
  assert.ok(halves > 0);
});

Deno.test("retirement: more wishes than may be looked after at a time are void, and nothing stands still", () => {
  const shard = started([CARE, BILL]);
  shard.nodes[0].host.missing.add("v2");
  shard.deploy([CARE, { ...BILL, hash: "v2" }]);
  for (let i = 0; i < 130; i++) shard.record(`patient/F/${i}`, "bye");
  shard.run(2000);
  shard.record("patient/G/1", "effect 9");
  shard.run(100);
  assert.equal(shard.arrived.size, 1);
  shard.nodes[0].host.missing.clear();
  shard.run(60_000);
  assert.equal(shard.nodes[0].effects.owed(), 0);
  assert.equal(shard.alerts.includes("effects/too-many-retire"), true);
  // bill wishes it as well, when it is through
  assert.ok(standingOf(shard.book).ends.size >= 100);
});
