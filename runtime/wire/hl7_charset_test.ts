import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeHl7, encodeHl7 } from "./hl7_charset.ts";

const TEXTS: Record<string, string> = {
  "": "Zoë",
  "ASCII": "Müller 🏥",
  "UNICODE UTF-8": "Łódź 東京",
  "8859/1": "Müller ÿ",
  "8859/2": "Łódź",
  "8859/5": "Москва",
  "8859/7": "Αθήνα",
  "8859/15": "5 €",
  "WINDOWS-1252": "„Müller“ – 5 €",
  "ISO IR14": "東京 ｱ",
  "GB 18030-2000": "北京",
  "KS X 1001": "서울",
  "BIG-5": "臺北",
};

Deno.test("charset: what is written is read back, in every charset of table 0211 that has a writer", () => {
  for (const [charset, text] of Object.entries(TEXTS)) {
    const bytes = encodeHl7(`PID|1||${text}~^`, charset);
    assert.equal(bytes && decodeHl7(bytes, charset), `PID|1||${text}~^`, charset);
  }
  assert.deepEqual(encodeHl7("Müller", "8859/1"), Uint8Array.of(77, 252, 108, 108, 101, 114));
});

Deno.test("charset: what a charset has no place for is refused, not replaced", () => {
  assert.equal(encodeHl7("東京", "8859/1"), null);
  assert.equal(encodeHl7("🏥", "BIG-5"), null);
  assert.equal(encodeHl7("東京", "ISO IR87"), null);
  fc.assert(fc.property(fc.string({ unit: "binary" }), fc.constantFrom(...Object.keys(TEXTS)), (text, charset) => {
    const bytes = encodeHl7(text.toWellFormed(), charset);
    if (bytes !== null && !text.startsWith("\uFEFF")) assert.equal(decodeHl7(bytes, charset), text.toWellFormed());
  }));
});
