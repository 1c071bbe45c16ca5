import assert from "node:assert/strict";
import { Timeline } from "./timeline.ts";

Deno.test("a message counts where it was due, its wait from then on; a gap where it ended", () => {
  const timeline = new Timeline(1000);
  for (let ms = 0; ms < 2000; ms += 100) timeline.took(ms, ms + 5);
  timeline.happened({ atMs: 2000, what: "kill X", isFault: true });
  // due before and while it was away, recorded when it was back
  timeline.took(1990, 2700);
  timeline.took(2100, 2700);
  timeline.gaveUp(2200);
  timeline.took(3000, 3010);
  const [before, kill] = timeline.reports();
  assert.deepEqual([before.due, before.failed, before.slowestMs], [21, 0, 710]);
  assert.deepEqual([kill.due, kill.failed, kill.slowestMs, kill.gapMs], [3, 1, 600, 700]);
  const bins = timeline.bins();
  assert.deepEqual(bins.map(({ due }) => due), [10, 11, 2, 1]);
  assert.deepEqual(bins.map(({ recorded }) => recorded), [10, 10, 2, 1]);
  assert.deepEqual(bins.map(({ failed }) => failed), [0, 0, 1, 0]);
  assert.deepEqual([timeline.recorded, timeline.failed], [23, 1]);
});

Deno.test("slices without anything are there all the same", () => {
  const timeline = new Timeline(100);
  timeline.took(450, 460);
  assert.equal(timeline.bins().length, 5);
  assert.deepEqual(timeline.bins()[1], { fromMs: 100, due: 0, recorded: 0, failed: 0, p50Us: 0, p99Us: 0, maxUs: 0 });
});
