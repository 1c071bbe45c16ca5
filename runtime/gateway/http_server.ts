import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";
import type { GatewayApp } from "./app.ts";

/**
 * Connections that may wait to be accepted, as far as the system allows: with Deno's 511, of a crowd that comes at once
 * some try again for half a minute, and are told neither yes nor no.
 */
const BACKLOG = 4096;

/** Where an app is served. */
export interface HttpServerOptions {
  /** the interface to listen on, `127.0.0.1` */
  hostname: string;
  /** 0: any free one */
  port: number;
}

/** A running HTTP server. */
export interface HttpServer {
  /** `host:port` as it really is */
  readonly address: string;
  /** `http://host:port` */
  readonly url: string;
  /** Ends streams, lets what is under way finish, at most `shutdownGraceMs`; then cuts off. */
  close(): Promise<void>;
}

/**
 * Serves the app on a port. It listens when this returns.
 *
 * @throws {WaterparkError} `gateway/cannot-listen` when the address is taken or not this machine's
 */
export function startHttp(app: GatewayApp, { hostname, port }: HttpServerOptions): HttpServer {
  const aborting = new AbortController();
  const server = listen();
  const host = server.addr.hostname.includes(":") ? `[${server.addr.hostname}]` : server.addr.hostname;
  const address = `${host}:${server.addr.port}`;
  return {
    address,
    url: `http://${address}`,
    async close() {
      // shutdown() waits for every open answer, and a watch has no end of its own
      app.streams.closeAll();
      const patience = Promise.withResolvers<void>();
      const cutOff = app.world.after(app.limits.shutdownGraceMs, () => {
        aborting.abort();
        patience.resolve();
      });
      await Promise.race([app.streams.socketsEnded(), patience.promise]);
      await server.shutdown();
      cutOff.cancel();
    },
  };

  function listen() {
    try {
      const signal = aborting.signal;
      return gates.http.serve({ hostname, port, tcpBacklog: BACKLOG, signal, onListen: () => {} }, app.fetch);
    } catch (cause) {
      throw new WaterparkError(`Cannot listen for HTTP on "${hostname}:${port}" as the address must be free and ours`, {
        code: "gateway/cannot-listen",
        outcome: "not-applied",
        cause,
      });
    }
  }
}
