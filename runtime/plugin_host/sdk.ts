/**
 * What the author of a plugin touches. In a bundle `@waterpark/waterpark` is this file, so it must run where there is
 * nothing but ECMAScript, and import nothing but types and what is plain ECMAScript too: the HL7 toolkit, and the check
 * of messages by their schemas.
 *
 * @module
 */
import type { ActorKey, FullKey } from "../base/mod.ts";
import type {
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

import { checkedHandle } from "./checked_handle.ts";
import { problemOfDefinition } from "./definition_check.ts";
import type { MessageSchemas, Schema, SchemaInput, SchemaOutput, SchemasByType } from "./standard_schema.ts";

export * from "../wire/hl7_toolkit.ts";
export { problemOfDefinition } from "./definition_check.ts";
export type * from "./standard_schema.ts";

/** A message as a handler sees it; `Type` and `Body` are known where the handler has declared them. */
// deno-lint-ignore no-explicit-any -- without a schema its form depends on who sent it, which no type here knows
export interface HandlerMessage<Type extends string = string, Body = any> {
  /** message id, given by its sender or made up by the gateway */
  readonly id: string;
  /** place in the actor's history, from 1 */
  readonly seq: number;
  /**
   * wall time in ms since 1970 at which the gateway took it in, or a timer fired: the only clock that a handler has. It
   * never goes back within a shard, so not within a history either.
   */
  readonly at: number;
  /** what happened: `admit`, `ADT^A01` */
  readonly type: Type;
  /** media type of what was sent */
  readonly contentType: string;
  /**
   * The content, decoded when it is touched: the JSON value for JSON types, a message with `get("PID-5.1")` for
   * `x-application/hl7-v2+er7`, a string for `text/*`, a `Uint8Array` for the rest. Touching it throws when the bytes
   * are not what `contentType` says. Where the handler has a schema, what that makes of it.
   */
  readonly body: Body;
}

/**
 * A union of messages that `type` tells apart, by the forms of their bodies. For `handle`'s parameter where there are no
 * schemas: believed then, not checked.
 *
 * @example
 * ```ts
 * import { defineHandler, type MessageUnion } from "./sdk.ts";
 * export default defineHandler({
 *   name: "ward", kind: "patient", initial: { ward: "" },
 *   handle(_key, kept, message: MessageUnion<{ admit: { ward: string }; discharge: unknown }>) {
 *     return ["ok", { ward: message.type === "admit" ? message.body.ward : "" }, []];
 *   },
 * });
 * ```
 */
export type MessageUnion<Bodies> = { [Type in keyof Bodies & string]: HandlerMessage<Type, Bodies[Type]> }[
  & keyof Bodies
  & string
];

/** The messages that a handler gets which has declared `S`. */
export type MessagesFor<S> = S extends Schema ? HandlerMessage<string, SchemaOutput<S>>
  : S extends SchemasByType ? MessageUnion<{ [Type in keyof S]: SchemaOutput<S[Type]> }>
  : HandlerMessage;

/**
 * What may be sent to the actors of a handler, by its schemas: `{ type, body }`. So a misspelt message to another
 * plugin's actors does not compile: `effect.send(key, { type: "arrived", body: { patient } } satisfies MessageOf<typeof ward>)`.
 */
export type MessageOf<H> = H extends { readonly messages?: infer S }
  ? S extends Schema ? { type: string; body: SchemaInput<S> }
  : S extends SchemasByType
    ? { [Type in keyof S & string]: { type: Type; body: SchemaInput<S[Type]> } }[keyof S & string]
  : { type: string; body: unknown }
  : never;

/** What a handler keeps. */
export type ProjectionsOf<H> = H extends { readonly initial: infer P } ? P : never;

/** The messages before the one that is handled, read like an array; each is decoded when its body is touched. */
export interface HandlerHistory extends Iterable<HandlerMessage> {
  /** how many there are */
  readonly length: number;
  /** The message at `index`, from 0; negative counts from the end; undefined where there is none. */
  at(index: number): HandlerMessage | undefined;
}

/** Feature flags, by name. */
export type Switches = Readonly<Record<string, boolean>>;

/** What a handler answers: its projections after this message, and what it asks for. */
export type HandlerResult<P, E extends Effect = Effect> = readonly ["ok", P, readonly E[]];

/** What a handler may ask for. */
export type EffectType = Effect["type"];

/** What becomes of a message that is not what its schema says; see {@linkcode HandlerManifest.whenInvalid}. */
export type WhenInvalid = "alert" | "ignore" | "park";

/**
 * What a handler may use up. Heap and time are shared by all handlers of a process, and the node's to say (256 MiB; 200 ms
 * for a call): a handler cannot have more, as others wait for it, and less would leave it to the machine's load who is
 * parked.
 */
export interface HandlerLimits {
  /** longest text of the projections, in KiB of UTF-16 units; usual, and at most: 1024. Beyond, the message is parked. */
  readonly projectionsKiB?: number;
  /** effects of one message; usual, and at most: 100. Beyond, the message is parked. */
  readonly effectsMax?: number;
}

/** What a handler declares beside its function. */
export interface HandlerManifest<
  P = unknown,
  S extends MessageSchemas | undefined = MessageSchemas | undefined,
  E extends EffectType = EffectType,
> {
  /** the plugin's name: lower-case letters, digits, `-` and `_`, a letter first, at most 64 */
  name: string;
  /** kind of the actors whose messages it handles: `patient`, `ward`, ... */
  kind: string;
  /** projections before the first message: plain JSON data */
  initial: P;
  /**
   * What bodies must be, as Standard Schemas (zod, valibot, arktype, ...): by type of message, `{ admit: z.object(...) }`,
   * and messages of types that do not stand there are passed over, they change nothing; or one schema for the body of
   * every message. `handle` gets what the schema makes of the body, defaults filled in. `history` is as it was recorded.
   * They must answer at once (`plugin_host/async-schema`), and be as pure as the handler.
   */
  messages?: S;
  /**
   * What becomes of a message whose body its schema refuses, or whose bytes are not what its media type says. It stays
   * recorded in any case. `alert`, the usual: nothing changes, and the effect `alert` tells somebody, with the code
   * `<name>/invalid-message`; `ignore`: nothing changes; `park`: the plugin stands still for this actor until a version
   * comes that takes the message (`plugin_host/invalid-message`): where to go on would be worse than to wait.
   */
  whenInvalid?: WhenInvalid;
  /**
   * What projections must be after every message, as a Standard Schema: looked at, and kept as the handler gave them. Others
   * park the message (`plugin_host/invalid-projections`). The type of the projections is then that of its output.
   */
  projections?: Schema<unknown, P>;
  /** the effects that it may ask for; another parks the message (`plugin_host/undeclared-effect`). Left out: all. */
  effects?: readonly E[];
  /** what it may use up */
  limits?: HandlerLimits;
}

/** A handler: a pure function of an actor's life. */
export interface HandlerDefinition<
  P = unknown,
  S extends MessageSchemas | undefined = MessageSchemas | undefined,
> extends HandlerManifest<P, S> {
  /**
   * Decides about one message. Must be synchronous and pure: no clock (use `message.at`), no chance, no I/O, nothing
   * kept outside the projections. Whatever it throws parks the plugin for this actor until a mended version comes.
   *
   * @param key the actor
   * @param projections a copy of what the message before led to; the handler may change it
   * @param message the message
   * @param history the messages before it
   * @param switches feature flags
   * @returns `["ok", projections, effects]`: projections at most 1 MiB of JSON, at most 100 effects
   */
  handle(
    key: FullKey,
    projections: P,
    message: HandlerMessage,
    history: HandlerHistory,
    switches: Switches,
  ): HandlerResult<P>;
}

/** What {@linkcode defineHandler} is given: a definition whose messages are what its schemas say. */
export interface HandlerDeclaration<
  P,
  S extends MessageSchemas | undefined = undefined,
  E extends EffectType = EffectType,
> extends HandlerManifest<P, S, E> {
  /** as {@linkcode HandlerDefinition.handle}; `message` is a union that `type` tells apart */
  handle(
    key: FullKey,
    projections: P,
    message: MessagesFor<S>,
    history: HandlerHistory,
    switches: Switches,
  ): HandlerResult<NoInfer<P>, Extract<Effect, { type: NoInfer<E> }>>;
}

/**
 * Declares a handler; a plugin's module exports the answer as its default. The type of the projections is that of
 * `initial`, or of the schema `projections`; without one, where a field begins as `null`, say what it may become
 * (`null as string | null`). The types of messages are those of the schemas `messages`.
 *
 * @param definition name, kind of actor, first projections and the function; schemas, effects and limits where it likes
 * @returns the definition; with schemas, its `handle` looks at messages and projections
 * @throws {TypeError} when it is none, with what is wrong
 *
 * @example
 * ```ts
 * import { defineHandler, effect } from "./sdk.ts";
 * const census = defineHandler({
 *   name: "census",
 *   kind: "patient",
 *   initial: { ward: null as string | null },
 *   handle(key, projections, message) {
 *     if (message.type !== "admit") return ["ok", projections, []];
 *     const ward: string = message.body.ward;
 *     return ["ok", { ward }, [effect.send({ kind: "ward", facility: key.facility, id: ward }, { type: "arrived" })]];
 *   },
 * });
 * if (census.name !== "census") throw new Error("unreachable");
 * ```
 */
export function defineHandler<
  P,
  S extends MessageSchemas | undefined = undefined,
  E extends EffectType = EffectType,
>(definition: HandlerDeclaration<P, S, E>): HandlerDefinition<P, S> {
  const problem = problemOfDefinition(definition);
  if (problem !== "") throw new TypeError(`Cannot define the handler as ${problem}`);
  // Only what the schemas let through comes to `handle`, so it may be narrower than a definition's.
  const given = definition as unknown as HandlerDefinition<P, S>;
  const handle = checkedHandle(given as HandlerDefinition) as HandlerDefinition<P, S>["handle"];
  return handle === given.handle ? given : { ...given, handle };
}

/** What a handler may ask for. An effect is data: making one does nothing; it is carried out after its commit. */
export interface EffectMakers {
  /**
   * A message to another actor (or to itself), once for ever.
   *
   * @param key who gets it; `kind` is `"patient"` where left out
   * @param message `{ type, body, contentType? }`; any other object is itself the body, and its `type` the type
   */
  send(key: ActorKey, message: EffectMessage | Record<string, unknown>): SendEffect;
  /** A derived message into the own history; `message` as for `send`. */
  emit(message: EffectMessage | Record<string, unknown>): EmitEffect;
  /** The answer for who waits until the message is handled: plain data. */
  reply(body: unknown): ReplyEffect;
  /** Something that a person should know: a stable code (`plugin/what`) and a text without patient data. */
  alert(code: string, text: string): AlertEffect;
  /**
   * A message to the own actor at a later time: recorded once, at that time or later, never earlier. It counts as a
   * message like any other: every plugin of the actor handles it, its `at` is when it was recorded, its id is made from
   * the message that was handled here. A timer of the same name of this plugin is replaced. At most 64 timers an actor;
   * an outcome that asks for more parks the plugin for the actor (`actors/too-many-timers`).
   *
   * @param name 1 to 200 characters: for `cancel`, and for replacing it
   * @param when `{ at }` in ms since 1970, or `{ afterMs }` from the handled message's `at`
   * @param message as for `send`; at most 16 KiB
   *
   * @example
   * ```ts
   * import { defineHandler, effect } from "./sdk.ts";
   * export default defineHandler({
   *   name: "length-of-stay",
   *   kind: "patient",
   *   initial: { reminded: false },
   *   handle(_key, projections, message) {
   *     const afterMs = 24 * 3600 * 1000;
   *     if (message.type === "admit") return ["ok", projections, [effect.schedule("day", { afterMs }, { type: "day" })]];
   *     if (message.type === "discharge") return ["ok", projections, [effect.cancel("day")]];
   *     return ["ok", { reminded: projections.reminded || message.type === "day" }, []];
   *   },
   * });
   * ```
   */
  schedule(
    name: string,
    when: { at: number } | { afterMs: number },
    message: EffectMessage | Record<string, unknown>,
  ): ScheduleEffect;
  /**
   * Takes a timer of this plugin back. If its message is in the log before this decision is, it has fired; no timer of
   * that name: nothing happens.
   */
  cancel(name: string): CancelEffect;
  /**
   * Ends the actor's life: its history is freed on every copy and its timers are cancelled; its last seq and the ids of
   * the last 30 days stay known. It holds only while the handled message is the actor's last, and waits until every
   * plugin is through with it and every effect of the actor is carried out (an `emit` beside it makes it void). Until the
   * next message, which begins a new life with first projections and an empty history, the actor cannot be read.
   *
   * @example
   * ```ts
   * import { defineHandler, effect } from "./sdk.ts";
   * export default defineHandler({
   *   name: "order",
   *   kind: "order",
   *   initial: null,
   *   handle: (_key, _projections, message) => ["ok", null, message.type === "done" ? [effect.retire()] : []],
   * });
   * ```
   */
  retire(): RetireEffect;
  /**
   * A message to the outside, by a sink: carried out after the commit, at least once, under an id that stays the same at
   * every attempt. An actor's messages to one sink come in order.
   *
   * @param sink name of a deployed sink; where there is none of that name it waits for one
   * @param message as for `send`
   * @param options what the sink wants to know beside it: at most 20 texts
   * @param back.answerAs what the target answers comes back into the own history, as a message of this type
   *
   * @example
   * ```ts
   * import { defineHandler, effect } from "./sdk.ts";
   * export default defineHandler({
   *   name: "results-out",
   *   kind: "patient",
   *   initial: null,
   *   handle: (_key, _projections, message) =>
   *     ["ok", null, message.type === "ORU^R01" ? [effect.deliver("lab-archive", { type: "result", body: message.id })] : []],
   * });
   * ```
   */
  deliver(
    sink: string,
    message: EffectMessage | Record<string, unknown>,
    options?: Readonly<Record<string, string>>,
    back?: { answerAs?: string },
  ): DeliverEffect;
}

/** Makes effects; see {@linkcode EffectMakers}. */
export const effect: EffectMakers = {
  send: (key, message) => ({ type: "send", key, message: envelopeOf(message) }),
  emit: (message) => ({ type: "emit", message: envelopeOf(message) }),
  reply: (body) => ({ type: "reply", body }),
  alert: (code, text) => ({ type: "alert", code, text }),
  schedule: (name, when, message) => ({ type: "schedule", name, ...when, message: envelopeOf(message) }),
  cancel: (name) => ({ type: "cancel", name }),
  retire: () => ({ type: "retire" }),
  deliver: (sink, message, options, back = {}) => ({
    type: "deliver",
    sink,
    message: envelopeOf(message),
    ...options === undefined ? {} : { options },
    ...back,
  }),
};

// As with node.send({ type: "admit", ward: "5W" }): an object without a `body` is the body, its type included.
function envelopeOf(message: EffectMessage | Record<string, unknown>): EffectMessage {
  if ("body" in message) return message as EffectMessage;
  return { type: typeof message.type === "string" ? message.type : "", body: message };
}
