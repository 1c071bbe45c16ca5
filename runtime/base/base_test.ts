import assert from "node:assert/strict";
import fc from "fast-check";
import { assert as must } from "./assert.ts";
import { WaterparkError } from "./errors.ts";
import { chainDigest, digest64, digestText, hash32, hashText } from "./hash.ts";
import { formatKey, fullKey, parseKey } from "./key.ts";

Deno.test("hash: MurmurHash3's published vectors", () => {
  const of = (text: string, seed: number) => hash32(new TextEncoder().encode(text), seed);
  assert.equal(of("", 0), 0);
  assert.equal(of("", 1), 0x514e28b7);
  assert.equal(of("aaaa", 0x9747b28c), 0x5a97808a);
  assert.equal(of("Hello, world!", 0x9747b28c), 0x24884cba);
  assert.equal(of("The quick brown fox jumps over the lazy dog", 0x9747b28c), 0x2fa826cd);
});

Deno.test("hash: a window of bytes hashes as its copy does", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(10), (bytes, from) => {
    const start = Math.min(from, bytes.length);
    assert.equal(hash32(bytes, 3, start), hash32(bytes.slice(start), 3));
  }));
  assert.equal(hashText("Zoë"), hash32(new TextEncoder().encode("Zoë")));
});

Deno.test("hash: a digest is the window's hash under two seeds", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 50 }), fc.nat(10), fc.nat(10), (bytes, skip, drop) => {
    const from = Math.min(skip, bytes.length);
    const to = Math.max(from, bytes.length - drop);
    const hi = hash32(bytes, 0x9747b28c, from, to);
    assert.deepEqual(digest64(bytes, from, to), { hi, lo: hash32(bytes, 0x3c6ef372, from, to) });
  }));
});

Deno.test("hash: the chain depends on every link and on their order", () => {
  const [a, b] = ["a", "b"].map((text) => digest64(new TextEncoder().encode(text)));
  const start = { hi: 0, lo: 0 };
  const ab = chainDigest(chainDigest(start, a), b);
  const ba = chainDigest(chainDigest(start, b), a);
  assert.notDeepEqual(ab, ba);
  assert.match(digestText(ab), /^[0-9a-f]{16}$/);
});

const part = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 }).filter((text) =>
  !/\p{Cc}/u.test(text) && text.length <= 200 && text !== "." && text !== ".."
);

Deno.test("key: what is formatted is read back, whatever characters it has", () => {
  fc.assert(fc.property(part, part, part, (kind, facility, id) => {
    const key = { kind, facility, id };
    assert.deepEqual(parseKey(formatKey(key)), key);
  }));
});

Deno.test("key: two keys never have one text", () => {
  assert.notEqual(formatKey({ facility: "a/b", id: "c" }), formatKey({ facility: "a", id: "b/c" }));
  assert.notEqual(formatKey({ facility: "a%2Fb", id: "c" }), formatKey({ facility: "a/b", id: "c" }));
  assert.equal(formatKey({ facility: "HOSPX", id: "1001" }), "patient/HOSPX/1001");
});

Deno.test("key: what is none is refused with a code", () => {
  for (const text of ["", "a", "a/b/c/d", "a/", "/b", "a/%zz", "a/b\u0000", "a/..", "./b", `a/${"x".repeat(201)}`]) {
    assert.throws(() => parseKey(text), { code: "base/bad-key" }, text);
  }
  assert.throws(() => fullKey({ facility: "a", id: "\ud800" }), { code: "base/bad-key" });
});

Deno.test("errors: code, outcome and cause are carried; an assertion is another sort", () => {
  const cause = new Error("inner");
  const error = new WaterparkError("Cannot x", { code: "base/x", outcome: "unknown", retryAfterMs: 5, cause });
  assert.deepEqual([error.code, error.outcome, error.retryAfterMs, error.cause], ["base/x", "unknown", 5, cause]);
  assert.throws(() => must(false, "a bug"), { name: "AssertionError", message: "a bug" });
});
