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
  ActorDifference,
  ActorPlace,
  ActorView,
  AuditReceipt,
  AuditState,
  AuditVerdict,
  CheckedPost,
  CopiesNeeded,
  CopiesVerdict,
  CopyAudit,
  CopyDifference,
  CopyView,
  DeployRequest,
  DrainView,
  HistoryEvent,
  LostCopyName,
  LostCopyView,
  LostMessageView,
  NodeHolding,
  NodeService,
  NodeView,
  PlannedService,
  PlanView,
  PluginView,
  PostAnswer,
  PostRequest,
  ReadMode,
  Receipt,
  RecoveryService,
  RecoveryView,
  ResentView,
  ShardView,
  TopologyView,
  WholeView,
} from "./runtime/gateway/mod.ts";
export {
  type AuditConfig,
  type DepartureReason,
  type NodeConfig,
  type NodeEnd,
  type OutgoingMessage,
  type PartialConfig,
  type PollConfig,
  type SealingConfig,
  type SendOptions,
  startNode,
  type StartOptions,
  type WaterparkNode,
  type WitnessConfig,
} from "./runtime/node/mod.ts";
export {
  type AlertEffect,
  type CancelEffect,
  defineHandler,
  type Effect,
  effect,
  type EffectMakers,
  type EffectMessage,
  type EmitEffect,
  type HandlerDefinition,
  type HandlerHistory,
  type HandlerMessage,
  type HandlerResult,
  type ReplyEffect,
  type RetireEffect,
  type ScheduleEffect,
  type SendEffect,
  type Switches,
} from "./runtime/plugin_host/mod.ts";
export {
  defineFunction,
  defineSink,
  defineSource,
  type Delivery,
  type DeliveryEnd,
  type FunctionContext,
  type FunctionDefinition,
  type Limits,
  type Manifest,
  type Permissions,
  type SinkConnection,
  type SinkDefinition,
  type SourceContext,
  type SourceDefinition,
  type SourceKey,
  type SourceMessage,
  type SourceReceipt,
} from "./runtime/plugin_host/mod.ts";
export { configureLog } from "./runtime/telemetry/mod.ts";
export {
  type AckRule,
  type NodeStatus,
  type PluginKind,
  type PluginRecord,
  type PluginStage,
  type PluginVersion,
  type Recovery,
  type SettingValue,
  type SystemPlacement,
  Topology,
  type TopologyNode,
  type TopologyState,
} from "./runtime/topology/mod.ts";
export type { ActorsConfig } from "./runtime/actors/mod.ts";
export type { EffectsConfig } from "./runtime/effects/mod.ts";
export type { JournalConfig, SyncMode } from "./runtime/journal/mod.ts";
export type { MailroomConfig } from "./runtime/mailroom/mod.ts";
export type { MembershipConfig } from "./runtime/membership/mod.ts";
export type { CarrierMode } from "./runtime/transport/mod.ts";
export { type Hl7Delimiters, type Hl7Path, Hl7Segment, Hl7View, type ProtocolRange } from "./runtime/wire/mod.ts";
