import assert from "node:assert/strict";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { MessageProposal } from "../wire/mod.ts";
import { type Effect, encodeOutcomes, type OutcomeItem, Timers } from "./mod.ts";

const KEY = "patient/F/1";

/** A writer of one shard whose commit index the test moves; `answer` ends what is recorded. */
function bench() {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const store = new ShardStore();
  const b = {
    store,
    isSettled: true,
    alerts: [] as string[],
    recorded: [] as { message: MessageProposal; answer: (state: string) => void }[],
    run: (ms: number) => time.runUntil(time.nowMs + ms),
    nowMs: () => world.nowWallMs(),
    commit: 0,
    /** Appends what a handler decided about the actor's newest message; `commits`: at once. */
    decide(effects: Effect[], commits = true) {
      const item: OutcomeItem = {
        key: KEY,
        plugin: "p",
        hash: "h",
        seq: 1,
        state: "ok",
        effects,
        digest: "",
        error: null,
      };
      const index = store.appendEntry(1, ENTRY.OUTCOMES, encodeOutcomes([{ ...item, key: "patient/F/2" }, item]));
      if (!commits) return;
      b.commit = index;
      const types = effects.map(({ type }) => type);
      b.timers.committed(1, { index, position: effects.length, row: 0, key: KEY, seq: 1, plugin: "p", types, effects });
    },
    timers: undefined as unknown as Timers,
  };
  b.timers = new Timers({
    world,
    store: () => store,
    commitIndex: () => b.commit,
    isSettled: () => b.isSettled,
    clockAheadMs: () => 0,
    record: (_shard, message, done) => void b.recorded.push({ message, answer: (state) => done({ state }) }),
    alert: (code) => void b.alerts.push(code),
    config: {
      inFlightMax: 1,
      inHandMax: 1,
      sinkInHandMax: 1,
      doneGatherMs: 1,
      doneItemsMax: 1,
      retryMinMs: 1,
      retryMaxMs: 1,
      retiresWaitingMax: 1,
      firesMax: 2,
      clockOffMs: 2000,
      finalRefusals: [],
    },
  });
  store.appendMessage(1, { key: KEY, id: "m", type: "", contentType: "", atMs: b.nowMs(), payload: new Uint8Array() });
  b.timers.becameWriter(1);
  return b;
}

const schedule = (name: string, at: number): Effect => ({
  type: "schedule",
  name,
  at,
  message: { type: "t", body: name },
});

Deno.test("timers: before an entry of its own term is committed a writer fires nothing", () => {
  const b = bench();
  b.isSettled = false;
  b.decide([schedule("a", b.nowMs() + 10)]);
  b.run(1000);
  assert.equal(b.recorded.length, 0);
  b.isSettled = true;
  b.run(50);
  assert.equal(b.recorded.length, 1);
  const { id, key, type, payload, ifMatch, sender } = b.recorded[0].message;
  assert.deepEqual({ id, key, type, ifMatch, sender }, {
    id: `${KEY}#1#p#0`,
    key: KEY,
    type: "t",
    ifMatch: -1,
    sender: "",
  });
  assert.equal(new TextDecoder().decode(payload), '"a"');
});

Deno.test("timers: while a cancel or a new time stands in the tail, nothing is recorded", () => {
  for (const wish of [{ type: "cancel", name: "a" } as Effect, schedule("a", 9e15)]) {
    const b = bench();
    b.decide([schedule("a", b.nowMs() + 10), schedule("b", b.nowMs() + 10)]);
    b.decide([wish], false);
    b.run(500);
    assert.deepEqual(b.recorded.map(({ message }) => message.id), [`${KEY}#1#p#1`]);
  }
});

Deno.test("timers: while the end of the life stands in the tail, nothing is recorded; once it is committed they are closed", () => {
  const b = bench();
  b.decide([schedule("a", b.nowMs() + 10)]);
  b.store.appendRetire(1, KEY, b.nowMs());
  b.run(500);
  assert.equal(b.recorded.length, 0);
  b.commit = b.store.lastIndex;
  b.timers.retired(1, 0);
  b.run(500);
  assert.deepEqual([b.recorded.length, b.timers.countOf(1, 0)], [0, 0]);
});

Deno.test("timers: so many are under way at a time, refused ones included, which are tried again", () => {
  const b = bench();
  b.decide(["a", "b", "c"].map((name, i) => schedule(name, b.nowMs() + 10 + i)));
  b.run(15);
  assert.equal(b.recorded.length, 2);
  b.recorded[0].answer("busy");
  b.run(10);
  assert.equal(b.recorded.length, 2, "what is refused for now keeps its place");
  b.run(20);
  assert.equal(b.recorded.length, 3);
  assert.equal(b.recorded[2].message.id, b.recorded[0].message.id, "the first is due first");
  b.recorded[1].answer("recorded");
  b.run(1);
  assert.equal(b.recorded.length, 4);
  assert.equal(b.timers.counts().open, 3, "applying the message closes a timer, and nothing else");
  b.timers.recorded(1, 0, b.recorded[1].message.id);
  assert.equal(b.timers.counts().open, 2);
});

Deno.test("timers: one whose message stood there before it was scheduled, or that has no time, is told and not opened", () => {
  const b = bench();
  b.store.appendMessage(1, {
    key: KEY,
    id: `${KEY}#1#p#0`,
    type: "",
    contentType: "",
    atMs: b.nowMs(),
    payload: new Uint8Array(),
  });
  b.decide([schedule("a", b.nowMs() + 10), { type: "schedule", name: "b", afterMs: 5, message: { type: "t" } }]);
  b.run(100);
  assert.equal(b.recorded.length, 0);
  assert.deepEqual(b.alerts, ["effects/bad-timer", "effects/bad-timer"]);
});

Deno.test("timers: a lost role puts everything back; a copy that is gone is forgotten", () => {
  const b = bench();
  b.decide([schedule("a", b.nowMs() + 10)]);
  b.run(20);
  assert.equal(b.recorded.length, 1);
  b.timers.lostWriter(1);
  b.run(100);
  assert.equal(b.recorded.length, 1);
  b.timers.becameWriter(1);
  b.run(20);
  assert.equal(b.recorded.length, 2);
  b.recorded[0].answer("unknown");
  b.run(100);
  assert.equal(b.recorded.length, 2, "an answer to the earlier role means nothing");
  b.timers.dropped(1);
  assert.deepEqual(b.timers.counts(), { open: 0, lateMs: 0 });
});
