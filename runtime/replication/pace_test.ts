import assert from "node:assert/strict";
import { SYSTEM_SHARD } from "../topology/mod.ts";
import { Pace } from "./pace.ts";

const CONFIG = { catchUpsMax: 4, catchUpsPerSecond: 50, catchUpBytesPerSecond: 1_000_000 };

Deno.test("pace: copies begun and bytes sent are what a second allows, whatever the ticks", () => {
  for (const tickMs of [5, 20, 70]) {
    const pace = new Pace(CONFIG);
    let begun = 0;
    let bytes = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += tickMs) {
      pace.tick(nowMs);
      while (pace.mayBegin(7, () => 0)) begun++;
      while (pace.mayFeed(7)) {
        bytes += 30_000;
        pace.fed(7, 30_000);
      }
    }
    assert.ok(begun >= 480 && begun <= 510, `${begun} copies begun with ticks of ${tickMs} ms`);
    assert.ok(bytes >= 9_700_000 && bytes <= 10_300_000, `${bytes} bytes`);
  }
});

Deno.test("pace: no more copies than may be open, none of an idle hour is saved up, the topology never waits", () => {
  const pace = new Pace(CONFIG);
  pace.tick(0);
  pace.tick(3_600_000);
  let open = 2;
  const begin = () => pace.mayBegin(7, () => open);
  assert.deepEqual([begin(), begin(), begin()], [true, true, false]);
  open = 0;
  pace.tick(3_600_010);
  let begun = 0;
  while (begin()) begun++;
  assert.ok(begun <= 4, `${begun} at once`);
  while (pace.mayFeed(7)) pace.fed(7, 10_000);
  assert.ok(pace.mayBegin(SYSTEM_SHARD, () => 99) && pace.mayFeed(SYSTEM_SHARD));
});
