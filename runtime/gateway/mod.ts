/**
 * Gateway: how the outside talks to a node: HTTP here, HL7 over MLLP beside it.
 *
 * It sees the node through one interface, {@linkcode NodeService}, so that it is tested without one.
 *
 * @module
 */
export type {
  ActorDifference,
  AuditReceipt,
  AuditState,
  AuditVerdict,
  CopiesNeeded,
  CopiesVerdict,
  CopyAudit,
  CopyDifference,
} from "./audit_views.ts";
export { Admission, ADMISSION_LIMITS, type AdmissionLimits } from "./admission.ts";
export { createApp, GatewayApp, type GatewayOptions } from "./app.ts";
export type { EventJson } from "./content.ts";
export { type HttpServer, type HttpServerOptions, startHttp } from "./http_server.ts";
export { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
export { type OpenStream, OpenStreams } from "./open_streams.ts";
export type { DrainView, NodeHolding, PlannedService, PlanView, WholeView } from "./planned.ts";
export type { Problem } from "./problem.ts";
export type {
  CopyView,
  LostCopyName,
  LostCopyView,
  LostMessageView,
  RecoveryService,
  RecoveryView,
  ResentView,
  ShardView,
} from "./recovery.ts";
export type {
  ActorKey,
  ActorPlace,
  ActorView,
  CheckedPost,
  DeployRequest,
  HandledView,
  HistoryEvent,
  NodeService,
  NodeView,
  ParkedFault,
  PluginView,
  PostAnswer,
  PostRequest,
  ReadMode,
  Receipt,
  TopologyView,
} from "./service.ts";
export type {
  DeedView,
  DiffKindName,
  DiffView,
  FoldingView,
  PluginDetail,
  PluginDiffView,
  PromoteOptions,
  StagesService,
  SwitchView,
  VersionView,
} from "./stages.ts";
export type {
  DeliveryView,
  EffectsQuery,
  FunctionAnswer,
  FunctionRequest,
  OutsideService,
  OutsideView,
  SinkView,
  SourceView,
} from "./outside.ts";
export type {
  DestinationCounts,
  FindQuery,
  FollowingService,
  FoundMessage,
  FoundView,
  MessageState,
  PluginCounts,
  TracedEffect,
  TracedOutcome,
  TraceView,
} from "./following.ts";
export { MESSAGE_STATES } from "./following.ts";
export { type ContentJson, contentJson } from "./content.ts";
export { notFound } from "./errors.ts";
export { MllpListener, type MllpListenerOptions } from "./mllp_listener.ts";
export type { MllpSettings } from "./mllp_settings.ts";
export type { TlsIdentity } from "./mllp_tls.ts";
export type { MllpAcknowledge, MllpApplication } from "./mllp_verdict.ts";
export type { MllpCounters } from "./mllp_counters.ts";
export { RETENTION_DAYS_MIN, type RetentionService, type RetentionView } from "./retention_routes.ts";
