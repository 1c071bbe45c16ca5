/**
 * Who may be a node: who has the cluster's secret, over either carrier. Both sides say clearly why not.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, freeAddresses, withCluster } from "./cluster_of_processes.ts";
import { NodeChild } from "./node_child.ts";
import { until, within } from "./waiting.ts";

const OURS = "the secret of our cluster";
const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];

for (const transport of ["quic", "websocket"] as const) {
  Deno.test(`${transport}: a node with another secret, or none, is refused, and both sides say so`, async () => {
    await withCluster({ names: THREE.slice(0, 2), secret: OURS, transport }, async (cluster) => {
      for (const secret of ["the secret of another cluster", undefined]) {
        const said = await refused(cluster, { secret, transport });
        assert.match(said, /transport\/wrong-secret: Cannot .*secret/, "the stranger learns why");
      }
      await until(10_000, "the cluster has noticed", () => /wrong-secret/.test(cluster.node("TN-A-1").tail) || null);
      await assertWorks(cluster);
    });
  });
}

Deno.test("websocket alone carries a cluster", async () => {
  await withCluster({ names: THREE, secret: OURS, transport: "websocket" }, assertWorks);
});

Deno.test("nodes of either carrier find a common one", async () => {
  const transport = { "TN-A-1": "auto", "TX-A-1": "websocket", "FL-A-1": "auto" } as const;
  await withCluster({ names: THREE, secret: OURS, transport }, assertWorks);
});

/** Starts a node that must not get in; what it said until it ended by itself. */
async function refused(
  cluster: ClusterOfProcesses,
  options: { secret: string | undefined; transport: "quic" | "websocket" },
): Promise<string> {
  const [mesh, http, mllp] = freeAddresses(3);
  const stranger = new NodeChild("UT-A-1", { mesh, http, mllp }, { ...options, join: [cluster.nodes[0].mesh] });
  try {
    const status = await within(30_000, "the stranger gives up", stranger.exit);
    assert.ok(!status.success && status.signal === null, "it ends by itself, not with 0");
    return stranger.tail;
  } finally {
    stranger.signal("SIGKILL");
    await stranger.exit;
  }
}

/** Every node takes a message, every node reads all of them, and nobody else is in. */
async function assertWorks(cluster: ClusterOfProcesses): Promise<void> {
  const names = cluster.nodes.map((node) => node.name);
  for (const [i, name] of names.entries()) {
    const receipt = await cluster.client(name, { alone: true }).send({ facility: "HOSPX", id: "1" }, { type: name });
    assert.deepEqual([receipt.seq, receipt.copies.length >= Math.min(2, names.length)], [i + 1, true]);
  }
  for (const name of names) {
    const client = cluster.client(name, { alone: true });
    const { events } = await client.history({ facility: "HOSPX", id: "1" });
    assert.deepEqual(events.map((event) => event.type), names);
    assert.deepEqual((await client.nodes()).map((node) => node.name), names.toSorted());
  }
}
