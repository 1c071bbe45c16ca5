/**
 * Handlers with packages, in real plugin host processes: what npm has bundled, and what a schema does behind the walls.
 */
import assert from "node:assert/strict";
import type { FoldAnswer } from "../../runtime/actors/mod.ts";
import { bundlePlugin, type PluginBundle, ProcessHost, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { startRegistry } from "./package_registry.ts";

const ENCODER = new TextEncoder();

const moduleUrl = (source: string) => "data:application/typescript," + encodeURIComponent(source);

/** Loads a bundle in a process and folds messages `[type, JSON]`. */
async function foldIn(
  host: ProcessHost,
  { hash, name, bytes }: PluginBundle,
  ...given: [type: string, text: string][]
) {
  const loaded = await new Promise<{ state: string }>((resolve) => host.load(hash, name, bytes, resolve));
  assert.equal(loaded.state, "loaded", JSON.stringify(loaded));
  const messages = given.map(([type, text], i) => ({
    id: `m${i}`,
    seq: i + 1,
    atMs: 1_767_225_600_000 + i,
    type,
    contentType: "application/json",
    payload: ENCODER.encode(text),
  }));
  const request = { plugin: name, hash, key: "patient/H/1", after: 0, messages, wantProjections: true, fresh: false };
  return await new Promise<FoldAnswer>((resolve) => host.fold({ ...request, switches: {} }, resolve));
}

Deno.test("zod behind the walls: transforms, refusals, and what may not be", async () => {
  const host = new ProcessHost({ world: systemWorld() });
  host.start();
  const source = moduleUrl(`
    import * as z from "npm:zod@4.6.7";
    import { defineHandler } from "@waterpark/waterpark";
    export default defineHandler({
      name: "typed", kind: "patient", initial: { n: 0, last: "" },
      projections: z.object({ n: z.number().max(3), last: z.string() }),
      whenInvalid: "alert",
      messages: {
        fine: z.object({ ward: z.string().trim().toUpperCase(), beds: z.coerce.number().default(1) }),
        later: z.object({}).refine(async () => true),
        throws: z.object({}).refine(() => { throw new Error("in the schema"); }),
        clock: z.object({}).refine(() => Date.now() > 0),
      },
      handle: (_key, { n }, message) =>
        ["ok", message.type === "fine" ? { n: n + message.body.beds, last: message.body.ward } : { n, last: "" }, []],
    });`);
  try {
    const bundle = await bundlePlugin(source);
    const again = await bundlePlugin(source);
    assert.equal(again.hash, bundle.hash);
    assert.ok(bundle.bytes.length < 200_000, `${bundle.bytes.length} bytes: more of zod than what is used`);
    const fine = await foldIn(host, bundle, ["fine", '{"ward":" 5w ","beds":"2"}'], ["fine", '{"ward":5}'], [
      "fine",
      '{"ward":"a"}',
    ]);
    assert.ok(fine.state === "ok", JSON.stringify(fine));
    assert.deepEqual(fine.projections, { n: 3, last: "A" });
    assert.deepEqual(fine.results.map(({ effects }) => effects.length), [0, 1, 0]);

    for (const type of ["later", "throws", "clock"]) {
      const answer = await foldIn(host, bundle, [type, "{}"]);
      assert.ok(answer.state === "fault", type);
      assert.equal(answer.code, "plugin_host/async-schema", `${type}: ${answer.message}`);
    }
    const wrong = await foldIn(host, bundle, ["fine", '{"ward":"a","beds":4}']);
    assert.ok(wrong.state === "fault");
    assert.match(wrong.message, /must be what their schema says: they are not, at "n"/);
  } finally {
    await host.close();
    await stopBundler();
  }
});

Deno.test("packages: by URL, of CommonJS, of Node, and such as there are none", async (t) => {
  const common = `exports.twice = (n) => n * 2; exports.name = process.env.NODE_ENV;`;
  await using registry = await startRegistry([
    { name: "common", version: "1.0.0", fields: { main: "index.js" }, files: { "index.js": common } },
    {
      name: "ward-count",
      version: "1.2.3",
      fields: { type: "module", exports: "./main.js", dependencies: { common: "^1.0.0" } },
      files: {
        "main.js": `import { defineHandler } from "@waterpark/waterpark"; import { twice, name } from "common";
          export default defineHandler({ name: "ward-count", kind: "patient", initial: { n: 1, name: "" },
            handle: (_key, { n }) => ["ok", { n: twice(n), name }, []] });`,
      },
    },
    {
      name: "reads-files",
      version: "1.0.0",
      fields: { main: "index.js" },
      files: { "index.js": `const { readFileSync } = require("fs"); exports.read = readFileSync;` },
    },
    { name: "no-plugin", version: "1.0.0", fields: { main: "index.js" }, files: { "index.js": "exports.a = 1;" } },
  ]);
  const { environment } = registry;
  const bundled = (entry: string) => bundlePlugin(entry, { environment });
  const folder = await Deno.makeTempDir();
  const written = async (file: string, specifier: string) => {
    const text = `import { read } from ${
      JSON.stringify(specifier)
    }; import { defineHandler } from "@waterpark/waterpark";
      export default defineHandler({ name: "a", kind: "patient", initial: 0, handle: () => ["ok", read ? 1 : 0, []] });`;
    await Deno.writeTextFile(`${folder}/${file}`, text);
    return `${folder}/${file}`;
  };
  const host = new ProcessHost({ world: systemWorld() });
  host.start();
  try {
    const bundle = await bundled("npm:ward-count@1.2.3");
    assert.deepEqual([bundle.name, bundle.kind, bundle.actorKind], ["ward-count", "handler", "patient"]);
    const text = new TextDecoder().decode(bundle.bytes);
    assert.doesNotMatch(text, /http_127|\.cache|waterpark-package-/, "the bytes name places of this machine");
    const answer = await foldIn(host, bundle, ["a", "{}"], ["b", "{}"]);
    assert.deepEqual(answer.state === "ok" && answer.projections, { n: 4, name: "development" });

    const refused: [string, string, RegExp][] = [
      ["npm:ward-count", "plugin_host/does-not-compile", /must say its version exactly, as in npm:ward-count@1\.2\.3/],
      ["npm:ward-count@9.9.9", "plugin_host/does-not-compile", /the registry has no ward-count@9\.9\.9/],
      ["npm:nowhere@1.0.0", "plugin_host/does-not-compile", /the registry has no nowhere@1\.0\.0/],
      ["npm:no-plugin@1.0.0", "plugin_host/not-a-plugin", /its name must be/],
      [
        await written("files.ts", "npm:reads-files@1.0.0"),
        "plugin_host/does-not-compile",
        /npm:reads-files@1\.0\.0: "(node:)?fs" is Node's/,
      ],
      [
        await written("none.ts", "npm:ward-count@1.2.3/none"),
        "plugin_host/does-not-compile",
        /ward-count@1\.2\.3\/none/,
      ],
    ];
    for (const [entry, code, message] of refused) {
      await t.step(`${message}`, () => assert.rejects(bundled(entry), { code, message }));
    }
  } finally {
    await host.close();
    await stopBundler();
    await Deno.remove(folder, { recursive: true });
  }
});
