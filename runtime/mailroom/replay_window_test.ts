import assert from "node:assert/strict";
import fc from "fast-check";
import { ReplayWindow } from "./replay_window.ts";

Deno.test("replay window: every number passes at most once, the newest and its 8,191 predecessors at least once", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 30_000 }), { maxLength: 400 }), (numbers) => {
      const window = new ReplayWindow();
      const seen = new Set<number>();
      let highest = 0;
      for (const number of numbers.concat(numbers)) {
        assert.equal(window.accept(number), !seen.has(number) && number > highest - 8192);
        if (number > highest - 8192) seen.add(number);
        highest = Math.max(highest, number);
      }
    }),
    { numRuns: 50 },
  );
});
