import assert from "node:assert/strict";
import { Pace } from "./pace.ts";

const CONFIG = { catchUpsMax: 4, catchUpsPerSecond: 50, catchUpBytesPerSecond: 1_000_000 };

Deno.test("pace: copies begun and bytes sent are what a second allows, whatever the ticks", () => {
  for (const tickMs of [5, 20, 70]) {
    const pace = new Pace(CONFIG);
    let begun = 0;
    let bytes = 0;
    for (let nowMs = 0; nowMs < 10_000; nowMs += tickMs) {
      pace.tick(nowMs);
      while (pace.mayBegin("none", () => 0)) begun++;
      while (pace.mayFeed("none")) {
        bytes += 30_000;
        pace.fed("none", 30_000);
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
  const begin = () => pace.mayBegin("none", () => open);
  assert.deepEqual([begin(), begin(), begin()], [true, true, false]);
  open = 0;
  pace.tick(3_600_010);
  let begun = 0;
  while (begin()) begun++;
  assert.ok(begun <= 4, `${begun} at once`);
  while (pace.mayFeed("none")) pace.fed("none", 10_000);
  assert.ok(pace.mayBegin("topology", () => 99) && pace.mayFeed("topology"));
});

Deno.test("pace: what receipts wait for is bounded in copies at the same time only, and takes nothing from the others", () => {
  const pace = new Pace(CONFIG);
  pace.tick(0);
  let open = 0;
  for (let i = 0; i < 1000; i++) {
    pace.tick(i * 0.01);
    assert.ok(pace.mayBegin("receipts", () => open) && pace.mayFeed("receipts"));
    pace.fed("receipts", 1_000_000);
  }
  open = 4;
  pace.tick(11);
  assert.equal(pace.mayBegin("receipts", () => open), false);
  open = 0;
  pace.tick(12);
  assert.ok(pace.mayBegin("none", () => open) && pace.mayFeed("none"));
});
