import { log } from "../telemetry/mod.ts";
import { gates, type World } from "../world/mod.ts";
import type { Hl7RouteOptions } from "../wire/mod.ts";
import type { Admission } from "./admission.ts";
import { type MllpCounters, MllpSession, noMllpCounts } from "./mllp_session.ts";
import type { NodeService } from "./service.ts";

/** Settings of an MLLP listener. */
export interface MllpListenerOptions {
  /** time and timers */
  world: World;
  /** where messages are recorded */
  service: Pick<NodeService, "post" | "newId" | "nowWallMs">;
  /** address to listen on */
  hostname: string;
  /** port, 0 = any */
  port: number;
  /** PEM certificate chain and key; left out: plain TCP, fit for loopback or a tunnel */
  tls?: { cert: string; key: string };
  /** where a message's key stands; default facility `MSH-4.1`, id `PID-3.1` */
  route?: Hl7RouteOptions;
  /** connections at a time, default 512; one more is closed at once */
  connectionsMax?: number;
  /** a connection on which nothing moves for so long is closed, ms, default 10 min: peers vanish behind firewalls without a word; 0 = never */
  idleMs?: number;
  /** messages of one connection taken in and not yet answered, default 64; beyond, the peer is not read */
  inFlightMax?: number;
  /** largest message, bytes, default 1 MiB */
  messageBytesMax?: number;
  /** how long closing waits for answers that are owed, ms, default 11 s: longer than a request may take */
  drainMs?: number;
  /** who is let in with a message: the node's, shared with HTTP; left out: everybody */
  admission?: Admission;
  /** told of `gateway/mllp-conflict` */
  onAlert?: (code: string) => void;
}

/** What plain TCP's and TLS's connections have in common. */
interface Connection {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
}

interface Listener {
  readonly addr: { hostname: string; port: number };
  accept(): Promise<Connection>;
  close(): void;
}

type Settings =
  & Required<Omit<MllpListenerOptions, "tls" | "onAlert" | "admission">>
  & Pick<MllpListenerOptions, "onAlert" | "admission">;

const READ_BYTES = 64 * 1024;

/**
 * Takes HL7 v2 messages over MLLP and records each in the actor of its patient. AA: the quorum has it; AE: not now,
 * send again; AR: never. Whoever gets no answer sends again under the same control id; nothing stands twice.
 *
 * Acknowledges in original mode, to senders of enhanced mode too: AA after the commit tells all that CA would.
 */
export class MllpListener {
  /** what was counted since the start */
  readonly counters: MllpCounters = noMllpCounts();
  /** `host:port`, with the port that was chosen for 0 */
  readonly address: string;
  readonly #settings: Settings;
  readonly #listener: Listener;
  readonly #connections = new Map<Connection, MllpSession>();
  #refused = 0;
  #isClosing = false;

  private constructor(settings: Settings, listener: Listener) {
    this.#settings = settings;
    this.#listener = listener;
    const { hostname, port } = listener.addr;
    this.address = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  }

  /**
   * Listens. Connections are taken from now on.
   *
   * @throws what the operating system says when the address cannot be had, or the certificate cannot be read
   */
  static listen(options: MllpListenerOptions): MllpListener {
    const { hostname, port, tls } = options;
    const settings = {
      connectionsMax: 512,
      idleMs: 600_000,
      inFlightMax: 64,
      messageBytesMax: 1024 * 1024,
      drainMs: 11_000,
      route: {},
      ...options,
    };
    const listener = tls === undefined
      ? gates.tcp.listen({ hostname, port, transport: "tcp" })
      : gates.tcp.listenTls({ hostname, port, ...tls });
    const mllp = new MllpListener(settings, listener as Listener);
    mllp.#acceptAll();
    return mllp;
  }

  /** connections now */
  get connections(): number {
    return this.#connections.size;
  }

  /** connections closed at once as there were too many */
  get refusedConnections(): number {
    return this.#refused;
  }

  /** Takes no more messages, answers those taken, then closes everything; at the latest after `drainMs`. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#listener.close();
    const { world, drainMs } = this.#settings;
    const drained = Promise.all([...this.#connections.values()].map((session) => session.drain()));
    await new Promise<void>((resolve) => {
      const limit = world.after(drainMs, resolve);
      drained.then(() => {
        limit.cancel();
        resolve();
      });
    });
    for (const connection of this.#connections.keys()) closeQuietly(connection);
    this.#connections.clear();
  }

  async #acceptAll(): Promise<void> {
    while (!this.#isClosing) {
      let connection: Connection;
      try {
        connection = await this.#listener.accept();
      } catch {
        // The listener was closed, or the system has no more descriptors: then wait, as trying at once would spin.
        if (this.#isClosing) return;
        await new Promise<void>((resolve) => this.#settings.world.after(100, resolve));
        continue;
      }
      if (this.#connections.size >= this.#settings.connectionsMax) {
        this.#refused++;
        log("gateway").warn("mllp: connection refused, {connections} are open", {
          connections: this.#connections.size,
        });
        closeQuietly(connection);
        continue;
      }
      this.#serve(connection);
    }
  }

  async #serve(connection: Connection): Promise<void> {
    const { world, idleMs, service, route, messageBytesMax, inFlightMax, onAlert, admission } = this.#settings;
    let lastMovedMs = world.nowMonoMs();
    const session = new MllpSession({
      service,
      route,
      messageBytesMax,
      inFlightMax,
      onAlert,
      admission,
      counters: this.counters,
      async write(bytes) {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
        lastMovedMs = world.nowMonoMs();
      },
    });
    this.#connections.set(connection, session);
    const stopWatching = watchIdle(world, idleMs, () => lastMovedMs, () => closeQuietly(connection));
    try {
      const buffer = new Uint8Array(READ_BYTES);
      for (;;) {
        const length = await connection.read(buffer);
        // what arrives while we close was not taken: the sender, without an answer, repeats it elsewhere
        if (length === null || this.#isClosing) break;
        lastMovedMs = world.nowMonoMs();
        if (!await session.receive(buffer.subarray(0, length))) break;
      }
      // the peer may have closed its side only, and still wait for what is owed
      await session.drain();
    } catch {
      // reset by the peer, closed by us, or a TLS handshake that failed: nothing is owed to anybody
    } finally {
      stopWatching();
      if (!this.#isClosing || session.pending === 0) {
        this.#connections.delete(connection);
        closeQuietly(connection);
      }
    }
  }
}

// one timer a connection, set anew only when it fires: traffic costs nothing
function watchIdle(world: World, idleMs: number, lastMovedMs: () => number, onIdle: () => void): () => void {
  if (idleMs <= 0) return () => {};
  let timer = world.after(idleMs, check);
  function check(): void {
    const leftMs = lastMovedMs() + idleMs - world.nowMonoMs();
    if (leftMs <= 0) onIdle();
    else timer = world.after(leftMs, check);
  }
  return () => timer.cancel();
}

function closeQuietly(connection: Connection): void {
  try {
    connection.close();
  } catch {
    // already closed
  }
}
