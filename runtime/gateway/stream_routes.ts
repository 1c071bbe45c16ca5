/**
 * `POST /v1/messages`: many messages in one request, NDJSON in and out, streaming. One request is one sender: its
 * messages to one actor stand in the order of its lines.
 *
 * A line is `{"key","id"?,"type"?,"message","contentType"?,"encoding"?}`, an event of a history with a key. `message` is
 * a JSON value; with another `contentType` a string is sent as UTF-8, and with `"encoding":"base64"` as the bytes that it
 * means. Errors are problems with the `line`'s number, from 1, empty lines not counted. JSON values are written anew, so the same message POSTed alone in other spelling is "other bytes".
 */
import type { Context } from "@hono/hono";
import { type Line, LineReader, refuseEncoded } from "./body.ts";
import { essenceOf, isJson, parseJson, typeInside } from "./content.ts";
import { badContentType, badRequest, pastDeadline, tooLarge } from "./errors.ts";
import { answerLines, type Place } from "./line_stream.ts";
import { type Failure, failureOf, problemOf } from "./problem.ts";
import { canonicalKey, checkedName, type Gateway, type Route } from "./routing.ts";
import type { CheckedPost, PostAnswer } from "./service.ts";

/** Media types of lines of JSON. */
export const NDJSON: ReadonlySet<string> = new Set([
  "application/x-ndjson",
  "application/ndjson",
  "application/jsonl",
  "application/json-lines",
]);

/** Adds the route. */
export function addStreamRoutes(route: Route, gateway: Gateway): void {
  route("POST", "/v1/messages", (c) => postMany(c, gateway));
}

function postMany(c: Context, gateway: Gateway): Response {
  const { service, world, limits, streams } = gateway;
  if (!NDJSON.has(essenceOf(c.req.header("content-type") ?? null))) {
    throw badContentType("Cannot read the messages as their Content-Type must be application/x-ndjson");
  }
  refuseEncoded(c.req.raw);
  const stream = streams.open();
  const lines = new LineReader(c.req.raw.body ?? new Blob([]).stream(), { lineBytesMax: limits.bodyBytesMax });
  const sender = `ndjson-${service.newId()}`;

  const work = (line: Line, place: Place) => {
    let request: CheckedPost;
    try {
      request = requestOf(line, gateway, sender);
    } catch (error) {
      return place.finish(problemLine(place.number, failureOf(error)));
    }
    service.postNow(request, (answer) => {
      place.finish(
        answer.state === "recorded" ? receiptLine(answer) : problemLine(place.number, { ...answer, id: request.id }),
      );
    });
  };
  const answers = answerLines(lines, work, {
    world,
    inFlightMax: limits.streamInFlightMax,
    inFlightBytesMax: limits.streamInFlightBytesMax,
    deadlineMs: limits.requestDeadlineMs,
    late: (number) => problemLine(number, pastDeadline(limits.requestDeadlineMs, "unknown")),
    stream,
  });
  return new Response(answers, { headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" } });
}

function problemLine(line: number, failure: Failure): string {
  const { code, outcome, message, retryAfterMs, seq, id } = failure;
  return JSON.stringify({ line, ...problemOf({ code, outcome, message, retryAfterMs, seq, id }) });
}

/** A receipt as a line, put together by hand: it takes a third of the time that writing out the object does. */
function receiptLine(answer: PostAnswer & { state: "recorded" }): string {
  const { key, id, seq, shard, generation, term, index, writer, copies, digest } = answer.receipt;
  return `{"key":${JSON.stringify(key)},"id":${JSON.stringify(id)},"seq":${seq},"shard":"${shard}",` +
    `"generation":${generation},"term":${term},"index":${index},"writer":${JSON.stringify(writer)},` +
    `"copies":${JSON.stringify(copies)},"digest":"${digest}"${answer.duplicate ? `,"duplicate":true}` : "}"}`;
}

function requestOf(line: Line, { service, limits }: Gateway, sender: string): CheckedPost {
  if (line.state === "too-long") throw tooLarge("line", limits.bodyBytesMax);
  const value = parseJson(line.bytes, limits.jsonDepthMax);
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest(`Cannot read the line as it must be an object: {"key","id"?,"type"?,"message"}`);
  }
  const { key, id, type, message, contentType = "application/json", encoding } = value as Record<string, unknown>;
  if (typeof key !== "string") throw badRequest("Cannot read the line as its key must be a text, kind/facility/id");
  if (message === undefined) throw badRequest("Cannot read the line as it must have a message");
  if (typeof contentType !== "string" || !isAbsentOrText(id) || !isAbsentOrText(type)) {
    throw badRequest("Cannot read the line as its id, type and contentType must be texts");
  }
  const essence = essenceOf(contentType);
  const payload = payloadOf(message, { essence, encoding });
  return {
    key: canonicalKey(key),
    id: checkedName("message id", id ?? "") || service.newId(),
    type: checkedName("message type", type ?? typeOf(message, { essence, payload, jsonDepthMax: limits.jsonDepthMax })),
    contentType,
    payload,
    atMs: service.nowWallMs(),
    sender,
    ifMatch: undefined,
  };
}

/** The line has been parsed with its message in it: what is there need not be read out of the bytes again. */
function typeOf(
  message: unknown,
  about: { essence: string; payload: Uint8Array; jsonDepthMax: number },
): string {
  if (!isJson(about.essence) || typeof message === "string") {
    return typeInside(about.essence, about.payload, about.jsonDepthMax);
  }
  const { type } = (message ?? {}) as { type?: unknown };
  return typeof type === "string" ? type : "";
}

const ENCODER = new TextEncoder();

function isAbsentOrText(value: unknown): value is string | undefined {
  return value === undefined || typeof value === "string";
}

function payloadOf(message: unknown, { essence, encoding }: { essence: string; encoding: unknown }): Uint8Array {
  if (encoding === "base64" && typeof message === "string") {
    try {
      return Uint8Array.fromBase64(message);
    } catch {
      throw badRequest("Cannot read the line as its message must be base64, as its encoding says");
    }
  }
  if (encoding !== undefined) throw badRequest(`Cannot read the line as encoding must be left out or "base64"`);
  if (isJson(essence)) return bytesOf(JSON.stringify(message));
  if (typeof message === "string") return bytesOf(message);
  throw badRequest("Cannot read the line as a message that is not JSON must be a text");
}

/** Memory for payloads is taken by the piece: bytes with a buffer of their own cost more than all else of a short line. */
const PIECE_BYTES = 64 << 10;
const SHORT_UNITS_MAX = 4096;
let piece = new Uint8Array(PIECE_BYTES);
let used = 0;

function bytesOf(text: string): Uint8Array {
  if (text.length > SHORT_UNITS_MAX) return ENCODER.encode(text);
  if (used + 3 * text.length > PIECE_BYTES) {
    piece = new Uint8Array(PIECE_BYTES);
    used = 0;
  }
  const { written } = ENCODER.encodeInto(text, piece.subarray(used));
  const bytes = new Uint8Array(piece.buffer, used, written);
  used += written;
  return bytes;
}
