import assert from "node:assert/strict";
import fc from "fast-check";
import { OneShardSchedule } from "./one_shard_schedules.ts";

Deno.test("one shard, hard schedules: what is acknowledged stays, and is read", () => {
  let acknowledged = 0;
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const schedule = new OneShardSchedule(seed);
      schedule.run();
      assert.equal(schedule.findings.join("; "), "");
      acknowledged += schedule.acknowledged.length;
    }),
    { numRuns: 60 },
  );
  assert.ok(acknowledged > 60, "schedules in which nothing is recorded prove nothing");
});
