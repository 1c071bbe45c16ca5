/**
 * Dead letters: deliveries that were given up, each an actor of kind `dead_letter`, its facility the sink's name. Its first
 * message holds all that is needed to send it again; what is done about it are further messages.
 */
import { digest64, digestText, formatKey } from "../base/mod.ts";
import type { DeliverEffect, EffectMessage } from "./effect.ts";
import { payloadOf } from "./effect_message.ts";
import type { EffectPosting } from "./effects_options.ts";

/** Kind of the actors that dead letters are. */
export const DEAD_LETTER_KIND = "dead_letter";

/** What a dead letter's first message says. */
export interface DeadLetter {
  /** name of the sink */
  sink: string;
  /** id of the effect, under which it is sent again, too */
  effect: string;
  /** who asked: canonical key, place of the message that was handled, plugin */
  key: string;
  seq: number;
  plugin: string;
  /** of the delivery */
  type: string;
  contentType: string;
  options: Readonly<Record<string, string>>;
  /** base64 of what was to be sent; null: too long to be kept twice, it stands in the history of `key` */
  bytes: string | null;
  attempts: number;
  /** why it was given up */
  code: string;
  text: string;
  /** what the target said last */
  answer?: string;
}

/** Longer ones are left where they are. */
const BYTES_MAX = 512 * 1024;

/** What {@linkcode deadLetterOf} needs. */
export interface Undelivered {
  source: string;
  seq: number;
  plugin: string;
  id: string;
  effect: DeliverEffect;
  attempts: number;
  code: string;
  text: string;
}

/** Key of the dead letter of an effect: the same however often it is given up. */
export function deadLetterKey(sink: string, effectId: string): string {
  const id = digestText(digest64(new TextEncoder().encode(effectId)));
  return formatKey({ kind: DEAD_LETTER_KIND, facility: sink, id });
}

/** The message that makes it. */
export function deadLetterOf(task: Undelivered, answer?: string): Omit<EffectPosting, "atMs" | "sender"> {
  const { source, seq, plugin, id, effect: { sink, message, options = {} }, attempts, code, text } = task;
  const { contentType, payload } = bytesOf(message);
  const letter: DeadLetter = {
    ...{ sink, effect: id, key: source, seq, plugin, type: String(message.type), contentType, options },
    bytes: payload === null || payload.length > BYTES_MAX ? null : payload.toBase64(),
    ...{ attempts, code, text },
    ...answer === undefined ? {} : { answer },
  };
  return {
    key: deadLetterKey(sink, id),
    // Given up twice, by two writers, or again after it was sent once more: what it says then is another matter.
    id: `${id}#dead#${attempts}`,
    type: "dead",
    contentType: "application/json",
    payload: new TextEncoder().encode(JSON.stringify(letter)),
  };
}

function bytesOf(message: EffectMessage): { contentType: string; payload: Uint8Array | null } {
  try {
    return payloadOf(message);
  } catch {
    return { contentType: "", payload: null };
  }
}
