/**
 * Profiles: what the simulator is told beside the seed, so that a fault which a mutant needs is likely. Each is one kind
 * of bad weather; what it does not say is as the seed draws it. Few, because each costs a run of the unbroken tree.
 */
import type { SimulationOptions } from "../simulation/options.ts";

/** The name that stands for schedules of one shard, which have no settings. */
export const ONE_SHARD = "one-shard";

/** Settings of the simulator. */
export interface Profile {
  nodes: number;
  override: Partial<SimulationOptions>;
}

const CALM: Partial<SimulationOptions> = {
  lossRate: 0,
  doubleRate: 0,
  slowRate: 0,
  crashEveryMs: 0,
  cutEveryMs: 0,
  restartEveryMs: 0,
  deployEveryMs: 0,
};
const FEW_ACTORS = { actors: 3, clients: 6, pipeline: 4 };

/** By name. */
export const PROFILES: Record<string, Profile> = {
  /** as the seeds draw it */
  any: { nodes: 8, override: {} },
  /** frames are lost, late and out of order; nodes stay up */
  network: {
    nodes: 8,
    override: {
      ...CALM,
      ...FEW_ACTORS,
      lossRate: 0.05,
      doubleRate: 0.1,
      slowRate: 0.05,
      slowMs: 1500,
      isUnordered: true,
      cutEveryMs: 600,
    },
  },
  /** nodes die and come back with nothing */
  crashes: { nodes: 8, override: { ...CALM, ...FEW_ACTORS, crashEveryMs: 1500, dataCenterRate: 0.5, lossRate: 0.02 } },
  /** a small cluster: the copies that a receipt needs are not there all the time */
  small: { nodes: 4, override: { ...CALM, ...FEW_ACTORS, crashEveryMs: 2000, dataCenterRate: 0, lossRate: 0.03 } },
};
