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

/** Nothing fails. Sixteen shards, few actors and many messages: what is to go wrong goes wrong in every one of them. */
const FAIR: Partial<SimulationOptions> = {
  ...{
    shardsPerSet: 1,
    safetyMs: 12_000,
    clients: 6,
    actors: 2,
    pipeline: 4,
    isTight: false,
    readers: 1,
    wishRate: 0.1,
  },
  ...{ lossRate: 0, doubleRate: 0, slowRate: 0, isUnordered: false, latencyMs: { near: 0.5, far: 5 } },
  ...{ crashEveryMs: 0, dataCenterRate: 0, zoneRate: 0, restartEveryMs: 0, operationEveryMs: 0, handOverEveryMs: 0 },
  ...{ cutEveryMs: 0, splitEveryMs: 0, isolateEveryMs: 0, clogEveryMs: 0 },
  ...{ slowNodeEveryMs: 0, stallEveryMs: 0, clockDrift: 0, clockJumpEveryMs: 0 },
  ...{ deployEveryMs: 0, rollbackEveryMs: 0, brokenVersionRate: 0, hostCrashEveryMs: 0, foldMsMax: 0 },
  ...{ patienceMs: 11_000, ifMatchRate: 0, giveUpRate: 0, echoRate: 0, absentAfterMs: 20_000 },
  ...{ pauseMs: 80, timerRate: 0, retireRate: 0, sessions: 10_000, hasDisks: false, outageEveryMs: 0 },
};

/** By name. */
export const PROFILES: Record<string, Profile> = {
  /** as the seeds draw it */
  any: { nodes: 8, override: {} },
  /** frames are lost, late and out of order, writers are cut off; clients are impatient; nodes stay up */
  network: {
    nodes: 8,
    override: {
      ...FAIR,
      ...{ lossRate: 0.05, doubleRate: 0.1, slowRate: 0.05, slowMs: 1500, isUnordered: true },
      ...{ isolateEveryMs: 800, cutEveryMs: 800, handOverEveryMs: 800, patienceMs: 1500, giveUpRate: 0.3 },
    },
  },
  /** nodes die, whole data centers among them, and come back with nothing */
  crashes: {
    nodes: 8,
    override: { ...FAIR, crashEveryMs: 1200, dataCenterRate: 0.4, lossRate: 0.02, slowRate: 0.02, slowMs: 1000 },
  },
  /** all machines lose their power at once, and have nothing but what their disks have synced */
  outages: {
    nodes: 8,
    override: { ...FAIR, hasDisks: true, syncMs: 40, outageEveryMs: 2500, lossRate: 0.02, handOverEveryMs: 800 },
  },
  /** a small cluster: the copies that a receipt needs are not there all the time */
  small: { nodes: 4, override: { ...FAIR, crashEveryMs: 2000, lossRate: 0.03 } },
  /** clients send what they have sent before, as it was or with other bytes, or at a given seq only */
  echoes: {
    nodes: 8,
    override: { ...FAIR, echoRate: 0.5, ifMatchRate: 0.5, lossRate: 0.05, isolateEveryMs: 1500, patienceMs: 1000 },
  },
  /** handlers ask for much; writers, hosts and versions change under them */
  effects: {
    nodes: 8,
    override: {
      ...FAIR,
      ...{ wishRate: 1, foldMsMax: 20, lossRate: 0.02, slowRate: 0.02, slowMs: 1000 },
      ...{
        crashEveryMs: 1500,
        handOverEveryMs: 600,
        deployEveryMs: 700,
        rollbackEveryMs: 1500,
        hostCrashEveryMs: 1500,
      },
    },
  },
  /** as `effects`, and every queue holds next to nothing, so much is refused for now */
  tight: {
    nodes: 8,
    override: {
      ...FAIR,
      ...{ isTight: true, wishRate: 1, clients: 3, actors: 3, pauseMs: 40 },
      ...{ crashEveryMs: 2500, handOverEveryMs: 800, isolateEveryMs: 1500, deployEveryMs: 1500 },
    },
  },
  /** writers go and come back before anybody else has done their work; data centers are far from each other */
  flicker: {
    nodes: 8,
    override: {
      ...FAIR,
      ...{ wishRate: 1, timerRate: 0.5, actors: 3, pauseMs: 40, latencyMs: { near: 0.5, far: 40 } },
      ...{ handOverEveryMs: 250, isolateEveryMs: 300, lossRate: 0.02, foldMsMax: 300 },
    },
  },
  /** handlers set timers and end lives; clocks are off, writers change */
  lives: {
    nodes: 8,
    override: {
      ...FAIR,
      ...{ actors: 4, wishRate: 1, timerRate: 0.5, retireRate: 0.2, echoRate: 0.3, lossRate: 0.02 },
      ...{ clockDrift: 0.02, clockJumpEveryMs: 1500, crashEveryMs: 2500, handOverEveryMs: 800 },
    },
  },
  /** many read what few write, while writers are cut off */
  reads: { nodes: 8, override: { ...FAIR, readers: 12, isolateEveryMs: 500, handOverEveryMs: 1000 } },
};
