import { WaterparkError } from "../base/mod.ts";
import { decodeFrame, type Frame, type Lane } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import { type Connection, HELLO_FRAME_BYTES_MAX } from "./carrier.ts";
import { LANES } from "./stream_connection.ts";

interface MemoryConnectionOptions {
  world: World;
  host: string;
  remote: string;
  latencyMs: number;
  fate: (from: string, to: string, bytes: Uint8Array, lane: Lane) => number[];
  isCut: (from: string, to: string) => boolean;
  /** true: every frame goes its own way, and lanes lose their order */
  isUnordered: boolean;
  forget: () => void;
}

/** Frames of one lane under way to the other end. */
interface Way {
  frames: Uint8Array[];
  /** how many of them have arrived, were there no cut */
  ready: number;
  lastAtMs: number;
  /** one more of them arrives */
  arrive: () => void;
}

/** One end of a connection in memory. */
export class MemoryConnection implements Connection {
  readonly carrier = "memory";
  readonly remote: string;
  /** The address of the host that this end belongs to. */
  readonly host: string;
  frameBytesMax = HELLO_FRAME_BYTES_MAX;
  onFrame: ((lane: Lane, frame: Frame) => void) | null = null;
  onClose: ((reason: string) => void) | null = null;

  /** The other end; set once by the network. */
  peer: MemoryConnection = this;
  /** Called when this end has ended; the listener's book-keeping. */
  onEnd: () => void = () => {};
  /** Grows with every mend, so that a time-out knows whether its cut is still the same. */
  cutAge = 0;

  readonly #options: MemoryConnectionOptions;
  readonly #ways: Way[] = [];
  #isClosed = false;
  #queuedBytes = 0;

  constructor(options: MemoryConnectionOptions) {
    this.#options = options;
    this.remote = options.remote;
    this.host = options.host;
    for (let lane = 0; lane < LANES; lane++) {
      const way: Way = { frames: [], ready: 0, lastAtMs: 0, arrive: () => {} };
      way.arrive = () => {
        way.ready++;
        this.#flush(lane as Lane);
      };
      this.#ways.push(way);
    }
  }

  send(lane: Lane, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    const { world, fate, isUnordered } = this.#options;
    const delaysMs = fate(this.host, this.peer.host, bytes, lane);
    for (let copy = 0; copy < delaysMs.length; copy++) {
      if (isUnordered) {
        world.after(delaysMs[copy], () => {
          if (!this.#options.isCut(this.host, this.peer.host)) this.peer.#deliver(lane, bytes);
        });
        continue;
      }
      const way = this.#ways[lane];
      this.#queuedBytes += bytes.length;
      way.frames.push(bytes);
      const nowMs = world.nowMonoMs();
      // A lane is a stream: what was sent later arrives later, whatever its fate says; and a second copy right behind
      // the first, or one frame that comes twice would hold up all others for as long as its copy takes.
      if (copy === 0) way.lastAtMs = Math.max(nowMs + delaysMs[copy], way.lastAtMs);
      world.after(way.lastAtMs - nowMs, way.arrive);
    }
  }

  queuedBytes(): number {
    return this.#queuedBytes;
  }

  /** A network in memory takes everything at once. */
  waitingBytes(): number {
    return 0;
  }

  close(reason: string): void {
    if (this.#isClosed) return;
    const { world, latencyMs, isCut } = this.#options;
    this.end(reason);
    if (isCut(this.host, this.peer.host)) return;
    world.after(latencyMs, () => this.peer.end(reason));
  }

  /** Ends this end and says so. */
  end(reason: string): void {
    if (this.#isClosed) return;
    this.vanish();
    // What was under way is lost to the close, as with QUIC.
    for (const way of this.#ways) way.frames = [];
    this.#queuedBytes = 0;
    this.#options.world.soon(() => this.onClose?.(reason));
  }

  /** Ends this end without a word: its host has crashed. What has left it already still arrives. */
  vanish(): void {
    this.#isClosed = true;
    this.#options.forget();
    this.onEnd();
  }

  /** Delivers what a cut has held back. */
  heal(): void {
    this.cutAge++;
    for (let lane = 0; lane < this.#ways.length; lane++) this.#flush(lane as Lane);
  }

  #flush(lane: Lane): void {
    const way = this.#ways[lane];
    while (way.ready > 0 && way.frames.length > 0 && !this.#options.isCut(this.host, this.peer.host)) {
      way.ready--;
      const bytes = way.frames.shift()!;
      this.#queuedBytes -= bytes.length;
      this.peer.#deliver(lane, bytes);
    }
  }

  #deliver(lane: Lane, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    let frame: Frame;
    try {
      frame = decodeFrame(bytes, this.frameBytesMax);
    } catch (error) {
      return this.close(error instanceof WaterparkError ? error.message : "broken stream");
    }
    this.onFrame?.(lane, frame);
  }
}
