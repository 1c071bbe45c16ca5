/** Redis's protocol, version 2: commands as arrays of bulk strings, and the replies that come back. */

import { joined } from "./byte_stream.ts";

/** A reply. Arrays are not needed here and not understood. */
export interface RespReply {
  kind: "simple" | "error" | "integer" | "bulk";
  /** null: a bulk string that is none */
  value: string | number | null;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
const KINDS: Record<number, RespReply["kind"]> = { 0x2b: "simple", 0x2d: "error", 0x3a: "integer", 0x24: "bulk" };
const CR = 13;

/** A command's bytes. */
export function respCommand(...words: string[]): Uint8Array {
  return ENCODER.encode(respText(words));
}

/** A command as text, whose words are ASCII: then letters are bytes. */
export function respText(words: readonly string[]): string {
  let text = `*${words.length}\r\n`;
  for (const word of words) text += `$${word.length}\r\n${word}\r\n`;
  return text;
}

/** Cuts bytes into replies, wherever the bytes were cut. */
export class RespReader {
  readonly #onReply: (reply: RespReply) => void;
  #rest = new Uint8Array();

  constructor(onReply: (reply: RespReply) => void) {
    this.#onReply = onReply;
  }

  /** Takes bytes. @throws {Error} when they are no replies */
  push(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(CR, at);
      if (end < 0 || end + 1 >= bytes.length) break;
      const kind = KINDS[bytes[at]];
      if (kind === undefined) throw new Error(`Cannot read a reply as it must begin with +, -, : or $: ${bytes[at]}`);
      let value: string | number | null = DECODER.decode(bytes.subarray(at + 1, end));
      let next = end + 2;
      if (kind === "integer") value = Number(value);
      if (kind === "bulk") {
        const length = Number(value);
        if (length < 0) value = null;
        else {
          next += length + 2;
          if (next > bytes.length) break;
          value = DECODER.decode(bytes.subarray(end + 2, end + 2 + length));
        }
      }
      at = next;
      this.#onReply({ kind, value });
    }
    this.#rest = bytes.slice(at);
  }
}
