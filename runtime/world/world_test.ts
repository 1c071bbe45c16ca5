import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "./simulated_world.ts";
import { systemWorld } from "./system_world.ts";
import { worldConformance } from "./world_conformance.ts";

worldConformance("system world", () => {
  const world = systemWorld();
  return { world, pass: (ms) => new Promise((resolve) => void world.after(ms + 1, resolve)) };
});

worldConformance("simulated world", () => {
  const time = new SimulatedTime();
  return {
    world: simulatedWorld({ time, random: new SeededRandom(7) }),
    pass: (ms) => Promise.resolve(time.runUntil(time.nowMs + ms)),
  };
});

worldConformance("simulated world, its clocks wrong, its turns late", () => {
  const time = new SimulatedTime();
  const turn = (fn: () => void) => void time.after(0.3, fn);
  return {
    world: simulatedWorld({ time, random: new SeededRandom(7), clockRate: 0.9, wallOffsetMs: () => -5000, turn }),
    pass: (ms) => Promise.resolve(time.runUntil(time.nowMs + ms / 0.9 + 1)),
  };
});

Deno.test("simulated world: the same seed gives the same chance, another seed another", () => {
  const draw = (seed: number) => {
    const random = new SeededRandom(seed);
    return Array.from({ length: 8 }, () => random.next32());
  };
  assert.deepEqual(draw(5), draw(5));
  assert.notDeepEqual(draw(5), draw(6));
  assert.notDeepEqual(draw(5), draw(5 + 2 ** 32));
});

Deno.test("simulated world: a node that has crashed does nothing any more", () => {
  const time = new SimulatedTime();
  let isAlive = true;
  const world = simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => isAlive });
  let ran = 0;
  world.after(10, () => ran++);
  world.soon(() => ran++);
  isAlive = false;
  time.runUntil(100);
  assert.equal(ran, 0);
});

Deno.test("simulated world: a clock that gains is ahead, and its timers are early by the right one", () => {
  const time = new SimulatedTime();
  let offsetMs = 0;
  const random = new SeededRandom(1);
  const fast = simulatedWorld({ time, random, clockRate: 1.25, wallOffsetMs: () => offsetMs });
  const startedMs = fast.nowWallMs();
  let firedAtMs = 0;
  fast.after(100, () => firedAtMs = time.nowMs);
  time.runUntil(200);
  assert.ok(Math.abs(firedAtMs - 80) < 0.001);
  assert.equal(fast.nowMonoMs(), 250);
  assert.equal(fast.nowWallMs() - startedMs, 250);
  offsetMs = -60_000;
  assert.equal(fast.nowWallMs() - startedMs, -59_750);
});

Deno.test("simulated world: a timer whose turn has not come yet can be cancelled", () => {
  const time = new SimulatedTime();
  const held: (() => void)[] = [];
  const world = simulatedWorld({ time, random: new SeededRandom(1), turn: (fn) => void held.push(fn) });
  let ran = 0;
  const cancelled = world.after(1, () => ran++);
  world.after(1, () => ran++);
  time.runUntil(5);
  assert.equal(ran, 0);
  cancelled.cancel();
  for (const fn of held) fn();
  assert.equal(ran, 1);
});
