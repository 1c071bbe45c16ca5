import assert from "node:assert/strict";
import { KeyedQueue, Passed } from "./progress.ts";

Deno.test("passed: a place counts when all before it are done", () => {
  const passed = new Passed();
  const [five, six, nine] = [5n, 6n, 9n].map((place) => passed.begin(place));
  six();
  assert.equal(passed.next, null);
  five();
  assert.equal(passed.next, 7n);
  nine();
  assert.equal(passed.next, 10n);
});

Deno.test("keyed queue: one after the other by key, side by side across keys, so many at a time", async () => {
  const queue = new KeyedQueue(3);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve) => ends.set(name, resolve));
  };
  const turn = () =>
    new Promise<void>((resolve) => queueMicrotask(() => queueMicrotask(() => queueMicrotask(resolve))));
  await queue.add("a", task("a1"));
  await queue.add("a", task("a2"));
  let isFull = true;
  const third = queue.add("b", task("b1")).then(() => isFull = false);
  await turn();
  assert.deepEqual([begun, isFull], [["a1", "b1"], true]);
  ends.get("a1")!();
  await third;
  await turn();
  assert.deepEqual(begun, ["a1", "b1", "a2"]);
  ends.get("a2")!();
  ends.get("b1")!();
  await queue.end();
});

Deno.test("keyed queue: after a failure nothing more is begun", async () => {
  const queue = new KeyedQueue(10);
  let begun = 0;
  await queue.add("a", () => Promise.reject(new Error("no")));
  await queue.add("a", () => Promise.resolve(void begun++)).catch(() => {});
  await assert.rejects(queue.end(), /no/);
  await assert.rejects(queue.add("b", () => Promise.resolve(void begun++)), /no/);
  assert.equal(begun, 0);
});
