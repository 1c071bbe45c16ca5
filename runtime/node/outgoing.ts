import { WaterparkError } from "../base/mod.ts";

/** What `send` takes: any JSON value, text, or bytes. */
export type OutgoingMessage = unknown;

/** How a message is sent. */
export interface SendOptions {
  /** message id; made up where left out. Give one to be able to send again safely. */
  id?: string;
  /** what happened; default: the `type` field of a JSON object */
  type?: string;
  /** media type; default by the message's form */
  contentType?: string;
  /** the stream whose messages to one actor stay in order */
  sender?: string;
  /** record only if the actor's last seq is this */
  ifMatch?: number;
  /** answer when recorded (default) or when the handlers are through too */
  wait?: "recorded" | "handled";
}

/** A message as bytes, with its type and media type. */
export function encodeMessage(message: OutgoingMessage, options: SendOptions): SendOptions & {
  type: string;
  contentType: string;
  payload: Uint8Array;
} {
  if (message instanceof Uint8Array) {
    return {
      ...options,
      type: options.type ?? "",
      contentType: options.contentType ?? "application/octet-stream",
      payload: message,
    };
  }
  if (typeof message === "string") {
    const payload = new TextEncoder().encode(message);
    return { ...options, type: options.type ?? "", contentType: options.contentType ?? "text/plain", payload };
  }
  const text = JSON.stringify(message);
  if (text === undefined) {
    throw new WaterparkError(`Cannot send the message as it must be a JSON value, text or bytes: ${typeof message}`, {
      code: "node/bad-message",
      outcome: "not-applied",
    });
  }
  const own = typeof message === "object" && message !== null ? (message as { type?: unknown }).type : undefined;
  return {
    ...options,
    type: options.type ?? (typeof own === "string" ? own : ""),
    contentType: options.contentType ?? "application/json",
    payload: new TextEncoder().encode(text),
  };
}
