/**
 * Real plugin host processes against plugins that throw, loop, flood, pry. What must hold each time: the call ends, the
 * node lives, and the next call of an honest actor is answered.
 */
import assert from "node:assert/strict";
import type { FoldAnswer, FoldMessage, FoldRequest } from "../../runtime/actors/mod.ts";
import {
  bundlePlugin,
  type LoadAnswer,
  type PluginBundle,
  ProcessHost,
  type ProcessHostConfig,
  stopBundler,
} from "../../runtime/plugin_host/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";

const ENCODER = new TextEncoder();

function moduleUrl(source: string): string {
  return "data:application/typescript," + encodeURIComponent(source);
}

async function bundled(source: string): Promise<PluginBundle> {
  try {
    return await bundlePlugin(moduleUrl(source));
  } finally {
    await stopBundler();
  }
}

/** A handler that evaluates what each message says: `act` runs code of the test's choosing inside the context. */
function acting(acts: Record<string, string>, version = "1"): string {
  const cases = Object.entries(acts).map(([type, code]) => `case ${JSON.stringify(type)}: { ${code} break; }`).join(
    "\n",
  );
  return `
    import { defineHandler, effect, type HandlerMessage } from "@waterpark/waterpark";
    const kept: unknown[] = [];
    export default defineHandler({
      name: "acting", kind: "patient", initial: { n: 0, version: "", said: "" as string },
      handle(key, projections, message: HandlerMessage, history) {
        let said = "";
        const say = (value: unknown) => { said = String(value); };
        switch (message.type) { ${cases} }
        return ["ok", { n: history.length + 1, version: ${JSON.stringify(version)}, said }, []];
      },
    });`;
}

class Bench implements AsyncDisposable {
  readonly deaths: string[] = [];
  readonly host: ProcessHost;

  constructor(config: Partial<ProcessHostConfig> = {}) {
    this.host = new ProcessHost({ world: systemWorld(), config, onDeath: (reason) => this.deaths.push(reason) });
    this.host.start();
  }

  load({ hash, name, bytes }: PluginBundle): Promise<LoadAnswer> {
    return new Promise((resolve) => this.host.load(hash, name, bytes, resolve));
  }

  fold(hash: string, id: string, types: string[], options: Partial<FoldRequest> = {}): Promise<FoldAnswer> {
    const after = options.after ?? 0;
    const messages: FoldMessage[] = types.map((type, i) => ({
      id: `m${after + i + 1}`,
      seq: after + i + 1,
      atMs: 1_767_225_600_000,
      type,
      contentType: "application/json",
      payload: ENCODER.encode('{"ward":"5W"}'),
    }));
    const request = {
      plugin: "acting",
      hash,
      key: `patient/H/${id}`,
      wantProjections: true,
      fresh: false,
      switches: {},
    };
    return new Promise((resolve) => this.host.fold({ ...request, ...options, after, messages }, resolve));
  }

  async said(hash: string, type: string): Promise<string> {
    const answer = await this.fold(hash, `say-${type}`, [type]);
    return answer.state === "ok"
      ? (answer.projections as { said: string }).said
      : `${answer.state}: ${JSON.stringify(answer)}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host.close();
  }
}

Deno.test("folds, two versions side by side, the old one unloaded", async () => {
  await using bench = new Bench();
  const one = await bundled(acting({}, "1"));
  const two = await bundled(acting({}, "2"));
  assert.notEqual(one.hash, two.hash);
  assert.deepEqual(await bench.load(one), { state: "loaded", name: "acting", actorKind: "patient" });
  const first = await bench.fold(one.hash, "1", ["a", "b"]);
  assert.deepEqual(first.state === "ok" && first.projections, { n: 2, version: "1", said: "" });
  await bench.load(two);
  const second = await bench.fold(two.hash, "1", ["a", "b"]);
  assert.deepEqual(second.state === "ok" && second.projections, { n: 2, version: "2", said: "" });
  assert.equal((await bench.fold(one.hash, "1", ["c"], { after: 2 })).state, "ok");
  bench.host.unload(one.hash);
  const gone = await bench.fold(one.hash, "1", ["d"], { after: 3 });
  assert.deepEqual(gone, { state: "down", lonely: false, code: "plugin_host/not-loaded" });
  assert.equal((await bench.fold(two.hash, "1", ["c"], { after: 2 })).state, "ok");
});

Deno.test("what throws, loops or returns nonsense is a fault; others go on", async () => {
  await using bench = new Bench();
  const plugin = await bundled(acting({
    throw:
      `const wardOf = (id: string): string => { if (id) throw new RangeError("no such ward"); return id; }; say(wardOf(key.id) + wardOf("b"));`,
    nonsense: `return 42 as never;`,
    hoard: `return ["ok", { big: "x".repeat(2 ** 21) } as never, []];`,
    loop: `for (;;);`,
    regex: `/^(a+)+$/.test("a".repeat(40) + "b");`,
    async: `(async () => { await null; for (;;); })();`,
    deep: `const f = (): number => f() + 1; f();`,
    trap: `throw { get message() { throw 1; } };`,
  }));
  await bench.load(plugin);
  const expected: Record<string, string> = {
    throw: "plugin_host/threw",
    nonsense: "plugin_host/bad-result",
    hoard: "plugin_host/too-large",
    loop: "plugin_host/deadline",
    regex: "plugin_host/deadline",
    async: "plugin_host/deadline",
    deep: "plugin_host/threw",
    trap: "plugin_host/threw",
  };
  for (const [type, code] of Object.entries(expected)) {
    const [bad, other] = await Promise.all([
      bench.fold(plugin.hash, `bad-${type}`, ["a", type, "b"]),
      bench.fold(plugin.hash, `other-${type}`, ["a"]),
    ]);
    assert.equal(bad.state, "fault", `${type}: ${JSON.stringify(bad)}`);
    if (bad.state !== "fault") return;
    assert.deepEqual([bad.at, bad.code, bad.results.length], [2, code, 1], type);
    if (type === "throw") assert.match(bad.stack, /RangeError: no such ward\n\s+at wardOf \(plugin:acting/);
    if (type === "throw") assert.doesNotMatch(bad.stack, /file:|ext:/);
    assert.equal(other.state, "ok", type);
  }
  assert.deepEqual(bench.deaths, []);
});

Deno.test("a host out of heap dies alone and is followed by another", async () => {
  await using bench = new Bench({ deadlineMs: 5_000, silenceMs: 30_000, heapMiB: 64 });
  const plugin = await bundled(acting({ oom: `for (;;) kept.push(new Array(1 << 18).fill(1.5));` }));
  await bench.load(plugin);
  const answers = await Promise.all([
    bench.fold(plugin.hash, "honest", ["a"]),
    bench.fold(plugin.hash, "glutton", ["oom"]),
    bench.fold(plugin.hash, "unlucky", ["a"]),
  ]);
  assert.deepEqual(answers[1], { state: "down", lonely: false, code: "plugin_host/died" });
  const [again, unlucky] = await Promise.all([
    bench.fold(plugin.hash, "glutton", ["oom"]),
    bench.fold(plugin.hash, "unlucky", ["a"]),
  ]);
  assert.deepEqual(again, { state: "down", lonely: true, code: "plugin_host/died" });
  assert.equal(unlucky.state, "ok");
  assert.equal((await bench.fold(plugin.hash, "honest", ["a"])).state, "ok");
  assert.equal(bench.deaths.length, 2);
});

Deno.test("what no deadline can interrupt is killed from outside within two seconds", async () => {
  await using bench = new Bench();
  // a search through four thousand million holes, in native code that looks at no interrupt
  const plugin = await bundled(acting({ stuck: `const a: number[] = []; a.length = 2 ** 32 - 1; say(a.indexOf(1));` }));
  await bench.load(plugin);
  assert.equal((await bench.fold(plugin.hash, "honest", ["a"])).state, "ok");
  const startMs = performance.now();
  const stuck = await bench.fold(plugin.hash, "stuck", ["stuck"]);
  assert.deepEqual(stuck, { state: "down", lonely: true, code: "plugin_host/stuck" });
  assert.ok(performance.now() - startMs < 3_000);
  assert.equal((await bench.fold(plugin.hash, "honest", ["a"])).state, "ok");
});

Deno.test("buffers outside the heap are noticed from outside", async () => {
  await using bench = new Bench({
    deadlineMs: 20_000,
    silenceMs: 90_000,
    residentBytesMax: 300 * 1024 * 1024,
    memoryIntervalMs: 50,
  });
  const plugin = await bundled(
    acting({ flood: `while (kept.length < 30) kept.push(new Uint8Array(32 * 1024 * 1024).fill(1)); for (;;);` }),
  );
  await bench.load(plugin);
  const answer = await bench.fold(plugin.hash, "flood", ["flood"]);
  assert.deepEqual(answer, { state: "down", lonely: true, code: "plugin_host/out-of-memory" });
  assert.equal((await bench.fold(plugin.hash, "honest", ["a"])).state, "ok");
});

Deno.test("nothing of the machine, no clock and no chance is in reach", async () => {
  await using bench = new Bench();
  const escapes = {
    globals:
      `say([typeof (globalThis as any).Deno, typeof (globalThis as any).process, typeof (globalThis as any).require, typeof (globalThis as any).fetch]);`,
    history:
      `try { (history as any).constructor.constructor("return process")().kill(0); } catch (e) { say((e as Error).name); }`,
    key: `try { (key as any).constructor.constructor("return Deno")().exit(); } catch (e) { say((e as Error).name); }`,
    stack: `let c: unknown; try { const f = (): number => f() + 1; f(); } catch (e) { c = e; }
      try { (c as any).constructor.constructor("return process")().kill(0); } catch (e) { say((e as Error).name); }`,
    caller: `try { say((function f() { return (f as any).caller; })()); } catch (e) { say((e as Error).name); }`,
    clock: `try { Date.now(); } catch (e) { say((e as Error).message); }`,
    chance: `try { Math.random(); } catch (e) { say((e as Error).message); }`,
    given: `say(new Date(message.at).toString());`,
    console: `console.log("\\u0000".repeat(100)); say("quiet");`,
  };
  const plugin = await bundled(acting(escapes));
  await bench.load(plugin);
  assert.equal(await bench.said(plugin.hash, "globals"), "undefined,undefined,undefined,undefined");
  for (const type of ["history", "key", "stack"]) assert.equal(await bench.said(plugin.hash, type), "EvalError", type);
  assert.match(await bench.said(plugin.hash, "caller"), /^(TypeError|null)$/);
  assert.match(await bench.said(plugin.hash, "clock"), /Cannot use Date\.now as plugins are pure/);
  assert.match(await bench.said(plugin.hash, "chance"), /Cannot use Math\.random as plugins are pure/);
  assert.equal(
    await bench.said(plugin.hash, "given"),
    "Thu Jan 01 2026 00:00:00 GMT+0000 (Coordinated Universal Time)",
  );
  assert.equal(await bench.said(plugin.hash, "console"), "quiet");
  assert.deepEqual(bench.deaths, []);
});

Deno.test("a session that was given up is behind, and folds again from birth", async () => {
  await using bench = new Bench({ sessionsMax: 2 });
  const plugin = await bundled(acting({}));
  await bench.load(plugin);
  for (const id of ["a", "b", "c"]) assert.equal((await bench.fold(plugin.hash, id, ["x"])).state, "ok");
  assert.deepEqual(await bench.fold(plugin.hash, "a", ["y"], { after: 1 }), { state: "behind", at: 0 });
  const again = await bench.fold(plugin.hash, "a", ["x", "y"]);
  assert.deepEqual(again.state === "ok" && again.projections, { n: 2, version: "1", said: "" });
});

Deno.test("the host ends when its node does", async () => {
  const source = `
    import { ProcessHost } from ${JSON.stringify(new URL("../../runtime/plugin_host/mod.ts", import.meta.url).href)};
    import { systemWorld } from ${JSON.stringify(new URL("../../runtime/world/mod.ts", import.meta.url).href)};
    const host = new ProcessHost({ world: systemWorld() });
    host.start();
    const wait = () => host.stats().isReady ? console.log("ready") : setTimeout(wait, 10);
    wait();`;
  const config = new URL("../../deno.json", import.meta.url).pathname;
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, source);
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--config", config, file],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = parent.stdout.getReader();
  await reader.read();
  const children = await Deno.readTextFile(`/proc/${parent.pid}/task/${parent.pid}/children`).catch(() => "");
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
  await Deno.remove(file);
  for (const pid of children.trim().split(" ").filter((text) => text !== "")) {
    const isGone = () => Deno.readTextFile(`/proc/${pid}/stat`).then((stat) => / Z /.test(stat), () => true);
    for (let tries = 0; !(await isGone()); tries++) {
      assert.ok(tries < 500, "the host outlives its node");
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
});

Deno.test("bundles files and URLs to the same bytes, and names what does not compile", async (t) => {
  const dir = await Deno.makeTempDir();
  const main = `import { defineHandler } from "@waterpark/waterpark";\nimport { first } from "./lib/wards.ts";\n` +
    `import table from "./table.json" with { type: "json" };\n` +
    `export default defineHandler({ name: "wards", kind: "ward", initial: first as string, ` +
    `handle: (_key, p) => ["ok", p + table.suffix, []] });\n`;
  const files: Record<string, string> = {
    "main.ts": main,
    "lib/wards.ts": `export const first: string = "5W";\n`,
    "table.json": `{"suffix":"!"}`,
    "broken.ts": `export default {\n  handle( => 1\n};\n`,
    "missing.ts": `import "./nowhere.ts";\n`,
    "package.ts": `import "npm:left-pad";\nimport "lodash";\nimport "node:fs";\n`,
    "remote.ts": `import "file:///etc/hostname";\n`,
    "plain.ts": `export default { name: "plain" };\n`,
    "big.ts": `export default ${JSON.stringify("x".repeat(5_000_000))};\n`,
  };
  await Deno.mkdir(`${dir}/lib`);
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${dir}/${name}`, text);
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    const path = new URL(request.url).pathname.slice(1);
    if (path === "moved") return Response.redirect(new URL("/main.ts", request.url));
    return files[path] === undefined ? new Response("", { status: 404 }) : new Response(files[path]);
  });
  const base = `http://127.0.0.1:${server.addr.port}`;
  try {
    const fromFile = await bundlePlugin(`${dir}/main.ts`);
    assert.deepEqual([fromFile.name, fromFile.kind, fromFile.actorKind], ["wards", "handler", "ward"]);
    assert.match(fromFile.hash, /^[0-9a-f]{64}$/);
    const fromUrl = await bundlePlugin(new URL(`${base}/main.ts`));
    const cwd = Deno.cwd();
    Deno.chdir(dir);
    const fromElsewhere = await bundlePlugin("main.ts").finally(() => Deno.chdir(cwd));
    assert.deepEqual([fromUrl.hash, fromElsewhere.hash], [fromFile.hash, fromFile.hash]);
    assert.equal((await bundlePlugin(`${base}/moved`)).name, "wards");
    const ended = (bundle: Promise<PluginBundle>) => bundle.finally(stopBundler).then(({ hash }) => hash);
    const together = await Promise.all([1, 2, 3].map(() => ended(bundlePlugin(`${dir}/main.ts`))));
    assert.deepEqual(together, Array(3).fill(fromFile.hash));

    const refused: [string, string, RegExp][] = [
      [`${dir}/broken.ts`, "plugin_host/does-not-compile", /broken\.ts:2:\d+: Expected/],
      [`${dir}/missing.ts`, "plugin_host/does-not-compile", /nowhere\.ts/],
      [`${dir}/none.ts`, "plugin_host/does-not-compile", /none\.ts/],
      [
        `${dir}/package.ts`,
        "plugin_host/does-not-compile",
        /package\.ts:1:\d+: "npm:left-pad" must say its version.*"lodash".*"node:fs"/,
      ],
      [`${base}/remote.ts`, "plugin_host/does-not-compile", /"file:\/\/\/etc\/hostname" is a file/],
      [`${base}/none.ts`, "plugin_host/does-not-compile", /answers 404/],
      [`${dir}/plain.ts`, "plugin_host/not-a-plugin", /its kind must/],
      [`${dir}/lib/wards.ts`, "plugin_host/not-a-plugin", /must export a handler by default/],
      [`${dir}/big.ts`, "plugin_host/too-large", /4194304/],
    ];
    for (const [entry, code, message] of refused) {
      await t.step(
        entry.slice(entry.lastIndexOf("/") + 1),
        () => assert.rejects(bundlePlugin(entry), { code, message }),
      );
    }
  } finally {
    await server.shutdown();
    await stopBundler();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("10,000 folds over 1,000 actors (prints its rate)", async () => {
  await using bench = new Bench();
  const plugin = await bundled(acting({}));
  await bench.load(plugin);
  const startMs = performance.now();
  for (let round = 0; round < 10; round++) {
    const answers = await Promise.all(
      Array.from(
        { length: 1_000 },
        (_, i) => bench.fold(plugin.hash, `${i}`, ["a"], { after: round, wantProjections: false }),
      ),
    );
    assert.ok(answers.every((answer) => answer.state === "ok" && answer.at === round + 1));
  }
  const seconds = (performance.now() - startMs) / 1_000;
  console.log(`      ${Math.round(10_000 / seconds)} folds/s`);
});
