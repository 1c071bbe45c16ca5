import assert from "node:assert/strict";
import { ShardStore } from "../storage/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";
import { Retention } from "./retention.ts";

const DAY_MS = 86_400_000;
const SHARD = 700;

/** A node that writes one shard, whose wall clock stands at day 1,000. */
function archive(settings: Record<string, unknown> = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const nowMs = world.nowWallMs();
  const store = new ShardStore();
  const ended: string[] = [];
  const state = { commit: Infinity, isWriter: true, aheadMs: 0, owing: new Set<string>(), hasTimer: false, settings };
  const core = {
    world,
    config: { retention: { everyMs: 1000, rowsMax: 200, endingMax: 4 }, effects: { clockOffMs: 2000 } },
    replication: {
      isWriter: (shard: number) => shard === SHARD && state.isWriter,
      store: () => store,
      commitIndex: () => state.commit,
    },
    membership: { clockAheadMs: () => state.aheadMs },
    directory: { topology: {}, require: () => ({ state: { settings: state.settings } }) },
    timers: { has: () => state.hasTimer },
    effects: { owes: (_: number, key: string) => state.owing.has(key) },
    actors: {
      retire(_: number, { key, mayNow }: { key: string; mayNow: boolean }, done: (end: string) => void) {
        if (!mayNow) return done("wait");
        ended.push(key);
        store.appendRetire(1, key, world.nowWallMs());
        done("done");
      },
    },
  } as unknown as NodeCore;
  const retention = new Retention({ core });
  retention.start();
  /** Messages in order of time. */
  const say = (key: string, daysAgo: number, type = "t") => {
    const payload = new Uint8Array(10);
    const id = String(store.lastIndex);
    store.appendMessage(1, { key, id, type, contentType: "", atMs: nowMs - daysAgo * DAY_MS, payload });
  };
  return { time, retention, say, ended, state };
}

Deno.test("retention: what has had no message for its kind's time ends, all else is kept", () => {
  const { time, say, ended, retention } = archive({ "retention.order": 40, "other": 1 });
  say("order/H/old", 100);
  say("order/H/again", 100);
  say("patient/H/old", 100);
  say("orders/H/old", 100);
  say("order/H/young", 39);
  say("order/H/again", 38);
  time.runUntil(60_000);
  assert.deepEqual(ended, ["order/H/old"]);
  assert.equal(retention.samples()[0].value, 1);
});

Deno.test("retention: of dead letters those that are settled go after ninety days, unless somebody says for ever", () => {
  for (
    const [settings, expected] of [
      [{}, ["dead_letter/lab/sent", "dead_letter/lab/discarded"]],
      [{ "retention.dead_letter": 0 }, []],
      [{ "retention.dead_letter": 400 }, []],
    ] as const
  ) {
    const { time, say, ended } = archive(settings);
    for (const id of ["sent", "discarded", "waiting"]) say(`dead_letter/lab/${id}`, 100, "dead");
    say("dead_letter/lab/sent", 99, "sent");
    say("dead_letter/lab/discarded", 99, "discard");
    say("dead_letter/lab/waiting", 99, "retry");
    say("dead_letter/lab/young", 80, "sent");
    time.runUntil(60_000);
    assert.deepEqual(ended, expected);
  }
});

Deno.test("retention: who owes something, has a timer, is not committed, or whose clock is off waits; others than the writer do nothing", () => {
  const settings = { "retention.order": 40 };
  const cases: [
    string,
    (state: ReturnType<typeof archive>["state"]) => void,
    (state: ReturnType<typeof archive>["state"]) => void,
  ][] = [
    ["owes", (s) => s.owing.add("order/H/1"), (s) => s.owing.clear()],
    ["a timer", (s) => s.hasTimer = true, (s) => s.hasTimer = false],
    ["not committed", (s) => s.commit = 0, (s) => s.commit = 1],
    ["clock", (s) => s.aheadMs = -3000, (s) => s.aheadMs = 0],
    ["not the writer", (s) => s.isWriter = false, (s) => s.isWriter = true],
    ["kept for ever", (s) => s.settings = { "retention.order": 0 }, (s) => s.settings = settings],
  ];
  for (const [what, hinder, help] of cases) {
    const { time, say, ended, state } = archive(settings);
    say("order/H/1", 100);
    hinder(state);
    time.runUntil(60_000);
    assert.deepEqual(ended, [], what);
    help(state);
    time.runUntil(120_000);
    assert.deepEqual(ended, ["order/H/1"], what);
  }
});

Deno.test("retention: no time is shorter than thirty days, and many are looked at slice by slice", () => {
  const { time, say, ended } = archive({ "retention.order": 1 });
  for (let i = 0; i < 1000; i++) say(`order/H/${i}`, 31);
  say("order/H/young", 29);
  time.runUntil(13_000);
  assert.ok(ended.length > 0 && ended.length < 1000, `${ended.length} ended in 13 s`);
  time.runUntil(200_000);
  assert.equal(ended.length, 1000);
});
