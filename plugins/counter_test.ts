import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay } from "@waterpark/waterpark/testing";
import counter, { checks } from "./counter.ts";

Deno.test("counter: counts by type, and has room for so many types only", () => {
  const types = Array.from({ length: 60 }, (_, i) => ({ type: `t${i}` }));
  const { projections, problem } = replay(counter, [{ type: "t0" }, ...types]);
  assert.deepEqual([projections.total, projections.byType.t0, problem], [61, 2, null]);
  assert.equal(projections.byType.others, 10);
  assert.equal(Object.keys(projections.byType).length, 51);
});

Deno.test("counter: holds whatever comes", () => {
  const type = fc.oneof(fc.constantFrom("admit", "", "others", "__proto__", "constructor"), fc.string());
  checkHandler(counter, { ...checks, messages: fc.record({ type }), messagesMax: 80 });
});
