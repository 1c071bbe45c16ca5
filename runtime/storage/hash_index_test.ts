import assert from "node:assert/strict";
import fc from "fast-check";
import { mix32 } from "../base/mod.ts";
import { HashIndex } from "./hash_index.ts";
import { U32Column } from "./u32_column.ts";

function all(index: HashIndex, hash: number): number[] {
  const values: number[] = [];
  for (let value = index.first(hash); value !== 0; value = index.next()) values.push(value);
  return values.sort((a, b) => a - b);
}

Deno.test("hash index: it holds what a map of lists holds, also when hashes meet", () => {
  // few hashes that share slots and upper bits, so that closing up after a removal is tried in every shape
  const hash = fc.oneof(fc.nat(7), fc.constantFrom(0xffffffff, 0xfffffff8, 0x80000000, 0x80000001, 15, 16));
  fc.assert(
    fc.property(fc.array(fc.record({ hash, remove: fc.boolean() }), { maxLength: 80, size: "max" }), (steps) => {
      const index = new HashIndex();
      const model = new Map<number, number[]>();
      for (const [i, { hash, remove }] of steps.entries()) {
        const values = model.get(hash) ?? [];
        if (remove && values.length > 0) index.remove(hash, values.splice(i % values.length, 1)[0]);
        else if (!remove) {
          values.push(i + 1);
          index.insert(hash, i + 1);
        }
        model.set(hash, values);
        for (const [h, expected] of model) assert.deepEqual(all(index, h), expected);
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("hash index: it stays right and small while its pages double and split, and empties again", () => {
  const index = new HashIndex();
  const count = 30_000;
  for (let i = 1; i <= count; i++) index.insert(mix32(i), i);
  for (let i = 1; i <= count; i++) assert.equal(index.first(mix32(i)), i);
  assert.ok(index.heldBytes < count * 24, `${index.heldBytes} bytes held`);
  for (let i = count; i > 1; i--) index.remove(mix32(i), i);
  assert.equal(index.first(mix32(1)), 1);
  assert.equal(index.first(mix32(2)), 0);
});

Deno.test("hash index: thousands of equal hashes cost space for themselves only", () => {
  const index = new HashIndex();
  for (let i = 1; i <= 4000; i++) index.insert(0xdeadbeef, i);
  assert.equal(all(index, 0xdeadbeef).length, 4000);
  assert.ok(index.heldBytes < 4000 * 24, `${index.heldBytes} bytes held`);
});

Deno.test("column: what was pushed is there, and popping gives the chunks back", () => {
  const column = new U32Column();
  for (let i = 0; i < 50_000; i++) column.push(i * 3);
  for (let i = 0; i < 50_000; i += 997) assert.equal(column.get(i), i * 3);
  assert.ok(column.heldBytes <= 4 * 65_536);
  while (column.length > 1) column.pop();
  assert.equal(column.get(0), 0);
  assert.ok(column.heldBytes <= 4 * 2 * 16_384);
});
