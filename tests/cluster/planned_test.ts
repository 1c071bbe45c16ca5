/**
 * Planned work on real processes under a steady load with receipts: nobody notices. Not one message may fail, and every
 * receipt is proven by the copies at the end. How long messages waited is printed, and not asserted: this machine has other
 * things to do.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { withStartedCluster } from "./started_cluster.ts";
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

Deno.test("an empty node joins, and is given what the plan says, while messages go on", async () => {
  await withCluster({ names: SIX }, async (cluster) => {
    await untilWhole(cluster);
    const urls = [`http://${cluster.portsOf("UT-B-1").http}`];
    await underLoad(cluster, { urls }, async (work) => {
      await pause(2000);
      const plan = await cluster.client().plan([{ type: "add", what: "UT-B-1" }]);
      work.begins("UT-B-1 joins");
      await cluster.add("UT-B-1");
      const wholeMs = await work.whole();
      const moved = plan.moves.filter(({ before, after }) => after.some((name) => !before.includes(name)));
      console.error(`${moved.length} copies made in ${wholeMs} ms`);
      // The plan was true: every node holds what it said. Who gave a copy away frees it a moment later.
      const planned = plan.nodes.map(({ name, after }) => `${name} ${after.copies}`);
      await until(20_000, `every node holds what was planned: ${planned}`, async () => {
        const { nodes } = await cluster.client().whole();
        const held = nodes.map(({ name, copies }) => `${name} ${copies - 1}`);
        return held.sort().join() === planned.sort().join() || null;
      });
    });
  });
});

Deno.test("five nodes are restarted one after the other by the command line, and no message fails", async () => {
  await withStartedCluster(async (cluster) => {
    await underLoad(cluster, {}, async (work) => {
      work.begins("cluster restart");
      const { code, stdout, stderr } = await cluster.type("cluster", "restart");
      assert.equal(code, 0, stderr);
      console.error(stdout.trim());
      assert.equal(stdout.trim().split("\n").length, 5);
    });
    const status = JSON.parse((await cluster.type("cluster", "status", "--json")).stdout);
    assert.ok((status.nodes as { running: boolean }[]).every(({ running }) => running));
  });
});

/** The exit code of a node that ends by itself. */
async function exitOf(cluster: ClusterOfProcesses, name: string): Promise<number> {
  return (await within(GONE_MS, `${name} has ended`, cluster.node(name).exit)).code;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
