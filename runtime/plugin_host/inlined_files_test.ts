import assert from "node:assert/strict";
import { inlineFiles } from "./inlined_files.ts";

const CACHE = "file:///cache/npm/registry.npmjs.org/@a/wasm/0.2.1/";
const FROM = new URL("file:///made/here/");

function inlined(bundle: string): { text: string; asked: string[] } {
  const asked: string[] = [];
  const read = (file: URL) => {
    asked.push(file.href);
    return file.href.endsWith("missing") ? null : new Uint8Array([1, 2, 3]);
  };
  return { text: inlineFiles(bundle, { from: FROM, read }), asked };
}

Deno.test("inlined files: what a package reads beside itself is built in", () => {
  const bundle = `// mine.ts
var a = 1;
// ../../cache/npm/registry.npmjs.org/@a/wasm/0.2.1/dist/index.js
var wasm = readFileSync(new URL("../dist/native.wasm", import.meta.url));
`;
  const { text, asked } = inlined(bundle);
  assert.deepEqual(asked, [`${CACHE}dist/native.wasm`]);
  assert.equal(text.split("\n")[3], `var wasm = Buffer.from("AQID", "base64");`);
});

Deno.test("inlined files: nothing from outside the package, from one's own modules, or that is not there", () => {
  for (
    const path of [
      "../../../../../../../../etc/passwd",
      "/etc/passwd",
      "file:///etc/passwd",
      "../../0.2.2/x",
      "missing",
    ]
  ) {
    const bundle = `// ../../cache/npm/registry.npmjs.org/@a/wasm/0.2.1/dist/index.js
readFileSync(new URL('${path}', import.meta.url));`;
    const { text, asked } = inlined(bundle);
    assert.equal(text, bundle);
    assert.equal(asked.length, path === "missing" ? 1 : 0);
  }
  const own = `// plugin.js\nreadFileSync(new URL("x", import.meta.url));`;
  assert.equal(inlined(own).text, own);
  const before = `readFileSync(new URL("x", import.meta.url));`;
  assert.equal(inlined(before).text, before);
});
