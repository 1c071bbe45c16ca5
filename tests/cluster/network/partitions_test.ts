/**
 * Real networks that break: each node in a namespace with an address of its own, and a router that drops. What is promised
 * is in docs/operating.md, "Broken networks". Skipped, with the reason, where there can be no namespaces.
 */
import assert from "node:assert/strict";
import type { WaterparkClient } from "../../../client.ts";
import { waterpark } from "../../cli/transcript.ts";
import { type ClusterOfProcesses, EIGHT_NODES, withCluster } from "../cluster_of_processes.ts";
import { gaugesOf, untilWhole } from "../faults/drills.ts";
import { post, SteadyLoad } from "../faults/steady_load.ts";
import { until } from "../waiting.ts";
import { Network, whyNot } from "./namespaces.ts";

const SECRET = "the secret of a network in namespaces";
const reason = await whyNot();
if (reason !== null) console.error(`tests/cluster/network is skipped: ${reason}`);

Deno.test({
  name: "broken ways, a pulled cable, two data centers against two, on a real network",
  ignore: reason !== null,
  async fn(t) {
    const folder = await Deno.makeTempDir();
    await using network = await Network.build(EIGHT_NODES);
    try {
      await withCluster({ secret: SECRET, hostOf: (name) => network.host(name) }, async (cluster) => {
        await untilWhole(cluster);
        const { clusterId } = await cluster.client().topology();
        const files: string[] = [];
        const load = (names: readonly string[]) => {
          const receipts = `${folder}/${files.length}.ndjson`;
          files.push(receipts);
          return new SteadyLoad({
            urls: names.map((name) => cluster.node(name).http),
            sendersEach: 2,
            clusterId,
            receipts,
          });
        };
        const under = async (what: string, names: readonly string[], strike: () => Promise<void>, lastsMs: number) => {
          const running = load(names);
          await pause(500);
          const fromMs = performance.now();
          await strike();
          await pause(lastsMs);
          await network.heal();
          await pause(1500);
          const report = running.report(fromMs);
          await running.stop();
          console.error(
            `${what}: ${report.recorded} requests, ${report.failed.length} failed, slowest ${report.maxMs} ms`,
          );
          assert.deepEqual(report.failed, [], what);
          assert.ok(report.recorded > 100 && report.maxMs < 9000);
        };

        await t.step(
          "nodes that do not reach each other, both ways or one way, relay by others: nothing fails",
          async () => {
            const cut = async () => {
              await network.cut("TN-A-1", "TX-A-1");
              await network.cut("TN-A-1", "FL-A-1", { isOneWay: true });
            };
            await under("broken ways", ["TN-A-1", "TX-A-1", "FL-A-1"], cut, 6000);
            for (const name of ["TN-A-1", "TX-A-1", "FL-A-1"]) {
              const relayed = (await gaugesOf(cluster.node(name).http))("frames_relayed");
              assert.ok(relayed > 0, `${relayed} frames of ${name} went by a relay`);
            }
          },
        );

        await t.step("a pulled cable is a dead node, until it is put back", async () => {
          const others = EIGHT_NODES.filter((name) => name !== "UT-B-1");
          await under("a pulled cable", others, () => network.cable("UT-B-1", false), 2500);
          await network.cable("UT-B-1", true);
          await untilWhole(cluster);
        });

        await t.step(
          "two data centers against two: what has its majority goes on, the rest waits and heals",
          async () => {
            await split(cluster, network);
          },
        );

        await t.step("the copies prove every receipt", async () => {
          await untilWhole(cluster);
          const all = `${folder}/all.ndjson`;
          for (const file of files) await Deno.writeTextFile(all, await Deno.readTextFile(file), { append: true });
          const urls = cluster.alive.map(({ http }) => http).join(",");
          const { code, stdout, stderr } = await waterpark(["audit", "--receipts", all, "--json", "--node", urls]);
          const { summary } = JSON.parse(stdout.trim().split("\n").at(-1)!);
          assert.deepEqual([code, Object.keys(summary.states)], [0, ["proven"]], stderr);
          console.error(`${summary.states.proven} receipts proven`);
        });
      });
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** Every actor is writable on one side at most, at once again after the heal, and nothing that was told is untrue. */
async function split(cluster: ClusterOfProcesses, network: Network): Promise<void> {
  const east = EIGHT_NODES.filter((name) => /^T/.test(name));
  const west = EIGHT_NODES.filter((name) => !east.includes(name));
  const keys = Array.from({ length: 40 }, (_, i) => `patient/SPLIT${i % 9}/${i}`);
  const sendAll = (node: string, id: string) =>
    Promise.all(keys.map(async (key) => {
      const answer = await post(cluster.node(node).http, { key, id, body: new TextEncoder().encode("{}") });
      return "seq" in answer ? "recorded" : answer.code;
    }));
  assert.deepEqual(new Set(await sendAll("TN-A-1", "before")), new Set(["recorded"]));
  await network.split(east, west);
  const [here, there] = await Promise.all([sendAll("TN-A-1", "east"), sendAll("UT-A-1", "west")]);
  const recorded = (answers: string[]) => answers.filter((answer) => answer === "recorded").length;
  const both = keys.filter((_, i) => here[i] === "recorded" && there[i] === "recorded");
  assert.deepEqual(both, [], "nobody is recorded on both sides");
  assert.equal(recorded(here) + recorded(there), keys.length, `each has a majority on one side: ${here} ${there}`);
  const refused = new Set([...here, ...there].filter((answer) => answer !== "recorded"));
  assert.deepEqual(refused, new Set(["mailroom/no-majority"]), "and clients of the other are told why");
  console.error(
    `split: of ${keys.length} actors ${recorded(here)} writable in the east, ${recorded(there)} in the west`,
  );
  await network.heal();
  const fromMs = performance.now();
  for (const node of ["TN-A-1", "UT-A-1"]) {
    await until(20_000, `all is writable at ${node}`, async () => {
      return (await sendAll(node, `after ${node}`)).every((answer) => answer === "recorded") || null;
    });
  }
  console.error(`healed: all writable again on both sides after ${Math.round(performance.now() - fromMs)} ms`);
  await assertHistories(cluster.client("TN-A-1"), keys, { here, there });
}

/** In each history stands what was told to be recorded, once; what was refused for good reason may stand there or not. */
async function assertHistories(
  client: WaterparkClient,
  keys: readonly string[],
  told: { here: string[]; there: string[] },
): Promise<void> {
  await Promise.all(keys.map(async (text, i) => {
    const [kind, facility, id] = text.split("/");
    const { events } = await client.history({ kind, facility, id }, { limit: 100 });
    const ids = events.map((event) => event.id);
    assert.equal(new Set(ids).size, ids.length, `${text}: ${ids}`);
    const owed = [
      "before",
      ...told.here[i] === "recorded" ? ["east"] : [],
      ...told.there[i] === "recorded" ? ["west"] : [],
    ];
    for (const one of owed) assert.ok(ids.includes(one), `${text} has ${ids}, and owes ${one}`);
  }));
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
