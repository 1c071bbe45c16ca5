import assert from "node:assert/strict";
import fc from "fast-check";
import { ENTRY, strideOf, writeHeader } from "./entry.ts";
import { SegmentLog } from "./segment_log.ts";

function append(log: SegmentLog, total: number, mark: number): void {
  const { view, used } = log.room(strideOf(total));
  writeHeader(view, used, total, mark, ENTRY.NOOP);
  log.push(strideOf(total));
}

Deno.test("segments: entries of any sizes stay where they are, and taking back frees what they took", () => {
  // small, a quarter of a segment and more, over a segment: they go into the open segment or into their own
  const total = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 12, max: 3000 }) },
    { weight: 1, arbitrary: fc.constantFrom(4096, 262_140, 262_144, 262_148, 1 << 20, (1 << 20) + 5) },
  );
  const step = fc.oneof({ weight: 5, arbitrary: total }, { weight: 1, arbitrary: fc.integer({ min: -9, max: -1 }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const log = new SegmentLog();
      const sizes: number[] = [];
      const held: number[] = [];
      for (const step of steps) {
        if (step > 0) {
          held.push(log.heldBytes);
          append(log, step, sizes.push(step));
        } else {
          for (let i = step; i < 0 && sizes.length > 0; i++) {
            log.pop(strideOf(sizes.pop()!));
            assert.equal(log.bytes, sizes.reduce((sum, size) => sum + strideOf(size), 0));
            // the places keep their first chunk: all else is as it was
            assert.ok(log.heldBytes - held.pop()! <= 256);
          }
        }
        assert.equal(log.lastIndex, sizes.length);
        for (const [i, size] of sizes.entries()) {
          const { view } = log.segmentOf(i + 1);
          assert.equal(view.getUint32(log.at, true), size);
          assert.equal(view.getUint32(log.at + 4, true), i + 1);
        }
      }
      if (sizes.length === 0) return;
      const { bytes } = log.copyRange(1, Infinity, sizes.length);
      assert.equal(bytes.length, log.bytes);
    }),
    { numRuns: 60 },
  );
});

Deno.test("segments: room that is given back leaves no trace", () => {
  const log = new SegmentLog();
  log.room(100);
  log.giveBack();
  assert.equal(log.heldBytes, 0);
  append(log, 100, 1);
  log.room(1 << 21);
  log.giveBack();
  append(log, 100, 2);
  assert.equal(log.segmentOf(2), log.segmentOf(1));
});

Deno.test("segments: no mix of sizes wastes more than a third once the log has grown", () => {
  const log = new SegmentLog();
  for (let i = 0; i < 60; i++) append(log, i % 2 === 0 ? 300_000 : 250_000, i);
  assert.ok(log.heldBytes < log.bytes * 1.35, `${log.heldBytes} held for ${log.bytes}`);
});

Deno.test("segments: an entry that has its own does not end the open one, not even when it is the last again", () => {
  const log = new SegmentLog();
  append(log, 4000, 1);
  append(log, 300_000, 2);
  append(log, 200, 3); // too much for the first segment
  log.pop(200);
  append(log, 96, 4);
  assert.equal(log.segmentOf(3), log.segmentOf(1));
  assert.notEqual(log.segmentOf(2), log.segmentOf(1));
});
