/**
 * A new version goes through long histories while messages come: how long that takes, and what those who wait feel of it.
 * Prints how far it is, as `waterpark plugin inspect` shows it.
 *
 *     deno run -A bench/rebuild/main.ts [--actors 10000] [--messages 200] [--rate 200] [--nodes 3]
 */
import { parseArgs } from "node:util";
import { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";
import { counterVersions, keyOf, requireExact, SteadyLoad } from "../../tests/cluster/counting.ts";
import { cpuSeconds, machineSeconds } from "../processes.ts";

const NAMES = ["TN-A-1", "TX-A-1", "FL-A-1", "UT-A-1", "TN-B-1"];
/** Those that the load is about: all of them are met while nothing else happens. */
const LOADED = 1000;
const STILL_MS = 20_000;
const SENDERS = 8;

const { values } = parseArgs({
  options: {
    actors: { type: "string", default: "10000" },
    messages: { type: "string", default: "200" },
    rate: { type: "string", default: "200" },
    nodes: { type: "string", default: "3" },
  },
});
const [actors, messages, perSecond, nodes] = [values.actors, values.messages, values.rate, values.nodes].map(Number);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (fromMs: number) => `${((performance.now() - fromMs) / 1000).toFixed(1)} s`;
const shown = ({ p50, p99, max, count }: ReturnType<SteadyLoad["between"]>) =>
  `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(0)} ms (${count} messages)`;

const versionOf = await counterVersions();
await using cluster = await ClusterOfProcesses.start({ names: NAMES.slice(0, nodes) });
const client = cluster.client("TN-A-1", { deadlineMs: 60_000 });
let fromMs = performance.now();
await Promise.all(Array.from({ length: SENDERS }, async (_, sender) => {
  function* mine() {
    for (let n = 0; n < messages; n++) {
      for (let i = sender; i < actors; i += SENDERS) yield { key: keyOf(i), type: "quiet", message: { ward: "5W", n } };
    }
  }
  const to = cluster.client(NAMES[sender % nodes], { deadlineMs: 60_000 });
  for await (const answer of to.sendMany(mine())) if (answer.state !== "recorded") throw answer.error;
}));
console.log(`${actors} actors x ${messages} messages recorded in ${seconds(fromMs)}`);

await client.deploy(await versionOf(1));
const load = new SteadyLoad(cluster, { actors: Math.min(LOADED, actors), perSecond });
// The first message to each has its version fold the history, too.
await pause(2_000 * load.sent.length / perSecond + 5_000);
const cpu = () => ({ ours: cpuSeconds(cluster.alive.map(({ pid }) => pid)), all: machineSeconds() });
const spent = (from: ReturnType<typeof cpu>, sinceMs: number) => {
  const to = cpu();
  const s = (performance.now() - sinceMs) / 1000;
  return `CPU a second: the cluster's ${((to.ours - from.ours) / s).toFixed(2)}, all ${
    ((to.all - from.all) / s).toFixed(2)
  }`;
};
let from = cpu();
fromMs = performance.now();
await pause(STILL_MS);
const before = load.between(fromMs, performance.now());
console.log(`normal:  ${shown(before)}; ${spent(from, fromMs)}`);

from = cpu();
fromMs = performance.now();
await client.deploy({ ...await versionOf(2), stage: "dark" });
for (let lastMs = 0;;) {
  const [one] = (await client.plugin("counter")).folding.filter(({ version }) => version === 2);
  const isOver = one !== undefined && one.actors === one.actorsAll;
  if (one !== undefined && (isOver || performance.now() - lastMs > 5_000)) {
    lastMs = performance.now();
    console.log(`  ${seconds(fromMs)}: ${one.actors} of ${one.actorsAll} actors, ${one.parked} stand still`);
  }
  if (isOver) break;
  await pause(200);
}
const during = load.between(fromMs, performance.now());
console.log(`rebuild: ${shown(during)}; ${spent(from, fromMs)}`);
fromMs = performance.now();
await client.promotePlugin("counter", { version: 2, acceptDiff: true });
await pause(5_000);
console.log(`taken over: ${shown(load.between(fromMs, performance.now()))}`);
from = cpu();
fromMs = performance.now();
await pause(STILL_MS);
console.log(`normal:  ${shown(load.between(fromMs, performance.now()))}; ${spent(from, fromMs)}`);
await load.end();
await requireExact(client, load.sent, messages);
console.log(`exact; p99 during the rebuild is ${(during.p99 / before.p99).toFixed(2)} of the normal one`);
