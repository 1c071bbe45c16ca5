/**
 * WebSocket over TLS: for networks that let no UDP through, and the quick witness of a crash (TCP says so in 10 ms
 * where QUIC takes its idle time-out).
 *
 * The door is narrow: TLS by the cluster's own authority, and then a word derived from the secret in the request, so
 * that a stranger makes the node hold nothing. A dialler whose secret differs already fails at TLS, which the platform
 * hides from the listening side; it therefore says so once more, unverified, by a plain request. That word comes from
 * anyone, so it is only shown and counted, never acted upon.
 *
 * Weakness: the platform checks a certificate against public authorities too. Peers dialled by a public host name
 * rely, against somebody who can get a certificate for it, on the word and the proof above being over TLS only.
 */
import { formatAddress, parseAddress } from "./address.ts";
import { type Carrier, DIAL_TIMEOUT_MS, type DialHandlers, type ListenHandlers, type Listening } from "./carrier.ts";
import { dialError, refusedError, unreachable } from "./errors.ts";
import { checkListenHost, listenError, type SocketCarrierOptions } from "./socket_listening.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { CLUSTER_NAME } from "./secret.ts";
import { gates } from "../world/mod.ts";

const LINK_PATH = "/waterpark/1/link";
const NOTICE_PATH = "/waterpark/1/wrong-secret";
/** The system pings a silent dialler and closes when nothing comes back: a cut wire is noticed on this side only. */
const IDLE_TIMEOUT_S = 5;

/** Frames over WebSocket. */
export class WebSocketCarrier implements Carrier {
  readonly name = "websocket";
  readonly #options: SocketCarrierOptions;
  #client: gates.HttpClient | null = null;

  constructor(options: SocketCarrierOptions) {
    this.#options = options;
  }

  // deno-lint-ignore require-await -- errors must reject, not throw
  async listen(address: string, handlers: ListenHandlers): Promise<Listening> {
    const { host, port } = parseAddress(address);
    checkListenHost(host, this.#options.isLoopbackOnly);
    const { certificate, key } = this.#options.tls;
    const connections = new Set<WebSocketConnection>();
    const stop = new AbortController();
    let server: gates.HttpServer;
    try {
      server = gates.http.serve({
        hostname: host,
        port,
        cert: certificate,
        key,
        signal: stop.signal,
        onListen: () => {},
        onError: () => new Response(null, { status: 500 }),
      }, (request, info) => this.#admit(request, info, handlers, connections));
    } catch (cause) {
      throw listenError(address, cause);
    }
    return {
      address: formatAddress({ host, port: server.addr.port }),
      close: async () => {
        for (const connection of connections) connection.close("the listener closes");
        stop.abort();
        await server.finished.catch(() => {});
      },
    };
  }

  #admit(
    request: Request,
    info: gates.HttpRequestInfo,
    handlers: ListenHandlers,
    connections: Set<WebSocketConnection>,
  ): Response {
    const remote = formatAddress({ host: info.remoteAddr.hostname, port: info.remoteAddr.port });
    const { pathname } = new URL(request.url);
    if (pathname === NOTICE_PATH) {
      handlers.onRefused(refusedError("transport/wrong-secret", remote));
      return new Response(null, { status: 204 });
    }
    if (pathname !== LINK_PATH || request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return new Response(null, { status: 404 });
    }
    if (request.headers.get("authorization") !== `Bearer ${this.#options.admission}`) {
      handlers.onRefused(refusedError("transport/wrong-secret", remote));
      return new Response(null, { status: 401 });
    }
    const { socket, response } = gates.http.upgradeWebSocket(request, { idleTimeout: IDLE_TIMEOUT_S });
    const connection = new WebSocketConnection(this.#options.world, socket, remote);
    connections.add(connection);
    socket.addEventListener("open", () => handlers.onConnection(connection));
    socket.addEventListener("close", () => connections.delete(connection));
    return response;
  }

  dial(address: string, handlers: DialHandlers): void {
    const { world, admission, tls } = this.#options;
    let socket: WebSocket | null = null;
    let isOver = false;
    const end = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      act();
    };
    const fail = (cause: unknown) =>
      end(() => {
        const error = dialError(address, cause);
        if (error.code === "transport/wrong-secret") tellWrongSecret(address);
        handlers.onFail(error);
      });
    const timer = world.after(DIAL_TIMEOUT_MS, () =>
      end(() => {
        closeQuietly(socket);
        handlers.onFail(unreachable(address, "no answer by WebSocket"));
      }));
    try {
      this.#client ??= gates.http.createClient({ caCerts: [tls.authority] });
      const opened = new gates.http.WebSocket(`wss://${formatAddress(parseAddress(address))}${LINK_PATH}`, {
        client: this.#client,
        headers: { authorization: `Bearer ${admission}` },
      });
      socket = opened;
      opened.onopen = () => end(() => handlers.onOpen(new WebSocketConnection(world, opened, address)));
      opened.onerror = (event) => fail((event as ErrorEvent).error ?? (event as ErrorEvent).message);
      opened.onclose = () => fail("the socket closed");
    } catch (error) {
      world.soon(() => fail(error));
    }
  }

  close(): void {
    this.#client?.close();
    this.#client = null;
  }
}

function closeQuietly(socket: WebSocket | null): void {
  try {
    socket?.close();
  } catch {
    // It never opened.
  }
}

/** Says "your secret or mine is wrong" to a listener that could not see it. Nothing secret is in it. */
function tellWrongSecret(address: string): void {
  try {
    const { host, port } = parseAddress(address);
    const request = gates.http.unverifiedRequest({
      host,
      port,
      path: NOTICE_PATH,
      method: "POST",
      timeout: DIAL_TIMEOUT_MS,
      rejectUnauthorized: false,
      servername: CLUSTER_NAME,
      agent: false,
    }, (response) => response.resume());
    request.on("timeout", () => request.destroy());
    request.on("error", () => {});
    request.end();
  } catch {
    // A courtesy only.
  }
}
