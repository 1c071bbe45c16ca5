/**
 * What a body is: content types, JSON from strangers, and how an event's raw bytes are shown as JSON.
 */
import { HL7_CONTENT_TYPE, parseHl7 } from "../wire/mod.ts";
import { badContentType, badJson } from "./errors.ts";
import type { HistoryEvent } from "./service.ts";

const TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const CONTENT_TYPE = new RegExp(
  `^(${TOKEN}/${TOKEN})(?:[ \\t]*;[ \\t]*${TOKEN}=(?:${TOKEN}|"(?:[^"\\\\\\p{Cc}]|\\\\[^\\p{Cc}])*"))*[ \\t]*;?$`,
  "u",
);

const DECODER = new TextDecoder("utf-8", { fatal: true });

/** The longest content type that is kept, in UTF-16 units. */
export const CONTENT_TYPE_UNITS_MAX = 200;

/**
 * The type and subtype of a Content-Type header, in lower case. Any that is well-formed will do: a recorder that
 * refuses what it does not know loses messages.
 *
 * @throws {WaterparkError} `gateway/bad-content-type`
 */
export function essenceOf(contentType: string | null): string {
  // what nearly all are
  if (contentType === "application/json") return contentType;
  const match = contentType !== null && contentType.length <= CONTENT_TYPE_UNITS_MAX && CONTENT_TYPE.exec(contentType);
  if (!match) {
    throw badContentType(
      `Cannot take the message as its Content-Type must be type/subtype: ${
        contentType === null ? "there is none" : "it is malformed"
      }`,
    );
  }
  return match[1].toLowerCase();
}

/** Whether bytes of this type must be JSON. */
export function isJson(essence: string): boolean {
  return essence === "application/json" || essence.endsWith("+json");
}

/** Whether bytes of this type are for reading, and so are shown as text. */
export function isText(essence: string): boolean {
  return essence.startsWith("text/") || essence === HL7_CONTENT_TYPE || essence.endsWith("xml") ||
    essence === "application/javascript" || essence === "application/x-www-form-urlencoded";
}

/**
 * Parses JSON that a stranger sent.
 *
 * @throws {WaterparkError} `gateway/bad-json`
 */
export function parseJson(bytes: Uint8Array, depthMax: number): unknown {
  let isDeep = false;
  try {
    const text = DECODER.decode(bytes);
    isDeep = mayBeTooDeep(text, depthMax) && isTooDeep(bytes, depthMax);
    if (!isDeep) return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text: patient data, and so no cause either.
    throw badJson("Cannot read the JSON as it must be well-formed UTF-8 and JSON");
  }
  throw badJson(`Cannot read the JSON as it must be nested at most ${depthMax} deep`);
}

/** Few messages have as many brackets as may be nested: the engine finds those faster than we look at each byte. */
function mayBeTooDeep(text: string, depthMax: number): boolean {
  let brackets = 0;
  for (const bracket of ["[", "{"]) {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) {
      if (++brackets > depthMax) return true;
    }
  }
  return false;
}

function isTooDeep(bytes: Uint8Array, depthMax: number): boolean {
  let depth = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === 0x5c) i++;
      else if (byte === 0x22) inString = false;
    } else if (byte === 0x22) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > depthMax) return true;
    } else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return false;
}

/**
 * What a message says it is, where the sender did not: the `type` of a JSON object, MSH-9 of HL7.
 *
 * @throws {WaterparkError} `gateway/bad-json` for JSON that is none
 */
export function typeInside(essence: string, payload: Uint8Array, depthMax: number): string {
  if (isJson(essence)) {
    const value = parseJson(payload, depthMax) as { type?: unknown } | null;
    return typeof value?.type === "string" ? value.type : "";
  }
  if (essence !== HL7_CONTENT_TYPE) return "";
  try {
    return parseHl7(payload).type;
  } catch {
    // Not HL7, though it says so: kept all the same, handlers will see the bytes.
    return "";
  }
}

/** A message as HTTP shows it; `message` is a JSON value, a text, or, with `encoding`, base64. */
export interface ContentJson {
  /** what happened */
  type: string;
  /** media type as it was sent */
  contentType: string;
  /** JSON value, text, or base64 */
  message: unknown;
  /** there when `message` is base64 */
  encoding?: "base64";
}

/** An event as HTTP shows it. */
export interface EventJson extends ContentJson {
  /** place in the history, from 1 */
  seq: number;
  /** message id */
  id: string;
  /** wall time in ms at which a gateway took it in */
  at: number;
}

/** An event as JSON, see {@linkcode contentJson}. */
export function eventJson({ seq, id, at, ...content }: HistoryEvent): EventJson {
  return { seq, id, at, ...contentJson(content) };
}

/** A message as JSON: a value where it is JSON, text where it is text and UTF-8, base64 for all else. */
export function contentJson(content: { type: string; contentType: string; payload: Uint8Array }): ContentJson {
  const { type, contentType, payload } = content;
  const essence = contentType.split(";", 1)[0].trim().toLowerCase();
  if (isJson(essence) || isText(essence)) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(payload);
      return { type, contentType, message: isJson(essence) ? JSON.parse(text.replace(/^\uFEFF/, "")) : text };
    } catch {
      // not what its type says; the bytes as they are
    }
  }
  return {
    type,
    contentType,
    message: (payload as { toBase64(): string } & Uint8Array).toBase64(),
    encoding: "base64",
  };
}
