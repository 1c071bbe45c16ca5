import assert from "node:assert/strict";
import type { HandledAnswer, LivePlugin, ProjectAnswer } from "./mod.ts";
import { NO_TROUBLE, SHARD, TestShard } from "./test_shard_test.ts";
import { standingOf } from "./standing_test.ts";

const KEY = "patient/F/1";
const CARE: LivePlugin = { name: "care", hash: "v1", actorKind: "patient" };

function started(seed = 1, plugins = [CARE]): TestShard {
  const shard = new TestShard(seed);
  shard.deploy(plugins);
  shard.elect(0);
  shard.run(10);
  return shard;
}

function project(shard: TestShard, node: number, at?: number, key = KEY): ProjectAnswer {
  const answers: ProjectAnswer[] = [];
  shard.nodes[node].actors.project(SHARD, key, { at }, (answer) => answers.push(answer));
  shard.run(20_000);
  assert.equal(answers.length, 1, "answers once");
  return answers[0];
}

function whenHandled(shard: TestShard, node: number, seq: number, runMs = 1000): HandledAnswer | undefined {
  const answers: HandledAnswer[] = [];
  shard.nodes[node].actors.whenHandled(SHARD, KEY, seq, 500, (answer) => answers.push(answer));
  shard.run(runMs);
  assert(answers.length < 2, "answers at most once");
  return answers[0];
}

Deno.test("actors: a message is handled, its effect arrives once, and all copies know", () => {
  const shard = started();
  shard.record(KEY, "effect 3");
  shard.run(500);
  assert.deepEqual([...shard.arrived.keys()], [`${KEY}#1#care#0`]);
  const posting = shard.posts[0];
  assert.equal(posting.key, "ward/F/3");
  assert.equal(posting.sender, `${KEY}@0`, "the actor, as long as this node writes it");
  assert.equal(new TextDecoder().decode(posting.payload), '"v1"');
  for (const { actors } of shard.nodes) assert.equal(actors.handledSeq(SHARD, KEY), 1);
  assert.equal(shard.nodes[0].effects.owed(), 0);
  assert.equal(shard.nodes[0].actors.backlog(), 0);
});

Deno.test("actors: messages without effects are gathered in one mark", () => {
  const shard = started();
  for (let i = 0; i < 10; i++) shard.record(KEY, "note");
  shard.run(500);
  const { store } = shard.nodes[0];
  const outcomes = [...Array(store.lastIndex)].filter((_, i) => store.kindAt(i + 1) === 4).length;
  assert.equal(outcomes, 2, "the start and one mark");
  assert.equal(shard.nodes[2].actors.handledSeq(SHARD, KEY), 10);
});

Deno.test("actors: a plugin handles its kind of actor; one for * handles all", () => {
  const shard = started(1, [{ name: "all", hash: "v1", actorKind: "*" }, CARE]);
  shard.record("ward/F/9", "effect");
  shard.record(KEY, "effect");
  shard.run(500);
  assert.deepEqual([...shard.arrived.keys()].sort(), [`${KEY}#1#all#0`, `${KEY}#1#care#0`, "ward/F/9#1#all#0"]);
});

Deno.test("actors: a new plugin starts without effects of what was before its deploy", () => {
  const shard = started(1, []);
  shard.record(KEY, "effect");
  shard.run(100);
  shard.deploy([CARE]);
  shard.run(100);
  assert.equal(shard.nodes[1].actors.handledSeq(SHARD, KEY), 1, "its start lifts the mark");
  shard.record(KEY, "effect");
  shard.record("patient/F/2", "effect");
  shard.run(500);
  assert.deepEqual([...shard.arrived.keys()].sort(), [`${KEY}#2#care#0`, "patient/F/2#1#care#0"]);
  const answer = project(shard, 0);
  assert.deepEqual(answer, { state: "ok", seq: 2, projections: { care: { count: 2, hash: "v1" } }, parked: {} });
});

Deno.test("actors: how plugins stand to a message: before its start, through, at a standstill, waiting", () => {
  const shard = started(1, []);
  shard.record(KEY, "note");
  shard.run(100);
  shard.deploy([CARE]);
  shard.run(100);
  shard.record(KEY, "note");
  shard.record(KEY, "bad v1");
  shard.record(KEY, "note");
  shard.run(500);
  const { actors, store } = shard.nodes[1];
  const standings = store.history(KEY, 0, 9, store.lastIndex).map((index) =>
    actors.standings(SHARD, { key: KEY, seq: store.seqOf(index), index }, ["care", "unknown"]).map(({ state }) => state)
  );
  assert.deepEqual(standings, [["waiting"], ["through", "waiting"], ["parked", "waiting"], ["waiting", "waiting"]]);
});

Deno.test("actors: a first message that is handled only by the next writer keeps its effects", () => {
  const shard = started(1, []);
  shard.deploy([CARE]); // while the shard is empty
  shard.record(KEY, "effect");
  shard.run(3); // recorded, start not yet logged
  shard.elect(1);
  shard.run(500);
  assert.deepEqual([...shard.arrived.keys()], [`${KEY}#1#care#0`]);
});

Deno.test("actors: a new version goes on where the old one was, with projections of its own", () => {
  const shard = started();
  shard.record(KEY, "effect");
  shard.record(KEY, "effect");
  shard.run(500);
  shard.deploy([{ ...CARE, hash: "v2" }]);
  shard.record(KEY, "effect");
  shard.run(500);
  const bodies = shard.posts.map(({ payload }) => new TextDecoder().decode(payload));
  assert.deepEqual(bodies, ['"v1"', '"v1"', '"v2"']);
  const answer = project(shard, 0);
  assert.deepEqual(answer.state === "ok" && answer.projections, { care: { count: 3, hash: "v2" } });
});

Deno.test("actors: a fault parks plugin and actor alone; a mended version goes on at that message", () => {
  const shard = started(1, [{ name: "bill", hash: "b1", actorKind: "patient" }, CARE]);
  shard.record(KEY, "note");
  shard.record(KEY, "bad v1");
  shard.record(KEY, "effect");
  shard.record("patient/F/2", "effect");
  shard.run(500);
  assert.deepEqual([...shard.arrived.keys()].sort(), [
    `${KEY}#3#bill#0`,
    "patient/F/2#1#bill#0",
    "patient/F/2#1#care#0",
  ]);
  const parked = project(shard, 2);
  assert.deepEqual(parked.state === "ok" && parked.parked, {
    care: { seq: 2, hash: "v1", code: "plugin_host/threw", message: "bad" },
  });
  assert.deepEqual(parked.state === "ok" && parked.projections.care, { count: 1, hash: "v1" });
  assert.deepEqual(project(shard, 0), parked, "the writer says the same");
  assert.equal(shard.nodes[0].actors.parkedCount("care"), 1);
  assert.equal(shard.nodes[0].actors.backlog(), 0, "what stands still is no backlog");

  shard.record(KEY, "effect"); // recording goes on
  shard.run(10);
  shard.elect(1); // and a new writer stands still at the same message
  shard.run(500);
  shard.deploy([{ name: "bill", hash: "b1", actorKind: "patient" }, { ...CARE, hash: "v2" }]);
  shard.run(500);
  assert(shard.arrived.has(`${KEY}#3#care#0`) && shard.arrived.has(`${KEY}#4#care#0`));
  assert.equal(shard.nodes[1].actors.handledSeq(SHARD, KEY), 4);
  assert.equal(shard.nodes[1].actors.parkedCount("care"), 0);
});

Deno.test("actors: a version that cannot fold what its predecessor could is parked at the next message", () => {
  const shard = started();
  shard.record(KEY, "bad v2");
  shard.record(KEY, "note");
  shard.run(500);
  shard.deploy([{ ...CARE, hash: "v2" }]);
  shard.record(KEY, "effect");
  shard.run(500);
  const answer = project(shard, 0);
  assert(answer.state === "ok" && answer.parked.care.seq === 3);
  assert.match(answer.parked.care.message, /^while it folded seq 1 anew/);
  assert.deepEqual(answer.projections, { care: { count: 0, hash: "v2" } });
});

Deno.test("actors: a message that kills its host is found among many and parked", () => {
  const shard = started();
  for (let i = 0; i < 20; i++) shard.record(`patient/F/${i}`, "effect");
  shard.record(KEY, "kill v1");
  for (let i = 0; i < 20; i++) shard.record(`patient/F/${i}`, "effect");
  shard.record(KEY, "effect");
  shard.run(5000);
  const standing = standingOf(shard.book);
  // patient/F/1 has "effect" before and after
  assert.deepEqual([...standing.parked], [[`${KEY} care`, 2]]);
  assert.equal(shard.arrived.size, 39);
  shard.deploy([{ ...CARE, hash: "v2" }]);
  shard.run(1000);
  assert.equal(shard.arrived.size, 41);
});

Deno.test("actors: reads the present on any copy, the past from birth, and fails where it has no copy", () => {
  const shard = started();
  for (let i = 0; i < 40; i++) shard.record(KEY, "note");
  shard.run(500);
  for (const node of [0, 1, 2]) {
    const answer = project(shard, node);
    assert.deepEqual(answer.state === "ok" && answer.projections, { care: { count: 40, hash: "v1" } });
    const past = project(shard, node, 17);
    assert.deepEqual(past, { state: "ok", seq: 17, projections: { care: { count: 17, hash: "v1" } }, parked: {} });
  }
  assert.deepEqual(project(shard, 0, undefined, "patient/F/none"), {
    state: "ok",
    seq: 0,
    projections: {},
    parked: {},
  });
  let answer: ProjectAnswer | undefined;
  shard.nodes[0].actors.project(SHARD + 1, KEY, {}, (a) => answer = a);
  assert.deepEqual(answer, { state: "failed", code: "actors/not-here" });
});

Deno.test("actors: a reader that moved a follower's session on costs its effects nothing", () => {
  const shard = started();
  shard.record(KEY, "effect");
  shard.run(500);
  shard.trouble = { ...NO_TROUBLE, busy: 1 }; // outcomes are not committed
  shard.record(KEY, "effect");
  shard.run(500);
  project(shard, 1);
  shard.trouble = NO_TROUBLE;
  shard.elect(1);
  shard.run(500);
  assert(shard.arrived.has(`${KEY}#2#care#0`));
});

Deno.test("actors: a reading says of which message it is, or that a plugin stands still before", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const shard = started(seed);
    shard.trouble = { ...shard.trouble, slow: 0.3 };
    for (let i = 0; i < 30; i++) {
      shard.record(KEY, i === 20 ? "bad v1" : "note");
      shard.run(shard.random.below(4));
      shard.nodes[0].actors.project(SHARD, KEY, {}, (answer) => {
        if (answer.state !== "ok" || answer.seq === 0) return;
        const { count } = answer.projections.care as { count: number };
        assert.equal(answer.parked.care === undefined ? answer.seq : answer.parked.care.seq - 1, count);
      });
    }
    shard.run(20_000);
    const answer = project(shard, 0);
    assert(answer.state === "ok" && answer.seq === 30 && answer.parked.care.seq === 21);
  }
});

Deno.test("actors: a reading of the last message is of that one, though more come meanwhile", () => {
  for (let seed = 1; seed <= 40; seed++) {
    const shard = started(seed);
    shard.trouble = { ...shard.trouble, slow: 0.3 };
    let answers = 0;
    for (let i = 1; i <= 20; i++) {
      shard.record(KEY, "note");
      shard.run(2);
      shard.nodes[0].actors.project(SHARD, KEY, { at: i }, (answer) => {
        if (answer.state !== "ok" || answer.seq === 0) return;
        answers++;
        assert.ok(answer.seq <= i);
        assert.equal((answer.projections.care as { count: number }).count, answer.seq);
      });
      shard.record(KEY, "note");
      shard.run(shard.random.below(4));
    }
    shard.run(20_000);
    assert.ok(answers > 10);
  }
});

Deno.test("actors: a reading ends by its time-out while the host is down", () => {
  const shard = started();
  shard.record(KEY, "note");
  shard.run(500);
  shard.trouble = { ...NO_TROUBLE, hostDies: 1 };
  assert.equal(project(shard, 1).state, "failed");
});

Deno.test("actors: whenHandled waits for all plugins and gives the reply, also to who asks late", () => {
  const shard = started(1, [{ name: "all", hash: "v1", actorKind: "*" }, CARE]);
  shard.record(KEY, "reply yes");
  assert.deepEqual(whenHandled(shard, 0, 1), { state: "handled", reply: "all yes" });
  assert.deepEqual(whenHandled(shard, 2, 1, 0), { state: "handled", reply: "all yes" });
  assert.deepEqual(whenHandled(shard, 0, 2), { state: "timeout" });
  shard.record(KEY, "bad v1");
  shard.record(KEY, "note");
  assert.deepEqual(whenHandled(shard, 0, 3), { state: "handled" }, "who stands still is not waited for");
});

Deno.test("actors: no plugin, nothing to wait for", () => {
  const shard = started(1, []);
  shard.record(KEY, "note");
  assert.deepEqual(whenHandled(shard, 0, 1), { state: "handled" });
});

Deno.test("actors: a busy log delays and loses nothing", () => {
  const shard = started();
  shard.trouble = { ...NO_TROUBLE, busy: 0.9 };
  for (let i = 0; i < 100; i++) shard.record(`patient/F/${i % 7}`, "effect");
  shard.run(10_000);
  shard.trouble = NO_TROUBLE;
  shard.run(1000);
  assert.equal(shard.arrived.size, 100);
});

Deno.test("actors: more to do than may be held is found by searching again", () => {
  const shard = started();
  for (let i = 0; i < 3000; i++) shard.record(`patient/F/${i}`, "note");
  shard.run(20_000);
  assert.equal(standingOf(shard.book).marks.size, 3000);
  assert.equal(shard.nodes[0].actors.backlog(), 0);
});

Deno.test("actors: an alert is given, a removed plugin is no longer asked", () => {
  const shard = started();
  shard.record(KEY, "alert fire");
  shard.run(500);
  assert.deepEqual(shard.alerts, ["test/alert"]);
  shard.deploy([]);
  shard.record(KEY, "effect");
  shard.run(500);
  assert.equal(shard.posts.length, 0);
  assert.equal(shard.nodes[0].actors.backlog(), 0);
});

Deno.test("actors: a version that the host does not have yet holds up nobody else", () => {
  const shard = started(1, [{ name: "bill", hash: "b1", actorKind: "patient" }, CARE]);
  const { host } = shard.nodes[0];
  host.missing.add("v1");
  for (let i = 0; i < 20; i++) shard.record(`patient/F/${i}`, "effect");
  shard.run(200);
  assert.equal(shard.arrived.size, 20);
  const calls = host.calls;
  assert.equal(project(shard, 0).state, "failed");
  assert(host.calls - calls < 8000, `${host.calls - calls} calls in 20 s`);
  host.missing.clear();
  shard.run(200);
  assert.equal(shard.arrived.size, 40);
  host.missing.add("v1");
  shard.record("patient/F/1", "note");
  shard.run(200);
  shard.nodes[0].actors.project(SHARD, "patient/F/1", { at: 1 }, (answer) => assert.equal(answer.state, "ok"));
  shard.run(200);
  host.missing.clear();
  shard.deploy(shard.plugins); // is told of when it is loaded
  shard.run(200);
  assert.equal(shard.nodes[0].actors.handledSeq(SHARD, "patient/F/1"), 2);
});
