/**
 * HL7 v2, read lazily. `readHl7Route` is the hot path over raw bytes, `parseHl7` the message as handlers see it,
 * `buildAck` the answer to a sender.
 *
 * An HL7 v2 message is lines of fields, cut by delimiters that its first line declares. Reading all of it costs ten
 * times what finding three values does, and a gateway needs just these three; so nothing here builds a tree. The reader
 * accepts what real feeds send (LF line ends, unescaped backslashes, wrong charsets) and never judges a message by its
 * structure: a recorder that refuses what it does not understand loses messages.
 *
 * Source: HL7 v2.7 chapter 2, tables 0008, 0211, 0357.
 *
 * @module
 */
import { WaterparkError } from "../base/mod.ts";
import { decodeHl7 } from "./hl7_charset.ts";
import { Hl7Cursor } from "./hl7_cursor.ts";
import { parseHl7Path } from "./hl7_path.ts";
import { Hl7View } from "./hl7_view.ts";

export { buildAck, type Hl7AckOptions, isAck } from "./hl7_ack.ts";
export type { Hl7AckCode } from "./hl7_ack_codes.ts";
export { type Hl7Batch, type Hl7Piece, hl7Pieces, isHl7Batch, joinHl7Batch, splitHl7Batch } from "./hl7_batch.ts";
export {
  acknowledgeHl7,
  type Hl7Acknowledgement,
  type Hl7Header,
  type Hl7Party,
  type Hl7Problem,
  newHl7,
} from "./hl7_build.ts";
export { encodeHl7 } from "./hl7_charset.ts";
export { editHl7, Hl7Draft, type Hl7Where } from "./hl7_draft.ts";
export { DEFAULT_DELIMITERS, escapeHl7, type Hl7Delimiters, unescapeHl7 } from "./hl7_escape.ts";
export { type Hl7Path, parseHl7Path } from "./hl7_path.ts";
export type { Hl7Scalar, Hl7Value } from "./hl7_place.ts";
export { type Hl7Route, type Hl7RouteAnswer, type Hl7RouteOptions, readAckWishes, readHl7Route } from "./hl7_route.ts";
export { hl7Timestamp, readHl7Number, readHl7Time } from "./hl7_time.ts";
export { Hl7Segment, Hl7View } from "./hl7_view.ts";

/** The media type of HL7 v2 in its "pipes and hats" form. */
export const HL7_CONTENT_TYPE = "x-application/hl7-v2+er7";

const CHARSET = parseHl7Path("MSH-18");

/**
 * The message that text or bytes are; bytes are decoded by their MSH-18.
 *
 * @param options.charset of bytes whose MSH-18 is empty, in its words (`8859/1`); default: by what they are
 * @throws {WaterparkError} `wire/not-hl7` when there is no MSH segment that declares its delimiters
 *
 * @example
 * ```ts
 * import { parseHl7 } from "./hl7.ts";
 * const message = parseHl7("MSH|^~\\&|LAB|HOSPX|||20260101||ADT^A01|7|P|2.5\rPID|1||1001||Doe^Jane\r");
 * if (message.get("PID-5.2") !== "Jane") throw new Error("unreachable");
 * ```
 */
export function parseHl7(message: string | Uint8Array, options: { charset?: string } = {}): Hl7View {
  const text = typeof message === "string"
    ? message
    : decodeHl7(message, charsetOf(message) || (options.charset ?? ""));
  const view = Hl7View.read(text);
  if (view === null) {
    throw new WaterparkError("Cannot read the message as it must begin with an MSH segment", {
      code: "wire/not-hl7",
      outcome: "not-applied",
    });
  }
  return view;
}

function charsetOf(bytes: Uint8Array): string {
  const cursor = Hl7Cursor.open(bytes);
  return cursor !== null && cursor.seek(CHARSET) ? cursor.binary(40) : "";
}
