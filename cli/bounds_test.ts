import assert from "node:assert/strict";
import { requireWhole } from "./bounds.ts";

Deno.test("a number that is not whole, or out of bounds, is misuse, and the flag is named", () => {
  const bounds = { nodes: [5, 32], rate: [1, 10] } as const;
  requireWhole({ nodes: 5, rate: 10 }, bounds);
  for (const bad of [{ nodes: 4, rate: 1 }, { nodes: 33, rate: 1 }, { nodes: 5.5, rate: 1 }, { nodes: NaN, rate: 1 }]) {
    assert.throws(() => requireWhole(bad, bounds), /--nodes as it must be a whole number from 5 to 32/);
  }
  assert.throws(() => requireWhole({ nodes: 5, rate: 0 }, bounds), /--rate/);
});
