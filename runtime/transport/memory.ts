/**
 * A network in memory, in virtual time, that can be made to misbehave: the ground that the simulator stands on.
 *
 * It is as good as the real carriers and no better. A lane keeps its order; a close may overtake what was sent before
 * it; a crashed host tells nobody, its peers find out by a time-out; a cut holds frames back, as a network below does
 * that sends them again, until the cut heals or the connection times out. Only an injected fate is crueller: it may
 * lose or double single frames, which no real carrier does on a connection that lives.
 *
 * One world, one order of events: nothing here depends on anything but the timers and the fate.
 */
import { assert } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { Lane } from "../wire/mod.ts";
import { type Carrier, DIAL_TIMEOUT_MS, type DialHandlers, type ListenHandlers, type Listening } from "./carrier.ts";
import { transportError, unreachable } from "./errors.ts";
import { MemoryConnection } from "./memory_connection.ts";

/**
 * Decides what becomes of one frame: when its copies arrive, in ms from now. `[]` loses it, two numbers double it; where
 * lanes keep their order the second copy comes right behind the first.
 * `from` and `to` are the addresses of the hosts; `bytes` is the encoded frame.
 */
export type FrameFate = (from: string, to: string, bytes: Uint8Array, lane: Lane) => number[];

/** How a {@linkcode MemoryNetwork} behaves. */
export interface MemoryNetworkOptions {
  /** the network's own time; not a node's, whose timers die with it */
  world: World;
  /** one way, in ms; what dials, closes and, without a `fate`, frames take; default 1 */
  latencyMs?: number;
  /** what becomes of each frame; default: it arrives after `latencyMs` */
  fate?: FrameFate;
  /** true: frames overtake each other within a lane, which no real carrier does; for the simulator; default false */
  isUnordered?: boolean;
  /** how long a cut connection lives, in ms; default 3000, as QUIC's here */
  idleTimeoutMs?: number;
  /** when the peers of a crashed host learn of it, in ms; `null`: never; default 3000, as QUIC's; TCP's is 10 */
  crashNoticeMs?: number | null;
}

interface Host {
  address: string;
  isAlive: boolean;
}

interface Listener {
  host: Host;
  handlers: ListenHandlers;
  connections: Set<MemoryConnection>;
}

/** Hosts, what listens on them, what connects them, and what is broken between them. */
export class MemoryNetwork {
  /** Frames that a fate has lost. */
  framesLost = 0;
  readonly #world: World;
  readonly #latencyMs: number;
  readonly #idleTimeoutMs: number;
  readonly #isUnordered: boolean;
  readonly #crashNoticeMs: number | null;
  readonly #hosts = new Map<string, Host>();
  readonly #listeners = new Map<string, Listener>();
  readonly #connections = new Set<MemoryConnection>();
  /** from whom to whom */
  readonly #cuts = new Map<string, Set<string>>();
  #fate: FrameFate;

  /** A network without hosts. */
  constructor(options: MemoryNetworkOptions) {
    this.#world = options.world;
    this.#latencyMs = options.latencyMs ?? 1;
    this.#isUnordered = options.isUnordered ?? false;
    this.#idleTimeoutMs = options.idleTimeoutMs ?? 3_000;
    this.#crashNoticeMs = options.crashNoticeMs === undefined ? 3_000 : options.crashNoticeMs;
    const usual = [this.#latencyMs];
    this.#fate = options.fate ?? (() => usual);
  }

  /** Decides anew what becomes of frames sent from now on. */
  setFate(fate: FrameFate): void {
    this.#fate = fate;
  }

  /** The carrier of the host at `address`; asking again after a crash starts the host anew. */
  carrier(address: string): Carrier {
    let host = this.#hosts.get(address);
    if (host === undefined || !host.isAlive) this.#hosts.set(address, host = { address, isAlive: true });
    const here = host;
    const listenSync = (at: string, handlers: ListenHandlers) => this.#listen(here, at, handlers);
    return {
      name: "memory",
      listenSync,
      // deno-lint-ignore require-await -- errors must reject, not throw
      listen: async (at, handlers) => listenSync(at, handlers),
      dial: (to, handlers) => this.#dial(here, to, handlers),
      close: () => {},
    };
  }

  /** Cuts `from` off `to`; both ways unless `isOneWay`. Connections die of it after the idle time-out. */
  cut(from: string, to: string, options: { isOneWay?: boolean } = {}): void {
    this.#cutOneWay(from, to);
    if (!options.isOneWay) this.#cutOneWay(to, from);
  }

  /** Mends what was cut, both ways; what was held back arrives. */
  heal(from: string, to: string): void {
    this.#mend(from, to);
    this.#mend(to, from);
    for (const connection of [...this.#connections]) {
      const { host, peer } = connection;
      if ((host === from && peer.host === to) || (host === to && peer.host === from)) connection.heal();
    }
  }

  /** Mends everything. */
  healAll(): void {
    this.#cuts.clear();
    for (const connection of [...this.#connections]) connection.heal();
  }

  /** Whether frames get from one host to the other. */
  isCut(from: string, to: string): boolean {
    return this.#cuts.size > 0 && (this.#cuts.get(from)?.has(to) ?? false);
  }

  /** Ends a host without a word: its connections say nothing and hear nothing any more. */
  crash(address: string): void {
    const host = this.#hosts.get(address);
    if (host === undefined) return;
    host.isAlive = false;
    for (const [at, listener] of this.#listeners) if (listener.host === host) this.#listeners.delete(at);
    for (const connection of [...this.#connections]) {
      if (connection.host !== address) continue;
      connection.vanish();
      this.#connections.delete(connection);
      if (this.#crashNoticeMs === null) continue;
      this.#world.after(this.#crashNoticeMs, () => connection.peer.end("timed out"));
    }
  }

  #listen(host: Host, address: string, handlers: ListenHandlers): Listening {
    assert(host.isAlive, "only a living host listens");
    if (this.#listeners.has(address)) {
      throw transportError("address-in-use", `Cannot listen at "${address}" as the port must be free: it is taken`);
    }
    const listener: Listener = { host, handlers, connections: new Set() };
    this.#listeners.set(address, listener);
    return {
      address,
      close: () => {
        if (this.#listeners.get(address) === listener) this.#listeners.delete(address);
        for (const connection of listener.connections) connection.close("the listener closes");
        return Promise.resolve();
      },
    };
  }

  #dial(host: Host, address: string, handlers: DialHandlers): void {
    const fail = (afterMs: number, state: string) =>
      this.#world.after(afterMs, () => {
        if (host.isAlive) handlers.onFail(unreachable(address, state));
      });
    this.#world.after(2 * this.#latencyMs, () => {
      if (!host.isAlive) return;
      const listener = this.#listeners.get(address);
      const there = listener?.host.address ?? address;
      if (this.isCut(host.address, there) || this.isCut(there, host.address)) {
        return fail(Math.max(0, DIAL_TIMEOUT_MS - 2 * this.#latencyMs), "no answer");
      }
      if (listener === undefined) return fail(0, "nobody listens");
      const dialled = this.#connect(host.address, address);
      const accepted = this.#connect(there, host.address);
      dialled.peer = accepted;
      accepted.peer = dialled;
      listener.connections.add(accepted);
      accepted.onEnd = () => listener.connections.delete(accepted);
      handlers.onOpen(dialled);
      listener.handlers.onConnection(accepted);
    });
  }

  #connect(host: string, remote: string): MemoryConnection {
    const connection = new MemoryConnection({
      world: this.#world,
      host,
      remote,
      latencyMs: this.#latencyMs,
      fate: (from, to, bytes, lane) => {
        const fates = this.#fate(from, to, bytes, lane);
        if (fates.length === 0) this.framesLost++;
        return fates;
      },
      isCut: (from, to) => this.isCut(from, to),
      isUnordered: this.#isUnordered,
      forget: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    return connection;
  }

  #mend(from: string, to: string): void {
    const cuts = this.#cuts.get(from);
    if (cuts?.delete(to) && cuts.size === 0) this.#cuts.delete(from);
  }

  #cutOneWay(from: string, to: string): void {
    if (this.isCut(from, to)) return;
    const cuts = this.#cuts.get(from) ?? new Set();
    this.#cuts.set(from, cuts.add(to));
    for (const connection of this.#connections) {
      if (connection.host !== from || connection.peer.host !== to) continue;
      const age = connection.cutAge;
      this.#world.after(this.#idleTimeoutMs, () => {
        if (!this.isCut(from, to) || connection.cutAge !== age) return;
        connection.end("timed out");
        connection.peer.end("timed out");
      });
    }
  }
}
