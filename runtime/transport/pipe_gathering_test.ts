import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { AcceptedPipe } from "./message_pipes.ts";
import { PipeGathering } from "./pipe_gathering.ts";

const [A, B] = ["0123456789abcdef", "fedcba9876543210"];

Deno.test("pipe gathering: a link is whole when each of its lanes has come, in lane order", () => {
  const { gathering, whole, pipe } = gatheringOf();
  for (const part of [`${A}/2`, `${B}/0`, `${A}/0`, `${A}/1`]) gathering.add(part, pipe(part), "there");
  assert.deepEqual(whole, [[`${A}/0`, `${A}/1`, `${A}/2`]]);
});

Deno.test("pipe gathering: what is no lane of a link, or comes twice, is turned away", () => {
  const { gathering, whole, closed, pipe } = gatheringOf();
  for (const part of ["x", `${A}/3`, `${A}`, `${A}/0`]) gathering.add(part, pipe(part), "there");
  gathering.add(`${A}/0`, pipe("again"), "there");
  assert.deepEqual(closed, ["x", `${A}/3`, A, "again"]);
  assert.deepEqual(whole, []);
});

Deno.test("pipe gathering: who does not come whole in time is turned away, and so are too many", () => {
  const { gathering, closed, pipe, time } = gatheringOf();
  for (let n = 0; n < 257; n++) {
    gathering.add(`${n.toString(16).padStart(16, "0")}/0`, pipe(String(n)), "there");
  }
  assert.deepEqual(closed, ["256"]);
  time.runUntil(6_000);
  assert.equal(closed.length, 257);
  gathering.add(`${A}/0`, pipe("late"), "there");
  gathering.close();
  assert.equal(closed.at(-1), "late");
});

function gatheringOf() {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => true });
  const whole: string[][] = [];
  const closed: string[] = [];
  const names = new Map<AcceptedPipe, string>();
  const pipe = (name: string) => {
    const one = { close: () => void closed.push(name) } as unknown as AcceptedPipe;
    names.set(one, name);
    return one;
  };
  const onWhole = (pipes: AcceptedPipe[]) => void whole.push(pipes.map((one) => names.get(one)!));
  return { gathering: new PipeGathering({ world, onWhole }), whole, closed, pipe, time };
}
