import assert from "node:assert/strict";
import { isNews, ShardRoute, targetOf } from "./shard_route.ts";

const hint = (term: number, writer: number, generation = 1) => ({ shard: 0, generation, term, writer });
const placement = [{ incarnation: 1 }, { incarnation: 2 }, { incarnation: 3 }];

Deno.test("route: the hinted writer first, then the slots, whoever is usable, round and round", () => {
  const order = (writer: number, usable: number[]) =>
    [0, 1, 2, 3].map((slot) =>
      targetOf({ hint: hint(1, writer), placement, slot, isUsable: (node) => usable.includes(node) })
    );
  assert.deepEqual(order(0, [1, 2, 3]), [1, 2, 3, 1]);
  assert.deepEqual(order(2, [1, 2, 3]), [2, 1, 3, 2]);
  assert.deepEqual(order(9, [1, 3, 9]), [9, 1, 3, 9]);
  assert.deepEqual(order(2, [3]), [3, 3, 3, 3]);
  assert.deepEqual(order(2, []), [0, 0, 0, 0]);
});

Deno.test("route: the term written on frames never goes back within a generation", () => {
  const route = new ShardRoute(0);
  const terms = [null, hint(4, 1), hint(3, 2), null, hint(5, 0), hint(2, 1, 2), hint(9, 1, 1)].map((one) =>
    route.fence(one)
  );
  assert.deepEqual(terms, [0, 4, 4, 4, 5, 2, 2]);
});

Deno.test("route: news is a later term, or the writer of one that had none", () => {
  assert.ok(isNews(hint(1, 2), null));
  assert.ok(isNews(hint(2, 2), hint(1, 2)));
  assert.ok(isNews(hint(1, 2), hint(1, 0)));
  assert.ok(isNews(hint(1, 2, 2), hint(7, 2, 1)));
  assert.ok(!isNews(hint(1, 2), hint(1, 3)));
  assert.ok(!isNews(hint(2, 0), hint(1, 2)));
  assert.ok(!isNews(null, null));
});
