/**
 * A node that comes back: after a kill it is a new member that knows nothing and is given everything; and one that is
 * told to go (SIGTERM) goes without anybody noticing.
 */
import assert from "node:assert/strict";
import type { ActorKey } from "../../client.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { atOnce, copiesAlone } from "./copies_alone.ts";
import { until } from "./waiting.ts";

const FIVE = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
const KEYS = Array.from({ length: 60 }, (_, i): ActorKey => ({ facility: `H${i % 3}`, id: String(i) }));

Deno.test("killed and started again, a node has all its copies back; drained, it is missed by nobody", async () => {
  await withCluster({ names: FIVE }, async (cluster) => {
    for (let round = 1; round <= 3; round++) await sendRound(cluster, round);
    await cluster.kill("TX-A-1");
    await sendRound(cluster, 4);
    await cluster.restart("TX-A-1");
    await until(30_000, "it has as many copies as the others", async () => {
      const [own, other] = await Promise.all([copiesOn(cluster, "TX-A-1"), copiesOn(cluster, "TN-A-1")]);
      return own === other || null;
    });

    let isOver = false;
    const rounds = (async () => {
      let round = 4;
      while (!isOver) await sendRound(cluster, ++round);
      return round;
    })();
    const status = await cluster.kill("UT-A-1", "SIGTERM");
    isOver = true;
    const sent = await rounds;
    assert.deepEqual([status.code, status.signal], [0, null]);

    const copies = await copiesAlone(cluster, KEYS);
    for (const [key, found] of copies) {
      const all = found.map(({ node, view }) => `${node} ${view.seq}`).sort();
      assert.deepEqual(all, FIVE.slice(0, 4).map((name) => `${name} ${sent}`).sort(), JSON.stringify(key));
    }
  });
});

/** A message to each of the actors, over all living nodes; it must be the `round`th of each. */
async function sendRound(cluster: ClusterOfProcesses, round: number): Promise<void> {
  const client = cluster.client(cluster.alive[round % cluster.alive.length].name);
  await atOnce(8, KEYS, async (key) => {
    const receipt = await client.send(key, { type: "tick", round });
    assert.equal(receipt.seq, round);
    assert.ok(receipt.copies.length >= 3, `on ${receipt.copies}`);
  });
}

async function copiesOn(cluster: ClusterOfProcesses, name: string): Promise<number> {
  const text = await (await fetch(`${cluster.node(name).http}/metrics`)).text();
  return Number(/^waterpark_shard_copies\S* (\d+)/m.exec(text)?.[1]);
}
