/**
 * A cluster is upgraded node by node, under load: from this version of the code to a doctored next one that speaks a
 * version of the protocol more. Old and new ones work together; what only the new ones know is not said before the last
 * old one is gone, and afterwards no old one is let in.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { doctoredCheckout } from "./doctored_checkout.ts";
import { withStartedCluster } from "./started_cluster.ts";
import { underLoad, untilWhole } from "./under_load.ts";
import { within } from "./waiting.ts";

const FIVE = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
const RULE = { copies: 3, dataCenters: 3 };

Deno.test("rolling upgrade to the next version: no message fails, the new is not said to the old", async () => {
  await using next = await doctoredCheckout();
  await withCluster({ names: FIVE }, async (cluster) => {
    await untilWhole(cluster);
    await underLoad(cluster, {}, async (work) => {
      for (const [i, name] of FIVE.entries()) {
        work.begins(`${name} is upgraded`);
        const { code } = await within(60_000, `${name} has ended`, leave(cluster, name));
        assert.equal(code, 0);
        await cluster.restart(name, { root: next.root });
        await work.whole();
        if (i !== 2) continue;
        // Three new ones, two old ones: the new ones talk to each other as they like, and to the old ones as these do.
        for (const node of FIVE.slice(0, 3)) assert.ok(await unknownFrames(cluster, node) > 0, "the doctoring works");
        for (const node of FIVE.slice(3)) assert.equal(await unknownFrames(cluster, node), 0, node);
        const ack = cluster.client(FIVE[0], { alone: true }).setAckRule(RULE);
        await assert.rejects(ack, { code: "topology/not-spoken", outcome: "not-applied" });
      }
    });
    await cluster.client(FIVE[1], { alone: true }).setAckRule(RULE);
    await assert.rejects(cluster.add("TN-A-2"), /topology\/wrong-protocol/);
    const newer = { protocol: { oldest: 4, newest: 4 } };
    await assert.rejects(cluster.add("TN-A-3", { config: newer }), /transport\/wrong-version/);
    await untilWhole(cluster);
  });
});

Deno.test("waterpark cluster upgrade --from the next version: no message fails, and all speak it afterwards", async () => {
  await using next = await doctoredCheckout();
  await withStartedCluster(async (cluster) => {
    const { urls, meshes, type } = cluster;
    for (const url of urls) assert.equal(await unknownFramesAt(url), 0, "the old code says nothing new");
    await underLoad(cluster, {}, async (work) => {
      work.begins("an upgrade to what does not start");
      const broken = await type("cluster", "upgrade", "TX-A-1", "--from", await brokenCheckout(next.root));
      assert.match(broken.stderr, /waterpark cluster restart TX-A-1.*does not start/s);
      assert.equal(broken.code, 1);
      const { code: taken, stderr: back } = await type("cluster", "restart", "TX-A-1");
      assert.equal(taken, 0, back);
      work.begins("cluster upgrade");
      const { code, stdout, stderr } = await type("cluster", "upgrade", "--from", next.root.pathname);
      assert.equal(code, 0, stderr);
      console.error(stdout.trim());
      assert.equal(stdout.trim().split("\n").length, 5);
    });
    // Each was told by the others what is said only among those who speak the next version.
    for (const url of urls) assert.ok(await unknownFramesAt(url) > 0, url);
    await cluster.client().setAckRule(RULE);
    const old = await type("node", "start", "--name", "TN-A-9", "--listen", "127.0.0.1:0", "--join", meshes.join());
    assert.match(old.stderr, /topology\/wrong-protocol/);
    assert.notEqual(old.code, 0);
    // A restart goes on with the code that each node has.
    const { code, stderr } = await type("cluster", "restart", "UT-A-1");
    assert.equal(code, 0, stderr);
  });
});

/** A checkout as far as one can see; within another, and gone with it. */
async function brokenCheckout(within: URL): Promise<string> {
  const { pathname } = new URL("broken/", within);
  await Deno.mkdir(`${pathname}cli`, { recursive: true });
  await Deno.writeTextFile(`${pathname}deno.json`, "{}");
  await Deno.writeTextFile(`${pathname}cli/main.ts`, 'throw new Error("this does not start");');
  return pathname;
}

function leave(cluster: ClusterOfProcesses, name: string): Promise<Deno.CommandStatus> {
  cluster.node(name).signal("SIGTERM");
  return cluster.node(name).exit;
}

function unknownFrames(cluster: ClusterOfProcesses, name: string): Promise<number> {
  return unknownFramesAt(cluster.node(name).http);
}

async function unknownFramesAt(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^waterpark_frames_unknown\S* (\d+)/m.exec(text)![1]);
}
