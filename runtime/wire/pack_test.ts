import assert from "node:assert/strict";
import fc from "fast-check";
import { pack, unpack } from "./pack.ts";
import { ByteReader, ByteWriter } from "./bytes.ts";

Deno.test("pack: unpack gives back what was packed", () => {
  fc.assert(
    fc.property(fc.jsonValue({ noUnicodeString: false } as never), (value) => {
      // -0 has no JSON text, and msgpack integers have no sign of zero
      const text = JSON.stringify(value);
      fc.pre(!text.includes('"__proto__":'));
      const plain = JSON.parse(text);
      assert.deepEqual(unpack(pack(plain)), plain);
    }),
    { numRuns: 200 },
  );
});

Deno.test("pack: a key that would set a prototype comes back under another name", () => {
  const back = unpack(pack(JSON.parse('{"__proto__":{"isAdmin":true},"a":1}'))) as Record<string, unknown>;
  assert.deepEqual(Object.entries(back), [["__proto_", { isAdmin: true }], ["a", 1]]);
  assert.equal(back.isAdmin, undefined);
});

Deno.test("pack: bytes survive, garbage throws wire/bad-payload", () => {
  const { b } = unpack(pack({ b: new Uint8Array([1, 2, 3]) })) as { b: Uint8Array };
  assert.deepEqual([...b], [1, 2, 3]);
  assert.throws(() => unpack(new Uint8Array([0x93, 1])), { code: "wire/bad-payload" });
  assert.equal(unpack(pack(2 ** 52)), 2 ** 52);
});

Deno.test("bytes: a reader reads what a writer wrote, and no more", () => {
  const writer = new ByteWriter(4);
  writer.u8(7).u16(300).u32(70000).f64(2 ** 52 + 1).text("Zoë").bytes(new Uint8Array([9]));
  const bytes = writer.take();
  const reader = new ByteReader(bytes);
  assert.deepEqual([reader.u8(), reader.u16(), reader.u32(), reader.f64(), reader.text(), [...reader.bytes()]], [
    7,
    300,
    70000,
    2 ** 52 + 1,
    "Zoë",
    [9],
  ]);
  assert.throws(() => reader.u8(), { code: "wire/bad-payload" });
  assert.equal(writer.length, 0);
});
