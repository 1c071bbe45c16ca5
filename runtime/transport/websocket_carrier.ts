/**
 * WebSocket over TLS: for networks that let no UDP through, and the quick witness of a crash (TCP says so in 10 ms
 * where QUIC takes its idle time-out).
 *
 * The door is narrow: TLS by the cluster's own authority, and then a word derived from the secret in the request, so
 * that a stranger makes the node hold nothing. A dialler whose secret differs already fails at TLS, which the platform
 * hides from the listening side; it therefore says so once more, unverified, by a plain request. That word comes from
 * anyone, so it is only shown and counted, never acted upon.
 */
import { formatAddress, parseAddress } from "./address.ts";
import { type Carrier, DIAL_TIMEOUT_MS, type DialHandlers, type ListenHandlers, type Listening } from "./carrier.ts";
import { dialError, refusedError, unreachable } from "./errors.ts";
import { checkListenHost, listenError, type SocketCarrierOptions } from "./socket_listening.ts";
import { DialledPipe } from "./message_pipes.ts";
import { type Door, type DoorAnswer, type DoorRequest, openDoor } from "./websocket_door.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { CLUSTER_NAME } from "./secret.ts";
import { gates } from "../world/mod.ts";

const LINK_PATH = "/waterpark/1/link";
const NOTICE_PATH = "/waterpark/1/wrong-secret";

/** Frames over WebSocket. */
export class WebSocketCarrier implements Carrier {
  readonly name = "websocket";
  readonly #options: SocketCarrierOptions;

  constructor(options: SocketCarrierOptions) {
    this.#options = options;
  }

  async listen(address: string, handlers: ListenHandlers): Promise<Listening> {
    const { host, port } = parseAddress(address);
    const { world, tls, isLoopbackOnly } = this.#options;
    checkListenHost(host, isLoopbackOnly);
    const connections = new Set<WebSocketConnection>();
    let door: Door;
    try {
      door = await openDoor({
        world,
        hostname: host,
        port,
        cert: tls.certificate,
        key: tls.key,
        onRequest: (request) => this.#judge(request, handlers),
        onPipe: (pipe, remote) => {
          const connection = new WebSocketConnection(world, pipe, remote, () => connections.delete(connection));
          connections.add(connection);
          handlers.onConnection(connection);
        },
      });
    } catch (cause) {
      throw listenError(address, cause);
    }
    return {
      address: formatAddress({ host, port: door.port }),
      close: async () => {
        for (const connection of connections) connection.close("the listener closes");
        await door.close();
      },
    };
  }

  #judge({ path, headers, remote }: DoorRequest, handlers: ListenHandlers): DoorAnswer {
    if (path !== LINK_PATH && path !== NOTICE_PATH) return 404;
    if (path === LINK_PATH && headers.get("authorization") === `Bearer ${this.#options.admission}`) return "upgrade";
    handlers.onRefused(refusedError("transport/wrong-secret", remote));
    return path === LINK_PATH ? 401 : 204;
  }

  dial(address: string, handlers: DialHandlers): void {
    const { world, admission, tls } = this.#options;
    let isOver = false;
    const end = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      act();
    };
    const timer = world.after(
      DIAL_TIMEOUT_MS,
      () => end(() => handlers.onFail(unreachable(address, "no answer by WebSocket"))),
    );
    DialledPipe.run(address, {
      world,
      admission,
      authority: tls.authority,
      path: LINK_PATH,
      isOver: () => isOver,
      onOpen: (pipe) => end(() => handlers.onOpen(new WebSocketConnection(world, pipe, address))),
    }).catch((cause) =>
      end(() => {
        const error = dialError(address, cause);
        if (error.code === "transport/wrong-secret") tellWrongSecret(address);
        handlers.onFail(error);
      })
    );
  }

  close(): void {}
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
