/**
 * Journals on real processes: whatever was acknowledged before every process was killed at once is there afterwards, by
 * the copies' own words. A node alone; five nodes under load; four of five, where the fifth never comes back; a full disk.
 */
import assert from "node:assert/strict";
import type { Receipt } from "../../client.ts";
import { ReceiptsWriter } from "../../cli/audit/receipts_file.ts";
import { waterpark } from "../cli/transcript.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { withFolder } from "./folder.ts";
import { until } from "./waiting.ts";

const FIVE = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];

/** Sends on and on through all nodes until it is told to end; every receipt is noted before the next message goes out. */
class Load {
  readonly receipts: Receipt[] = [];
  #isOver = false;
  readonly #senders: Promise<void>[];

  constructor(cluster: ClusterOfProcesses, prefix: string) {
    this.#senders = cluster.alive.flatMap(({ name }) =>
      Array.from({ length: 4 }, (_, lane) => this.#send(cluster, { name, prefix: `${prefix}-${name}-${lane}` }))
    );
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#senders);
  }

  async #send(cluster: ClusterOfProcesses, { name, prefix }: { name: string; prefix: string }): Promise<void> {
    const client = cluster.client(name, { alone: true, deadlineMs: 2000 });
    for (let i = 0; !this.#isOver; i++) {
      const key = { facility: `H${i % 5}`, id: String(i % 37) };
      try {
        this.receipts.push(await client.send(key, { type: "tick", i }, { id: `${prefix}-${i}` }));
      } catch {
        if (!cluster.node(name).isAlive) return;
      }
    }
  }
}

/** States of the receipts, as the copies of the living nodes have them. */
async function audited(cluster: ClusterOfProcesses, receipts: readonly Receipt[]): Promise<Record<string, number>> {
  const file = await Deno.makeTempFile({ suffix: ".ndjson" });
  try {
    const { clusterId } = await cluster.client().topology();
    const writer = new ReceiptsWriter(file, { clusterId });
    for (const receipt of receipts) writer.take(receipt);
    writer.close();
    const urls = cluster.alive.map(({ http }) => http).join(",");
    const { stdout, stderr } = await waterpark(["audit", "--receipts", file, "--json", "--node", urls]);
    const { summary } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    assert.ok(summary, stderr);
    return summary.states;
  } finally {
    await Deno.remove(file);
  }
}

Deno.test("journal: a node alone, killed three times under load, has all that it acknowledged", async () => {
  await withFolder(async (data) => {
    await withCluster({ names: ["TN-A-1"], data, sync: "always" }, async (cluster) => {
      const receipts: Receipt[] = [];
      for (let life = 1; life <= 3; life++) {
        const load = new Load(cluster, `life${life}`);
        await until(20_000, "it is at work", () => load.receipts.length >= 100 || null);
        await cluster.killAll();
        await load.end();
        receipts.push(...load.receipts);
        await cluster.restartAll();
      }
      assert.deepEqual(await audited(cluster, receipts), { proven: receipts.length });
      console.error(`${receipts.length} messages of three lives are there`);
    });
  });
});

Deno.test("journal: five nodes killed at once under load come back by themselves, and nothing is lost", async () => {
  await withFolder(async (data) => {
    await withCluster({ names: FIVE, data, sync: "always" }, async (cluster) => {
      const receipts: Receipt[] = [];
      for (let round = 1; round <= 2; round++) {
        const load = new Load(cluster, `round${round}`);
        await until(30_000, "it is at work", () => load.receipts.length >= 300 || null);
        await cluster.killAll();
        await load.end();
        receipts.push(...load.receipts);
        const fromMs = Date.now();
        await cluster.restartAll(round === 1 ? FIVE : FIVE.toReversed());
        const readyMs = Date.now() - fromMs;
        await until(60_000, "every shard takes messages", async () => {
          const { standing } = await (await fetch(`${cluster.alive[0].http}/v1/shards`)).json();
          return standing.length === 0 || null;
        });
        const states = await until(60_000, "all receipts are proven", async () => {
          const states = await audited(cluster, receipts);
          return states.proven === receipts.length ? states : Promise.reject(new Error(JSON.stringify(states)));
        });
        assert.deepEqual(states, { proven: receipts.length });
        console.error(`round ${round}: ${receipts.length} messages, ready after ${readyMs} ms`);
      }
      const again = await cluster.client().send({ facility: "H1", id: "1" }, { type: "after" });
      assert.ok(again.copies.length >= 3);
    });
  });
});

Deno.test("journal: without the fifth they wait and say for whom; an operator may go on without it", async () => {
  await withFolder(async (data) => {
    await withCluster({ names: FIVE, data, sync: "always" }, async (cluster) => {
      const client = cluster.client();
      const receipts: Receipt[] = [];
      for (let i = 0; i < 60; i++) receipts.push(await client.send({ facility: "H", id: String(i) }, { type: "tick" }));
      await cluster.killAll();
      const four = FIVE.slice(1);
      await cluster.restartAll(four, { wait: false });
      // At first each waits for all others; once it has found those that came back, for the fifth alone.
      await until(20_000, "they say for whom they wait", async () => {
        const answer = await fetch(`${cluster.node("UT-A-1").http}/readyz`);
        const text = await answer.text();
        if (answer.status === 503 && text.includes('waits for the journals of TN-A-1"')) return true;
        throw new Error(text);
      });

      const urls = four.map((name) => cluster.node(name).http).join(",");
      const order = ["topology", "recover", "--from-journals", "--accept-data-loss", "--node", urls];
      assert.equal((await waterpark(order.filter((word) => word !== "--accept-data-loss"))).code, 2);
      const first = await waterpark(order);
      assert.equal(first.code, 0, first.stderr);
      await Promise.all(four.map((name) => cluster.node(name).ready));
      await until(30_000, "the rest goes on", async () => {
        await waterpark(order);
        const states = await audited(cluster, receipts);
        return states.proven === receipts.length || Promise.reject(new Error(JSON.stringify(states)));
      });
      // What was lost for good comes back after all, and is one of them again.
      await cluster.restart("TN-A-1");
    });
  });
});
