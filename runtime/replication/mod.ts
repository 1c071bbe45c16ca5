/**
 * Replication: one Raft group per shard, with "writer" for leader.
 *
 * Invariants: a message is acknowledged only when a majority of the members, and copies that meet the acknowledgement
 * rule, have it; in one term at most one node commits; members are incarnations, so what a process forgot it cannot
 * be asked for; a shard is born once.
 *
 * Read `shard_state.ts` (what a replica knows), then `append.ts`, `election.ts`, `swap.ts`, `hand_over.ts` (one mechanism
 * each), `step.ts` (which event moves what), and last the driver `replication.ts`.
 *
 * @module
 */
export type { JournalOption, RememberedFacts } from "./journaling.ts";
export type { LostCopy } from "./generations.ts";
export { Replication } from "./replication.ts";
export type { ReplicationConfig, ReplicationOptions } from "./replication_options.ts";
export type { AckRule } from "./waiting.ts";
export type { Desired } from "./shard_state.ts";
export { isWhole } from "./upkeep.ts";
