/**
 * A cluster is upgraded node by node, under load: from this version of the code to a doctored next one that speaks a
 * version of the protocol more. Old and new ones work together; what only the new ones know is not said before the last
 * old one is gone, and afterwards no old one is let in.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { doctoredCheckout } from "./doctored_checkout.ts";
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
    const newer = { protocol: { oldest: 3, newest: 3 } };
    await assert.rejects(cluster.add("TN-A-3", { config: newer }), /transport\/wrong-version/);
    await untilWhole(cluster);
  });
});

function leave(cluster: ClusterOfProcesses, name: string): Promise<Deno.CommandStatus> {
  cluster.node(name).signal("SIGTERM");
  return cluster.node(name).exit;
}

async function unknownFrames(cluster: ClusterOfProcesses, name: string): Promise<number> {
  const text = await (await fetch(`${cluster.node(name).http}/metrics`)).text();
  return Number(/^waterpark_frames_unknown\S* (\d+)/m.exec(text)![1]);
}
