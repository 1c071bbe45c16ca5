/**
 * One simulation: start a cluster, let clients send while anything may fail (safety), end the faults and let everything
 * settle (liveness), then have the checkers read the journal.
 */
import { SeededRandom, SIMULATION_EPOCH_MS } from "../../runtime/world/mod.ts";
import { LIVENESS, SAFETY } from "./checkers/mod.ts";
import { SimulatedClient } from "./clients.ts";
import { SimulatedCluster } from "./cluster.ts";
import { collect } from "./collecting.ts";
import { Faults } from "./faults.ts";
import { leftOver, sampleGauges, standingStill } from "./gauges.ts";
import { emptyJournal, type Journal } from "./journal.ts";
import { SimulatedReader } from "./readers.ts";
import { drawOptions, type SimulationOptions } from "./options.ts";
import type { TraceLevel } from "./trace.ts";
import type { Workload } from "./workload.ts";

/** Timers that are set by right clocks are due within so long, ms. */
const TIMERS_MS = 12_000;

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
    cluster.deployAll();
    cluster.time.runUntil(cluster.time.nowMs + 500);
    run(cluster);
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

function run(cluster: SimulatedCluster): void {
  const { options, time } = cluster;
  const clients = Array.from({ length: options.clients }, (_, i) => new SimulatedClient(cluster, i + 1));
  const readers = Array.from({ length: options.readers }, (_, i) => new SimulatedReader(cluster, i + 1));
  const faults = new Faults(cluster, clients);
  for (const who of [...clients, ...readers, faults]) who.start();
  sampleGauges(cluster);
  time.runUntil(time.nowMs + options.safetyMs);
  cluster.trace?.write({ node: "-", room: "fault", event: "end" });
  faults.stop();
  for (const client of clients) client.stop();
  // Timers that a wrong clock has set for hours hence are not waited for.
  const timersUntilMs = time.nowMs + TIMERS_MS;
  const left = () => leftOver(cluster, { waitsForTimers: time.nowMs < timersUntilMs });
  const isSettled = settle(cluster, () => {
    faults.tend();
    if (clients.some((client) => client.open > 0)) return ["a client waits for receipts"];
    const unwhole = cluster.unwhole({ inPlace: true });
    return unwhole.length > 0 ? unwhole : left();
  });
  for (const reader of readers) reader.stop();
  if (isSettled && faults.mend()) {
    settle(cluster, () => {
      const still = standingStill(cluster);
      return still.length > 0 ? still : left();
    });
  }
  cluster.journal.endWallMs = SIMULATION_EPOCH_MS + time.nowMs;
  collect(cluster);
}

/** Lets time pass until nothing is left to be done; what was, when there is no time left. */
function settle({ journal, options, time }: SimulatedCluster, left: () => string[]): boolean {
  const untilMs = time.nowMs + options.livenessMs;
  do {
    time.runUntil(time.nowMs + 250);
    journal.unsettled = left();
  } while (journal.unsettled.length > 0 && time.nowMs < untilMs);
  return journal.unsettled.length === 0;
}
