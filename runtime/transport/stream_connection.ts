import { WaterparkError } from "../base/mod.ts";
import { FRAME, type Frame, FrameReader, type Lane } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import { type CarrierName, type Connection, HELLO_FRAME_BYTES_MAX } from "./carrier.ts";
import { LaneQueue } from "./lane_queue.ts";

/** How many lanes a connection has. */
export const LANES = 3;

/**
 * What the carriers that move streams of bytes share: a queue and a reader for each lane, one write for all that a turn
 * has queued, and an end that is told once.
 */
export abstract class StreamConnection implements Connection {
  abstract readonly carrier: CarrierName;
  readonly remote: string;
  onFrame: ((lane: Lane, frame: Frame) => void) | null = null;
  onClose: ((reason: string) => void) | null = null;

  protected readonly world: World;
  protected readonly queues: LaneQueue[] = [];
  protected isClosed = false;
  readonly #readers: FrameReader[] = [];
  #frameBytesMax = HELLO_FRAME_BYTES_MAX;
  #willPump = false;

  constructor(world: World, remote: string) {
    this.world = world;
    this.remote = remote;
    for (let lane = 0; lane < LANES; lane++) {
      this.queues.push(new LaneQueue());
      this.#readers.push(new FrameReader({ frameBytesMax: this.#frameBytesMax }));
    }
  }

  /** Gives what waits in the queues to the system, as far as it takes it now. */
  protected abstract pump(): void;
  /** Bytes taken from the queues that the system has not confirmed yet. */
  protected abstract bytesInFlight(): number;
  /** Those of one lane among them; of all, where lanes share a stream. */
  protected abstract laneBytesInFlight(lane: Lane): number;
  /** Ends the connection below; called once. */
  protected abstract shut(reason: string): void;

  get frameBytesMax(): number {
    return this.#frameBytesMax;
  }

  set frameBytesMax(bytes: number) {
    this.#frameBytesMax = bytes;
    for (const reader of this.#readers) reader.frameBytesMax = bytes;
  }

  send(lane: Lane, bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.queues[lane].push(bytes);
    if (this.#willPump) return;
    this.#willPump = true;
    this.world.soon(() => {
      this.#willPump = false;
      if (!this.isClosed) this.pump();
    });
  }

  queuedBytes(): number {
    let bytes = this.bytesInFlight();
    for (const queue of this.queues) bytes += queue.bytes;
    return bytes;
  }

  waitingBytes(lane: Lane): number {
    return this.queues[lane].bytes + this.laneBytesInFlight(lane);
  }

  close(reason: string): void {
    this.finish(reason);
  }

  /**
   * Takes bytes of one lane's stream.
   *
   * @param isVolatile true: the chunk is written to again once this has returned
   */
  protected received(lane: number, chunk: Uint8Array, isVolatile = false): void {
    if (this.isClosed) return;
    let frames: Frame[];
    try {
      frames = this.#readers[lane].push(chunk);
    } catch (error) {
      return this.finish(error instanceof WaterparkError ? error.message : "broken stream");
    }
    for (const frame of frames) {
      if (this.isClosed) return;
      // Entries are most of all bytes, and are copied into the log at once; what others take may be kept by them.
      if (isVolatile && frame.type !== FRAME.RAFT) frame.payload = frame.payload.slice();
      try {
        this.onFrame?.(lane as Lane, frame);
      } catch (error) {
        // A bug above us. Thrown here it would only look like a broken stream; it must end the process instead.
        this.world.after(0, () => {
          throw error;
        });
      }
    }
  }

  /** Ends the connection, whoever wanted it; the first reason counts. */
  protected finish(reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    for (const queue of this.queues) queue.clear();
    this.shut(reason);
    this.world.soon(() => this.onClose?.(reason));
  }
}
