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
import { dialError, refusedError } from "./errors.ts";
import { checkListenHost, listenError, type SocketCarrierOptions } from "./socket_listening.ts";
import { type AcceptedPipe, DialledPipe } from "./message_pipes.ts";
import { PipeGathering } from "./pipe_gathering.ts";
import { LANES } from "./stream_connection.ts";
import { type Door, type DoorAnswer, type DoorRequest, openDoor } from "./websocket_door.ts";
import { WebSocketConnection } from "./websocket_connection.ts";
import { CLUSTER_NAME } from "./secret.ts";
import { gates, mintId } from "../world/mod.ts";

const LINK_PATH = "/waterpark/1/link";
/** `ID/N`: socket N, for lane N, of the link that the dialler calls ID; whoever knows it says so in the answer. */
const PART_HEADER = "waterpark-lane";
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
    const open = (pipes: AcceptedPipe[], remote: string) => {
      const connection = new WebSocketConnection(world, pipes, remote, () => connections.delete(connection));
      connections.add(connection);
      handlers.onConnection(connection);
    };
    const gathering = new PipeGathering({ world, onWhole: open });
    let door: Door;
    try {
      door = await openDoor({
        world,
        hostname: host,
        port,
        cert: tls.certificate,
        key: tls.key,
        onRequest: (request) => this.#judge(request, handlers),
        onPipe: (pipe, { headers, remote }) => {
          const part = headers.get(PART_HEADER);
          if (part === undefined) open([pipe], remote);
          else gathering.add(part, pipe, remote);
        },
      });
    } catch (cause) {
      throw listenError(address, cause);
    }
    return {
      address: formatAddress({ host, port: door.port }),
      close: async () => {
        for (const connection of connections) connection.close("the listener closes");
        gathering.close();
        await door.close();
      },
    };
  }

  #judge({ path, headers, remote }: DoorRequest, handlers: ListenHandlers): DoorAnswer {
    if (path !== LINK_PATH && path !== NOTICE_PATH) return 404;
    if (path === LINK_PATH && headers.get("authorization") === `Bearer ${this.#options.admission}`) {
      return { upgrade: headers.has(PART_HEADER) ? { [PART_HEADER]: "taken" } : {} };
    }
    handlers.onRefused(refusedError("transport/wrong-secret", remote));
    return path === LINK_PATH ? 401 : 204;
  }

  dial(address: string, handlers: DialHandlers): void {
    const { world } = this.#options;
    const pipes: DialledPipe[] = [];
    const giveUp = new AbortController();
    let isOver = false;
    const end = (act: () => void) => {
      if (isOver) return;
      isOver = true;
      timer.cancel();
      act();
    };
    const fail = (cause: unknown) =>
      end(() => {
        giveUp.abort();
        for (const pipe of pipes) pipe?.close();
        const error = dialError(address, cause);
        if (error.code === "transport/wrong-secret") tellWrongSecret(address);
        handlers.onFail(error);
      });
    const timer = world.after(DIAL_TIMEOUT_MS, () => fail("no answer by WebSocket"));
    const isEnough = (parts: number) => {
      for (let part = 0; part < parts; part++) if (pipes[part] === undefined) return;
      end(() => handlers.onOpen(new WebSocketConnection(world, pipes.slice(0, parts), address)));
    };
    const link = mintId(world);
    const { signal } = giveUp;
    this.#dialPart(address, `${link}/0`, {
      signal,
      onFail: fail,
      onOpen: (pipe, head) => {
        pipes[0] = pipe;
        // An earlier version, which takes it for all there is.
        if (!head.toLowerCase().includes(`\r\n${PART_HEADER}:`)) return isEnough(1);
        for (let part = 1; part < LANES; part++) {
          this.#dialPart(address, `${link}/${part}`, {
            signal,
            onFail: fail,
            onOpen: (pipe) => {
              pipes[part] = pipe;
              isEnough(LANES);
            },
          });
        }
      },
    });
  }

  #dialPart(address: string, part: string, { signal, onOpen, onFail }: {
    signal: AbortSignal;
    onOpen: (pipe: DialledPipe, head: string) => void;
    onFail: (cause: unknown) => void;
  }): void {
    const { world, admission, tls } = this.#options;
    DialledPipe.run(address, {
      world,
      authority: tls.authority,
      path: LINK_PATH,
      headers: { Authorization: `Bearer ${admission}`, [PART_HEADER]: part },
      signal,
      onOpen,
    }).catch(onFail);
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
