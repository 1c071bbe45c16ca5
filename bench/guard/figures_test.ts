import assert from "node:assert/strict";
import { complaintsAbout, MARGIN } from "./figures.ts";

const SCENARIO = { name: "a", measured: { heapBytes: 1000, cpuRounds: 50 } };

Deno.test("a cost is let pass up to the margin, and not beyond", () => {
  assert.deepEqual(complaintsAbout({ heapBytes: 1000 * MARGIN, cpuRounds: 50 * MARGIN }, SCENARIO), []);
  assert.match(complaintsAbout({ heapBytes: 1601, cpuRounds: 1 }, SCENARIO).join(), /^a: .*1601 bytes on the heap/);
  assert.equal(complaintsAbout({ heapBytes: 1601, cpuRounds: 81 }, SCENARIO).length, 2);
});

Deno.test("what could not be measured is no pass", () => {
  assert.equal(complaintsAbout({ heapBytes: NaN, cpuRounds: NaN }, SCENARIO).length, 2);
});
