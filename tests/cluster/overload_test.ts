/**
 * A node whose thread is full answers strangers all the same: who connects anew while several times as much comes as the
 * node gets done is let in, or told at once that it is busy. `waterpark bench overload` measures it on a whole cluster.
 */
import assert from "node:assert/strict";
import { Child } from "../../bench/child.ts";
import type { CrowdOptions, CrowdResult } from "../../bench/overload/crowd.ts";
import type { NewcomersOptions, NewcomersResult } from "../../bench/overload/newcomers.ts";
import { withCluster } from "./cluster_of_processes.ts";

/** Two seconds' work is let in at most; what a machine with other work adds to it is not the node's. */
const SLOWEST_MS = 8000;

async function answerOf<T>(file: string, options: CrowdOptions | NewcomersOptions): Promise<T> {
  const path = new URL(`../../bench/overload/${file}`, import.meta.url).pathname;
  const child = new Child({ name: file, args: [path, JSON.stringify(options)] });
  try {
    return await child.answer<T>();
  } finally {
    await child.end();
  }
}

Deno.test("with a crowd at the door of one node newcomers are answered soon", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await withCluster({ names: ["TN-A-1", "TX-A-1", "FL-A-1"] }, async (cluster) => {
      const { clusterId } = await cluster.client().topology();
      const urls = [cluster.nodes[0].http];
      const crowd = {
        ...{ urls, clusterId, receipts: `${folder}/receipts.ndjson`, prefix: "crowd" },
        ...{ rate: 40_000, seconds: 5, underWayMax: 3000, actors: 1000, messageBytes: 300 },
      };
      const [many, few] = await Promise.all([
        answerOf<CrowdResult>("crowd.ts", crowd),
        answerOf<NewcomersResult>("newcomers.ts", { urls, seconds: 5, prefix: "newcomer" }),
      ]);
      console.error(
        `crowd: ${many.recorded} recorded, refused ${
          JSON.stringify(many.refused)
        }; newcomers: ${few.recorded} recorded, ` +
          `${few.refused} refused, slowest ${Math.round(few.slowestUs / 1000)} ms`,
      );
      assert.ok((many.refused["gateway/busy"] ?? 0) > 100, "it was too much");
      assert.ok(many.recorded > 1000);
      assert.deepEqual([many.unknown, many.withoutRetryAfter], [{}, 0]);
      assert.equal(few.recorded + few.refused, few.came);
      assert.ok(few.came > 10 && few.slowestUs / 1000 < SLOWEST_MS, `${few.slowestUs} us`);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
