/**
 * Versions of a plugin deployed straight to live, one after the other, while actors get messages: what a swap costs those
 * who wait, and what is left of it in memory.
 *
 *     deno run -A bench/swaps/main.ts [--swaps 500] [--actors 1000] [--rate 100] [--nodes 3] [--seconds 3600]
 */
import { parseArgs } from "node:util";
import { cpuTicks, machineSeconds, processTree } from "../processes.ts";
import { ClusterOfProcesses } from "../../tests/cluster/cluster_of_processes.ts";
import { counterVersions, memoryOf, percentiles, requireExact, SteadyLoad } from "../../tests/cluster/counting.ts";

/** Every so many swaps as long a time without one is looked at. */
const PAIRED_EVERY = 5;
const NAMES = ["TN-A-1", "TX-A-1", "FL-A-1", "UT-A-1", "TN-B-1"];

const { values } = parseArgs({
  options: {
    swaps: { type: "string", default: "500" },
    actors: { type: "string", default: "1000" },
    rate: { type: "string", default: "100" },
    nodes: { type: "string", default: "3" },
    still: { type: "string", default: "20" },
    seconds: { type: "string", default: "3600" },
  },
});
const [swaps, actors, perSecond, nodes, still, secondsMax] = [
  values.swaps,
  values.actors,
  values.rate,
  values.nodes,
  values.still,
  values.seconds,
].map(Number);

const sum = (numbers: number[]) => numbers.reduce((a, b) => a + b, 0);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, Math.max(1, ms)));
const versionOf = await counterVersions();
await using cluster = await ClusterOfProcesses.start({ names: NAMES.slice(0, nodes) });
const client = cluster.client("TN-A-1", { deadlineMs: 60_000 });
await client.deploy(await versionOf(0));
const load = new SteadyLoad(cluster, { actors, perSecond });
await pause(3_000 + 1_000 * actors / perSecond);
const pids = cluster.alive.map(({ pid }) => pid);
const hostsOf = (pid: number) => processTree(pid).filter((one) => one !== pid);
const cpu = () => ({
  nodes: sum(pids.map((pid) => cpuTicks(Deno.readTextFileSync(`/proc/${pid}/stat`)) / 100)),
  hosts: sum(pids.flatMap(hostsOf).map((pid) => cpuTicks(Deno.readTextFileSync(`/proc/${pid}/stat`)) / 100)),
  machine: machineSeconds(),
});
const before = cpu();
const calmMs = performance.now();
await pause(still * 1_000);
const after = cpu();
console.log(
  `CPU a second, calm: nodes ${((after.nodes - before.nodes) / still).toFixed(2)} hosts ${
    ((after.hosts - before.hosts) / still).toFixed(2)
  } machine ${((after.machine - before.machine) / still).toFixed(2)}`,
);
const calm = load.between(calmMs, performance.now());
const line = ({ p50, p99, max }: { p50: number; p99: number; max: number }) =>
  `p50 ${p50.toFixed(1)} p99 ${p99.toFixed(1)} max ${max.toFixed(0)} ms`;
console.log(`without swaps: ${line(calm)}`);
const show = async (what: string) => {
  const { nodes, hosts, log, heaps } = await memoryOf(cluster);
  console.log(
    `${what}: nodes ${nodes.toFixed(0)} hosts ${hosts.toFixed(0)} MiB, of which recorded ${log.toFixed(0)}; ` +
      `without that ${(nodes + hosts - log).toFixed(0)}; in the nodes' heaps ${heaps.toFixed(1)}`,
  );
};
await show("memory before");
/** From the beginning of a deploy to 300 ms after its end, and as long without one. */
const swapping: [number, number][] = [];
const between: [number, number][] = [];
const took: number[] = [];
const fromMs = performance.now();
for (let swap = 1; swap <= swaps && performance.now() - fromMs < secondsMax * 1000; swap++) {
  const begunMs = performance.now();
  await client.deploy(await versionOf(swap));
  took.push(performance.now() - begunMs);
  await pause(300);
  const doneMs = performance.now();
  swapping.push([begunMs, doneMs]);
  if (swap % PAIRED_EVERY === 0) {
    // As long without a swap, for comparison: other work on the machine meets both.
    await pause(doneMs - begunMs);
    between.push([doneMs, performance.now()]);
  }
  if (swap % Math.ceil(swaps / 10) === 0) {
    console.log(`${swap} swaps in ${((performance.now() - fromMs) / 1000).toFixed(0)} s`);
    const now = cpu();
    const seconds = (performance.now() - fromMs) / 1000;
    console.log(
      `CPU a second: nodes ${((now.nodes - after.nodes) / seconds).toFixed(2)} hosts ${
        ((now.hosts - after.hosts) / seconds).toFixed(2)
      } machine ${((now.machine - after.machine) / seconds).toFixed(2)}`,
    );
    // The process in which bundles are looked at goes after ten seconds, and the nodes collect their garbage, all at once.
    await pause(12_000);
    await show(`memory after ${swap}`);
    await pause(500);
  }
}
await load.end();
// Only now: who was still waited for when a window closed belongs to it all the same.
for (const [what, windows] of [["during swaps", swapping], ["between them", between]] as const) {
  const all = load.within(windows);
  const p99s = percentiles(windows.map((window) => load.within([window]).p99));
  console.log(`${what}: ${all.count} messages, ${line(all)}; of the p99s of each, ${line(p99s)}`);
}
console.log(`a deploy takes ${line(percentiles(took))}`);
await pause(12_000);
await show("memory after the load");
await requireExact(client, load.sent);
console.log(`exact: ${load.sent.reduce((a, b) => a + b, 0)} messages of ${actors} actors, each counted and noted once`);
