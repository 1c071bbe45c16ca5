/**
 * What authors of plugins, and whoever doubts, test with: the simulator of whole clusters, a plugin host without walls for
 * unit tests of handlers, and the HL7 reader that handlers are given.
 *
 * @module
 */
export { type Hl7Segment, Hl7View, parseHl7 } from "./runtime/wire/mod.ts";
export {
  type Fold,
  type FoldAnswer,
  type FoldMessage,
  type FoldRequest,
  type FoldResult,
  InlineHost,
  type SessionLimits,
} from "./runtime/plugin_host/mod.ts";
export {
  SeededRandom,
  SimulatedTime,
  simulatedWorld,
  type SimulatedWorldOptions,
  type Timer,
  type World,
} from "./runtime/world/mod.ts";
export type { Verdict } from "./tests/simulation/simulate.ts";
export type { SimulationOptions } from "./tests/simulation/options.ts";
export type { AddressedMessage, Chance, MessageGenerator, MessageSource } from "./testing/addressed_messages.ts";
export { checkHandler, type CheckOptions, type CheckReport, HandlerCheckError } from "./testing/check_handler.ts";
export type { GivenEnvelope, GivenMessage } from "./testing/given_message.ts";
export { growth, type GrowthOptions } from "./testing/growth.ts";
export type { ArbitraryLike, HistorySource } from "./testing/histories.ts";
export type { Indifference, View } from "./testing/indifference.ts";
export type { Invariant } from "./testing/invariants.ts";
export type { MutationKind } from "./testing/mutations.ts";
export { historiesIn, recordingOf } from "./testing/recording.ts";
export { type HandlerSource, type Replay, replay, type ReplayOptions, type ReplayStep } from "./testing/replay.ts";
export type { FinalInvariant, SimulatedActor } from "./testing/plugin_workload.ts";
export { simulate, type SimulateOptions, type SimulateReport, type SimulationPlan } from "./testing/simulate.ts";
export type { Problem } from "./testing/watched_handler.ts";
