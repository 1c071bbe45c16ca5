/**
 * What the client needs of a WebSocket, whoever makes it: `tcp_socket.ts` on Deno, `platform_socket.ts` elsewhere.
 */

/** Told of what happens; none of these may throw. */
export interface SocketHandlers {
  /** it is open; called once, or never */
  onOpen(): void;
  /** one binary message; the bytes hold until this returns */
  onMessage(bytes: Uint8Array): void;
  /** the last send is done: another may follow */
  onDrain(): void;
  /** it is closed, or never opened; called once */
  onClose(reason: string): void;
}

/** A client's end of a WebSocket. */
export interface ClientSocket {
  /** bytes that a message given to {@linkcode send} must leave free in front */
  readonly room: number;
  /** true: the last message is still being written, and its bytes must stay as they are */
  readonly isBusy: boolean;
  /** Sends `buffer[room, length)` as one binary message. */
  send(buffer: Uint8Array<ArrayBuffer>): void;
  /** Closes it; `onClose` follows. */
  close(): void;
}

/** Where to, and as whom. */
export interface SocketAddress {
  /** `http` or `https` URL of a node */
  url: string;
  /** bearer token */
  token?: string;
}

/** Opens a socket; `handlers` are told how that went, never within this call. */
export type OpenSocket = (address: SocketAddress, handlers: SocketHandlers) => ClientSocket;

/** Path of the wire below a node's URL. */
export const WIRE_PATH = "/v1/wire";
