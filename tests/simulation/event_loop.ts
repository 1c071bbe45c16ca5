/**
 * Event loop: what a node's own slowness does to it. Timers, frames and requests come to it as letters to a clerk: a slow
 * clerk opens each a little late; one who has fainted (SIGSTOP, a long garbage collection, a machine that swaps) opens
 * none, and then all that have piled up, one after the other, in the order in which they came.
 *
 * It also makes a node's links refuse what is to be sent, as a full queue does. A simulation that draws none of this has
 * no event loops, and pays nothing.
 */
import type { Carrier, Connection, DialHandlers, ListenHandlers } from "../../runtime/transport/mod.ts";
import { FRAME_BYTES_MAX } from "../../runtime/wire/mod.ts";
import type { SeededRandom, SimulatedTime } from "../../runtime/world/mod.ts";

/** A backlog so long is not made longer by slowness alone, ms: a clerk that never catches up is a dead one. */
const BACKLOG_MS_MAX = 300;

/** One life's event loop. */
export class EventLoop {
  /** each turn takes up to so long, ms */
  lagMs = 0;
  /** so many bytes seem to wait on each of its links */
  cloggedBytes = 0;
  readonly #time: SimulatedTime;
  readonly #random: SeededRandom;
  readonly #isAlive: () => boolean;
  /** when everything that has come so far will be done */
  #freeAtMs = 0;
  #held = 0;

  constructor(options: { time: SimulatedTime; random: SeededRandom; isAlive: () => boolean }) {
    this.#time = options.time;
    this.#random = options.random;
    this.#isAlive = options.isAlive;
  }

  /** Stands still for `ms` from now. */
  stall(ms: number): void {
    this.#freeAtMs = Math.max(this.#freeAtMs, this.#time.nowMs + ms);
  }

  /** Runs `fn` when everything before it has run. */
  readonly turn = (fn: () => void): void => {
    const { nowMs } = this.#time;
    let atMs = Math.max(nowMs, this.#freeAtMs);
    if (this.lagMs > 0 && atMs - nowMs < BACKLOG_MS_MAX) atMs += this.#random.next() * this.lagMs;
    this.#freeAtMs = atMs;
    if (atMs <= nowMs && this.#held === 0) return fn();
    this.#held++;
    this.#time.after(atMs - nowMs, () => {
      this.#held--;
      fn();
    }, this.#isAlive);
  };

  /** The same carrier, heard through this loop. */
  carrier(inner: Carrier): Carrier {
    const heard = (connection: Connection) => new LateConnection(this, connection);
    return {
      ...inner,
      listenSync: (address, handlers: ListenHandlers) =>
        inner.listenSync!(address, {
          onConnection: (connection) => {
            const late = heard(connection);
            this.turn(() => handlers.onConnection(late));
          },
          onRefused: (error) => this.turn(() => handlers.onRefused(error)),
        }),
      dial: (address, handlers: DialHandlers) =>
        inner.dial(address, {
          onOpen: (connection) => {
            const late = heard(connection);
            this.turn(() => handlers.onOpen(late));
          },
          onFail: (error) => this.turn(() => handlers.onFail(error)),
        }),
    };
  }
}

/** A connection whose frames wait for their turn. */
class LateConnection implements Connection {
  readonly carrier = "memory";
  readonly remote: string;
  /** Kept, not heeded: here frames are read before the node has had the time to say how large they may be. */
  frameBytesMax: number;
  onFrame: Connection["onFrame"] = null;
  onClose: Connection["onClose"] = null;
  readonly #loop: EventLoop;
  readonly #inner: Connection;
  #isClosed = false;

  constructor(loop: EventLoop, inner: Connection) {
    this.#loop = loop;
    this.#inner = inner;
    this.remote = inner.remote;
    this.frameBytesMax = inner.frameBytesMax;
    inner.frameBytesMax = FRAME_BYTES_MAX;
    inner.onFrame = (lane, frame) =>
      loop.turn(() => {
        if (!this.#isClosed) this.onFrame?.(lane, frame);
      });
    inner.onClose = (reason) => loop.turn(() => this.onClose?.(reason));
  }

  send(lane: 0 | 1 | 2, bytes: Uint8Array): void {
    this.#inner.send(lane, bytes);
  }

  queuedBytes(): number {
    return this.#loop.cloggedBytes + this.#inner.queuedBytes();
  }

  waitingBytes(lane: 0 | 1 | 2): number {
    return this.#loop.cloggedBytes + this.#inner.waitingBytes(lane);
  }

  close(reason: string): void {
    this.#isClosed = true;
    this.#inner.close(reason);
  }
}
