/**
 * The platform's own WebSocket. Where it takes no headers (browsers), a client with a token cannot use it and stays with
 * HTTP.
 */
import { WIRE_PROTOCOL } from "../../runtime/wire/client_protocol.ts";
import { type ClientSocket, type SocketAddress, type SocketHandlers, WIRE_PATH } from "./socket.ts";

/** Bytes queued beyond which nothing more is written. */
const BUFFERED_BYTES_MAX = 4 << 20;
const DRAIN_POLL_MS = 2;

/** Opens a WebSocket of the platform's. */
export function openPlatformSocket({ url, token }: SocketAddress, handlers: SocketHandlers): ClientSocket {
  return new PlatformSocket({ url, token }, handlers);
}

class PlatformSocket implements ClientSocket {
  readonly room = 0;
  readonly #handlers: SocketHandlers;
  #socket: WebSocket | null = null;
  #isClosed = false;
  #isDraining = false;

  constructor({ url, token }: SocketAddress, handlers: SocketHandlers) {
    this.#handlers = handlers;
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    try {
      const options = { protocols: [WIRE_PROTOCOL], headers };
      // deno-lint-ignore no-explicit-any -- an extension of Deno's and Node's
      this.#socket = new WebSocket(url.replace(/^http/, "ws") + WIRE_PATH, options as any);
    } catch (error) {
      queueMicrotask(() => this.#close((error as Error).message));
      return;
    }
    const socket = this.#socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => handlers.onOpen();
    socket.onmessage = ({ data }) =>
      data instanceof ArrayBuffer ? handlers.onMessage(new Uint8Array(data)) : this.close();
    socket.onerror = () => this.#close("the socket failed");
    socket.onclose = ({ code, reason }) => this.#close(`closed with code ${code} ${reason}`);
  }

  get isBusy(): boolean {
    if (this.#socket === null || this.#socket.bufferedAmount < BUFFERED_BYTES_MAX) return false;
    if (!this.#isDraining) {
      this.#isDraining = true;
      setTimeout(() => {
        this.#isDraining = false;
        if (!this.#isClosed) this.#handlers.onDrain();
      }, DRAIN_POLL_MS);
    }
    return true;
  }

  send(buffer: Uint8Array<ArrayBuffer>): void {
    try {
      this.#socket?.send(buffer);
    } catch (error) {
      this.#close((error as Error).message);
    }
  }

  close(): void {
    try {
      this.#socket?.close();
    } catch {
      // it never opened
    }
    queueMicrotask(() => this.#close("closed"));
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#handlers.onClose(reason);
  }
}
