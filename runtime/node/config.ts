/**
 * Every default of the house, each with its unit and its reason. Nothing else in `runtime/` holds a default that an
 * operator may want to change. Relations between them are asserted when a node starts.
 */
import { assert } from "../base/mod.ts";

/** Settings of a node's rooms. */
export interface NodeConfig {
  /** copies of every shard; five stand the loss of two, a whole data center among them */
  copies: number;
  /** a receipt is given when so many copies, in so many data centers, have the message */
  ack: { copies: number; dataCenters: number };
  membership: {
    /** between two pings to a peer, ms: three fit into the suspicion time */
    pingIntervalMs: number;
    /** without a sign of life for so long a peer is suspected, ms: an election must fit into P4's second */
    suspectAfterMs: number;
    /** suspected for so long, a node is declared absent and its copies are replaced, ms: longer than a restart */
    absentAfterMs: number;
  };
  replication: {
    /** between two looks at awake replicas, ms: bounds how late a follower learns the commit index */
    tickMs: number;
    /** least step between the campaigns of two members, ms: several round trips within a data center */
    staggerMsMin: number;
    /** a node alive for so long is handed the writers that placement gives it, ms: no hand-over to one that flaps */
    stableAfterMs: number;
    /** copies that one node brings up to date at the same time: bounds what moving costs the rest */
    catchUpsMax: number;
    /** receipts owed by one node before it says busy */
    waitersMax: number;
  };
  /** a request ends at the latest after so long, ms (P4) */
  requestMs: number;
  /** body of one message at most, bytes */
  messageBytesMax: number;
}

/** The defaults. */
export const DEFAULTS: NodeConfig = {
  copies: 5,
  ack: { copies: 3, dataCenters: 2 },
  membership: { pingIntervalMs: 100, suspectAfterMs: 300, absentAfterMs: 30_000 },
  replication: { tickMs: 20, staggerMsMin: 20, stableAfterMs: 30_000, catchUpsMax: 16, waitersMax: 200_000 },
  requestMs: 10_000,
  messageBytesMax: 1024 * 1024,
};

/** Settings with some of the fields left out. */
export type PartialConfig = {
  [K in keyof NodeConfig]?: NodeConfig[K] extends object ? Partial<NodeConfig[K]> : NodeConfig[K];
};

/** The defaults with `overrides` on top; asserts how they must stand to each other. */
export function configWith(overrides: PartialConfig = {}): NodeConfig {
  const config: NodeConfig = {
    ...DEFAULTS,
    ...overrides,
    ack: { ...DEFAULTS.ack, ...overrides.ack },
    membership: { ...DEFAULTS.membership, ...overrides.membership },
    replication: { ...DEFAULTS.replication, ...overrides.replication },
  };
  const { membership, replication } = config;
  assert(membership.suspectAfterMs >= 2 * membership.pingIntervalMs, "suspicion needs at least two missed pings");
  assert(membership.absentAfterMs > 2 * membership.suspectAfterMs, "absence must come well after suspicion");
  assert(replication.tickMs <= membership.suspectAfterMs, "a tick must not outlast a suspicion");
  assert(config.ack.copies <= config.copies, "a receipt cannot need more copies than there are");
  assert(config.ack.copies * 2 > config.copies, "a receipt must need a majority of the copies");
  assert(config.requestMs > 2 * membership.suspectAfterMs, "a request must outlast an election");
  return config;
}
