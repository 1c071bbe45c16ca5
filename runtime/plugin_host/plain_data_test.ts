import assert from "node:assert/strict";
import fc from "fast-check";
import { canonicalText, digestOfText, PlainDataError } from "./plain_data.ts";

const options = { name: "projections", unitsMax: 1_000_000 };

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).reverse().map(([key, field]) => [key, reversed(field)]));
}

Deno.test("canonical text is JSON of the same value, whatever the order of keys", () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false }), (value) => {
    const text = canonicalText(value, options);
    assert.equal(text, canonicalText(reversed(value), options));
    assert.equal(text, canonicalText(JSON.parse(text), options));
    assert.equal(digestOfText(text), digestOfText(canonicalText(reversed(value), options)));
  }));
});

Deno.test("what is not plain is refused with its path and without its value", () => {
  const circle: Record<string, unknown> = {};
  circle.self = circle;
  const refused: [unknown, RegExp][] = [
    [undefined, /projections as it must be plain JSON data: it is undefined/],
    [{ a: [0, { b: () => "secret" }] }, /projections\.a\[1\]\.b\b.* a function/],
    [{ at: new Date(0) }, /projections\.at\b.* an instance of Date/],
    [new Map([["secret", 1]]), /an instance of Map/],
    [{ n: NaN }, /the number NaN/],
    [10n, /a bigint/],
    [[undefined], /\[0\]/],
    [circle, /in a circle/],
  ];
  for (const [value, pattern] of refused) {
    assert.throws(() => canonicalText(value, options), (error: PlainDataError) => {
      assert.match(error.message, pattern);
      assert.doesNotMatch(error.message, /secret/);
      return error.code === "plugin_host/not-plain-data";
    });
  }
  assert.equal(canonicalText({ a: undefined, b: -0 }, options), '{"b":0}');
});

Deno.test("text longer than the bound is refused", () => {
  assert.throws(
    () => canonicalText(["x".repeat(100)], { name: "projections", unitsMax: 100 }),
    (error: PlainDataError) => error.code === "plugin_host/too-large",
  );
});

Deno.test("digests tell texts apart", () => {
  const seen = new Set<string>();
  for (let i = 0; i < 20_000; i++) seen.add(digestOfText(`{"n":${i}}`));
  for (let i = 0; i < 1_000; i++) seen.add(digestOfText("a".repeat(i)));
  assert.equal(seen.size, 21_000);
  assert.match(digestOfText(""), /^[0-9a-f]{16}$/);
});
