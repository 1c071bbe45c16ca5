/** The frames that a client and `wp_peer.erl` exchange: a length in four bytes, then messages, or numbers of messages. */
import type { Message } from "../messages.ts";
import { type ByteStream, joined } from "./byte_stream.ts";

const ENCODER = new TextEncoder();

/** As `wp_peer.erl` reads it. */
export function writeErlangFrame(
  stream: Pick<ByteStream, "room">,
  batch: readonly { number: number; message: Pick<Message, "key" | "body"> }[],
): void {
  const bodies = batch.map(({ message }) => message.body);
  const length = batch.reduce((sum, { message }, i) => sum + 7 + message.key.length + bodies[i].length, 0);
  const { bytes, at: from } = stream.room(4 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(from, length);
  let at = from + 4;
  batch.forEach(({ number, message: { key } }, i) => {
    view.setUint32(at, number);
    bytes[at + 4] = key.length;
    at += 5 + ENCODER.encodeInto(key, bytes.subarray(at + 5)).written;
    view.setUint16(at, bodies[i].length);
    at += 2 + ENCODER.encodeInto(bodies[i], bytes.subarray(at + 2)).written;
  });
}

/** Cuts bytes into frames that say their length in front, in four bytes. */
export class FrameReader {
  readonly #onFrame: (view: DataView, from: number, to: number) => void;
  #rest = new Uint8Array();

  constructor(onFrame: (view: DataView, from: number, to: number) => void) {
    this.#onFrame = onFrame;
  }

  /** Takes bytes. */
  push(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + view.getUint32(at);
      if (end > bytes.length) break;
      this.#onFrame(view, at + 4, end);
      at = end;
    }
    this.#rest = bytes.slice(at);
  }
}
