import assert from "node:assert/strict";
import fc from "fast-check";
import { type OpenTimer, timerId, timerName, TimerTable } from "./timer_table.ts";

Deno.test("timer table: it holds what a list of timers holds, in order of due time, whatever opens and closes", () => {
  const step = fc.record({
    what: fc.constantFrom("open", "open", "open", "cancel", "fire", "end", "take", "put"),
    row: fc.nat(4),
    name: fc.nat(5),
    dueMs: fc.nat(9),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const table = new TimerTable();
      let model: (OpenTimer & { isAway: boolean })[] = [];
      for (const [i, { what, row, name: n, dueMs }] of steps.entries()) {
        const name = timerName("p", `${n}`);
        const known = table.named(row, name);
        const expected = model.find((timer) => timer.row === row && timer.name.lo === name.lo);
        assert.equal(known !== 0, expected !== undefined);
        if (what === "open") {
          if (known !== 0) table.close(known);
          model = model.filter((timer) => timer !== expected);
          const timer = { row, dueMs, name, id: timerId(`${i}`), outcomeIndex: i + 1, position: n };
          table.open(timer);
          model.push({ ...timer, isAway: false });
        } else if (what === "end") {
          table.closeAll(row);
          model = model.filter((timer) => timer.row !== row);
        } else if (expected !== undefined) {
          const { isAway, ...timer } = expected;
          assert.deepEqual(table.at(known), timer);
          assert.equal(table.withId(row, timer.id), known);
          if (what === "take") table.takeInHand(known);
          else if (what === "put") assert.equal(table.putBack(known), isAway);
          else table.close(known);
          expected.isAway = what === "take";
          if (what === "cancel" || what === "fire") model = model.filter((timer) => timer !== expected);
        }
        const atHand = model.filter((timer) => !timer.isAway).sort((a, b) =>
          a.dueMs - b.dueMs || a.outcomeIndex - b.outcomeIndex
        );
        assert.equal(table.size, model.length);
        assert.equal(table.firstDueMs, atHand[0]?.dueMs ?? Infinity);
        assert.equal(table.first() === 0 ? undefined : table.at(table.first()).outcomeIndex, atHand[0]?.outcomeIndex);
        for (let row = 0; row < 5; row++) assert.equal(table.has(row), model.some((timer) => timer.row === row));
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("timer table: a closed timer's place is used again", () => {
  const table = new TimerTable();
  const timer = { dueMs: 1, name: timerName("p", "n"), id: timerId("i"), outcomeIndex: 1, position: 0 };
  for (let i = 0; i < 10_000; i++) {
    table.open({ ...timer, row: i % 8 });
    if (i % 8 === 7) { for (let row = 0; row < 8; row++) table.closeAll(row); }
  }
  assert.equal(table.size, 0);
  assert.ok(table.heldBytes < 1000, `${table.heldBytes} bytes`);
});
