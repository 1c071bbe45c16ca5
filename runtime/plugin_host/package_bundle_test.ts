import assert from "node:assert/strict";
import { resolveModule } from "./module_source.ts";
import { packageAt, problemOfPackage } from "./package_bundle.ts";

Deno.test("a package has an exact version, and may have a path", () => {
  const exact = [
    "npm:zod@4.6.7",
    "npm:zod@4.6.7/mini",
    "npm:@a-b/c.d@1.0.0-rc.1+5",
    "npm:/zod@4.6.7",
    "npm:a@0.0.0/b/c.js",
  ];
  for (const specifier of exact) {
    assert.equal(problemOfPackage(specifier), "");
    assert.equal(String(resolveModule(specifier, null)), specifier);
  }
  const loose = [
    "npm:zod",
    "npm:zod@4",
    "npm:zod@^4.6.7",
    "npm:zod@latest",
    "npm:zod/mini",
    "npm:@a/b",
    "npm:",
    "npm:a@1.2.3 ",
  ];
  for (const specifier of loose) {
    assert.match(problemOfPackage(specifier), /must say its version exactly, as in npm:.+@1\.2\.3, so that/, specifier);
    assert.equal(resolveModule(specifier, null), problemOfPackage(specifier));
  }
  assert.match(problemOfPackage("npm:@a/b@^1/c"), /as in npm:@a\/b@1\.2\.3,/);
});

Deno.test("what is Node's, JSR's or without a version is refused with a word of what to do", () => {
  const from = new URL("file:///a/b.ts");
  const refused: [string, RegExp][] = [
    ["node:fs", /"node:fs" is Node's: handlers are pure and run without it; a function, sink or source may have it/],
    ["fs/promises", /"fs\/promises" is Node's/],
    ["jsr:@std/path@1.0.0", /is from JSR, and only npm's packages are bundled/],
    ["zod", /must be a relative path, a URL, a package with its version as in npm:zod@4\.6\.7, or @waterpark/],
    ["@waterpark/waterpark/testing", /is not for plugins/],
  ];
  for (const [specifier, says] of refused) assert.match(String(resolveModule(specifier, from)), says);
});

Deno.test("a line of the bundle is traced to the package that it is from", () => {
  const text = [
    "// main.js",
    "one",
    "// ../../cache/npm/registry.npmjs.org/@a/b/1.2.3/lib/c.js",
    "  // not a place: /npm/x/y/1.0.0/",
    "four",
    "// own.ts",
    "six",
  ].join("\n");
  assert.deepEqual([1, 2, 4, 5, 7].map((line) => packageAt(text, line)), ["", "", "@a/b@1.2.3", "@a/b@1.2.3", ""]);
});
