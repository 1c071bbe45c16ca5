import assert from "node:assert/strict";
import { OneShardSchedule } from "./one_shard.ts";

Deno.test("one shard: hard schedules hold", () => {
  let acknowledged = 0;
  for (let seed = 1; seed <= 300; seed++) {
    const schedule = new OneShardSchedule(seed);
    schedule.run();
    assert.deepEqual(schedule.findings, [], `seed ${seed}`);
    acknowledged += schedule.acknowledged.length;
  }
  assert.ok(acknowledged > 5000, "schedules in which nothing is recorded prove nothing");
});
