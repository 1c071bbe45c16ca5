/** The two ends of a link's WebSocket: the dialler's over Deno's TLS, the listener's over Node's. */
import {
  giveBack,
  smallWebSocketFrame,
  WEBSOCKET,
  WEBSOCKET_ROOM_BYTES,
  WebSocketClient,
  webSocketFrame,
  WebSocketReader,
} from "../wire/mod.ts";
import { gates, type World } from "../world/mod.ts";
import { formatAddress, parseAddress } from "./address.ts";
import { CLUSTER_NAME } from "./secret.ts";
import type { MessagePipe, PipeHandlers } from "./websocket_connection.ts";

/** A write under way, and one that gathers. */
const DIALLED_BUFFERED_BYTES_MAX = 64 * 1024;

/** Of a socket that came in, Node's. */
export class AcceptedPipe implements MessagePipe {
  readonly room = WEBSOCKET_ROOM_BYTES;
  readonly isVolatile = false;
  readonly bufferedBytesMax: number;
  readonly #socket: gates.TlsSocket;
  readonly #reader: WebSocketReader;
  #handlers: PipeHandlers | null = null;
  #isEnded = false;

  /** @param socket one that is being let in: it may not speak before it is attached to */
  constructor(socket: gates.TlsSocket) {
    this.#socket = socket;
    // Node's sockets buffer without a bound, and say that they are empty only once they held so much.
    this.bufferedBytesMax = socket.writableHighWaterMark;
    this.#reader = new WebSocketReader({
      onMessage: (bytes) => this.#handlers!.onMessage(bytes),
      onPing: (body) => this.#write(smallWebSocketFrame(WEBSOCKET.PONG, { isClient: false, body })),
      onEnd: (reason) => this.#end(reason),
    }, { isFromClient: true });
    // An exception in one of these would end the process: none of them throws.
    socket.on("data", (chunk: Uint8Array) => {
      // A Buffer's views are Buffers, which take three times as long to make.
      const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      if (this.#handlers === null) this.#end("it spoke before it was let in");
      else this.#reader.push(bytes);
    });
    socket.on("drain", () => this.#handlers?.onDrain());
    socket.on("error", (error: Error) => this.#end(error.message));
    socket.on("close", () => this.#end("closed by the peer"));
    socket.on("end", () => this.#end("closed by the peer"));
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  attach(handlers: PipeHandlers): void {
    this.#handlers = handlers;
    if (this.#isEnded) queueMicrotask(() => handlers.onEnd("closed by the peer"));
  }

  send(buffer: Uint8Array<ArrayBuffer>): void {
    this.#write(webSocketFrame(buffer, { isClient: false }));
  }

  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.end(smallWebSocketFrame(WEBSOCKET.CLOSE, { isClient: false }));
    this.#socket.destroySoon();
  }

  #write(bytes: Uint8Array<ArrayBuffer>): void {
    if (!this.#isEnded) this.#socket.write(bytes, () => giveBack(bytes));
  }

  #end(reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#socket.destroy();
    this.#handlers?.onEnd(reason);
  }
}

/** Of a socket that this node has dialled. */
export class DialledPipe implements MessagePipe {
  readonly room = WEBSOCKET_ROOM_BYTES;
  readonly isVolatile = true;
  readonly bufferedBytesMax = DIALLED_BUFFERED_BYTES_MAX;
  readonly #socket: WebSocketClient;
  #handlers: PipeHandlers | null = null;
  /** what has come before anybody was told */
  #early: Uint8Array[] = [];
  #ended: string | null = null;

  private constructor(conn: gates.TlsConn, onOpen: (head: string) => void) {
    this.#socket = new WebSocketClient(conn, {
      onOpen,
      onMessage: (bytes) =>
        this.#handlers === null ? void this.#early.push(bytes.slice()) : this.#handlers.onMessage(bytes),
      onWritten: giveBack,
      onDrain: () => this.#handlers?.onDrain(),
    });
  }

  /**
   * Dials; `onOpen` is called once with the head of the answer, or never. What is awaited ends when the socket does.
   *
   * @throws {Error} when nobody answers, or not with a certificate of the cluster's
   */
  static async run(
    address: string,
    options: {
      world: World;
      authority: string;
      path: string;
      headers: Record<string, string>;
      /** nobody waits for it any more; heeded until it is open */
      signal: AbortSignal;
      onOpen: (pipe: DialledPipe, head: string) => void;
    },
  ): Promise<void> {
    const { world, authority, path, headers, signal, onOpen } = options;
    const { host, port } = parseAddress(address);
    const tcp = await gates.tcp.connect({ hostname: host, port, signal });
    tcp.setNoDelay(true);
    // By the name that only certificates of the cluster bear, which no public authority may sign: an address need not be
    // in it, and whoever holds a public certificate for the host is still a stranger.
    const conn = await gates.tcp.startTls(tcp, { hostname: CLUSTER_NAME, caCerts: [authority] });
    // The system of a frozen peer takes calls in its place. What was said to it then is let go of here, but the platform
    // keeps the socket until it is answered or the peer dies; the peer's backlog bounds how many those are.
    const giveUp = () => closeQuietly(conn);
    signal.addEventListener("abort", giveUp);
    if (signal.aborted) return giveUp();
    await conn.handshake();
    let isOpen = false;
    const pipe = new DialledPipe(conn, (head) => {
      if (signal.aborted) return;
      isOpen = true;
      signal.removeEventListener("abort", giveUp);
      onOpen(pipe, head);
    });
    const reason = await pipe.#socket.run({
      path,
      host: formatAddress({ host, port }),
      headers,
      key: world.randomBytes(16).toBase64(),
      sha1: (bytes) => gates.webCrypto.subtle.digest("SHA-1", bytes),
    });
    pipe.#ended = reason;
    if (!isOpen) throw new Error(reason);
    pipe.#handlers?.onEnd(reason);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedBytes;
  }

  attach(handlers: PipeHandlers): void {
    this.#handlers = handlers;
    const early = this.#early.splice(0);
    if (early.length === 0 && this.#ended === null) return;
    // Not within the call: whoever attaches has told nobody yet where to.
    queueMicrotask(() => {
      for (const bytes of early) handlers.onMessage(bytes);
      if (this.#ended !== null) handlers.onEnd(this.#ended);
    });
  }

  send(buffer: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(buffer);
  }

  close(): void {
    this.#socket.close();
  }
}

function closeQuietly(conn: gates.TlsConn): void {
  try {
    conn.close();
  } catch {
    // It was closed.
  }
}
