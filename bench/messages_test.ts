import assert from "node:assert/strict";
import { actorOf, FACILITIES, keyOf, Messages } from "./messages.ts";

Deno.test("every message has the size asked for and is JSON, and every id is new", () => {
  const messages = new Messages({ first: 0, count: 10 }, { prefix: "a", messageBytes: 300 });
  const ids = new Set<string>();
  for (let i = 0; i < 10_000; i++) {
    const { id, body } = messages.next();
    assert.equal(new TextEncoder().encode(body).length, 300);
    JSON.parse(body);
    ids.add(id);
  }
  assert.equal(ids.size, 10_000);
});

Deno.test("each round through a range meets each of its actors once", () => {
  for (const count of [1, 7, 1000, 7_919]) {
    const messages = new Messages({ first: 500, count }, { prefix: "a", messageBytes: 300 });
    for (let round = 0; round < 2; round++) {
      const met = new Set(Array.from({ length: count }, () => messages.next().actor));
      assert.equal(met.size, count);
      assert.ok(Math.min(...met) >= 500 && Math.max(...met) < 500 + count);
    }
  }
});

Deno.test("a stride of all facilities stays in one", () => {
  const messages = new Messages({ first: 5, count: 100, stride: FACILITIES }, { prefix: "a", messageBytes: 300 });
  const met = new Set(Array.from({ length: 100 }, () => messages.next().key));
  assert.equal(met.size, 100);
  for (const key of met) assert.match(key, /^patient\/H5\//);
});

Deno.test("a key tells its actor", () => assert.equal(actorOf(keyOf(12_345)), 12_345));
