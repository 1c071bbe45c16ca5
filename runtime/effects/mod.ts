/**
 * Effects: carries out what handlers decided, after it is in the log, until it is done.
 *
 * Think of a pneumatic tube post. A decision is first filed (the OUTCOMES entry); then a clerk at the writer's desk takes
 * filed slips in order, sends each through the tube of its source and target, one at a time per tube, and files a tick
 * (the DONE entry). Every copy of the shard counts which slips have no tick yet, so when the desk moves, the next clerk
 * goes on there. A slip sent twice bears the same number, and the receiver keeps one.
 *
 * At least once to the outside, exactly once between actors. A tube whose target does not answer is tried for ever with
 * longer and longer waits and stops no other. A lane sends one at a time, so one source gets one message a round trip to
 * one target: where that is too slow, the handler should send one larger message.
 *
 * @module
 */
export {
  type AlertEffect,
  type Effect,
  EFFECT_TYPES,
  type EffectMessage,
  type EmitEffect,
  type ReplyEffect,
  type SendEffect,
} from "./effect.ts";
export { effectId } from "./effect_message.ts";
export { Effects } from "./effects.ts";
export {
  type EffectPosting,
  type EffectPostResult,
  type EffectsConfig,
  type EffectsOptions,
} from "./effects_options.ts";
export {
  decodeDone,
  decodeOutcomes,
  type DoneItem,
  encodeDone,
  encodeOutcomes,
  type OutcomeError,
  type OutcomeItem,
} from "./outcome_entry.ts";
