/** Reads one field of a MESSAGE or RETIRE where it stands, without decoding the others. `at` is where the entry starts. */
import type { Digest64 } from "../base/mod.ts";
import { MESSAGE_TEXTS_AT } from "./entry.ts";
import type { Segment } from "./segment.ts";
import { readText, sameBytes } from "./text.ts";

/** hashInt32(id, hashInt32(key)) */
export function idHashAt(segment: Segment, at: number): number {
  return segment.view.getInt32(at + 12, true);
}

/** log index of the actor's message before, 0 = none */
export function previousAt(segment: Segment, at: number): number {
  return segment.view.getUint32(at + 16, true);
}

/** the message's place in the actor's history, from 1 */
export function seqAt(segment: Segment, at: number): number {
  return segment.view.getUint32(at + 20, true);
}

/** wall-clock time of the writer */
export function atMsAt(segment: Segment, at: number): number {
  return segment.view.getFloat64(at + 24, true);
}

/** digest of the payload */
export function digestAt(segment: Segment, at: number): Digest64 {
  return { hi: segment.view.getUint32(at + 32, true), lo: segment.view.getUint32(at + 36, true) };
}

/** digest of the actor's history up to here */
export function chainAt(segment: Segment, at: number): Digest64 {
  return { hi: segment.view.getUint32(at + 40, true), lo: segment.view.getUint32(at + 44, true) };
}

/** bytes of the key */
export function keyLengthAt(segment: Segment, at: number): number {
  return segment.view.getUint16(at + 48, true);
}

/** bytes of the id */
export function idLengthAt(segment: Segment, at: number): number {
  return segment.view.getUint16(at + 50, true);
}

/** where the payload starts */
export function payloadFrom(segment: Segment, at: number): number {
  const { view } = segment;
  return at + MESSAGE_TEXTS_AT + view.getUint16(at + 48, true) + view.getUint16(at + 50, true) +
    view.getUint16(at + 52, true) + view.getUint16(at + 54, true);
}

/** where the payload ends */
export function payloadTo(segment: Segment, at: number): number {
  return at + segment.view.getUint32(at, true);
}

/** Whether the message's key is `bytes[from, from + length)`. */
export function keyIs(segment: Segment, at: number, bytes: Uint8Array, from: number, length: number): boolean {
  return keyLengthAt(segment, at) === length && sameBytes(segment.bytes, at + MESSAGE_TEXTS_AT, bytes, from, length);
}

/** Whether the message's id is `bytes[from, from + length)`. */
export function idIs(segment: Segment, at: number, bytes: Uint8Array, from: number, length: number): boolean {
  return idLengthAt(segment, at) === length &&
    sameBytes(segment.bytes, at + MESSAGE_TEXTS_AT + keyLengthAt(segment, at), bytes, from, length);
}

/** the actor's key */
export function keyText(segment: Segment, at: number): string {
  return readText(segment.bytes, at + MESSAGE_TEXTS_AT, at + MESSAGE_TEXTS_AT + keyLengthAt(segment, at));
}

/** the message's id */
export function idText(segment: Segment, at: number): string {
  const from = at + MESSAGE_TEXTS_AT + keyLengthAt(segment, at);
  return readText(segment.bytes, from, from + idLengthAt(segment, at));
}

/** a view of the id */
export function idBytes({ bytes, view }: Segment, at: number): Uint8Array {
  const from = at + MESSAGE_TEXTS_AT + view.getUint16(at + 48, true);
  return bytes.subarray(from, from + view.getUint16(at + 50, true));
}

/** the message's type */
export function typeText(segment: Segment, at: number): string {
  const from = at + MESSAGE_TEXTS_AT + keyLengthAt(segment, at) + idLengthAt(segment, at);
  return readText(segment.bytes, from, from + segment.view.getUint16(at + 52, true));
}

/** the message's content type */
export function contentTypeText(segment: Segment, at: number): string {
  const to = payloadFrom(segment, at);
  return readText(segment.bytes, to - segment.view.getUint16(at + 54, true), to);
}
