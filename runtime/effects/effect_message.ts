import { type Digest64, digest64, digestText, formatKey } from "../base/mod.ts";
import type { Effect, EffectMessage } from "./effect.ts";

const ENCODER = new TextEncoder();

/** Bytes of an effect's id that the log takes without complaint; a longer one has its key's tail replaced. */
const ID_BYTES_MAX = 400;

/**
 * The id of an effect, which is also the id of the message that it posts: the same for every attempt and every writer.
 *
 * @param key canonical key of the actor whose handler asked
 * @param seq the message that was handled
 * @param plugin who asked
 * @param n the effect's place among the outcome's effects, from 0
 */
export function effectId(key: string, seq: number, plugin: string, n: number): string {
  const tail = `#${seq}#${plugin}#${n}`;
  const bytes = ENCODER.encode(key);
  if (bytes.length + tail.length <= ID_BYTES_MAX) return key + tail;
  const digest: Digest64 = digest64(bytes);
  return `~${digestText(digest)}${tail}`;
}

/**
 * The message that an effect posts; of a timer, the one that it records when it fires.
 *
 * @returns null when it posts none (`reply`, `alert`, `cancel`, `retire`)
 * @throws {WaterparkError} `base/bad-key` when the target is no key; TypeError when the body cannot be JSON
 */
export function messageOf(
  effect: Effect,
  source: string,
): { key: string; type: string; contentType: string; payload: Uint8Array } | null {
  if (effect.type !== "send" && effect.type !== "emit" && effect.type !== "schedule") return null;
  const key = effect.type === "send" ? formatKey(effect.key) : source;
  return { key, type: String(effect.message.type), ...payloadOf(effect.message) };
}

/** The bytes of an effect's message. @throws TypeError when the body cannot be JSON */
export function payloadOf(message: EffectMessage): { contentType: string; payload: Uint8Array } {
  const { body, contentType } = message;
  if (body instanceof Uint8Array) return { contentType: contentType ?? "application/octet-stream", payload: body };
  if (typeof body === "string" && contentType !== undefined && !/^application\/([\w.-]+\+)?json\b/.test(contentType)) {
    return { contentType, payload: ENCODER.encode(body) };
  }
  const json = JSON.stringify(body === undefined ? restOf(message) : body) ?? "null";
  return { contentType: contentType ?? "application/json", payload: ENCODER.encode(json) };
}

/** What a message without `body` carries: its other fields, so `{ type: "arrived", patient }` says what it looks like. */
function restOf(message: EffectMessage): unknown {
  const { type: _type, contentType: _contentType, body: _body, ...rest } = message as EffectMessage & { type: string };
  return Object.keys(rest).length === 0 ? null : rest;
}
