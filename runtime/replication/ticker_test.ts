import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Ticker } from "./ticker.ts";

Deno.test("ticker: what ticks come too late adds up, is bounded, and is forgotten within seconds", () => {
  const time = new SimulatedTime();
  let lateMs = 0;
  let ticks = 0;
  const world = simulatedWorld({ time, random: new SeededRandom(1), turn: (fn) => void time.after(lateMs, fn) });
  const ticker = new Ticker({ world, tickMs: 20, onTick: () => ticks++ });
  const run = (count: number, late: number) => {
    lateMs = late;
    for (const until = ticks + count; ticks < until;) {
      ticker.plan();
      ticker.plan();
      time.runUntil(time.nowMs + 1);
    }
  };
  run(100, 2);
  assert.equal(ticker.lateMs, 0);
  run(1, 205);
  assert.ok(Math.abs(ticker.lateMs - 200) < 3);
  run(50, 0);
  assert.ok(ticker.lateMs < 22);
  run(100, 80);
  assert.equal(ticker.lateMs, 1200);
  run(150, 0);
  assert.ok(ticker.lateMs < 2);
  ticker.plan();
  ticker.cancel();
  const before = ticks;
  time.runUntil(time.nowMs + 100);
  assert.equal(ticks, before);
});
