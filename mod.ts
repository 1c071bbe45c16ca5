/**
 * Waterpark: a masterless, geographically fault-tolerant, in-memory actor database and I/O runtime.
 *
 * This door has what a program needs to embed a node (`startNode`) and what a plugin needs (`defineHandler`, `effect`).
 * Programs that talk to a cluster from outside use `@waterpark/waterpark/client`.
 *
 * @module
 */
export {
  type ActorKey,
  type FullKey,
  type Outcome,
  WaterparkError,
  type WaterparkErrorOptions,
} from "./runtime/base/mod.ts";
export type {
  ActorPlace,
  ActorView,
  DeployRequest,
  HistoryEvent,
  NodeService,
  NodeView,
  PluginView,
  PostAnswer,
  PostRequest,
  Receipt,
  TopologyView,
} from "./runtime/gateway/mod.ts";
export {
  type OutgoingMessage,
  type PartialConfig,
  type SendOptions,
  startNode,
  type StartOptions,
  type WaterparkNode,
} from "./runtime/node/mod.ts";
export {
  defineHandler,
  effect,
  type HandlerDefinition,
  type HandlerHistory,
  type HandlerMessage,
  type HandlerResult,
} from "./runtime/plugin_host/mod.ts";
export { configureLog } from "./runtime/telemetry/mod.ts";
export { Topology } from "./runtime/topology/mod.ts";
