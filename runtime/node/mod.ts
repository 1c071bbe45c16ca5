/**
 * Node: builds the rooms, wires them, starts and stops them. All defaults stand in `config.ts`.
 *
 * `core.ts` is the whole node without sockets and processes of its own: the simulator runs many of them. `start_node.ts`
 * adds those. `directory.ts` keeps the topology, `reading.ts` answers reads, `absence.ts` declares nodes absent,
 * `requests.ts` is how nodes ask each other, `departing.ts` how they go, `auditing.ts` proves by their own words what the copies hold.
 *
 * @module
 */
export type { PollConfig } from "./audit_poll.ts";
export type { WitnessConfig } from "./audit_witness.ts";
export type { AuditConfig } from "./auditing.ts";
export type { RetentionConfig } from "./retention.ts";
export type { SealingConfig } from "./sealing.ts";
export { configWith, DEFAULTS, type NodeConfig, type PartialConfig } from "./config.ts";
export { type CoreObserver, NodeCore, type NodeCoreOptions, type NodeIdentity } from "./core.ts";
export { type OutgoingMessage, type SendOptions } from "./outgoing.ts";
export type { RequestResult } from "./requests.ts";
export { CoreService } from "./service.ts";
export type { DepartureReason } from "./departing.ts";
export { type NodeEnd, startNode, type StartOptions, type WaterparkNode } from "./start_node.ts";
