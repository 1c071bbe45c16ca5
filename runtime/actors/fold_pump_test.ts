import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { FoldAnswer, FoldRequest } from "./fold.ts";
import { type FoldJob, FoldPump } from "./fold_pump.ts";

type Call = { key: string; end: (answer: FoldAnswer) => void };

function bench(openMax: number) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const calls: Call[] = [];
  const pump = new FoldPump({
    world,
    fold: ({ key }, end) => calls.push({ key, end }),
    openMax,
    pauseMinMs: 10,
    pauseMaxMs: 100,
  });
  const ended: string[] = [];
  const job = (key: string): FoldJob => ({
    queued: false,
    suspect: false,
    begin: () => ({ key } as FoldRequest),
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

Deno.test("fold pump: a pause holds everything, and ends", () => {
  const { time, pump, calls, job, turn } = bench(8);
  pump.pause();
  pump.enqueue(job("a"));
  turn();
  assert.equal(calls.length, 0);
  time.runUntil(11);
  assert.equal(calls.length, 1);
});
