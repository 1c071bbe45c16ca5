/**
 * Four data centers 40 ms apart (there and back), every hundredth datagram lost, 20 Mbit/s between two of them: the cluster
 * works, its slowest answers are a few round trips, and a killed node is missed by nobody else's clients.
 */
import assert from "node:assert/strict";
import { waterpark } from "../../cli/transcript.ts";
import { EIGHT_NODES, withCluster } from "../cluster_of_processes.ts";
import { gaugesOf, untilWhole } from "../faults/drills.ts";
import { SteadyLoad } from "../faults/steady_load.ts";
import { addressesOf, startWideArea } from "./wide_area.ts";

const isLinux = Deno.build.os === "linux";
if (!isLinux) {
  console.error("tests/cluster/network: the wide area network is skipped: 127.91.0.0/16 is loopback on Linux only");
}

Deno.test({
  name: "data centers 40 ms apart with 1 % loss and 20 Mbit/s: no request fails, a kill is stood",
  ignore: !isLinux,
  async fn() {
    const names = EIGHT_NODES;
    await using _network = await startWideArea({ names, delayMs: 20, lossRate: 0.01, bitsPerSecond: 20e6 });
    const hostOf = (name: string) => {
      const { own, told } = addressesOf(names.indexOf(name));
      return { ip: own.split(":")[0], advertise: told };
    };
    const receipts = await Deno.makeTempFile({ suffix: ".ndjson" });
    try {
      await withCluster({ hostOf, secret: "the secret of a wide area network" }, async (cluster) => {
        await untilWhole(cluster);
        const { clusterId } = await cluster.client().topology();
        const urls = cluster.nodes.filter(({ name }) => name !== "TX-A-1").map(({ http }) => http);
        const load = new SteadyLoad({ urls, sendersEach: 3, clusterId, receipts });
        await pause(5000);
        const calm = load.report();
        console.error(
          `calm: ${calm.recorded} requests, p50 ${calm.p50Ms} ms, p99 ${calm.p99Ms} ms, slowest ${calm.maxMs} ms`,
        );
        const suspicions = await Promise.all(
          cluster.nodes.map(async ({ http }) => (await gaugesOf(http))("peers_suspected")),
        );
        const killedMs = performance.now();
        await cluster.kill("TX-A-1");
        await pause(4000);
        await load.stop();
        const after = load.report(killedMs);
        console.error(`a kill: ${after.recorded} requests, ${after.failed.length} failed, slowest ${after.maxMs} ms`);
        console.error(`suspicions before it: ${suspicions}`);
        assert.deepEqual([calm.failed, after.failed], [[], []]);
        assert.ok(calm.recorded > 300 && after.recorded > 200);
        // A commit crosses once there and back; a message from afar twice.
        assert.ok(calm.p50Ms >= 40 && calm.p50Ms < 400, `${calm.p50Ms} ms`);
        assert.ok(after.maxMs < 5000, `${after.maxMs} ms`);
        const alive = cluster.alive.map(({ http }) => http).join(",");
        const { code, stdout, stderr } = await waterpark(["audit", "--receipts", receipts, "--json", "--node", alive]);
        const { summary } = JSON.parse(stdout.trim().split("\n").at(-1)!);
        assert.deepEqual([code, Object.keys(summary.states)], [0, ["proven"]], stderr);
      });
    } finally {
      await Deno.remove(receipts);
    }
  },
});

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
