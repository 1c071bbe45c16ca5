import assert from "node:assert/strict";
import { allocate, borrow, giveBack } from "./slab.ts";

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

Deno.test("slab: what is given back is lent again, to one at a time", () => {
  const first = borrow(10_000);
  giveBack(first);
  giveBack(first);
  const [a, b] = [borrow(9_000), borrow(16_384)];
  assert.equal(a.buffer, first.buffer);
  assert.notEqual(b.buffer, a.buffer);
  assert.deepEqual([a.length, b.length], [9_000, 16_384]);
});

Deno.test("slab: small things, very large ones, and what was not borrowed are nobody else's", () => {
  const small = borrow(100);
  const large = borrow(1 << 20);
  const own = new Uint8Array(16_384);
  for (const bytes of [small, large, own]) giveBack(bytes);
  const after = [borrow(100), borrow(1 << 20), borrow(16_384)];
  assert.notEqual(after[1].buffer, large.buffer);
  assert.notEqual(after[2].buffer, own.buffer);
  assert.ok(after[0].buffer !== small.buffer || after[0].byteOffset !== small.byteOffset);
});
