import { formatKey, parseKey } from "../runtime/base/mod.ts";
import { readHl7Route } from "../runtime/wire/mod.ts";
import type { AddressedMessage } from "./addressed_messages.ts";
import type { GivenMessage } from "./given_message.ts";

/**
 * Reads recorded messages: NDJSON as `POST /v1/messages` takes it, a line `{ "key", "type"?, "contentType"?, "message" }`
 * each; NDJSON as `waterpark actor history KEY --json` prints it, where `body` is the message, with the ids and times that
 * they had; or HL7 v2, each message beginning with its MSH segment and addressed by MSH-4.1 and PID-3.1.
 *
 * @param text of the file
 * @returns the messages in their order
 * @throws {TypeError} when a line is neither, with its number
 *
 * @example
 * ```ts
 * import { historiesIn, recordingOf } from "@waterpark/waterpark/testing";
 * const recording = recordingOf('{"key":"HOSPX/1","message":{"type":"admit"}}\n{"key":"HOSPX/2","message":"a note"}\n');
 * if (recording.length !== 2 || historiesIn(recording).length !== 2) throw new Error("unreachable");
 * ```
 */
export function recordingOf(text: string): AddressedMessage[] {
  const isHl7 = /^[\uFEFF\s]*MSH/.test(text);
  return isHl7
    ? hl7Messages(text)
    : text.split("\n").flatMap((line, i) => line.trim() === "" ? [] : [fromLine(line, i)]);
}

/**
 * The histories in a recording, one an actor: what `checkHandler` takes as `recorded`.
 *
 * @param recording messages in their order
 * @param kind only actors of this kind; default: of all
 */
export function historiesIn(recording: readonly AddressedMessage[], kind?: string): GivenMessage[][] {
  const histories = new Map<string, GivenMessage[]>();
  for (const { key, message } of recording) {
    const parsed = typeof key === "string" ? parseKey(key) : key;
    if (kind !== undefined && (parsed.kind ?? "patient") !== kind) continue;
    const name = formatKey(parsed);
    histories.set(name, [...histories.get(name) ?? [], message]);
  }
  return [...histories.values()];
}

function fromLine(line: string, index: number): AddressedMessage {
  const refuse = (state: string): never => {
    throw new TypeError(
      `Cannot read line ${
        index + 1
      } of the recording as it must be { "key", "message" } or { "key", "body" }: ${state}`,
    );
  };
  let value: Partial<Record<"key" | "id" | "at" | "type" | "contentType" | "message" | "body" | "encoding", unknown>>;
  try {
    value = JSON.parse(line);
  } catch {
    return refuse("it is no JSON");
  }
  const { key, id, at, type, contentType, message, body = message, encoding } = value ?? {};
  if (typeof key !== "string") return refuse("it has no key");
  if (body === undefined) return refuse("it has no message");
  for (const [name, text] of Object.entries({ id, type, contentType })) {
    if (text !== undefined && typeof text !== "string") return refuse(`its ${name} must be a text`);
  }
  if (at !== undefined && !Number.isFinite(at)) return refuse("its at must be a number of ms");
  if (encoding !== undefined && encoding !== "base64") return refuse("its encoding must be base64");
  try {
    parseKey(key);
    const given = { id, at, type, contentType, body: encoding === "base64" ? bytesOf(body) : body };
    // What is left out is made up, but an undefined id would stand there as one.
    const there = Object.entries(given).filter(([, field]) => field !== undefined);
    return { key, message: Object.fromEntries(there) };
  } catch (error) {
    return refuse((error as Error).message);
  }
}

function bytesOf(body: unknown): Uint8Array {
  try {
    return Uint8Array.fromBase64(body as string);
  } catch {
    throw new TypeError("its body must be base64");
  }
}

function hl7Messages(text: string): AddressedMessage[] {
  const encoder = new TextEncoder();
  return text.split(/(?<=^|[\r\n])(?=MSH)/).map((part) => part.replace(/[\uFEFF\s]+$/, "")).filter((part) =>
    part !== ""
  )
    .map((part, i) => {
      const message = part.split(/[\r\n]+/).join("\r");
      const answer = readHl7Route(encoder.encode(message));
      if (answer.state !== "ok") {
        throw new TypeError(`Cannot read message ${i + 1} of the recording as it must be routed: ${answer.message}`);
      }
      const { facility, id } = answer.route;
      return { key: { kind: "patient", facility, id }, message };
    });
}
