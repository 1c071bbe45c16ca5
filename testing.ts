/**
 * What authors of plugins, and whoever doubts, test with.
 *
 * - {@linkcode replay} folds one history with a handler as a node does, and tells what the handler does that it may not.
 * - {@linkcode checkHandler} looks for such a history, drawn by fast-check or made of recorded ones, shrinks it, and
 *   prints it as a test.
 * - {@linkcode growth} tells whether projections outgrow their bound in a long life.
 * - {@linkcode simulate} runs whole clusters with your plugins in virtual time, crashes and cuts included; from the
 *   command line that is `waterpark sim --plugin FILE`.
 *
 * The first three need no cluster, no permission and no waiting. Below them are what they are made of: a plugin host
 * without walls, a world whose time stands still until it is told, and the HL7 reader that handlers are given.
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
  type Packer,
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
