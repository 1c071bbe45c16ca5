/**
 * Plugins come and go while messages flow, on real nodes: from a file, from a URL, a second version in the place of the
 * first; and the bad ones, which must hurt nobody but themselves.
 */
import assert from "node:assert/strict";
import { type ActorKey, type WaterparkClient, WaterparkError } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { deployPlugin } from "./deploy_plugin.ts";
import { until } from "./waiting.ts";

const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];
const ACTORS = 12;

/** What a version says of a message, as reply and to the actor's ledger. */
interface Handled {
  version: string;
  seq: number;
  count: number;
}

// Every message is answered, counted, and noted in a ledger: another actor, to which sending is exactly once.
const COUNTER = `
import { defineHandler, effect } from "@waterpark/waterpark";
import { VERSION } from "./version.ts";
export default defineHandler({
  name: "counter", kind: "patient", initial: { count: 0, version: VERSION },
  handle(key, before, message) {
    const after = { count: before.count + 1, version: VERSION };
    const handled = { version: VERSION, seq: message.seq, count: after.count };
    const note = effect.send({ kind: "ledger", facility: key.facility, id: key.id }, { type: "handled", ...handled });
    return ["ok", after, [effect.reply(handled), note]];
  },
});`;

Deno.test("a second version takes over between two messages; none is lost, none handled twice", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const directory = await Deno.makeTempDir();
    await Deno.writeTextFile(`${directory}/counter.ts`, COUNTER);
    await Deno.writeTextFile(`${directory}/version.ts`, `export const VERSION = "one";`);
    // the second comes over HTTP, and its URL is gone when it is deployed: the nodes must not need it
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/counter.ts") return new Response(COUNTER, { headers: { "content-type": "text/typescript" } });
      return new Response(`export const VERSION: string = "two";`, { headers: { "content-type": "text/typescript" } });
    });
    try {
      await deployPlugin(cluster.client("TN-A-1"), `${directory}/counter.ts`);
      const flow = new Flow(cluster);
      await flow.until(8, "one");
      const view = await deployPlugin(cluster.client("FL-A-1"), `http://127.0.0.1:${server.addr.port}/counter.ts`);
      assert.deepEqual([view.name, view.version], ["counter", 2]);
      await server.shutdown();
      await flow.until(8, "two");
      await flow.stop();
      await flow.check(cluster.client("TX-A-1"));
    } finally {
      await server.shutdown();
      await Deno.remove(directory, { recursive: true });
    }
  });
});

/** A sender for each of the actors, who waits for each message's handling before the next. */
class Flow {
  readonly #answers: Handled[][] = Array.from({ length: ACTORS }, () => []);
  readonly #senders: Promise<void>[];
  #isOver = false;

  constructor(cluster: ClusterOfProcesses) {
    this.#senders = this.#answers.map(async (answers, i) => {
      const client = cluster.client(THREE[i % THREE.length]);
      while (!this.#isOver) {
        const sent = await client.send(keyOf(i), { type: "tick" }, { wait: "handled" });
        const reply = sent.reply as Handled;
        assert.equal(reply.seq, sent.seq);
        answers.push(reply);
      }
    });
  }

  /** Waits until each actor has `count` answers of `version`. */
  async until(count: number, version: string): Promise<void> {
    const isReached = () => this.#answers.every((all) => all.filter((a) => a.version === version).length >= count);
    const reached = until(20_000, `${count} answers of version ${version} for each actor`, () => isReached() || null);
    await Promise.race([reached, Promise.all(this.#senders)]);
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#senders);
  }

  async check(client: WaterparkClient): Promise<void> {
    for (const [i, answers] of this.#answers.entries()) {
      const seqs = answers.map((_, n) => n + 1);
      assert.deepEqual(answers.map((answer) => answer.seq), seqs, "each message has one answer");
      assert.deepEqual(answers.map((answer) => answer.count), seqs, "each message is counted once, by both versions");
      const versions = answers.map((answer) => answer.version);
      const taken = versions.indexOf("two");
      assert.deepEqual(new Set(versions.slice(taken)), new Set(["two"]), "the old version never comes back");

      const { seq, projections, parked } = await client.read(keyOf(i));
      assert.deepEqual([seq, projections.counter, parked], [answers.length, { count: seq, version: "two" }, {}]);
      const ledger = await until(10_000, "every effect is carried out", async () => {
        const { events } = await client.history({ ...keyOf(i), kind: "ledger" }, { limit: 1000 });
        return events.length >= answers.length ? events : null;
      });
      const noted = ledger.map((event) => event.body as Handled).map(({ version, seq, count }) => ({
        version,
        seq,
        count,
      }));
      assert.deepEqual(noted, answers, "what was carried out is what was answered, once and in order");
    }
  }
}

function keyOf(i: number): ActorKey {
  return { kind: "patient", facility: `H${i % 3}`, id: String(i) };
}

const BAD: Record<string, { act: string; code: RegExp }> = {
  throws: { act: `throw new RangeError("no such ward");`, code: /^plugin_host\/threw$/ },
  nonsense: { act: `return 42 as never;`, code: /^plugin_host\/bad-result$/ },
  unknown: { act: `return ["ok", before, [{ type: "explode" } as never]];`, code: /^plugin_host\/unknown-effect$/ },
  hoards: {
    act: `return ["ok", { ...before, big: "x".repeat(2 ** 22) } as never, []];`,
    code: /^plugin_host\/too-large$/,
  },
  remembers: {
    act: `return ["ok", { count: before.count + seen++ }, []];`,
    code: /^plugin_host\/not-deterministic$/,
  },
  loops: { act: `for (;;);`, code: /^plugin_host\/deadline$/ },
  eats: {
    act: `const all: unknown[] = []; for (;;) all.push(new Array(100_000).fill(all.length));`,
    code: /^plugin_host\//,
  },
};

function actingPlugin(acts: string): string {
  return "data:application/typescript," + encodeURIComponent(`
    import { defineHandler } from "@waterpark/waterpark";
    let seen = 0;
    export default defineHandler({
      name: "acting", kind: "patient", initial: { count: 0 },
      handle(_key, before, message) {
        switch (message.type) { ${acts} }
        return ["ok", { count: before.count + 1 }, []];
      },
    });`);
}

Deno.test("bad plugins: a clear error each, the nodes live, every message is kept, a mended version goes on", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client();
    const pids = cluster.nodes.map((node) => node.pid);
    await refusesWhatIsNoPlugin(client);

    const good = actingPlugin("").replace("acting", "honest");
    await deployPlugin(client, good);
    const acts = Object.entries(BAD).map(([type, { act }]) => `case "${type}": { ${act} }`).join("\n");
    await deployPlugin(client, actingPlugin(acts));

    // what is accepted stands, whatever the plugin makes of it: all are sent before anything has failed
    const keys = Object.keys(BAD).map((type): [string, ActorKey] => [type, { facility: "BAD", id: type }]);
    for (const [type, key] of keys) {
      for (const next of ["fine", type, "fine"]) await client.send(key, { type: next });
    }
    for (const [type, key] of keys) {
      const view = await until(30_000, `the plugin stands still for "${type}"`, async () => {
        const view = await client.read(key);
        return view.parked.acting === undefined ? null : view;
      });
      assert.equal(view.seq, 3);
      assert.equal(view.parked.acting.seq, 2, "it stands before the message that it cannot handle");
      assert.match(view.parked.acting.code, BAD[type].code);
      assert.ok(view.parked.acting.message.length > 10, "and says why");
      assert.equal(view.parked.acting.version, 1, "and in which version");
      if (type === "throws") assert.match(view.parked.acting.stack!, /^at Object.handle \(plugin:acting:\d+:\d+\)/);
      if (type === "throws") assert.doesNotMatch(view.parked.acting.stack!, /no such ward|file:/);
      assert.deepEqual(view.projections.acting, { count: 1 }, type);
      assert.deepEqual(view.projections.honest, { count: 3 }, "the other plugin has gone on");
      assert.equal((await client.history(key)).events.length, 3);
    }
    assert.ok((await client.plugin("acting")).parked <= keys.length);

    await deployPlugin(client, actingPlugin(`case "mended": break;`));
    for (const [type, key] of keys) {
      await until(20_000, `the mended version has gone on with "${type}"`, async () => {
        const { projections, parked } = await client.read(key);
        return parked.acting === undefined && (projections.acting as { count: number }).count === 3 || null;
      });
    }
    assert.deepEqual(cluster.alive.map((node) => node.pid), pids, "no node has died of it");
    assert.equal((await client.send({ facility: "BAD", id: "after" }, { type: "fine" })).seq, 1);
  });
});

async function refusesWhatIsNoPlugin(client: WaterparkClient): Promise<void> {
  const text = (source: string) => "data:application/typescript," + encodeURIComponent(source);
  const cases: [string, string, RegExp][] = [
    [text(`export default {`), "plugin_host/does-not-compile", /:1:\d+: /],
    [text(`import { x } from "./nowhere.ts"; export default x;`), "plugin_host/does-not-compile", /nowhere/],
    [text(`export const handler = 1;`), "plugin_host/not-a-plugin", /default/],
    [text(`throw new Error("at once"); export default 1;`), "plugin_host/not-a-plugin", /at once/],
    ["http://127.0.0.1:9/plugin.ts", "plugin_host/does-not-compile", /cannot be read/],
  ];
  for (const [url, code, message] of cases) {
    await assert.rejects(deployPlugin(client, url), (error) => {
      assert.ok(error instanceof WaterparkError, String(error));
      assert.equal(error.code, code);
      assert.match(error.message, message);
      return true;
    });
  }
  assert.deepEqual(await client.plugins(), []);
}

Deno.test("a bundle is looked at by the node that gets it: what is no plugin is refused, and hurts no reader", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const [{ http }] = cluster.nodes;
    const client = cluster.client(undefined, { deadlineMs: 5000 });
    const key = { facility: "HOSPX", id: "1" };
    await client.send(key, { type: "admit" });
    // as INTERFACE says: curl --data-binary @bundle.js, and no more
    const put = (name: string, body: BodyInit) =>
      fetch(`${http}/v1/plugins/${name}`, { method: "PUT", headers: { "content-type": "text/javascript" }, body });
    const { name, bytes } = await bundlePlugin(actingPlugin("")).finally(stopBundler);
    assert.equal((await put(name, bytes)).status, 201);
    for (const body of ["not {{ JavaScript", "module.exports = 1;", "throw new Error('at once');", "for (;;);"]) {
      const answer = await put("garbage", body);
      assert.equal(answer.status, 400, body);
      assert.match((await answer.json()).code, /^plugin_host\//);
    }
    assert.deepEqual((await client.plugins()).map((plugin) => plugin.name), [name]);
    assert.deepEqual((await client.read(key)).projections, { acting: { count: 1 } });
  });
});
