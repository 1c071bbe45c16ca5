import type { NodeStatus, WhatIf, WhatIfChange } from "../topology/mod.ts";

/** What one node holds. */
export interface NodeHolding {
  /** `TN-B-2` */
  name: string;
  /** from the topology */
  status: NodeStatus;
  /** false: it did not answer, and what follows is 0 */
  answers: boolean;
  /** it is about to end */
  leaving: boolean;
  /** copies of shards, the topology's own among them */
  copies: number;
  /** shards that it writes */
  writers: number;
  /** bytes of entries in memory */
  bytes: number;
}

/** Whether every shard has all its copies. */
export interface WholeView {
  /** true: it has; the next node may be stopped */
  whole: boolean;
  /** of the topology that this is about */
  version: number;
  /** copies that each shard should have: as many as the cluster was made for, as far as there are nodes for them */
  copies: number;
  /** shards that were looked at, the topology's own among them */
  shards: number;
  /** shards that lack a copy, or their writer */
  short: number;
  /** names of the first ten of them */
  some: string[];
  /** every node of the topology */
  nodes: NodeHolding[];
}

/** What becomes of a node that was told to drain. */
export interface DrainView {
  /** of the node */
  name: string;
  /** always */
  draining: true;
  /** true: its copies are moved elsewhere before it ends; false: it hands over what it writes, and ends */
  moving: boolean;
  /** what the operator should know, for people; `""` nothing */
  note: string;
}

/** A plan, and what it would cost. */
export interface PlanView extends WhatIf {
  /** false: not every shard's bytes are known, and those that are not count as none */
  bytesKnown: boolean;
}

/** Planned work: what an operator does to a cluster that is well. */
export interface PlannedService {
  /**
   * Moves everything off a node, which then ends by itself; with `fast` it hands over what it writes and ends.
   *
   * @throws {WaterparkError} `topology/no-such-node`, `topology/last-node`, `topology/node-absent`, `node/unreachable`
   */
  drain(name: string, options?: { fast?: boolean }): Promise<DrainView>;
  /** Asks all nodes whether every shard has all its copies. */
  whole(): Promise<WholeView>;
  /**
   * What would be if: changes nothing.
   *
   * @throws {WaterparkError} `topology/bad-plan`
   */
  plan(changes: WhatIfChange[]): Promise<PlanView>;
}
