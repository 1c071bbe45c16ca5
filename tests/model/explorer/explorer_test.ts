/** The real core, looked through breadth first; a violation is shown with the schedule that leads to it. */
import assert from "node:assert/strict";
import { isAsExpected, SEARCHES, told } from "./search.ts";
import { SeenStates } from "./seen_states.ts";

for (const search of SEARCHES) {
  Deno.test(`explorer: ${search.name}: ${search.expected === "" ? "all holds" : "is found"}`, () => {
    const found = search.run("short");
    assert.ok(isAsExpected(search, found), told(search, found));
  });
}

Deno.test("explorer: the same search comes to the same end", () => {
  const search = SEARCHES.find(({ expected }) => expected !== "")!;
  const [first, second] = [search.run("short"), search.run("short")];
  assert.deepEqual([first.schedule, first.states, first.depth], [second.schedule, second.states, second.depth]);
});

Deno.test("explorer: a state is new once, also when the table has grown", () => {
  const seen = new SeenStates();
  const state = (i: number) => Int32Array.of(i, i >> 3, 7);
  for (let i = 0; i < 100_000; i++) assert.ok(seen.add(state(i), { before: i - 1, code: i }));
  for (let i = 0; i < 100_000; i++) assert.ok(!seen.add(state(i), { before: 0, code: 0 }));
  assert.deepEqual([seen.before(99_999), seen.code(99_999)], [99_998, 99_999]);
});
