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
 * Beside it hangs a board of alarm slips (timers.ts): messages that actors have asked for at a later time. Slips are
 * filed with the decision, so every copy has the same board; the clerk at the writer's desk takes one off by recording
 * its message.
 *
 * @module
 */
export {
  type AlertEffect,
  type CancelEffect,
  type DeliverEffect,
  type Effect,
  EFFECT_TYPES,
  type EffectMessage,
  type EmitEffect,
  type ReplyEffect,
  type RetireEffect,
  type ScheduleEffect,
  type SendEffect,
} from "./effect.ts";
export { effectId, messageOf, payloadOf } from "./effect_message.ts";
export { DEAD_LETTER_KIND, type DeadLetter, deadLetterKey } from "./dead_letter.ts";
export { Effects } from "./effects.ts";
export {
  type EffectPosting,
  type EffectPostResult,
  type EffectsConfig,
  type EffectsOptions,
  type RetireEnd,
  type RetireWish,
  type StandingOutcome,
} from "./effects_options.ts";
export {
  decodeDone,
  decodeOutcomes,
  type DoneItem,
  encodeDone,
  encodeOutcomes,
  type OutcomeError,
  type OutcomeItem,
  readOutcomes,
} from "./outcome_entry.ts";
export type { OutcomeRecord } from "./outcome_record.ts";
export { type SinkCounts, type SinkDelivery, type SinkDoor, type SinkEnd, type SinkPolicy } from "./sinks.ts";
export { type DeliveryInHand } from "./task.ts";
export { Timers, type TimersOptions } from "./timers.ts";
