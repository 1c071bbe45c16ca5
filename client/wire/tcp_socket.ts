/** A WebSocket over Deno's TCP or TLS; why not Deno's own, says `runtime/wire/websocket_frames.ts`. */
import { WIRE_PROTOCOL } from "../../runtime/wire/client_protocol.ts";
import { WebSocketClient } from "../../runtime/wire/websocket_client.ts";
import { WEBSOCKET_ROOM_BYTES } from "../../runtime/wire/websocket_frames.ts";
import { type ClientSocket, type SocketAddress, type SocketHandlers, WIRE_PATH } from "./socket.ts";

/** Opens a WebSocket over TCP, or TLS. */
export function openTcpSocket(address: SocketAddress, handlers: SocketHandlers): ClientSocket {
  return new TcpSocket(address, handlers);
}

class TcpSocket implements ClientSocket {
  readonly room = WEBSOCKET_ROOM_BYTES;
  #socket: WebSocketClient | null = null;
  #isClosed = false;

  constructor(address: SocketAddress, handlers: SocketHandlers) {
    this.#run(address, handlers).catch((error) => String(error?.message ?? error)).then((reason) =>
      handlers.onClose(reason)
    );
  }

  get isBusy(): boolean {
    return this.#socket?.isWriting ?? false;
  }

  send(buffer: Uint8Array<ArrayBuffer>): void {
    this.#socket!.send(buffer);
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
  }

  async #run({ url, token }: SocketAddress, handlers: SocketHandlers): Promise<string> {
    const { protocol, hostname, port, host, pathname } = new URL(url);
    const isSecure = protocol === "https:";
    const to = { hostname: hostname.replace(/^\[|\]$/g, ""), port: Number(port || (isSecure ? 443 : 80)) };
    const tcp = await Deno.connect(to);
    tcp.setNoDelay(true);
    const conn = isSecure ? await Deno.startTls(tcp, { hostname: to.hostname, alpnProtocols: ["http/1.1"] }) : tcp;
    if (this.#isClosed) {
      conn.close();
      return "closed";
    }
    this.#socket = new WebSocketClient(conn, handlers);
    return await this.#socket.run({
      path: pathname.replace(/\/$/, "") + WIRE_PATH,
      host,
      headers: {
        "Sec-WebSocket-Protocol": WIRE_PROTOCOL,
        ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
      },
      key: crypto.getRandomValues(new Uint8Array(16)).toBase64(),
      sha1: (bytes) => crypto.subtle.digest("SHA-1", bytes),
    });
  }
}
