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
