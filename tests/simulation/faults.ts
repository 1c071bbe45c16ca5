/**
 * Faults: what goes wrong in the safety phase, each kind in a file of `faults/`, each with chance of its own. Crashes
 * stay within the promised bound (two nodes, or one data center, and no more until the copies are whole again); the
 * network, the machines and the plugins keep no bound.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedClient } from "./clients.ts";
import type { SimulatedCluster } from "./cluster.ts";
import { crashes } from "./faults/crashes.ts";
import { Bound, type Fault, Ground } from "./faults/ground.ts";
import { clockJumps, slowNodes, stalls } from "./faults/machines.ts";
import { clogs, cuts, isolations, splits } from "./faults/network.ts";
import { handOvers, operations, restarts } from "./faults/planned.ts";
import { outages } from "./faults/outages.ts";
import { deploys, hostCrashes, rollbacks } from "./faults/plugins.ts";

/** They share one source of chance, as they did when they were all there was: old seeds stay what they were. */
const FIRST: Fault[] = [crashes, restarts, cuts, deploys];
const OTHERS: Fault[] = [
  splits,
  isolations,
  clogs,
  slowNodes,
  stalls,
  clockJumps,
  operations,
  handOvers,
  rollbacks,
  hostCrashes,
  outages,
];

/** Hurts a cluster until it is told to stop. */
export class Faults {
  readonly #cluster: SimulatedCluster;
  readonly #ground: Ground;
  readonly #undone = new Set<() => void>();
  #isOver = false;

  constructor(cluster: SimulatedCluster, clients: readonly SimulatedClient[]) {
    this.#cluster = cluster;
    this.#ground = new Ground({
      cluster,
      clients,
      random: new SeededRandom(cluster.random.next32()),
      bound: new Bound(cluster),
      undone: this.#undone,
      isOver: () => this.#isOver,
    });
  }

  start(): void {
    this.#cluster.isFaulty = true;
    for (const fault of FIRST) this.#every(fault, this.#ground);
    for (const fault of OTHERS) this.#every(fault, this.#ground.for(fault.name));
  }

  /** Ends all faults: links are mended and frames arrive, clocks are right; nodes that are down come back. */
  stop(): void {
    this.#isOver = true;
    this.#cluster.isFaulty = false;
    this.#cluster.network.healAll();
    for (const undo of [...this.#undone]) undo();
    this.#cluster.hasRightClocks = true;
    for (const { name, isAlive, isLeaving, core } of [...this.#cluster.nodes.values()]) {
      const leaves = isLeaving || core.directory.topology?.nodeByName(name)?.status === "draining";
      if (isAlive && leaves) this.#cluster.crash(name);
      if (!isAlive || leaves) this.#cluster.boot(name);
    }
  }

  /** Once faults have ended: what had been ordered before may take effect late; a node that is drained is started anew. */
  tend(): void {
    for (const { name, isAlive, core } of [...this.#cluster.nodes.values()]) {
      const isDraining = core.directory.topology?.nodeByName(name)?.status === "draining";
      // Who drains stays a learner of the system shard.
      if (!isAlive || !isDraining || core.replication.counts().replicas > 1) continue;
      this.#cluster.crash(name);
      this.#cluster.boot(name);
    }
  }

  /** Puts a sound version into force if there may be none, so that what stands still goes on; whether it did. */
  mend(): boolean {
    const { brokenVersionRate, hostCrashEveryMs } = this.#cluster.options;
    if (brokenVersionRate === 0 && hostCrashEveryMs === 0) return false;
    this.#cluster.deployAll();
    return true;
  }

  #every(fault: Fault, ground: Ground): void {
    const meanMs = fault.everyMs(this.#cluster.options);
    if (meanMs === 0) return;
    this.#cluster.time.after(meanMs * (0.2 + 1.6 * ground.random.next()), () => {
      if (this.#isOver) return;
      fault.strike(ground);
      this.#every(fault, ground);
    });
  }
}
