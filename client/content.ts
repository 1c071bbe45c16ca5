/**
 * Messages as programs hold them, and as they travel.
 */
import type { EventJson } from "../runtime/gateway/mod.ts";

/** A message to send: an object or other JSON value, a text, or bytes. */
export type Message = string | Uint8Array | object | number | boolean | null;

/** One message of a history, decoded. */
export interface ActorEvent {
  /** place in the history, from 1 */
  seq: number;
  /** message id */
  id: string;
  /** wall time in ms at which a gateway took it in */
  at: number;
  /** what happened */
  type: string;
  /** media type */
  contentType: string;
  /** JSON value, text, or bytes */
  body: unknown;
}

/** The media type that a message has where none is given. */
export function contentTypeOf(message: Message): string {
  if (typeof message === "string") return "text/plain; charset=utf-8";
  return message instanceof Uint8Array ? "application/octet-stream" : "application/json";
}

/** The bytes or text that go out for a message. */
export function payloadOf(message: Message, contentType: string): string | Uint8Array {
  if (message instanceof Uint8Array) return message;
  if (typeof message === "string" && !/^application\/(.+\+)?json\b/i.test(contentType)) return message;
  return JSON.stringify(message);
}

/** A message as a field of an NDJSON line. */
export function lineFields(message: Message, contentType: string): Record<string, unknown> {
  return message instanceof Uint8Array
    ? { contentType, message: toBase64(message), encoding: "base64" }
    : { contentType, message };
}

/** An event as it came, decoded. */
export function decodeEvent({ message, encoding, ...event }: EventJson): ActorEvent {
  return { ...event, body: encoding === "base64" ? fromBase64(message as string) : message };
}

// atob and btoa, as not every runtime that this is used from has Uint8Array.fromBase64
function fromBase64(text: string): Uint8Array {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
