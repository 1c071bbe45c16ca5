/**
 * Channels: what integration engines have, said in one object: which messages, what becomes of them, where they go. A
 * channel is a handler and nothing more: recorded, tested, deployed, staged, rolled back and folded anew like any other;
 * its destinations are sinks, each with its own queue per actor.
 *
 * Runs where handlers do, so it imports nothing but types and the SDK.
 */
import type { FullKey } from "../base/mod.ts";
import { defineHandler, effect, type HandlerDefinition, type HandlerMessage } from "./sdk.ts";

/** What a transform makes: a message for a sink. */
export interface Outgoing {
  /** what it is; left out: as the message that came */
  readonly type?: string;
  /** media type; left out: by the body's form, see `EffectMessage` */
  readonly contentType?: string;
  /** text, bytes, or anything that JSON has */
  readonly body: unknown;
  /** what the sink wants to know beside it, as a topic or a file's name */
  readonly options?: Readonly<Record<string, string>>;
}

/** One way out of a channel. */
export interface Destination {
  /** within the channel: it stands in the counts */
  readonly name: string;
  /** name of the sink that carries it out */
  readonly sink: string;
  /** which messages go there; left out: all that the channel takes */
  filter?(message: HandlerMessage, key: FullKey): boolean;
  /** what is sent, one or several; null: nothing. Left out: the message as it came */
  transform?(message: HandlerMessage, key: FullKey): Outgoing | readonly Outgoing[] | null;
  /** what the target answers comes back into the actor's history, as a message of this type; left out: it does not */
  readonly answerAs?: string;
}

/** A channel. */
export interface ChannelDefinition {
  /** the plugin's name */
  readonly name: string;
  /** kind of the actors whose messages it takes; left out: `patient` */
  readonly kind?: string;
  /** which messages it takes; left out: all */
  filter?(message: HandlerMessage, key: FullKey): boolean;
  /** where they go, in this order */
  readonly destinations: readonly Destination[];
  /**
   * What becomes of a message at which a filter or a transform throws: `park`, the actor's later messages wait for a mended
   * version, which begins with it; `skip`, it is counted as failed, alarm is given, and the next one has its turn. Usual:
   * `park`, as order is lost by the other.
   */
  readonly whenFails?: "park" | "skip";
}

/** What a channel keeps of each actor. */
export interface ChannelCounts {
  /** messages that the channel has seen */
  received: number;
  /** of them, those that its filter has left out, or all destinations' */
  filtered: number;
  /** of them, those that a filter or a transform failed at (`skip`) */
  failed: number;
  /** by destination: messages handed to its sink */
  sent: Record<string, number>;
}

/**
 * Declares a channel; a plugin's module exports the answer as its default, which is a handler.
 *
 * @throws {TypeError} when it is none, with what is wrong
 *
 * @example
 * ```ts
 * import { defineChannel } from "./channel.ts";
 * export default defineChannel({
 *   name: "lab-results",
 *   filter: ({ type }) => type === "ORU^R01",
 *   destinations: [
 *     { name: "archive", sink: "lab-archive" },
 *     {
 *       name: "critical",
 *       sink: "pager",
 *       filter: ({ body }) => body.get("OBX-8") === "HH",
 *       transform: ({ body }, key) => ({ type: "critical", body: { patient: key.id, code: body.get("OBX-3.1") } }),
 *     },
 *   ],
 * });
 * ```
 */
export function defineChannel(definition: ChannelDefinition): HandlerDefinition<ChannelCounts> {
  const { name, kind = "patient", filter, destinations, whenFails = "park" } = definition;
  const problem = problemOf(destinations);
  if (problem !== "") throw new TypeError(`Cannot define the channel as ${problem}`);
  const answers = new Set(destinations.map((destination) => destination.answerAs).filter((type) => type !== undefined));

  return defineHandler<ChannelCounts>({
    name,
    kind,
    initial: { received: 0, filtered: 0, failed: 0, sent: {} },
    handle(key, counts, message) {
      // What has come back from a destination has been through here.
      if (answers.has(message.type)) return ["ok", counts, []];
      counts.received++;
      const effects = [];
      const sent: string[] = [];
      try {
        if (filter === undefined || filter(message, key)) {
          for (const destination of destinations) {
            const made = madeFor(destination, message, key);
            if (made.length > 0) sent.push(destination.name);
            effects.push(...made);
          }
        }
      } catch (error) {
        if (whenFails === "park") throw error;
        counts.failed++;
        // without what the error says, which may quote the message
        return ["ok", counts, [
          effect.alert(`${name}/failed`, `a message of type ${message.type} could not be sent on`),
        ]];
      }
      if (sent.length === 0) counts.filtered++;
      for (const one of sent) counts.sent[one] = (counts.sent[one] ?? 0) + 1;
      return ["ok", counts, effects];
    },
  });
}

function madeFor(destination: Destination, message: HandlerMessage, key: FullKey) {
  const { sink, filter, transform, answerAs } = destination;
  if (filter !== undefined && !filter(message, key)) return [];
  const made = transform === undefined ? asItCame(message) : transform(message, key);
  const all: readonly Outgoing[] = made === null ? [] : Array.isArray(made) ? made : [made as Outgoing];
  return all.map(({ type = message.type, contentType, body, options }) =>
    effect.deliver(
      sink,
      { type, body, ...contentType === undefined ? {} : { contentType } },
      options,
      answerAs === undefined ? {} : { answerAs },
    )
  );
}

/** HL7 character by character as it came, other content as it is decoded. */
function asItCame({ contentType, body }: HandlerMessage): Outgoing {
  return { contentType, body: contentType.startsWith("x-application/hl7-v2") ? body.text : body };
}

function problemOf(destinations: unknown): string {
  if (!Array.isArray(destinations) || destinations.length === 0) return "it must have destinations";
  const names = new Set<string>();
  for (const { name, sink } of destinations as Destination[]) {
    if (typeof name !== "string" || !/^[\w.-]{1,64}$/.test(name)) return "each destination must have a name";
    if (names.has(name)) return `the names of destinations must differ: ${name}`;
    names.add(name);
    if (typeof sink !== "string" || !/^[a-z][a-z0-9_-]{0,63}$/.test(sink)) {
      return `${name} must have the name of a sink`;
    }
  }
  return "";
}
