/**
 * The faults that a cluster of processes must stand without a failed request, each as strike and heal. Used by the test
 * in CI, once each, and by `deno task faults`, over and over.
 */
import type { ClusterOfProcesses } from "../cluster_of_processes.ts";
import { until } from "../waiting.ts";
import type { HistoryFile } from "./history_file.ts";
import { type LoadReport, SteadyLoad } from "./steady_load.ts";

/** Zone A of TN has two nodes, so that a zone is more than a node. */
export const DRILL_NODES: readonly string[] = [
  "TN-A-1",
  "TN-A-2",
  "TN-B-1",
  "TX-A-1",
  "TX-B-1",
  "FL-A-1",
  "FL-B-1",
  "UT-A-1",
];

/** One fault. */
export interface Drill {
  title: string;
  /** whom it strikes; their clients are not asked */
  victims: readonly string[];
  strike(cluster: ClusterOfProcesses): Promise<void> | void;
  /** how long it lasts, ms */
  lastsMs: number;
  heal(cluster: ClusterOfProcesses): Promise<void> | void;
}

function killed(title: string, victims: readonly string[], lastsMs = 3000): Drill {
  return {
    title,
    victims,
    lastsMs,
    strike: async (cluster) => void await Promise.all(victims.map((name) => cluster.kill(name))),
    heal: async (cluster) => void await Promise.all(victims.map((name) => cluster.restart(name))),
  };
}

function frozen(title: string, victims: readonly string[], lastsMs: number): Drill {
  const signal = (to: Deno.Signal) => (cluster: ClusterOfProcesses) => {
    for (const name of victims) cluster.node(name).signal(to);
  };
  return { title, victims, lastsMs, strike: signal("SIGSTOP"), heal: signal("SIGCONT") };
}

/** All of them. */
export const DRILLS: readonly Drill[] = [
  killed("a writer's node is killed, and started again", ["FL-A-1"]),
  frozen("a node is frozen for four seconds", ["TX-B-1"], 4000),
  killed("a whole zone is killed, and started again", ["TN-A-1", "TN-A-2"]),
  killed("a whole data center is killed, and started again", ["TX-A-1", "TX-B-1"]),
];

/** What a drill showed. */
export interface DrillReport {
  /** from the strike until all copies were whole again, seen by clients of nodes that were not struck */
  load: LoadReport;
  /** from the end of `heal` until all copies were where they belong, ms */
  wholeAfterMs: number;
}

/** Loads the nodes that are not struck, strikes, heals, and waits until the copies are whole. */
export async function drill(
  cluster: ClusterOfProcesses,
  { victims, strike, heal, lastsMs }: Drill,
  files: { clusterId: string; receipts: string; history?: HistoryFile },
): Promise<DrillReport> {
  const asked = cluster.nodes.filter(({ name }) => !victims.includes(name)).map(({ http }) => http);
  const load = new SteadyLoad({ urls: asked, sendersEach: 2, ...files });
  try {
    await pause(700);
    const fromMs = performance.now();
    load.fault(`strike ${victims}`);
    await strike(cluster);
    await pause(lastsMs);
    await heal(cluster);
    load.fault(`heal ${victims}`);
    const healedMs = performance.now();
    await untilWhole(cluster);
    const wholeAfterMs = Math.round(performance.now() - healedMs);
    await pause(300);
    return { load: load.report(fromMs), wholeAfterMs };
  } finally {
    await load.stop();
  }
}

/** Every node is up and seen, and every shard has all its copies where placement wants them. */
export async function untilWhole(cluster: ClusterOfProcesses, ms = 60_000): Promise<void> {
  await until(ms, "all copies are back", async () => {
    const client = cluster.client(cluster.alive.at(-1)!.name);
    const nodes = await client.nodes();
    if (nodes.some(({ alive, status }) => !alive || status !== "up")) return null;
    return (await client.whole()).whole || null;
  });
}

/** A node's metrics, by name. */
export async function gaugesOf(url: string): Promise<(name: string) => number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return (name) => Number(new RegExp(`^waterpark_${name}\\S* (\\S+)`, "m").exec(text)?.[1]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
