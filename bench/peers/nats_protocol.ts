/** The part of the NATS client protocol that publishes and hears answers. */

import { joined } from "./byte_stream.ts";

const DECODER = new TextDecoder();
const CR = 13;

/** Whom a reader tells. */
export interface NatsListener {
  /** the payload's bytes are the listener's until it returns */
  onMessage(subject: string, payload: Uint8Array): void;
  /** the server wants to hear `PONG` */
  onPing(): void;
}

/** What a client says first: who it is, and the inbox that it listens to. */
export function natsConnect(inbox: string): string {
  return `CONNECT {"verbose":false,"pedantic":false,"lang":"deno","version":"0"}\r\nSUB ${inbox} 1\r\n`;
}

/** A message whose answer goes to `reply`. The payload is ASCII: then letters are bytes. */
export function natsPublish(subject: string, reply: string, payload: string): string {
  return `PUB ${subject} ${reply} ${payload.length}\r\n${payload}\r\n`;
}

/** Cuts bytes into what the server says, wherever the bytes were cut. */
export class NatsReader {
  readonly #listener: NatsListener;
  #rest = new Uint8Array();

  constructor(listener: NatsListener) {
    this.#listener = listener;
  }

  /** Takes bytes. @throws {Error} when the server complains, or says what is not known */
  push(chunk: Uint8Array): void {
    const bytes = joined(this.#rest, chunk);
    let at = 0;
    while (at < bytes.length) {
      const end = bytes.indexOf(CR, at);
      if (end < 0 || end + 1 >= bytes.length) break;
      const line = DECODER.decode(bytes.subarray(at, end));
      let next = end + 2;
      if (line.startsWith("MSG ")) {
        const words = line.split(" ");
        const length = Number(words[words.length - 1]);
        next += length + 2;
        if (next > bytes.length) break;
        this.#listener.onMessage(words[1], bytes.subarray(end + 2, end + 2 + length));
      } else if (line === "PING") this.#listener.onPing();
      else if (!/^(INFO|PONG|\+OK)/.test(line)) throw new Error(`Cannot go on as the server said ${line}`);
      at = next;
    }
    this.#rest = bytes.slice(at);
  }
}

/** Whether JetStream's answer says that the message is in the stream; an error would be in front. */
export function isPublished(payload: Uint8Array): boolean {
  return !DECODER.decode(payload).includes(`"error"`);
}
