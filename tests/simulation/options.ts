/**
 * What a seed draws: how large, how lossy, how slow, what fails. A simulation that always has every fault at once never
 * sees what one fault alone does ("swarm testing", Groce et al., 2012), so each is switched on or off by the seed.
 */
import type { SeededRandom } from "../../runtime/world/mod.ts";

/** One simulation. */
export interface SimulationOptions {
  /** everything else follows from it */
  seed: number;
  /** nodes, dealt over four data centers and two zones */
  nodes: number;
  /** shards of each of the 16 sets, 1 to 64: few make an actor's neighbours many, all show what only numbers do */
  shardsPerSet: number;
  /** virtual time in which anything may fail, ms */
  safetyMs: number;
  /** virtual time in which everything owed must be settled once faults have ended, ms */
  livenessMs: number;
  /** frames lost, of 1 */
  lossRate: number;
  /** frames doubled, of 1 */
  doubleRate: number;
  /** frames that take up to `slowMs` longer, of 1 */
  slowRate: number;
  /** see `slowRate` */
  slowMs: number;
  /** frames overtake each other */
  isUnordered: boolean;
  /** one way within a data center and between two, ms */
  latencyMs: { near: number; far: number };
  /** mean time between two crashes, ms; 0 none */
  crashEveryMs: number;
  /** a crash takes a whole data center, of 1 */
  dataCenterRate: number;
  /** mean time between two cuts, ms; 0 none */
  cutEveryMs: number;
  /** mean time between two planned restarts (drained, stopped, started anew), ms; 0 none */
  restartEveryMs: number;
  /** mean time between two new versions of the plugin, ms; 0 none */
  deployEveryMs: number;
  /** senders, each with an order to keep */
  clients: number;
  /** ids per facility; there are three facilities */
  actors: number;
  /** messages that one client has under way at most */
  pipeline: number;
}

/** Mostly few: an idle shard takes as long to be born, moved and elected as a busy one, and shows nothing new. */
const SHARDS_PER_SET_DRAWN = [1, 1, 2, 2, 2, 4, 4, 4, 4, 4, 8, 8, 8, 16, 16, 64];

/** The options of a seed. */
export function drawOptions(seed: number, random: SeededRandom, nodes: number): SimulationOptions {
  const sometimes = (value: number) => random.next() < 0.5 ? value : 0;
  return {
    seed,
    nodes,
    safetyMs: 15_000,
    livenessMs: 60_000,
    lossRate: sometimes(random.next() * 0.02),
    doubleRate: sometimes(random.next() * 0.05),
    slowRate: sometimes(random.next() * 0.05),
    slowMs: 100 + random.next() * 2000,
    isUnordered: random.next() < 0.5,
    latencyMs: { near: 0.2 + random.next(), far: 1 + random.next() * 30 },
    crashEveryMs: sometimes(1500 + random.next() * 5000),
    dataCenterRate: sometimes(0.5),
    cutEveryMs: sometimes(500 + random.next() * 3000),
    deployEveryMs: sometimes(1000 + random.next() * 4000),
    clients: 2 + random.below(6),
    actors: 3 + random.below(40),
    pipeline: 1 + random.below(4),
    // Last, so that what the seeds drew before it was thought of stays as it was.
    restartEveryMs: sometimes(2000 + random.next() * 4000),
    shardsPerSet: SHARDS_PER_SET_DRAWN[random.below(SHARDS_PER_SET_DRAWN.length)],
  };
}
