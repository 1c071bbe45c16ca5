/**
 * The client's end of a WebSocket over a stream of bytes that the caller has opened: a read brings what is there, a
 * message is handed up where it lies, and what is sent while a write is under way leaves as one.
 */
import {
  joinBytes,
  type Sha1,
  smallWebSocketFrame,
  WEBSOCKET,
  webSocketAccept,
  webSocketFrame,
  WebSocketReader,
} from "./websocket_frames.ts";

/** What carries the bytes: a TCP or TLS connection. */
export interface ByteConn {
  /** Reads some bytes; null: the other side has ended. */
  read(into: Uint8Array<ArrayBuffer>): Promise<number | null>;
  /** Writes some of the bytes; how many. */
  write(bytes: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Closes it. */
  close(): void;
}

/** What the other end is asked for. */
export interface UpgradeRequest {
  /** path, with a slash in front */
  path: string;
  /** host and port, as in the `Host` header */
  host: string;
  /** further headers, by name */
  headers: Record<string, string>;
  /** 16 random bytes, base64 */
  key: string;
  /** SHA-1, the platform's */
  sha1: Sha1;
}

/** Told of what happens; none of these may throw. */
export interface WebSocketHandlers {
  /** The upgrade is accepted; called once, before any other, with the head of the answer. */
  onOpen(head: string): void;
  /** One binary message; its bytes hold until this returns. */
  onMessage(bytes: Uint8Array): void;
  /** what was given to `send` is written, or copied: its memory is free */
  onWritten?(buffer: Uint8Array<ArrayBuffer>): void;
  /** all that was sent is written */
  onDrain(): void;
}

/** Four times the largest message of our own nodes: one that begins in it mostly ends in it. */
const SLAB_BYTES = 256 << 10;
/** A read into less is hardly worth its call. */
const READ_BYTES_MIN = 8 << 10;
const HEAD_BYTES_MAX = 16 << 10;
const NOTHING = new Uint8Array(0);

/** One WebSocket, from the upgrade to its end. */
export class WebSocketClient {
  readonly #conn: ByteConn;
  readonly #handlers: WebSocketHandlers;
  readonly #reader: WebSocketReader;
  #reason: string | null = null;
  #isWriting = false;
  #bufferedBytes = 0;
  /** frames that wait for the write under way */
  #next: Uint8Array<ArrayBuffer>[] = [];
  #slab = new Uint8Array(SLAB_BYTES);
  #used = 0;

  constructor(conn: ByteConn, handlers: WebSocketHandlers) {
    this.#conn = conn;
    this.#handlers = handlers;
    this.#reader = new WebSocketReader({
      onMessage: (bytes) => handlers.onMessage(bytes),
      onPing: (body) => this.#write(smallWebSocketFrame(WEBSOCKET.PONG, { isClient: true, body })),
      onEnd: (reason) => this.#end(reason),
    }, { isFromClient: false });
  }

  /** bytes that were given to {@linkcode send} and are not written yet */
  get bufferedBytes(): number {
    return this.#bufferedBytes;
  }

  /** true: the last message is still being written, and its bytes must stay as they are */
  get isWriting(): boolean {
    return this.#isWriting;
  }

  /** Asks for the upgrade, then hands up messages to the end, whose reason is the answer. Never rejects. */
  async run(request: UpgradeRequest): Promise<string> {
    try {
      this.#write(requestOf(request));
      const { head, behind } = await this.#readHead(await webSocketAccept(request.key, request.sha1));
      this.#handlers.onOpen(head);
      this.#reader.push(behind);
      while (this.#reason === null) {
        const chunk = await this.#read();
        if (chunk === null) break;
        this.#reader.push(chunk);
      }
    } catch (error) {
      this.#end(messageOf(error));
    }
    this.#end("closed by the peer");
    return this.#reason!;
  }

  /** Sends `buffer` from `WEBSOCKET_ROOM_BYTES` on as one binary message. */
  send(buffer: Uint8Array<ArrayBuffer>): void {
    this.#write(webSocketFrame(buffer, { isClient: true }));
  }

  /** Says that it closes, and closes. */
  close(): void {
    this.#write(smallWebSocketFrame(WEBSOCKET.CLOSE, { isClient: true }));
    queueMicrotask(() => this.#end("closed"));
  }

  async #readHead(accept: string): Promise<{ head: string; behind: Uint8Array }> {
    let head = NOTHING;
    for (;;) {
      const chunk = await this.#read();
      if (chunk === null || head.length > HEAD_BYTES_MAX) throw new Error("no answer to the upgrade");
      head = joinBytes([head, chunk]);
      const text = new TextDecoder("latin1").decode(head);
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      const accepted = new RegExp(`^sec-websocket-accept:\\s*${accept.replace(/[+/=]/g, "\\$&")}\\s*$`, "im");
      if (!/^HTTP\/1\.1 101\b/.test(text) || !accepted.test(text)) {
        throw new Error(`not upgraded: ${text.slice(9, 12)}`);
      }
      return { head: text.slice(0, end), behind: head.subarray(end + 4) };
    }
  }

  /** Some bytes; null: the connection has ended. */
  async #read(): Promise<Uint8Array | null> {
    // Mostly all that was read was whole: then the same memory is used again, which is in the cache, and needs no collector.
    if (!this.#reader.isInside) this.#used = 0;
    else if (this.#slab.length - this.#used < READ_BYTES_MIN) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#used = 0;
    }
    const count = await this.#conn.read(this.#slab.subarray(this.#used));
    if (count === null || this.#reason !== null) return null;
    return this.#slab.subarray(this.#used, this.#used += count);
  }

  /** One write at a time; what gathers meanwhile leaves as one. */
  #write(bytes: Uint8Array<ArrayBuffer>): void {
    if (this.#reason !== null) return;
    this.#bufferedBytes += bytes.length;
    if (this.#isWriting) return void this.#next.push(bytes);
    this.#isWriting = true;
    this.#writeAll(bytes).catch((error) => this.#end(messageOf(error)));
  }

  async #writeAll(first: Uint8Array<ArrayBuffer>): Promise<void> {
    let bytes = first;
    for (;;) {
      let at = await this.#conn.write(bytes);
      while (at < bytes.length) at += await this.#conn.write(bytes.subarray(at));
      this.#bufferedBytes -= bytes.length;
      if (this.#reason !== null) return;
      if (this.#next.length === 0) break;
      this.#handlers.onWritten?.(bytes);
      if (this.#next.length === 1) bytes = this.#next[0];
      else {
        bytes = joinBytes(this.#next);
        for (const each of this.#next) this.#handlers.onWritten?.(each);
      }
      this.#next.length = 0;
    }
    this.#isWriting = false;
    this.#handlers.onWritten?.(bytes);
    this.#handlers.onDrain();
  }

  #end(reason: string): void {
    if (this.#reason !== null) return;
    this.#reason = reason;
    try {
      this.#conn.close();
    } catch {
      // it was closed
    }
  }
}

function requestOf({ path, host, headers, key }: UpgradeRequest): Uint8Array<ArrayBuffer> {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    `Sec-WebSocket-Key: ${key}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    "\r\n",
  ];
  return new TextEncoder().encode(lines.join("\r\n"));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
