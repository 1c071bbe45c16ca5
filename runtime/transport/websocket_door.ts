/**
 * The door of the WebSocket carrier: TLS, then one request of HTTP/1.1, then a socket. By Node's TLS server, as sockets of
 * Deno's listeners keep Nagle's algorithm on (measured with 2.9.6): what follows an unacknowledged message waits 44 ms.
 */
import { gates, type World } from "../world/mod.ts";
import { joinBytes, webSocketAccept } from "../wire/mod.ts";
import { formatAddress } from "./address.ts";
import { AcceptedPipe } from "./message_pipes.ts";

/** What is said at the door. */
export interface DoorRequest {
  method: string;
  path: string;
  /** by name in lower case */
  headers: Map<string, string>;
  /** where it comes from */
  remote: string;
}

/** What it is answered: let in, with what is said beside, or a status. */
export type DoorAnswer = { upgrade: Record<string, string> } | 204 | 400 | 401 | 404;

/** What a door needs. */
export interface DoorOptions {
  world: World;
  hostname: string;
  port: number;
  cert: string;
  key: string;
  /** decides; called once for each request that could be read */
  onRequest(request: DoorRequest): DoorAnswer;
  /** somebody was let in; nothing has been read yet */
  onPipe(pipe: AcceptedPipe, request: DoorRequest): void;
}

/** A door that is open. */
export interface Door {
  readonly port: number;
  /** Lets nobody in any more, and closes on those who have not spoken. */
  close(): Promise<void>;
}

/** Who is silent for so long is sent away. */
const HEAD_MS_MAX = 5_000;
const HEAD_BYTES_MAX = 8 << 10;
/** Connections whose request has not come; more are closed at once. */
const SILENT_MAX = 256;
const STATUS = { 204: "No Content", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found" } as const;

/** Opens a door. @throws {Error} what the operating system says when the address cannot be had */
export async function openDoor(options: DoorOptions): Promise<Door> {
  const { hostname, port, cert, key } = options;
  const silent = new Set<gates.TlsSocket>();
  let isOpen = true;
  const server = gates.nodeTls.createServer({ cert, key });
  server.on("secureConnection", (socket: gates.TlsSocket) => {
    socket.on("error", () => {});
    if (!isOpen || silent.size >= SILENT_MAX) return void socket.destroy();
    silent.add(socket);
    hear(socket, options, () => silent.delete(socket));
  });
  // Whoever does not get through TLS is told by TLS.
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, hostname, resolve);
  });
  server.on("error", () => {});
  return {
    port: (server.address() as { port: number }).port,
    close() {
      isOpen = false;
      for (const socket of silent) socket.destroy();
      return new Promise((done) => {
        server.close(() => done());
        // Bare connections that never began TLS (tripwires are such) do not hold it up.
        options.world.after(50, done);
      });
    },
  };
}

/** Waits for the request, and answers it. */
function hear(socket: gates.TlsSocket, { world, onRequest, onPipe }: DoorOptions, onHeard: () => void): void {
  let head: Uint8Array = new Uint8Array(0);
  const timer = world.after(HEAD_MS_MAX, () => socket.destroy());
  const end = () => {
    timer.cancel();
    socket.off("data", onData);
    socket.off("close", end);
    onHeard();
  };
  const onData = (chunk: Uint8Array) => {
    head = joinBytes([head, chunk]);
    const text = new TextDecoder("latin1").decode(head);
    const headEnd = text.indexOf("\r\n\r\n");
    if (headEnd < 0 && head.length <= HEAD_BYTES_MAX) return;
    end();
    const { remoteAddress = "?", remotePort = 0 } = socket;
    const remote = formatAddress({ host: remoteAddress, port: remotePort });
    const request = headEnd < 0 ? null : readRequest(text.slice(0, headEnd), remote);
    if (request === null) return refuse(socket, 400);
    const answer = onRequest(request);
    if (typeof answer === "number") return refuse(socket, answer);
    const key = request.headers.get("sec-websocket-key");
    const isUpgrade = key !== undefined && request.headers.get("upgrade")?.toLowerCase() === "websocket";
    if (!isUpgrade || head.length > headEnd + 4) return refuse(socket, 400);
    socket.setNoDelay(true);
    const pipe = new AcceptedPipe(socket);
    webSocketAccept(key, (bytes) => gates.webCrypto.subtle.digest("SHA-1", bytes)).then((accept) => {
      const lines = ["HTTP/1.1 101 Switching Protocols", "Upgrade: websocket", "Connection: Upgrade"];
      for (const [name, value] of Object.entries(answer.upgrade)) lines.push(`${name}: ${value}`);
      socket.write([...lines, `Sec-WebSocket-Accept: ${accept}`, "\r\n"].join("\r\n"));
      onPipe(pipe, request);
    }).catch(() => socket.destroy());
  };
  socket.on("data", onData);
  socket.on("close", end);
}

function readRequest(text: string, remote: string): DoorRequest | null {
  const [first, ...lines] = text.split("\r\n");
  const match = /^([A-Z]{3,7}) (\/[!-~]*) HTTP\/1\.1$/.exec(first);
  if (match === null) return null;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon <= 0) return null;
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { method: match[1], path: match[2], headers, remote };
}

function refuse(socket: gates.TlsSocket, status: keyof typeof STATUS): void {
  socket.end(`HTTP/1.1 ${status} ${STATUS[status]}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
