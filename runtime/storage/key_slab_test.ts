import assert from "node:assert/strict";
import fc from "fast-check";
import { KeySlab } from "./key_slab.ts";

Deno.test("key slab: every key is read where it was put, whatever was taken back meanwhile", () => {
  const step = fc.oneof(fc.constant("pop" as const), fc.integer({ min: 1, max: 1024 }));
  fc.assert(fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
    const slab = new KeySlab();
    const held: { place: number; length: number; byte: number }[] = [];
    for (const [i, one] of steps.entries()) {
      if (one === "pop") {
        const last = held.pop();
        if (last !== undefined) slab.pop(last.place);
        continue;
      }
      const byte = 1 + i % 250;
      const place = slab.push(new Uint8Array(one + 2).fill(byte), 1, one);
      held.push({ place, length: one, byte });
    }
    let bytes = 0;
    for (const { place, length, byte } of held) {
      const from = slab.offsetOf(place);
      const key = slab.chunkOf(place).subarray(from, from + length);
      assert.equal(key.length, length, "a key lies in one piece");
      assert.ok(key.every((one) => one === byte));
      bytes += length;
    }
    assert.ok(slab.heldBytes >= bytes && slab.heldBytes <= 2 * bytes + 3 * 65_536);
  }));
});

Deno.test("key slab: a few short keys take no more than they need", () => {
  const slab = new KeySlab();
  for (let i = 0; i < 5; i++) slab.push(new Uint8Array(25), 0, 25);
  assert.equal(slab.heldBytes, 128);
});
