/**
 * HL7's batch protocol: many messages in one file or frame.
 *
 *     FHS          file header, optional
 *     BHS          batch header, optional
 *     MSH ... ×n   messages
 *     BTS          batch trailer: how many messages
 *     FTS          file trailer: how many batches
 *
 * Cuts where a line begins with MSH, BHS, BTS, FHS or FTS, and looks at nothing else; so it works on text and on bytes
 * whose charset nobody knows yet. Plain ECMAScript, as it also runs inside plugin contexts.
 *
 * Source: HL7 v2.7, chapter 2.10.3.
 *
 * @module
 */
import { readHl7Number } from "./hl7_time.ts";
import { Hl7View } from "./hl7_view.ts";

/** A stretch of the text or bytes, and the segment that it begins with. */
export interface Hl7Piece {
  readonly name: "FHS" | "BHS" | "MSH" | "BTS" | "FTS";
  readonly from: number;
  readonly to: number;
}

const CR = 13;
const LF = 10;
const NAMES = new Set(["FHS", "BHS", "MSH", "BTS", "FTS"]);

/**
 * Where messages, headers and trailers stand. What comes before the first of them belongs to none.
 *
 * @param content the text, or its bytes
 */
export function hl7Pieces(content: string | Uint8Array): Hl7Piece[] {
  const code = typeof content === "string" ? (i: number) => content.charCodeAt(i) : (i: number) => content[i];
  const pieces: { name: Hl7Piece["name"]; from: number; to: number }[] = [];
  const { length } = content;
  for (let at = 0; at < length;) {
    // a line end costs one look a byte; names are made of the few lines that could be one
    if (code(at + 2) === 83 || code(at + 2) === 72) {
      const name = String.fromCharCode(code(at), code(at + 1), code(at + 2)) as Hl7Piece["name"];
      if (NAMES.has(name)) {
        if (pieces.length > 0) pieces[pieces.length - 1].to = at;
        pieces.push({ name, from: at, to: length });
      }
    }
    while (at < length && code(at) !== CR && code(at) !== LF) at++;
    while (at < length && (code(at) === CR || code(at) === LF)) at++;
  }
  return pieces;
}

/** True for what begins with FHS or BHS. */
export function isHl7Batch(content: string | Uint8Array): boolean {
  const [a, b, c] = typeof content === "string"
    ? [content.charCodeAt(0), content.charCodeAt(1), content.charCodeAt(2)]
    : content;
  return (a === 70 || a === 66) && b === 72 && c === 83;
}

/** What a batch says of itself. */
export interface Hl7Batch {
  /** its messages, in order; those of all batches of a file */
  readonly messages: readonly Hl7View[];
  /** BHS-11 (FHS-11 where there is no BHS): by what its sender knows it; `""` where left out */
  readonly controlId: string;
  /** how many messages its trailers (BTS-1) promise, in sum; null where one says nothing */
  readonly promised: number | null;
}

/**
 * Cuts a batch, a file of batches, or messages one behind the other into messages. Whether as many came as were promised
 * is for the caller to look at: `promised` beside `messages.length`.
 *
 * @param text its text, decoded
 * @throws {TypeError} when it holds something that is no message: an MSH that does not declare its delimiters
 *
 * @example
 * ```ts
 * import { splitHl7Batch } from "./hl7_batch.ts";
 * const batch = splitHl7Batch("BHS|^~\\&|LAB\rMSH|^~\\&|LAB|F|||||ADT^A08|1\rPID|||7\rMSH|^~\\&|LAB|F|||||ADT^A08|2\rBTS|2");
 * if (batch.messages[1].controlId !== "2" || batch.promised !== 2) throw new Error("unreachable");
 * ```
 */
export function splitHl7Batch(text: string): Hl7Batch {
  const messages: Hl7View[] = [];
  const headers = { FHS: "", BHS: "" };
  const counts: number[] = [];
  let trailers = 0;
  let field = "|";
  for (const { name, from, to } of hl7Pieces(text)) {
    const piece = text.slice(from, to);
    if (name === "MSH") {
      const view = Hl7View.read(piece);
      if (view === null) {
        throw new TypeError("Cannot split the batch as each message must begin with a whole MSH segment");
      }
      messages.push(view);
    } else if (name === "FHS" || name === "BHS") {
      field = piece[3] ?? "|";
      headers[name] ||= piece.split(/[\r\n]/, 1)[0].split(field)[10] ?? "";
    } else if (name === "BTS") {
      trailers++;
      const count = readHl7Number(piece.split(/[\r\n]/, 1)[0].split(field)[1] ?? "");
      if (count !== null) counts.push(count);
    }
  }
  const promised = trailers === 0 || counts.length < trailers ? null : counts.reduce((sum, count) => sum + count);
  return { messages, controlId: headers.BHS || headers.FHS, promised };
}

/**
 * Puts messages into a batch: BHS, the messages, BTS with their number.
 *
 * @param options.header BHS from field 3 on, ready to be written (`LAB|HOSPX|EHR|HQ|20260101||||b1`); its field 11 is the
 *   batch's control id
 */
export function joinHl7Batch(messages: readonly Hl7View[], options: { header?: string } = {}): string {
  const header = "BHS|^~\\&" + (options.header === undefined ? "" : "|" + options.header);
  const bodies = messages.map((message) =>
    message.text.split(/[\r\n]+/).filter((line) => line !== "").join("\r") + "\r"
  );
  return `${header}\r${bodies.join("")}BTS|${messages.length}\r`;
}
