import assert from "node:assert/strict";
import { shardRanges } from "./shard_ranges.ts";

Deno.test("shard ranges: shards that follow each other are one range, a gap or another set begins the next", () => {
  const all = Array.from({ length: 64 }, (_, i) => `S02/${String(i).padStart(3, "0")}`);
  assert.equal(shardRanges(all), "S02/000-063");
  assert.equal(
    shardRanges([...all.slice(0, 2), ...all.slice(3, 4), "S03/004", "S03/005", "SYS/000"]),
    "S02/000-001 S02/003 S03/004-005 SYS/000",
  );
  assert.equal(shardRanges(["S02/063", "S03/064"]), "S02/063 S03/064");
  assert.equal(shardRanges([]), "");
});
