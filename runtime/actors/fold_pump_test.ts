import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { FoldAnswer, FoldRequest } from "./fold.ts";
import { type FoldJob, FoldPump } from "./fold_pump.ts";

type Call = { key: string; end: (answer: FoldAnswer) => void };

function bench(openMax: number, restMs?: (messages: number, tookMs: number) => number) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const calls: Call[] = [];
  const pump = new FoldPump({
    world,
    fold: ({ key }, end) => calls.push({ key, end }),
    openMax,
    pauseMinMs: 10,
    pauseMaxMs: 100,
    ...restMs === undefined ? {} : { restMs },
  });
  const ended: string[] = [];
  const job = (key: string): FoldJob => ({
    queued: false,
    suspect: false,
    isMidway: false,
    begin: () => ({ key, messages: Array(key.length).fill({}) } as unknown as FoldRequest),
    ended: () => ended.push(key),
  });
  const turn = () => time.runUntil(time.nowMs);
  return { time, pump, calls, ended, job, turn };
}

const OK: FoldAnswer = { state: "ok", at: 1, results: [] };

Deno.test("fold pump: so many at a time, in order, the urgent in turn with the others", () => {
  const { pump, calls, job, turn } = bench(2);
  for (const key of ["a", "b", "c", "d"]) pump.enqueue(job(key));
  pump.enqueue(job("u"), true);
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["a", "u"]);
  calls[0].end(OK);
  calls[0].end(OK); // an answer counts once
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["a", "u", "b"]);
  assert.equal(pump.open, 2);
});

Deno.test("fold pump: a job is queued once", () => {
  const { pump, calls, job, turn } = bench(8);
  const one = job("a");
  pump.enqueue(one);
  pump.enqueue(one);
  turn();
  assert.equal(calls.length, 1);
});

Deno.test("fold pump: a suspect runs when nothing else is open, and nothing else while it runs", () => {
  const { pump, calls, job, turn } = bench(8);
  pump.enqueue(job("a"));
  turn();
  const suspect = job("s");
  suspect.suspect = true;
  pump.enqueue(suspect);
  pump.enqueue(job("b"));
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["a"]);
  calls[0].end(OK);
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["a", "s"]);
  calls[1].end(OK);
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["a", "s", "b"]);
});

Deno.test("fold pump: the place of a long call is free again after a rest, that of a short one at once", () => {
  const { time, pump, calls, job, turn } = bench(1, (messages, tookMs) => messages > 1 ? 2 * tookMs : 0);
  for (const key of ["long", "a", "b"]) pump.enqueue(job(key));
  turn();
  time.runUntil(10);
  calls[0].end(OK);
  time.runUntil(29);
  assert.deepEqual(calls.map(({ key }) => key), ["long"], "it took 10 ms, so 20 more");
  time.runUntil(31);
  assert.deepEqual(calls.map(({ key }) => key), ["long", "a"]);
  calls[1].end(OK);
  turn();
  assert.deepEqual(calls.map(({ key }) => key), ["long", "a", "b"]);
});

Deno.test("fold pump: a pause holds everything, and ends", () => {
  const { time, pump, calls, job, turn } = bench(8);
  pump.pause();
  pump.enqueue(job("a"));
  turn();
  assert.equal(calls.length, 0);
  time.runUntil(11);
  assert.equal(calls.length, 1);
});

/** A host that keeps so many sessions, and forgets the one used least lately. */
class ForgetfulHost {
  calls = 0;
  readonly #sessionsMax: number;
  readonly #sessions = new Map<string, number>();

  constructor(sessionsMax: number) {
    this.#sessionsMax = sessionsMax;
  }

  fold({ key, after }: FoldRequest): FoldAnswer {
    this.calls++;
    const at = after === 0 ? 0 : this.#sessions.get(key) ?? 0;
    this.#sessions.delete(key);
    if (at !== after) return { state: "behind", at: 0 };
    this.#sessions.set(key, after + 1);
    if (this.#sessions.size > this.#sessionsMax) this.#sessions.delete(this.#sessions.keys().next().value!);
    return { state: "ok", at: after + 1, results: [] };
  }
}

/** Goes through a history of so many calls. */
class LongJob implements FoldJob {
  queued = false;
  suspect = false;
  at = 0;

  constructor(readonly pump: FoldPump, readonly key: string, readonly length: number) {}

  get isMidway(): boolean {
    return this.at > 0 && this.at < this.length;
  }

  begin(): FoldRequest | null {
    return this.at === this.length ? null : { key: this.key, after: this.at } as FoldRequest;
  }

  ended(_: FoldRequest, answer: FoldAnswer): void {
    if (answer.state === "ok" || answer.state === "behind") this.at = answer.at;
    if (this.at < this.length) this.pump.enqueue(this);
  }
}

for (
  const { sessions, openMax } of [{ sessions: 64, openMax: 16 }, { sessions: 8, openMax: 2 }, {
    sessions: 2,
    openMax: 1,
  }]
) {
  Deno.test(`fold pump: with ${sessions} sessions a hundred long histories come to their end, and short ones pass`, () => {
    const time = new SimulatedTime();
    const world = simulatedWorld({ time, random: new SeededRandom(1) });
    const host = new ForgetfulHost(sessions);
    const fold = (request: FoldRequest, done: (answer: FoldAnswer) => void) =>
      void world.after(1, () => done(host.fold(request)));
    const pump: FoldPump = new FoldPump({ world, fold, openMax, pauseMinMs: 10, pauseMaxMs: 100 });
    const jobs = Array.from({ length: 100 }, (_, i) => new LongJob(pump, `long ${i}`, 20));
    for (const job of jobs) pump.enqueue(job);
    time.runUntil(200);
    const short = new LongJob(pump, "short", 1);
    pump.enqueue(short);
    time.runUntil(200 + 400 / openMax);
    assert.equal(short.at, 1, "one call waits for one of each that stood before it");
    time.runUntil(10_000);
    assert.ok(jobs.every((job) => job.at === 20));
    assert.ok(host.calls < 100 * 20 * 1.5, `${host.calls} calls for 2,000`);
  });
}
