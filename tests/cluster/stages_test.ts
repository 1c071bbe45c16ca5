/**
 * Stages on real nodes: a version is dark, then a canary, then live, then taken back, while messages flow; and switches.
 */
import assert from "node:assert/strict";
import type { ActorKey, PluginDiffView, WaterparkClient } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { until } from "./waiting.ts";

const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];
const ACTORS = 20;

/** A counter that tells a ledger what it has counted, and in which version; `twist` is the version's own. */
function counterOf(version: string, twist = ""): string {
  return "data:application/typescript," + encodeURIComponent(`
    import { defineHandler, effect } from "@waterpark/waterpark";
    export default defineHandler({
      name: "counter", kind: "patient", initial: { count: 0 },
      handle(key, before, message, _history, switches) {
        let after = { count: before.count + 1 };
        let text = "counted";
        ${twist}
        const note = effect.send({ kind: "ledger", facility: key.facility, id: key.id }, { type: text, seq: message.seq });
        return ["ok", after, [effect.reply({ version: "${version}", text }), note]];
      },
    });`);
}

const keyOf = (i: number): ActorKey => ({ kind: "patient", facility: `H${i % 3}`, id: String(i) });

async function deploy(
  client: WaterparkClient,
  url: string,
  options: Parameters<typeof client.deploy>[0] | object = {},
) {
  const { name, kind, actorKind, hash, bytes } = await bundlePlugin(url);
  return await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: "data:", ...options });
}

async function sendAll(cluster: ClusterOfProcesses): Promise<string[]> {
  const answers = await Promise.all(Array.from({ length: ACTORS }, async (_, i) => {
    const sent = await cluster.client(THREE[i % 3]).send(keyOf(i), { type: "tick" }, { wait: "handled" });
    return sent.reply as { version: string; text: string };
  }));
  return answers.map(({ version, text }) => `${version} ${text}`);
}

async function compared(client: WaterparkClient, version: number, count: number): Promise<PluginDiffView["diffs"][0]> {
  return await until(15_000, `${count} messages are compared with version ${version}`, async () => {
    const { diffs } = await client.pluginDiff("counter");
    const found = diffs.find((diff) => diff.new.version === version);
    return found !== undefined && found.compared >= count ? found : null;
  });
}

Deno.test("a version goes from dark to canary to live and back; who did what, and how they differ, is shown", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client("TX-A-1");
    try {
      await deploy(client, counterOf("one"));
      for (let i = 0; i < 3; i++) await sendAll(cluster);

      await deploy(client, counterOf("two", `text = "reckoned"; after = { ...after, by: "two" };`), { stage: "dark" });
      assert.deepEqual(new Set(await sendAll(cluster)), new Set(["one counted"]), "a dark version says nothing");
      const diff = await compared(client, 2, ACTORS);
      assert.equal(diff.compared - diff.equal, diff.compared);
      assert.ok(diff.counts["effects-changed"] >= ACTORS && diff.counts.projection >= ACTORS, JSON.stringify(diff));
      const example = diff.examples.find(({ kind }) => kind === "effects-changed")!;
      assert.match(example.key, /^patient\/H\d\/\d+$/);
      const looked = await until(10_000, "paths are named", async () => {
        const { paths } = (await client.pluginDiff("counter")).diffs[0];
        return Object.keys(paths).length > 0 ? paths : null;
      });
      assert.deepEqual(Object.keys(looked), ["by"]);
      await until(10_000, "the dark version has folded all histories", async () => {
        const [one] = (await client.plugin("counter")).folding;
        return one.version === 2 && one.actors === one.actorsAll && one.shards === one.shardsAll || null;
      });

      await assert.rejects(client.promotePlugin("counter"), { code: "node/diff-not-accepted" });
      const actors = [keyOf(3)];
      await client.promotePlugin("counter", { stage: "canary", percent: 0, actors, acceptDiff: true });
      const canary = await sendAll(cluster);
      assert.deepEqual(
        canary.map((text, i) => text === (i === 3 ? "two reckoned" : "one counted")),
        canary.map(() => true),
      );

      await client.promotePlugin("counter", { acceptDiff: true });
      assert.deepEqual(new Set(await sendAll(cluster)), new Set(["two reckoned"]));
      const begun = performance.now();
      await client.rollbackPlugin("counter", { reason: "reckons" });
      assert.deepEqual(new Set(await sendAll(cluster)), new Set(["one counted"]), "on every node");
      const tookMs = performance.now() - begun;
      console.error(`rolled back, and a message handled by each of ${ACTORS} actors: ${Math.round(tookMs)} ms`);
      assert.ok(tookMs < 5000);

      for (const read of ["writer", "nearest"] as const) {
        const under = async (version: string, at?: number) =>
          (await client.read(keyOf(1), { version, at, read })).projections.counter;
        assert.deepEqual(
          await under("counter@2", 2),
          { count: 2, by: "two" },
          "time travel under a version taken back",
        );
        assert.deepEqual(await under("counter@1", 2), { count: 2 });
      }
      await assert.rejects(client.read(keyOf(1), { version: "counter@9" }), { code: "topology/no-such-version" });

      const { history, versions, version } = await client.plugin("counter");
      assert.deepEqual(
        history.map(({ deed, version, stage, reason }) => `${deed} ${version} ${stage} ${reason}`.trim()),
        [
          "deploy 1 live",
          "deploy 2 dark",
          "promote 2 canary",
          "promote 2 live",
          "rollback 2 dark reckons",
        ],
      );
      assert.deepEqual([version, versions[1].withdrawn], [1, "reckons"]);
      for (let i = 0; i < ACTORS; i++) {
        const { seq, projections } = await client.read(keyOf(i));
        assert.deepEqual(projections.counter, { count: seq }, "as if it had never been there");
      }
    } finally {
      await stopBundler();
    }
  });
});

Deno.test("a version for another kind of actors is no canary; straight to live it takes the other's place", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const client = cluster.client();
    try {
      await deploy(client, counterOf("one"));
      await client.send(keyOf(1), { type: "tick" }, { wait: "handled" });
      const wards = counterOf("two").replace("kind%3A%20%22patient%22", "kind%3A%20%22ward%22");
      const refused = { code: "node/other-actors" };
      await assert.rejects(deploy(client, wards, { stage: "canary", percent: 50 }), refused);
      await deploy(client, wards, { stage: "dark" });
      await assert.rejects(client.promotePlugin("counter", { stage: "canary", percent: 50 }), refused);
      await client.promotePlugin("counter");
      const ward = { kind: "ward", facility: "H", id: "1E" };
      const { reply } = await client.send(ward, { type: "tick" }, { wait: "handled" });
      assert.deepEqual(reply, { version: "two", text: "counted" });
      await client.send(keyOf(1), { type: "tick" });
      assert.deepEqual(Object.keys((await client.read(keyOf(1))).projections), []);
    } finally {
      await stopBundler();
    }
  });
});

Deno.test("a version at which more than 20 actors stand still goes by itself, and says why; what it missed is handled", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const client = cluster.client();
    try {
      await deploy(client, counterOf("one"));
      const keys = Array.from({ length: 40 }, (_, i) => ({ facility: "H", id: String(i) }));
      await Promise.all(keys.map((key) => client.send(key, { type: "tick" }, { wait: "handled" })));
      await deploy(client, counterOf("two", `if (message.seq > 1) throw new Error("no more");`));
      await Promise.all(keys.map((key) => client.send(key, { type: "tick" })));
      const plugin = await until(20_000, "it is taken back", async () => {
        const plugin = await client.plugin("counter");
        return plugin.version === 1 ? plugin : null;
      });
      const { deed, by, reason } = plugin.history.at(-1)!;
      assert.deepEqual([deed, by], ["rollback", "waterpark"]);
      assert.match(reason, /stood still at \d+ actors, more than 20/);
      await until(10_000, "the old version has gone on", async () => {
        const views = await Promise.all(keys.map((key) => client.read(key)));
        return views.every(({ projections }) => (projections.counter as { count: number }).count === 2) || null;
      });
    } finally {
      await stopBundler();
    }
  });
});

Deno.test("rings: a version goes from ring to ring by itself, and one with other effects goes back", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client("TX-A-1");
    await deploy(client, counterOf("one"));
    let isOver = false;
    const load = (async () => {
      while (!isOver) await sendAll(cluster);
    })();
    try {
      const rings = { stepMs: 200, messagesMin: 20, actorsMin: 3 };
      await deploy(client, counterOf("one", "/* the same */"), { stage: "canary", percent: 1, rings });
      await until(60_000, "it is live", async () => (await client.plugin("counter")).version === 2 ? true : null);
      const { history } = await client.plugin("counter");
      const [node, zone, dataCenter] = history.filter(({ where }) => where !== null).map(({ where }) => where!);
      assert.ok(THREE.includes(node), node);
      assert.deepEqual([zone, dataCenter], [node.slice(0, 4), node.slice(0, 2)]);
      const last = history.at(-1)!;
      assert.deepEqual([last.by, last.stage, last.version], ["waterpark", "live", 2]);
      assert.match(last.reason, /by itself: \d+ messages of \d+ actors, 0 differences/);

      await deploy(client, counterOf("three", 'text = "said";'), { stage: "canary", percent: 1, rings });
      const taken = await until(30_000, "it has gone back", async () => {
        const { versions } = await client.plugin("counter");
        return versions.find(({ version }) => version === 3)?.withdrawn ?? null;
      });
      assert.match(taken, /by itself: its effects were others for \d+ messages/);
      assert.equal((await client.plugin("counter")).version, 2);

      await client.setPluginPace(60_000);
      await assert.rejects(deploy(client, counterOf("four")), { code: "topology/too-soon" });
      await client.setPluginPace(0);
      await deploy(client, counterOf("four"));
    } finally {
      isOver = true;
      await load;
    }
  });
});

Deno.test("switches: handlers on all nodes see them from a message on, and the same when they fold again", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client("FL-A-1");
    try {
      const twist = `after = { ...after, seen: [...(before.seen ?? []), switches.shiny === true] };`;
      await deploy(client, counterOf("one", twist));
      await sendAll(cluster);
      assert.equal((await client.setSwitch("shiny", true)).on, true);
      const isSeen = async (on: boolean) =>
        await until(10_000, `all see it ${on ? "on" : "off"}`, async () => {
          await sendAll(cluster);
          const views = await Promise.all(Array.from({ length: ACTORS }, (_, i) => client.read(keyOf(i))));
          return views.every(({ projections }) => (projections.counter as { seen: boolean[] }).seen.at(-1) === on) ||
            null;
        });
      await isSeen(true);
      await client.setSwitch("shiny", false);
      await isSeen(false);
      const seen = async () =>
        await Promise.all(
          Array.from({ length: ACTORS }, async (_, i) => (await client.read(keyOf(i))).projections.counter),
        );
      const before = await seen();
      // Another version folds whole histories anew, and so do the other copies.
      await deploy(client, counterOf("two", twist));
      assert.deepEqual(await seen(), before);
      // and so does whoever looks back: at the first message it was off, in between on
      const { seq, projections } = await client.read(keyOf(1));
      const { seen: whole } = projections.counter as { seen: boolean[] };
      const on = whole.indexOf(true) + 1;
      assert.ok(on > 1 && on < seq);
      for (const at of [on, seq - 1]) {
        const past = await client.read(keyOf(1), { at });
        assert.deepEqual((past.projections.counter as { seen: boolean[] }).seen, whole.slice(0, at));
      }
      const near = await cluster.client("TN-A-1").read(keyOf(1), { read: "nearest" });
      assert.deepEqual(near.projections.counter, before[1]);
      const [shiny] = await client.switches();
      assert.deepEqual([shiny.on, shiny.history.map(({ on }) => on)], [false, [true, false]]);
    } finally {
      await stopBundler();
    }
  });
});
