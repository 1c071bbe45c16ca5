/**
 * Many versions one after the other, deployed straight to live on real nodes while a thousand actors get messages: none is
 * lost, none decided twice, and the nodes keep nothing of versions that are gone. `WATERPARK_SWAPS` says how many;
 * `bench/swaps` has the figures for 500.
 */
import assert from "node:assert/strict";
import { withCluster } from "./cluster_of_processes.ts";
import { counterVersions, memoryOf, percentiles, requireExact, SteadyLoad } from "./counting.ts";

const SWAPS = Number(Deno.env.get("WATERPARK_SWAPS") ?? 60);
/** On a machine that is busy with other things fewer will do: so many, or as many as fit into the time. */
const SWAPS_MIN = Math.min(SWAPS, 15);
const TIME_MS = Number(Deno.env.get("WATERPARK_SWAPS_SECONDS") ?? 60) * 1000;
const ACTORS = 1000;

Deno.test(`hot swap: ${SWAPS} versions in a row while ${ACTORS} actors get messages: none lost, none decided twice (prints)`, async () => {
  await withCluster({ names: ["TN-A-1", "TX-A-1", "FL-A-1"] }, async (cluster) => {
    const versionOf = await counterVersions();
    const client = cluster.client("TN-A-1", { deadlineMs: 60_000 });
    await client.deploy(await versionOf(0));
    const load = new SteadyLoad(cluster, { actors: ACTORS, perSecond: 200 });
    const each: number[] = [];
    let before = await memoryOf(cluster);
    const fromMs = performance.now();
    let swaps = 0;
    while (swaps < SWAPS && (swaps < SWAPS_MIN || performance.now() - fromMs < TIME_MS)) {
      const begunMs = performance.now();
      const { version, stage } = await client.deploy(await versionOf(++swaps));
      assert.deepEqual([version, stage], [swaps + 1, "live"]);
      each.push(load.between(begunMs, performance.now()).p99);
      // by then every code path of a swap has been compiled, and every actor has been met
      if (swaps === 5) before = await memoryOf(cluster);
    }
    await load.end();
    const after = await memoryOf(cluster);
    const { history, versions } = await client.plugin("counter");
    assert.equal(versions.length, 5, "older ones are forgotten");
    assert.deepEqual([history.at(-1)!.deed, history.at(-1)!.version, history.at(-1)!.stage], [
      "promote",
      swaps + 1,
      "live",
    ]);
    await requireExact(client, load.sent);
    const { p50, max } = percentiles(each);
    console.log(
      `      ${swaps} swaps, ${load.taken.length} messages; a swap's p99: median ${p50.toFixed(0)} max ${
        max.toFixed(0)
      } ms; ` +
        `heaps ${before.heaps.toFixed(1)} -> ${after.heaps.toFixed(1)}, hosts ${before.hosts.toFixed(0)} -> ` +
        `${after.hosts.toFixed(0)} MiB`,
    );
    assert.ok(after.heaps < before.heaps * 1.1, `the nodes' heaps grew from ${before.heaps} to ${after.heaps} MiB`);
  });
});
