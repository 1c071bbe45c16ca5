/**
 * Real faults on real processes, under a steady load that repeats nothing: a node killed, frozen, a zone and a data center
 * killed. Clients of the nodes that are left see no failed request, only a wait; and at the end the copies are asked for
 * every receipt. `deno task faults` goes on for as long as it is told to.
 */
import assert from "node:assert/strict";
import { waterpark } from "../cli/transcript.ts";
import { withCluster } from "./cluster_of_processes.ts";
import { drill, DRILL_NODES, DRILLS, untilWhole } from "./faults/drills.ts";

/** P4: one second. What a machine with two cores and other work adds to it is not the cluster's. */
const GAP_MS_MAX = 4000;

Deno.test("killed, frozen, a zone gone, a data center gone: no request fails, every receipt is true", async (t) => {
  const folder = await Deno.makeTempDir();
  try {
    await withCluster({ names: DRILL_NODES }, async (cluster) => {
      await untilWhole(cluster);
      const { clusterId } = await cluster.client().topology();
      const files: string[] = [];
      for (const one of DRILLS) {
        await t.step(one.title, async () => {
          const receipts = `${folder}/${files.length}.ndjson`;
          files.push(receipts);
          const { load, wholeAfterMs } = await drill(cluster, one, { clusterId, receipts });
          console.error(
            `${one.title}: ${load.recorded} requests, ${load.failed.length} failed, slowest ${load.maxMs} ms, ` +
              `p99 ${load.p99Ms} ms, whole ${wholeAfterMs} ms after`,
          );
          assert.deepEqual(load.failed, []);
          assert.ok(load.recorded > 300, `${load.recorded} requests say little`);
          assert.ok(load.maxMs < GAP_MS_MAX, `somebody waited: ${JSON.stringify(load.slow)}`);
        });
      }
      await t.step("the copies prove every receipt", async () => {
        const all = `${folder}/all.ndjson`;
        for (const file of files) await Deno.writeTextFile(all, await Deno.readTextFile(file), { append: true });
        const urls = cluster.alive.map(({ http }) => http).join(",");
        const { code, stdout, stderr } = await waterpark(["audit", "--receipts", all, "--json", "--node", urls]);
        const { summary } = JSON.parse(stdout.trim().split("\n").at(-1)!);
        assert.deepEqual(Object.keys(summary.states), ["proven"], stderr);
        assert.equal(code, 0);
        console.error(`${summary.states.proven} receipts proven`);
      });
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
