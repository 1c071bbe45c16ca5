/**
 * One simulation: start a cluster, let clients send while anything may fail (safety), end the faults and let everything
 * settle (liveness), then have the checkers read the journal.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import { LIVENESS, SAFETY } from "./checkers/mod.ts";
import { SimulatedClient } from "./clients.ts";
import { SimulatedCluster } from "./cluster.ts";
import { Faults } from "./faults.ts";
import { emptyJournal, type Journal } from "./journal.ts";
import { drawOptions, type SimulationOptions } from "./options.ts";
import type { TraceLevel } from "./trace.ts";
import type { Workload } from "./workload.ts";

/** How a simulation ended. */
export interface Verdict {
  /** the seed that gives exactly this */
  seed: number;
  /** `held`; `wrong`: a promise was broken; `stuck`: something owed never came; `crashed`: a defect threw */
  verdict: "held" | "wrong" | "stuck" | "crashed";
  /** what is wrong, in sentences */
  findings: string[];
  /** messages that clients wanted recorded */
  sent: number;
  /** receipts that they got */
  acknowledged: number;
  /** virtual time, ms */
  virtualMs: number;
  /** what the seed drew */
  options: SimulationOptions;
}

/** What may be said about a simulation beside its seed. */
export interface SimulationSettings {
  /** 1 to 32; default 8 */
  nodes?: number;
  /** takes each line of the trace; without it there is none, and it costs nothing */
  trace?: (line: string) => void;
  /** how much is traced; default `usual` */
  traceLevel?: TraceLevel;
  /** options that are not as the seed draws them */
  override?: Partial<SimulationOptions>;
  /** plugins and messages of somebody's own, see `testing/simulate.ts` */
  workload?: Workload;
  /** makes the journal that of a broken system before the checkers read it; for tests */
  spoil?: (journal: Journal) => void;
}

/** Runs the simulation of a seed; the same seed gives the same verdict, and the same trace, line by line. */
export function simulate(seed: number, settings: SimulationSettings = {}): Verdict {
  const options = { ...drawOptions(seed, new SeededRandom(seed), settings.nodes ?? 8), ...settings.override };
  const journal = emptyJournal();
  const trace = settings.trace === undefined ? null : { write: settings.trace, level: settings.traceLevel };
  const cluster = new SimulatedCluster(options, journal, trace, settings.workload);
  const done = (verdict: Verdict["verdict"], findings: string[]): Verdict => {
    cluster.trace?.write({ node: "-", room: "checker", event: "verdict", verdict, findings: findings.length });
    return {
      seed,
      verdict,
      findings: findings.slice(0, 20),
      sent: journal.sent.length,
      acknowledged: journal.acknowledged.length,
      virtualMs: Math.round(cluster.time.nowMs),
      options,
    };
  };
  try {
    if (!cluster.start()) return done("stuck", ["liveness: the cluster has not come up"]);
    cluster.deploy(1);
    cluster.time.runUntil(cluster.time.nowMs + 500);
    run(cluster, journal);
    settings.spoil?.(journal);
    const own = settings.workload?.inspect(cluster, journal) ?? { wrong: [], stuck: [] };
    const wrong = [...own.wrong, ...SAFETY.flatMap((check) => check(journal))];
    if (wrong.length > 0) return done("wrong", wrong);
    const stuck = [...LIVENESS.flatMap((check) => check(journal)), ...own.stuck];
    return done(stuck.length > 0 ? "stuck" : "held", stuck);
  } catch (error) {
    return done("crashed", [String((error as Error).stack ?? error)]);
  }
}

function run(cluster: SimulatedCluster, journal: Journal): void {
  const { options, time } = cluster;
  const clients = Array.from({ length: options.clients }, (_, i) => new SimulatedClient(cluster, i + 1));
  const faults = new Faults(cluster);
  for (const client of clients) client.start();
  faults.start();
  time.runUntil(time.nowMs + options.safetyMs);
  cluster.trace?.write({ node: "-", room: "fault", event: "end" });
  faults.stop();
  for (const client of clients) client.stop();
  const untilMs = time.nowMs + options.livenessMs;
  for (;;) {
    time.runUntil(time.nowMs + 250);
    journal.unsettled = clients.some((client) => client.open > 0)
      ? ["a client waits for receipts"]
      : [...cluster.unwhole({ inPlace: true }), ...(cluster.workload === null ? [] : owed(cluster))];
    if (journal.unsettled.length === 0 || time.nowMs > untilMs) break;
  }
  collect(cluster, journal);
}

/** What plugins still have to do: messages to handle, effects to carry out. */
function owed(cluster: SimulatedCluster): string[] {
  return cluster.living().filter(({ core }) => core.actors.backlog() + core.effects.owed() > 0)
    .map(({ name }) => `${name} has messages to handle, or effects to carry out`);
}

/** Reads all copies of all histories, and what the handlers keep. */
function collect(cluster: SimulatedCluster, journal: Journal): void {
  const keys = cluster.workload === null ? new Set(journal.sent.map((message) => message.key)) : keysIn(cluster);
  const decoder = new TextDecoder();
  let reading = 0;
  for (const node of cluster.living()) {
    const { replication, directory, actors } = node.core;
    for (const key of keys) {
      const shard = directory.topology!.shardOf(key);
      const store = replication.store(shard);
      if (store === null) continue;
      const commit = replication.commitIndex(shard);
      const messages = store.history(key, 0, 100_000).filter((index) => index <= commit).map((index) => {
        const { id, seq, payload } = store.message(index);
        return { id, seq, body: decoder.decode(payload) };
      });
      const isVoter = replication.members(shard).includes(node.core.self.incarnation);
      journal.histories.push({ node: node.name, key, isVoter, messages });
      if (!replication.isWriter(shard) || messages.length === 0) continue;
      reading++;
      actors.project(shard, key, {}, (answer) => {
        reading--;
        if (answer.state !== "ok") journal.unsettled.push(`a projection cannot be read: ${answer.code}`);
        else journal.folded.set(key, (answer.projections.count as { count: number })?.count ?? 0);
      });
    }
  }
  const untilMs = cluster.time.nowMs + 5000;
  while (reading > 0 && cluster.time.nowMs < untilMs) cluster.time.runUntil(cluster.time.nowMs + 50);
  if (reading > 0) journal.unsettled.push("projections cannot be read");
}

/** Every actor that some node has a copy of, whoever sent to it. */
function keysIn(cluster: SimulatedCluster): Set<string> {
  const keys = new Set<string>();
  for (const { core } of cluster.living()) {
    for (let shard = 0; shard < 1024; shard++) {
      const store = core.replication.store(shard);
      for (let row = 0; row < (store?.rowCount ?? 0); row++) keys.add(store!.rowKey(row));
    }
  }
  return keys;
}
