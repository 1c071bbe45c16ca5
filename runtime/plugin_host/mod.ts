/**
 * Plugin host: loads plugins, keeps them apart from the node and from each other, folds messages with them.
 *
 * Two hosts with one `fold`: `ProcessHost` for everything that is real, `InlineHost` for the simulator and unit tests.
 * `bundlePlugin` makes what they load; `defineHandler` and `effect` are what a plugin's author writes with.
 *
 * @module
 */
export type { ActorKey, FullKey } from "../base/mod.ts";
export type {
  AlertEffect,
  CancelEffect,
  DeliverEffect,
  Effect,
  EffectMessage,
  EmitEffect,
  ReplyEffect,
  RetireEffect,
  ScheduleEffect,
  SendEffect,
} from "../effects/mod.ts";
export type { Fold, FoldAnswer, FoldMessage, FoldRequest, FoldResult } from "../actors/mod.ts";
export { BUNDLE_BYTES_MAX, type BundleOptions, bundlePlugin, type PluginBundle } from "./bundler.ts";
export { stopBundler } from "./handler_bundle.ts";
export {
  type ChannelCounts,
  type ChannelDefinition,
  defineChannel,
  type Destination,
  type Outgoing,
} from "./channel.ts";
export { PROCESS_HOST_CONFIG, type ProcessHostConfig } from "./config.ts";
export { EFFECTS_MAX } from "./effect_check.ts";
export type { HostProcess, HostProcessEvents, SpawnHost } from "./host_process.ts";
export { HostPool, HOSTS_MAX, hostsFor } from "./host_pool.ts";
export { type IoAnswer, IoHost, type IoQuestion, type IoStats } from "./io_host.ts";
export { inspectIo, type IoAbout, readAbout } from "./io_manifest.ts";
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
} from "./io_sdk.ts";
export { messageOf, type Row, RowHistory } from "./history.ts";
export { InlineHost } from "./inline_host.ts";
export type { ModuleLoader, ModuleReader } from "./module_source.ts";
export { ProcessHost, type ProcessHostOptions, type ProcessHostStats } from "./process_host.ts";
export { rawOf } from "./raw_content.ts";
export {
  defineHandler,
  effect,
  type EffectMakers,
  type EffectType,
  type HandlerDeclaration,
  type HandlerDefinition,
  type HandlerHistory,
  type HandlerLimits,
  type HandlerManifest,
  type HandlerMessage,
  type HandlerResult,
  type MessageOf,
  type MessagesFor,
  type MessageUnion,
  problemOfDefinition,
  type ProjectionsOf,
  type Switches,
  type WhenInvalid,
} from "./sdk.ts";
export type {
  MessageSchemas,
  Schema,
  SchemaInput,
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  SchemasByType,
} from "./standard_schema.ts";
export { SESSION_LIMITS, type SessionLimits } from "./session.ts";
export type { LoadAnswer } from "./version_shelf.ts";
