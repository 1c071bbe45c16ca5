/**
 * QUIC: one UDP port for a node, on which it listens and from which it dials.
 *
 * What the platform is like (all measured): a killed peer is noticed by the idle time-out alone, hence 3 s and a
 * failure detector above; a close loses what is queued, hence the goodbye above; dialling nobody takes 30 s, hence our
 * own limit; reading a property of an incoming connection before it is accepted consumes it, so nothing is read.
 */
import { formatAddress, isLoopback, parseAddress } from "./address.ts";
import type { Carrier, DialHandlers, ListenHandlers, Listening } from "./carrier.ts";
import { DIAL_TIMEOUT_MS } from "./carrier.ts";
import { dialError, unreachable } from "./errors.ts";
import { checkListenHost, listenError, type SocketCarrierOptions } from "./socket_listening.ts";
import { CLUSTER_NAME } from "./secret.ts";
import { QuicConnection } from "./quic_connection.ts";
import { gates } from "../world/mod.ts";

const ALPN = ["waterpark/1"];
/** Three lanes, and one more so that a wrong fourth is seen and refused. */
const STREAMS_MAX = 4;
const TRANSPORT = {
  keepAliveInterval: 500,
  maxIdleTimeout: 3_000,
  maxConcurrentBidirectionalStreams: STREAMS_MAX,
  maxConcurrentUnidirectionalStreams: 0,
};
/** Handshakes at once; a dialler beyond it is refused before it costs anything. */
const ACCEPTING_MAX = 256;

/** Frames over QUIC. */
export class QuicCarrier implements Carrier {
  readonly name = "quic";
  readonly #options: SocketCarrierOptions;
  #endpoint: gates.QuicEndpoint | null = null;
  #isEndpointBorrowed = false;

  constructor(options: SocketCarrierOptions) {
    this.#options = options;
  }

  // deno-lint-ignore require-await -- errors must reject, not throw
  async listen(address: string, handlers: ListenHandlers): Promise<Listening> {
    const { host, port } = parseAddress(address);
    checkListenHost(host, this.#options.isLoopbackOnly);
    const { certificate, key } = this.#options.tls;
    const endpoint = openEndpoint(host, port, address);
    const listener = endpoint.listen({ ...TRANSPORT, cert: certificate, key, alpnProtocols: ALPN });
    this.#endpoint = endpoint;
    this.#isEndpointBorrowed = true;
    const connections = new Set<QuicConnection>();
    let isOpen = true;
    this.#accept(listener, handlers, connections, () => isOpen);
    return {
      address: formatAddress({ host, port: endpoint.addr.port }),
      close: () => {
        isOpen = false;
        for (const connection of connections) connection.close("the listener closes");
        if (this.#endpoint === endpoint) this.#endpoint = null;
        listener.stop();
        // The close frames of the connections leave in the next turn; an endpoint closed before that sends none.
        return new Promise((done) =>
          this.#options.world.after(20, () => {
            endpoint.close({ closeCode: 0, reason: "the listener closes" });
            done();
          })
        );
      },
    };
  }

  async #accept(
    listener: gates.QuicListener,
    handlers: ListenHandlers,
    connections: Set<QuicConnection>,
    isOpen: () => boolean,
  ): Promise<void> {
    const { world } = this.#options;
    let accepting = 0;
    while (isOpen()) {
      try {
        const incoming = await listener.incoming();
        if (accepting >= ACCEPTING_MAX) {
          incoming.refuse();
          continue;
        }
        accepting++;
        Promise.resolve(incoming.accept()).then((conn) => {
          accepting--;
          const connection = QuicConnection.accepted(world, conn, remoteOf(conn));
          connections.add(connection);
          conn.closed.catch(() => {}).then(() => connections.delete(connection));
          handlers.onConnection(connection);
        }, (error) => {
          accepting--;
          handlers.onRefused(dialError("a dialling node", error));
        });
      } catch (error) {
        if (!isOpen()) return;
        handlers.onRefused(dialError("a dialling node", error));
        await new Promise<void>((done) => world.after(100, done));
      }
    }
  }

  dial(address: string, handlers: DialHandlers): void {
    const { world } = this.#options;
    let isOver = false;
    const timer = world.after(DIAL_TIMEOUT_MS, () => fail(unreachable(address, "no answer by QUIC")));
    const fail = (error: ReturnType<typeof unreachable>) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      handlers.onFail(error);
    };
    this.#connect(address).then((connection) => {
      if (isOver) return connection.close("too late");
      isOver = true;
      timer.cancel();
      handlers.onOpen(connection);
    }, (error) => fail(dialError(address, error)));
  }

  async #connect(address: string): Promise<QuicConnection> {
    const { host, port } = parseAddress(address);
    this.#endpoint ??= openEndpoint(host.includes(":") ? "::" : isLoopback(host) ? "127.0.0.1" : "0.0.0.0", 0, address);
    const conn = await gates.quic.connect({
      ...TRANSPORT,
      hostname: host,
      port,
      // Every node's certificate bears this name and no public authority may sign it: an address need not be in it.
      serverName: CLUSTER_NAME,
      alpnProtocols: ALPN,
      caCerts: [this.#options.tls.authority],
      endpoint: this.#endpoint,
    });
    conn.closed.catch(() => {});
    return await QuicConnection.dialled(this.#options.world, conn, address);
  }

  close(): void {
    if (!this.#isEndpointBorrowed) this.#endpoint?.close({ closeCode: 0, reason: "the node leaves" });
    this.#endpoint = null;
  }
}

function openEndpoint(hostname: string, port: number, address: string): gates.QuicEndpoint {
  try {
    return new gates.quic.Endpoint({ hostname: hostname === "localhost" ? "127.0.0.1" : hostname, port });
  } catch (cause) {
    throw listenError(address, cause);
  }
}

function remoteOf(conn: gates.QuicConn): string {
  try {
    const { hostname, port } = conn.remoteAddr;
    return formatAddress({ host: hostname, port });
  } catch {
    return "a dialling node";
  }
}
