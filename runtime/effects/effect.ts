import type { ActorKey } from "../base/mod.ts";

/** A message that a handler asks for. Plain data: it is kept in the log as it is. */
export interface EffectMessage {
  /** what it is, as the receiver's handler sees it: `adt/admitted` */
  type: string;
  /** media type of the payload; default `application/json`, or by the body's form, see `body` */
  contentType?: string;
  /**
   * With a `contentType` other than JSON, a string is sent as its UTF-8 and a Uint8Array as it is; a Uint8Array without
   * a `contentType` is `application/octet-stream`; everything else is sent as JSON.
   */
  body?: unknown;
}

/** A message to an actor, posted once though it may be carried out more often: its id never changes. */
export interface SendEffect {
  /** which effect */
  type: "send";
  /** who gets it; `kind` is `"patient"` where left out */
  key: ActorKey;
  /** what is sent */
  message: EffectMessage;
}

/** A derived message into the own history. */
export interface EmitEffect {
  /** which effect */
  type: "emit";
  /** what is recorded */
  message: EffectMessage;
}

/** The answer for who waits until the message is handled; nobody may. */
export interface ReplyEffect {
  /** which effect */
  type: "reply";
  /** any plain data */
  body: unknown;
}

/** Something that a person should know. */
export interface AlertEffect {
  /** which effect */
  type: "alert";
  /** stable name, `plugin/what` */
  code: string;
  /** for people; holds no data of a patient */
  text: string;
}

/**
 * A message to the own actor at a later time: it is recorded like any other, at `at` or later, never earlier, once.
 * A timer has a name of its plugin's; scheduling under a name that is open replaces that timer, which then never fires.
 */
export interface ScheduleEffect {
  /** which effect */
  type: "schedule";
  /** 1 to 200 characters; of this plugin, for this actor */
  name: string;
  /** when, wall time in ms since 1970; this or `afterMs` */
  at?: number;
  /** how long after the handled message's `at`, in ms */
  afterMs?: number;
  /** what is recorded; at most 16 KiB */
  message: EffectMessage;
}

/** Takes a timer back; nothing happens when it has fired or there is none. */
export interface CancelEffect {
  /** which effect */
  type: "cancel";
  /** as scheduled, by the same plugin */
  name: string;
}

/**
 * Ends the actor's life: its history is freed on every copy, its timers are cancelled. Holds only while the handled
 * message is the actor's last one, and once every plugin is through with it and every effect is carried out; a message
 * that comes before that makes the wish void. The next message begins a new life, at the next seq.
 */
export interface RetireEffect {
  /** which effect */
  type: "retire";
}

/**
 * A message to the outside, by a deployed sink. Carried out at least once, under an id that never changes; one actor's
 * messages to one sink in order, one after the other's end.
 */
export interface DeliverEffect {
  /** which effect */
  type: "deliver";
  /** name of the sink; where none of that name is deployed it waits for one */
  sink: string;
  /** what is delivered */
  message: EffectMessage;
  /** what the sink wants to know beside the message, as a topic or a path: at most 20 short texts */
  options?: Readonly<Record<string, string>>;
  /** what the target answers comes back into the own history, as a message of this type */
  answerAs?: string;
}

/** What a handler may ask for; data, never functions. Any other type is a fault `plugin_host/unknown-effect`. */
export type Effect =
  | SendEffect
  | EmitEffect
  | ReplyEffect
  | AlertEffect
  | ScheduleEffect
  | CancelEffect
  | RetireEffect
  | DeliverEffect;

/** The types of {@linkcode Effect} that this version carries out. */
export const EFFECT_TYPES: readonly string[] = [
  "send",
  "emit",
  "reply",
  "alert",
  "schedule",
  "cancel",
  "retire",
  "deliver",
];
