/**
 * Planned work on real processes under a steady load with receipts: nobody notices. Not one message may fail, and every
 * receipt is proven by the copies at the end. How long messages waited is printed, and not asserted: this machine has other
 * things to do.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { underLoad, untilWhole } from "./under_load.ts";
import { until, within } from "./waiting.ts";

const SIX = ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1", "FL-A-1", "UT-A-1"];
const GONE_MS = 60_000;

Deno.test("drain, fast drain, SIGTERM: a node goes, and no message fails", async () => {
  await withCluster({ names: SIX }, async (cluster) => {
    await untilWhole(cluster);
    await underLoad(cluster, {}, async (work) => {
      await pause(3000);
      work.begins("fast drain of TX-A-1");
      await cluster.client("FL-A-1").drainNode("TX-A-1", { fast: true });
      assert.equal(await exitOf(cluster, "TX-A-1"), 0);
      work.begins("TX-A-1 comes back");
      await cluster.restart("TX-A-1");
      await work.whole();

      work.begins("SIGTERM to FL-A-1");
      cluster.node("FL-A-1").signal("SIGTERM");
      assert.equal(await exitOf(cluster, "FL-A-1"), 0);
      work.begins("FL-A-1 comes back");
      await cluster.restart("FL-A-1");
      await work.whole();

      work.begins("drain of TN-B-1");
      const view = await cluster.client("TN-B-1").drainNode("TN-B-1");
      assert.deepEqual([view.moving, view.note], [true, ""]);
      assert.equal(await exitOf(cluster, "TN-B-1"), 0);
      // Its copies are elsewhere: nothing is short for its going.
      await work.whole();
      work.begins("TN-B-1 is removed");
      await until(5000, "it is missed", async () => {
        const nodes = await cluster.client("UT-A-1").nodes();
        return nodes.find(({ name }) => name === "TN-B-1")?.alive === false || null;
      });
      await cluster.client("UT-A-1").removeNode("TN-B-1");
      await work.whole();
    });
  });
});

Deno.test("a living node that is removed says so, and ends; one that was frozen meanwhile learns it when it wakes", async () => {
  await withCluster({ names: SIX }, async (cluster) => {
    await untilWhole(cluster);
    await underLoad(cluster, {}, async (work) => {
      work.begins("TN-B-1 is removed by force");
      await cluster.client("UT-A-1").removeNode("TN-B-1", { force: true });
      assert.equal(await exitOf(cluster, "TN-B-1"), 1);
      assert.match(cluster.node("TN-B-1").tail, /node\/removed/);
      await work.whole();
    });
    cluster.node("TX-B-1").signal("SIGSTOP");
    await until(10_000, "it is missed", async () => {
      const nodes = await cluster.client("UT-A-1").nodes();
      return nodes.find(({ name }) => name === "TX-B-1")?.alive === false || null;
    });
    await cluster.client("UT-A-1").removeNode("TX-B-1");
    await untilWhole(cluster);
    cluster.node("TX-B-1").signal("SIGCONT");
    assert.equal(await exitOf(cluster, "TX-B-1"), 1);
  });
});

/** The exit code of a node that ends by itself. */
async function exitOf(cluster: ClusterOfProcesses, name: string): Promise<number> {
  return (await within(GONE_MS, `${name} has ended`, cluster.node(name).exit)).code;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
