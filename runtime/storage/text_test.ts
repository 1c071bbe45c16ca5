import assert from "node:assert/strict";
import fc from "fast-check";
import { EncodedText, readText } from "./text.ts";

Deno.test("text: it is UTF-8, and reading gives back what was encoded", () => {
  const encoded = new EncodedText("id", 256);
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 60 }), (text) => {
    if (new TextEncoder().encode(text).length > 256) return;
    encoded.encode(text);
    assert.deepEqual(encoded.bytes.subarray(0, encoded.length), new TextEncoder().encode(text));
    const copy = new Uint8Array(300);
    const end = encoded.copyTo(copy, 3);
    assert.equal(readText(copy, 3, end), text);
  }));
});

Deno.test("text: after one that is refused, the one before is encoded anew", () => {
  const encoded = new EncodedText("id", 4);
  encoded.encode("abcd");
  assert.throws(() => encoded.encode("xyéé"), { code: "storage/too-large" });
  assert.throws(() => encoded.encode("é\ud800"), { code: "storage/bad-entry" });
  encoded.encode("abcd");
  assert.equal(readText(encoded.bytes, 0, encoded.length), "abcd");
});
