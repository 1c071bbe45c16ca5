import type { Row } from "../runtime/plugin_host/mod.ts";
import { HL7_CONTENT_TYPE, Hl7View, parseHl7 } from "../runtime/wire/mod.ts";

/** A message written down in full; what is left out is made up, the same each time. */
export interface GivenEnvelope {
  /** its id; default `m1`, `m2`, ... by its place. In one history an id stands once: a second one becomes `m1~2` */
  id?: string;
  /** when the gateway took it in, ms since 1970; default one minute after the message before it */
  at?: number;
  /** what happened; default: the `type` of a JSON object, MSH-9 of HL7, else `""` */
  type?: string;
  /** media type; default: by the body's form, as for {@linkcode GivenMessage} */
  contentType?: string;
  /** a JSON value, a text, bytes, or an HL7 message as text or {@linkcode Hl7View} */
  body: unknown;
}

/**
 * A message as a test gives it: a text beginning with `MSH` or an {@linkcode Hl7View} is HL7, another text is
 * `text/plain`, a `Uint8Array` is bytes, an object with a `body` is a {@linkcode GivenEnvelope}, any other object is
 * itself the body, as with `node.send({ type: "admit", ward: "5W" })`.
 */
export type GivenMessage = string | object;

/** A message as it stands in a log. */
export interface LoggedMessage extends Omit<Row, "raw"> {
  /** its bytes */
  readonly payload: Uint8Array;
}

/** When the first message of a history comes in, where it does not say: 2026-01-01, ms since 1970. */
export const FIRST_AT_MS = Date.UTC(2026, 0, 1);
const STEP_MS = 60_000;
const ENCODER = new TextEncoder();

/** The envelope of what was given; bodies of HL7 become their text. */
export function envelopeOf(given: GivenMessage): GivenEnvelope {
  const isBare = typeof given === "string" || given instanceof Uint8Array || given instanceof Hl7View ||
    !("body" in given);
  const envelope = isBare ? { body: given } : given as GivenEnvelope;
  const { body, contentType } = envelope;
  if (body instanceof Hl7View) return { ...envelope, body: body.text, contentType: contentType ?? HL7_CONTENT_TYPE };
  if (contentType !== undefined) return envelope;
  if (body instanceof Uint8Array) return { ...envelope, contentType: "application/octet-stream" };
  if (typeof body !== "string") return { ...envelope, contentType: "application/json" };
  return { ...envelope, contentType: body.startsWith("MSH") ? HL7_CONTENT_TYPE : "text/plain" };
}

/** A history as it would stand in a log: made up what was left out, every id once, times that do not go back. */
export function logged(history: readonly GivenMessage[]): LoggedMessage[] {
  const ids = new Map<string, number>();
  let last = FIRST_AT_MS - STEP_MS;
  return history.map((given, i) => {
    const { id = `m${i + 1}`, at = last + STEP_MS, type, contentType, body } = envelopeOf(given);
    last = Math.max(last, at);
    const times = (ids.get(id) ?? 0) + 1;
    ids.set(id, times);
    const payload = payloadOf(contentType!, body);
    return {
      id: times === 1 ? id : `${id}~${times}`,
      at: last,
      type: type ?? typeInside(contentType!, body, payload),
      contentType: contentType!,
      payload,
    };
  });
}

/** A message of a log as a test would give it: its body as a value or a text where that comes to the same bytes. */
export function givenOf({ payload, ...envelope }: LoggedMessage): GivenEnvelope {
  const text = new TextDecoder().decode(payload);
  const isText = isSame(payload, ENCODER.encode(text));
  if (!isJson(envelope.contentType)) return { ...envelope, body: isText ? text : payload };
  try {
    const body: unknown = JSON.parse(text);
    return { ...envelope, body: isText && JSON.stringify(body) === text ? body : payload };
  } catch {
    return { ...envelope, body: payload };
  }
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && one.every((byte, i) => byte === other[i]);
}

/**
 * The bytes of a body: as they are, a text as its UTF-8, anything else, and whatever has a JSON type, as JSON.
 *
 * @throws {TypeError} when it can be none of these
 */
export function payloadOf(contentType: string, body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body;
  if (typeof body === "string" && !isJson(contentType)) return ENCODER.encode(body);
  const text = JSON.stringify(body);
  if (text === undefined) throw new TypeError(`Cannot take the message as its body must be JSON: ${typeof body}`);
  return ENCODER.encode(text);
}

/** Whether a media type means JSON, as the plugin host has it. */
export function isJson(contentType: string): boolean {
  return /^\s*(application\/json|[^;]*\+json)\s*(;|$)/i.test(contentType);
}

// As the gateway finds it, see `typeInside` there.
function typeInside(contentType: string, body: unknown, payload: Uint8Array): string {
  if (contentType.toLowerCase().includes("hl7-v2")) {
    try {
      return parseHl7(payload).type;
    } catch {
      return "";
    }
  }
  const own = (body as { type?: unknown } | null | undefined)?.type;
  return typeof own === "string" ? own : "";
}
