/**
 * HL7's batch protocol at the listener: a frame that begins with FHS or BHS holds many messages. Each is recorded by
 * itself; one frame answers them all, a batch of acknowledgements in the order of the messages, with the headers' names
 * turned round, BHS-12 (FHS-12) the control id of the batch (file) that it answers.
 *
 * Source: HL7 v2.7, chapter 2.10.3, whose first way it is: all messages acknowledged in the response batch.
 *
 * @module
 */
import { hl7Pieces } from "../wire/mod.ts";

/** A frame's content, cut. */
export interface IncomingBatch {
  /** the messages, in order */
  readonly messages: readonly Uint8Array[];
  /** why it is not what it says it is; `""` when it is */
  readonly problem: string;
  /**
   * Puts acknowledgements into the answer's frame.
   *
   * @param acks of each message its acknowledgement, empty where the sender wants none
   * @param about our control id, and the time as HL7 writes it
   */
  answer(acks: readonly Uint8Array[], about: { id: string; now: string }): Uint8Array;
}

/** Cuts a batch, or a file of batches. */
export function readBatch(bytes: Uint8Array): IncomingBatch {
  const pieces = hl7Pieces(bytes);
  const messages = pieces.filter(({ name }) => name === "MSH").map(({ from, to }) => bytes.subarray(from, to));
  let fileHeader: Uint8Array | null = null;
  const batches: { header: Uint8Array | null; count: number; promised: number | null }[] = [];
  for (const { name, from, to } of pieces) {
    const piece = bytes.subarray(from, to);
    if (name === "FHS") fileHeader ??= piece;
    else if (name === "BHS") batches.push({ header: piece, count: 0, promised: null });
    else if (name === "MSH") {
      if (batches.length === 0) batches.push({ header: null, count: 0, promised: null });
      batches[batches.length - 1].count++;
    } else if (name === "BTS" && batches.length > 0) {
      const promised = /^\d{1,9}/.exec(fieldsOf(piece)[1]?.trim() ?? "");
      if (promised !== null) batches[batches.length - 1].promised = Number(promised[0]);
    }
  }
  const short = batches.find(({ count, promised }) => promised !== null && promised !== count);
  const problem = short === undefined ? "" : `${short.count} messages came, BTS-1 says ${short.promised}`;
  return {
    messages,
    problem,
    answer(acks, about) {
      const parts: Uint8Array[] = [];
      if (fileHeader !== null) parts.push(turned("FHS", fileHeader, about));
      let at = 0;
      for (const { header, count, promised } of batches) {
        const mine = acks.slice(at, at += count).filter(({ length }) => length > 0);
        const says = promised !== null && promised !== count ? `|${count} messages came, BTS-1 says ${promised}` : "";
        parts.push(turned("BHS", header, about), ...mine, binary(`BTS|${mine.length}${says}\r`));
      }
      if (fileHeader !== null) parts.push(binary(`FTS|${batches.length}\r`));
      return joined(parts);
    },
  };
}

/** Byte strings, one behind the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0];
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

const FIELD_UNITS_MAX = 200;

// the answer's header; trailers are in the usual delimiters, so fields that hold others' are written plainly
function turned(name: string, header: Uint8Array | null, { id, now }: { id: string; now: string }): Uint8Array {
  const fields = header === null ? [] : fieldsOf(header);
  // fields are counted as the standard does: 1 is the separator, which stands between the parts here
  const field = (number: number) => (fields[number - 1] ?? "").slice(0, FIELD_UNITS_MAX).replaceAll("|", " ");
  const delimiters = /^[^\w\s|]{1,5}$/.test(field(2)) ? field(2) : "^~\\&";
  return binary(
    [name, delimiters, field(5), field(6), field(3), field(4), now, "", "", "", id, field(11)].join("|") + "\r",
  );
}

function fieldsOf(segment: Uint8Array): string[] {
  let end = segment.findIndex((byte) => byte === 13 || byte === 10);
  if (end < 0) end = segment.length;
  let text = "";
  for (const byte of segment.subarray(0, Math.min(end, 4096))) text += String.fromCharCode(byte);
  return text.split(text[3] ?? "|");
}

function binary(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
