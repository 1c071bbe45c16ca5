/**
 * What a handler declares beside its function, and what the compiler makes of it: which messages it gets, what others may
 * send it. Types only.
 *
 * @module
 */
import type { Effect } from "../effects/mod.ts";
import type { HandlerMessage } from "./sdk.ts";
import type { MessageSchemas, Schema, SchemaInput, SchemaOutput, SchemasByType } from "./standard_schema.ts";

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
