import { WaterparkError } from "../base/mod.ts";
import { log, type Sample } from "../telemetry/mod.ts";
import { gates, type Timer, type World } from "../world/mod.ts";
import type { Admission } from "./admission.ts";
import { type MllpCounters, mllpSamples, noMllpCounts } from "./mllp_counters.ts";
import type { MllpOddity } from "./mllp_recorder.ts";
import { MllpSession } from "./mllp_session.ts";
import { checkMllpSettings, type MllpSettings } from "./mllp_settings.ts";
import { listenOverTls, type TlsDoor, type TlsIdentity } from "./mllp_tls.ts";
import type { NodeService } from "./service.ts";

/** What an MLLP listener needs. */
export interface MllpListenerOptions extends MllpSettings {
  /** time and timers */
  world: World;
  /** where messages are recorded */
  service: Pick<NodeService, "post" | "whenHandled" | "newId" | "nowWallMs">;
  /** address to listen on */
  hostname: string;
  /** port, 0 = any */
  port: number;
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
export interface MllpConnection {
  read(into: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  close(): void;
  /** of TCP: notices a peer that is gone without a word, in hours */
  setKeepAlive?(on: boolean): void;
  /** of TCP: an acknowledgement is not held back */
  setNoDelay?(on: boolean): void;
}

/** What gives connections. */
export interface MllpDoor {
  readonly addr: { hostname: string; port: number };
  accept(): Promise<MllpConnection>;
  close(): void;
}

const DEFAULTS = {
  connectionsMax: 512,
  idleMs: 600_000,
  inFlightMax: 64,
  messageBytesMax: 1024 * 1024,
  drainMs: 11_000,
  route: {},
};

type Settings = MllpListenerOptions & Required<Pick<MllpListenerOptions, keyof typeof DEFAULTS>>;

const READ_BYTES = 64 * 1024;
/** Between two looks at the certificate's files, ms. */
const RENEW_MS = 60_000;

/**
 * Takes HL7 v2 messages over MLLP and records each in the actor of its patient. AA, CA: the quorum has it; AE, CE: not
 * now, send again; AR, CR: never. Whoever gets no answer sends again under the same control id; nothing stands twice.
 */
export class MllpListener {
  /** what was counted since the start */
  readonly counters: MllpCounters;
  /** `host:port`, with the port that was chosen for 0 */
  readonly address: string;
  readonly #settings: Settings;
  readonly #listener: MllpDoor;
  readonly #connections = new Map<MllpConnection, MllpSession>();
  #refused = 0;
  #isClosing = false;
  #renewal: Timer | null = null;

  private constructor(settings: Settings, listener: MllpDoor, counters: MllpCounters) {
    this.counters = counters;
    this.#settings = settings;
    this.#listener = listener;
    const { hostname, port } = listener.addr;
    this.address = hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
  }

  /**
   * Listens; connections are taken from then on.
   *
   * @throws {WaterparkError} `gateway/bad-mllp-settings`
   * @throws {Error} what the operating system says when the address cannot be had
   */
  static async listen(options: MllpListenerOptions): Promise<MllpListener> {
    checkMllpSettings(options);
    const { hostname, port, tls } = options;
    const counters = noMllpCounts();
    const onStranger = () => void counters.strangers++;
    const secure = tls === undefined ? null : await listenOverTls({ hostname, port, tls, onStranger });
    const door = secure ?? gates.tcp.listen({ hostname, port, transport: "tcp" }) as MllpDoor;
    const mllp = new MllpListener({ ...DEFAULTS, ...withoutHoles(options) }, door, counters);
    mllp.#acceptAll();
    if (secure !== null && tls?.again !== undefined) mllp.#renewAfter(secure, tls, tls.again);
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

  /** What it counts, as metrics. */
  samples(): Sample[] {
    return [
      ...mllpSamples(this.counters),
      { name: "mllp_connections", help: "open MLLP connections", value: this.connections },
      { name: "mllp_refused_connections", help: "MLLP connections over the limit", value: this.#refused },
    ];
  }

  /** Takes no more messages, answers those taken, then closes everything; at the latest after `drainMs`. */
  async close(): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    this.#renewal?.cancel();
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
      let connection: MllpConnection;
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

  /** Looks once a minute whether the certificate is another one by now. */
  #renewAfter(door: TlsDoor, now: TlsIdentity, again: () => Promise<TlsIdentity>, lastProblem = ""): void {
    const { world } = this.#settings;
    this.#renewal = world.after(RENEW_MS, async () => {
      let problem = "";
      try {
        const next = await again();
        const isNew = next.cert !== now.cert || next.key !== now.key || next.clientCa !== now.clientCa;
        if (isNew) {
          if (this.#isClosing) return;
          door.renew(next);
          now = next;
          log("gateway").info("mllp: there is another certificate, for who connects from now on");
        }
      } catch (error) {
        problem = error instanceof WaterparkError
          ? error.message
          : `its files cannot be read: ${(error as Error).name}`;
        if (problem !== lastProblem) {
          log("gateway").warn("mllp: the certificate stays as it was. {problem}", { problem });
        }
      }
      if (!this.#isClosing) this.#renewAfter(door, now, again, problem);
    });
  }

  async #serve(connection: MllpConnection): Promise<void> {
    const { world, idleMs } = this.#settings;
    let lastMovedMs = world.nowMonoMs();
    const seen = new Set<MllpOddity>();
    const session = new MllpSession({
      ...this.#settings,
      counters: this.counters,
      async write(bytes) {
        for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
        lastMovedMs = world.nowMonoMs();
      },
      // what came is a patient's data; what kind of thing it was is what helps who looks for the cause
      onOddity(oddity) {
        if (seen.has(oddity)) return;
        seen.add(oddity);
        log("gateway").warn("mllp: {oddity} from a sender; see the metrics", { oddity });
      },
    });
    this.#connections.set(connection, session);
    const stopWatching = watchIdle(world, idleMs, () => lastMovedMs, () => closeQuietly(connection));
    try {
      connection.setNoDelay?.(true);
      connection.setKeepAlive?.(true);
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
      if (!this.#isClosing) session.ended();
      if (!this.#isClosing || session.pending === 0) {
        this.#connections.delete(connection);
        closeQuietly(connection);
      }
    }
  }
}

// an option that is said to be undefined is left out
function withoutHoles(options: MllpListenerOptions): MllpListenerOptions {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as never;
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

function closeQuietly(connection: MllpConnection): void {
  try {
    connection.close();
  } catch {
    // already closed
  }
}
