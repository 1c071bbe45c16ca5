/**
 * Whom to dial, when, and by which carrier: keeps one link to every peer wanted.
 *
 * Of two nodes the one with the lower incarnation dials; the other only after it has waited a while, for networks in
 * which connections can be made one way only. What fails is tried again, later each time, by chance a little sooner or
 * later, so that a cluster that comes back does not call all at once.
 */
import type { WaterparkError } from "../base/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import type { Carrier, Connection } from "./carrier.ts";
import { unreachable } from "./errors.ts";
import type { Peer } from "./handshake.ts";

const BACKOFF_MS_MIN = 50;
const BACKOFF_MS_MAX = 2_000;
/** How long the higher incarnation waits for the lower one's call. */
const PATIENCE_MS = 1_000;
/** A link that has lived so long was a good one: after it, dialling begins anew without a delay. */
const STABLE_MS = 5_000;
/**
 * Only each third failed call of an address is tried by the other carriers, too: a peer that is just starting is not there
 * by any of them, and would else be linked to by whichever happens to be under way when it is.
 */
const OTHERS_EVERY = 3;
/** Addresses whose failed calls are counted; all are forgotten beyond. */
const ADDRESSES_MAX = 1_024;

interface Wanted {
  peer: Peer;
  failures: number;
  timer: Timer | null;
  isDialling: boolean;
  linkedAtMs: number;
}

/** What {@linkcode Dialling} needs. */
export interface DiallingOptions {
  /** time and chance */
  world: World;
  /** the own incarnation */
  self: number;
  /** in order of preference */
  carriers: Carrier[];
  /** Whether there is a link already: to this peer, or to a later life of it at the same address. */
  linkTo: (peer: Peer) => "linked" | "replaced" | "none";
  /** Greets on a fresh connection; `done` is called at the end of the greeting. */
  greet: (connection: Connection, address: string, done: () => void) => void;
  /** told of each dial that failed */
  onFail: (error: WaterparkError) => void;
}

/** Dials for the mesh. */
export class Dialling {
  readonly #options: DiallingOptions;
  readonly #wanted = new Map<number, Wanted>();
  /** failed calls in a row, by address */
  readonly #failed = new Map<string, number>();
  #isClosed = false;

  constructor(options: DiallingOptions) {
    this.#options = options;
  }

  /** The peers to keep links to; the others are no longer dialled. */
  setPeers(peers: Peer[]): void {
    if (this.#isClosed) return;
    const wanted = new Map(peers.map((peer) => [peer.incarnation, peer]));
    for (const [incarnation, entry] of this.#wanted) {
      if (wanted.has(incarnation)) continue;
      entry.timer?.cancel();
      this.#wanted.delete(incarnation);
    }
    for (const peer of wanted.values()) {
      if (peer.incarnation === this.#options.self) continue;
      const known = this.#wanted.get(peer.incarnation);
      if (known !== undefined) {
        known.peer = peer;
        continue;
      }
      const entry: Wanted = { peer, failures: 0, timer: null, isDialling: false, linkedAtMs: 0 };
      this.#wanted.set(peer.incarnation, entry);
      this.#plan(entry, 0);
    }
  }

  /** Whether a link to this peer is wanted. */
  isWanted(incarnation: number): boolean {
    return this.#wanted.has(incarnation);
  }

  /** The link to this peer is gone: soon there will be another, if it is still wanted. */
  lost(incarnation: number): void {
    const entry = this.#wanted.get(incarnation);
    if (entry === undefined || this.#isClosed) return;
    if (this.#options.world.nowMonoMs() - entry.linkedAtMs > STABLE_MS) entry.failures = 0;
    this.#plan(entry, backoffMs(entry));
  }

  /** Dials one address by the first carrier, now and then by the others; a wrong secret is wrong on all of them. */
  dial(address: string, handlers: { onOpen(c: Connection): void; onFail(error: WaterparkError): void }): void {
    const failed = this.#failed.get(address) ?? 0;
    const carriers = this.#options.carriers.slice(0, (failed + 1) % OTHERS_EVERY === 0 ? undefined : 1);
    const fail = (error: WaterparkError) => {
      if (this.#failed.size >= ADDRESSES_MAX) this.#failed.clear();
      this.#failed.set(address, failed + 1);
      handlers.onFail(error);
    };
    const tryNext = (index: number, last: WaterparkError) => {
      if (index === carriers.length || this.#isClosed) return fail(last);
      carriers[index].dial(address, {
        onOpen: (connection) => {
          this.#failed.delete(address);
          handlers.onOpen(connection);
        },
        onFail: (error) => {
          if (error.code === "transport/wrong-secret") fail(error);
          else tryNext(index + 1, error);
        },
      });
    };
    tryNext(0, unreachable(address, "the mesh closes"));
  }

  /** Dials no more. */
  close(): void {
    this.#isClosed = true;
    for (const entry of this.#wanted.values()) entry.timer?.cancel();
    this.#wanted.clear();
  }

  #plan(entry: Wanted, delayMs: number): void {
    const { world, self } = this.#options;
    if (entry.isDialling) return;
    entry.timer?.cancel();
    const patienceMs = self < entry.peer.incarnation ? 0 : PATIENCE_MS;
    entry.timer = world.after((delayMs + patienceMs) * (0.5 + world.random() / 2), () => this.#call(entry));
  }

  #call(entry: Wanted): void {
    const { peer } = entry;
    entry.timer = null;
    if (this.#isClosed || this.#wanted.get(peer.incarnation) !== entry) return;
    if (this.#isServed(entry)) return;
    entry.isDialling = true;
    const end = () => {
      entry.isDialling = false;
      if (this.#isClosed || this.#wanted.get(peer.incarnation) !== entry || this.#isServed(entry)) return;
      this.#plan(entry, backoffMs(entry));
    };
    this.dial(peer.address, {
      onOpen: (connection) => this.#options.greet(connection, peer.address, end),
      onFail: (error) => {
        this.#options.onFail(error);
        end();
      },
    });
  }

  /** Whether there is nothing to dial for: for now, where a later life of the peer has answered in its place. */
  #isServed(entry: Wanted): boolean {
    const link = this.#options.linkTo(entry.peer);
    if (link === "linked") entry.linkedAtMs = this.#options.world.nowMonoMs();
    if (link === "replaced") this.#plan(entry, BACKOFF_MS_MAX);
    return link !== "none";
  }
}

function backoffMs(entry: Wanted): number {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(entry.failures++, 10));
}
