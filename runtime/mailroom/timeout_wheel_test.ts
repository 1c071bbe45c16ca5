import assert from "node:assert/strict";
import fc from "fast-check";
import { TimeoutWheel } from "./timeout_wheel.ts";

Deno.test("timeout wheel: what is on it is found once, never early (or as far ahead as the face), at most a tick late", () => {
  const entry = fc.record({ atMs: fc.nat({ max: 3000 }), inMs: fc.nat({ max: 20_000 }), removed: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 60 }), fc.nat({ max: 1e6 }), (entries, startMs) => {
      const wheel = new TimeoutWheel<{ wheelSlot: number; dueMs: number; removed: boolean; found: number }>({
        tickMs: 25,
        nowMs: startMs,
      });
      const items = entries.map(({ atMs, inMs, removed }) => ({
        wheelSlot: -1,
        addMs: startMs + atMs,
        dueMs: startMs + atMs + inMs,
        removed,
        found: 0,
      }));
      for (let now = startMs; now <= startMs + 24_000; now += 25) {
        for (const item of wheel.due(now)) {
          assert.ok(!item.removed);
          if (now < item.dueMs) wheel.add(item, item.dueMs);
          else {
            assert.ok(now - item.dueMs <= 50);
            item.found++;
          }
        }
        for (const item of items) {
          if (item.addMs < now - 25 || item.addMs >= now) continue;
          wheel.add(item, Math.max(item.dueMs, now));
          if (item.removed) wheel.remove(item);
        }
      }
      for (const item of items) if (!item.removed) assert.equal(item.found, 1);
    }),
    { numRuns: 20 },
  );
});
