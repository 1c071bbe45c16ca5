import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { FoldAnswer, FoldRequest } from "./fold.ts";
import { type ActorFoldJob, FoldPumps } from "./fold_pumps.ts";

/** Wants to fold `left` times; as a handling does, has its host rest when it is down, and comes alone then. */
class Job implements ActorFoldJob {
  queued = false;
  suspect = false;
  readonly isMidway = false;
  done = 0;

  constructor(readonly key: string, readonly pumps: () => FoldPumps, public left = 1) {}

  begin(): FoldRequest | null {
    const { key } = this;
    const request = { plugin: "p", hash: "v", key, after: 0, messages: [], wantProjections: false, fresh: false };
    return this.left > 0 ? { ...request, switches: {} } : null;
  }

  ended(_request: FoldRequest, { state }: FoldAnswer): void {
    this.suspect = state === "down";
    if (state === "down") this.pumps().pause(this.key);
    else this.left--, this.done++;
    if (this.left > 0) this.pumps().enqueue(this);
  }
}

Deno.test("fold pumps: one host that is gone, and the suspects there, hold up nobody at another", () => {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const places = { count: 2, placeOf: (key: string) => key === "bad" || key === "beside" ? 0 : 1 };
  const ends: ((answer: FoldAnswer) => void)[] = [];
  const fold = ({ key }: FoldRequest, done: (answer: FoldAnswer) => void) => {
    if (key === "bad") ends.push(done);
    else world.soon(() => done({ state: "ok", at: 0, results: [] }));
  };
  const pumps = new FoldPumps({ world, fold, places, openMax: 4, pauseMinMs: 1_000, pauseMaxMs: 1_000 });
  const [bad, beside, other] = ["bad", "beside", "other"].map((key) => new Job(key, () => pumps, 5));
  pumps.enqueue(bad);
  time.runUntil(0);
  ends.shift()!({ state: "down", lonely: false, code: "plugin_host/died" });
  for (const job of [beside, other]) pumps.enqueue(job);
  time.runUntil(100);
  assert.deepEqual([beside.done, other.done], [0, 5], "its own host rests, the other one does not");
  time.runUntil(1_100);
  other.left = 5;
  pumps.enqueue(other);
  time.runUntil(1_200);
  assert.deepEqual([ends.length, beside.done, other.done], [1, 0, 10], "bad runs alone there, others elsewhere");
  ends.shift()!({ state: "ok", at: 0, results: [] });
  bad.left = 0;
  time.runUntil(1_300);
  assert.equal(beside.done, 5);
});
