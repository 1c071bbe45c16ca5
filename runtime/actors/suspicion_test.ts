import assert from "node:assert/strict";
import fc from "fast-check";
import { Suspicion } from "./suspicion.ts";

Deno.test("suspicion: finds the one message that kills, wherever it is, and no other", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 60 }), fc.array(fc.boolean(), { maxLength: 9 }), (poison, crowd) => {
    const suspicion = new Suspicion();
    for (let deaths = 0, next = 1, calls = 0;; calls++) {
      assert(calls < 400, "it comes to an end");
      const end = suspicion.limit(next, Math.min(60, next + 15));
      assert(end >= next, "it goes on");
      if (poison < next || poison > end) {
        next = end + 1;
        continue;
      }
      const lonely = !(crowd[deaths++] ?? false);
      if (suspicion.died(next, end, lonely) === "poison") {
        assert.deepEqual([next, end], [poison, poison]);
        return;
      }
      next = 1; // the session is gone
    }
  }));
});

Deno.test("suspicion: an innocent bystander is cleared and never guilty", () => {
  const suspicion = new Suspicion();
  for (let i = 0; i < 10; i++) assert.equal(suspicion.died(4, 9, false), "again");
  assert.equal(suspicion.limit(4, 9), 9, "it runs whole");
  assert(!suspicion.isCleared(8));
  assert(suspicion.isCleared(9));
});
