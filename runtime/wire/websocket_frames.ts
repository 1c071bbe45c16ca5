/**
 * WebSocket's frames, for both ends. In place of the platform's own sockets, which leave Nagle's algorithm on: each
 * message of more than 1,024 bytes, and each that follows another, waits 44 ms for the other side's delayed
 * acknowledgement (measured with Deno 2.9.6; 30 us without). Nor can they be told otherwise. Source: RFC 6455.
 */

/** Bytes to leave free in front of a message: two, a length of eight, a mask of four. */
export const WEBSOCKET_ROOM_BYTES = 14;

/** What a frame is. */
export const WEBSOCKET = { CONTINUATION: 0, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

const MESSAGE_BYTES_MAX = 64 << 20;
/** What a frame that comes in parts gets at first; a claimed length alone costs nothing. */
const JOIN_BYTES_AT_FIRST = 64 << 10;
const FINAL = 0x80;
const MASKED = 0x80;
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const NOTHING = new Uint8Array(0);

/** SHA-1, the platform's. */
export type Sha1 = (bytes: Uint8Array<ArrayBuffer>) => Promise<ArrayBuffer>;

/** What a listener that has understood the key of an upgrade answers. */
export async function webSocketAccept(key: string, sha1: Sha1): Promise<string> {
  return new Uint8Array(await sha1(new TextEncoder().encode(key + GUID))).toBase64();
}

/**
 * The frame around what begins at {@linkcode WEBSOCKET_ROOM_BYTES}: its head is written right before it. A client's is
 * masked with zeros, which costs nothing: masks keep scripts in browsers from writing bytes of their choice through a
 * proxy, and this is not a browser.
 */
export function webSocketFrame(
  buffer: Uint8Array<ArrayBuffer>,
  { opcode = WEBSOCKET.BINARY, isClient }: { opcode?: number; isClient: boolean },
): Uint8Array<ArrayBuffer> {
  const length = buffer.length - WEBSOCKET_ROOM_BYTES;
  const lengthBytes = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const maskBytes = isClient ? 4 : 0;
  const from = WEBSOCKET_ROOM_BYTES - maskBytes - 2 - lengthBytes;
  buffer[from] = FINAL | opcode;
  buffer[from + 1] = (isClient ? MASKED : 0) | (lengthBytes === 0 ? length : lengthBytes === 2 ? 126 : 127);
  for (let i = 0, rest = length; i < lengthBytes; i++, rest = Math.floor(rest / 256)) {
    buffer[from + 1 + lengthBytes - i] = rest % 256;
  }
  buffer.fill(0, WEBSOCKET_ROOM_BYTES - maskBytes, WEBSOCKET_ROOM_BYTES);
  return buffer.subarray(from);
}

/** A frame with a small body, as a ping's answer. */
export function smallWebSocketFrame(
  opcode: number,
  { isClient, body = NOTHING }: { isClient: boolean; body?: Uint8Array },
): Uint8Array<ArrayBuffer> {
  const buffer = new Uint8Array(WEBSOCKET_ROOM_BYTES + body.length);
  buffer.set(body, WEBSOCKET_ROOM_BYTES);
  return webSocketFrame(buffer, { opcode, isClient });
}

/** Told by a {@linkcode WebSocketReader}. */
export interface WebSocketReaderHandlers {
  /** One binary message. Its bytes may be kept if those that were pushed may. */
  onMessage(bytes: Uint8Array): void;
  /** the other side asks for a sign of life with the same body */
  onPing(body: Uint8Array): void;
  /** The other side has closed, or has broken the protocol: nothing more is handed up. */
  onEnd(reason: string): void;
}

/** Finds the messages in a stream of bytes, however it was cut into chunks. */
export class WebSocketReader {
  readonly #handlers: WebSocketReaderHandlers;
  readonly #isFromClient: boolean;
  /** what is not whole yet */
  #rest: Uint8Array = NOTHING;
  /** where it stands at the beginning, if it was put there, with room behind */
  #joint: Uint8Array | null = null;
  /** bytes without which nothing more can be handed up */
  #wanted = 2;
  /** pieces of a message that came in several frames */
  #pieces: Uint8Array[] = [];
  #isEnded = false;

  constructor(handlers: WebSocketReaderHandlers, { isFromClient }: { isFromClient: boolean }) {
    this.#handlers = handlers;
    this.#isFromClient = isFromClient;
  }

  /** bytes that the next message still wants, as far as is known; at least 1 */
  /** true: part of a frame, or of a message, has been read; its chunks must not be written to */
  get isInside(): boolean {
    return this.#rest.length > 0 || this.#pieces.length > 0;
  }

  /** Hands up what `chunk` completes. While {@linkcode isInside} it must not be written to, but behind its end. */
  push(chunk: Uint8Array): void {
    if (this.#isEnded) return;
    const bytes = this.#joined(chunk);
    let at = 0;
    for (;;) {
      const taken = this.#take(bytes, at);
      if (taken === 0 || this.#isEnded) break;
      at += taken;
    }
    if (this.#isEnded) return;
    this.#rest = bytes.subarray(at);
    if (at > 0 || this.#joint?.buffer !== bytes.buffer) this.#joint = null;
  }

  /** What was left over and `chunk`, as one; without a copy where the one stands right before the other. */
  #joined(chunk: Uint8Array): Uint8Array {
    const rest = this.#rest;
    const held = rest.length;
    if (held === 0) return chunk;
    if (rest.buffer === chunk.buffer && rest.byteOffset + held === chunk.byteOffset) {
      return new Uint8Array(chunk.buffer, rest.byteOffset, held + chunk.length);
    }
    const length = held + chunk.length;
    if (this.#joint === null || this.#joint.length < length) {
      this.#joint = new Uint8Array(Math.max(length, Math.min(this.#wanted, Math.max(2 * held, JOIN_BYTES_AT_FIRST))));
      this.#joint.set(rest);
    }
    this.#joint.set(chunk, held);
    return this.#joint.subarray(0, length);
  }

  /** Takes one frame; how many bytes it was, 0: it is not whole. */
  #take(bytes: Uint8Array, from: number): number {
    const held = bytes.length - from;
    this.#wanted = 2;
    if (held < 2) return 0;
    const second = bytes[from + 1];
    if ((second & MASKED) !== 0 !== this.#isFromClient) return this.#end("a frame masked by the wrong side");
    let length = second & 0x7f;
    let at = from + 2;
    const lengthBytes = length < 126 ? 0 : length === 126 ? 2 : 8;
    const maskBytes = this.#isFromClient ? 4 : 0;
    this.#wanted = 2 + lengthBytes + maskBytes;
    if (held < this.#wanted) return 0;
    if (lengthBytes > 0) {
      length = 0;
      for (const end = at + lengthBytes; at < end; at++) length = length * 256 + bytes[at];
    }
    if (length > MESSAGE_BYTES_MAX) return this.#end("too long a frame");
    this.#wanted += length;
    if (held < this.#wanted) return 0;
    const body = bytes.subarray(at + maskBytes, at + maskBytes + length);
    if (this.#isFromClient) unmask(body, bytes, at);
    this.#frame(bytes[from], body);
    return this.#wanted;
  }

  #frame(first: number, body: Uint8Array): void {
    const opcode = first & 0x0f;
    if (opcode === WEBSOCKET.CLOSE) {
      return void this.#end(`closed by the peer with code ${body.length < 2 ? 1005 : body[0] << 8 | body[1]}`);
    }
    if (opcode === WEBSOCKET.PONG) return;
    if (opcode === WEBSOCKET.PING) return this.#handlers.onPing(body);
    const isFirst = opcode === WEBSOCKET.BINARY;
    if (!isFirst && opcode !== WEBSOCKET.CONTINUATION || isFirst === this.#pieces.length > 0) {
      return void this.#end("an unexpected frame");
    }
    const isFinal = (first & FINAL) !== 0;
    if (isFirst && isFinal) return this.#handlers.onMessage(body);
    this.#pieces.push(body);
    if (this.#pieces.reduce((sum, piece) => sum + piece.length, 0) > MESSAGE_BYTES_MAX) {
      return void this.#end("too long a message");
    }
    if (!isFinal) return;
    const message = joinBytes(this.#pieces);
    this.#pieces = [];
    this.#handlers.onMessage(message);
  }

  #end(reason: string): 0 {
    this.#isEnded = true;
    this.#rest = NOTHING;
    this.#joint = null;
    this.#pieces = [];
    this.#handlers.onEnd(reason);
    return 0;
  }
}

/** Pieces as one. */
export function joinBytes(pieces: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** In place; a mask of zeros is none. */
function unmask(body: Uint8Array, mask: Uint8Array, at: number): void {
  const [a, b, c, d] = [mask[at], mask[at + 1], mask[at + 2], mask[at + 3]];
  if ((a | b | c | d) === 0) return;
  let i = 0;
  for (; i + 4 <= body.length; i += 4) {
    body[i] ^= a;
    body[i + 1] ^= b;
    body[i + 2] ^= c;
    body[i + 3] ^= d;
  }
  const last = [a, b, c];
  for (let n = 0; i < body.length; i++, n++) body[i] ^= last[n];
}
