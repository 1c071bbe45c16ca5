import assert from "node:assert/strict";
import { allocate } from "./slab.ts";

Deno.test("slab: whatever is asked for, first of all nothing, is as long as asked, zero, and nobody else's", () => {
  assert.equal(allocate(0).length, 0);
  const taken: Uint8Array[] = [];
  for (let i = 0; i < 200; i++) {
    const bytes = allocate((i * 977) % 5000);
    assert(bytes.length === (i * 977) % 5000 && bytes.every((byte) => byte === 0));
    taken.push(bytes.fill(i));
  }
  for (const [i, bytes] of taken.entries()) assert(bytes.every((byte) => byte === i % 256));
});
