import type { Lane } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import { LANES, StreamConnection } from "./stream_connection.ts";

/** One message: small, so that control waits behind little where all lanes share one socket. */
const MESSAGE_BYTES_MAX = 64 * 1024;

/** One end of a WebSocket that is open, whoever made it. */
export interface MessagePipe {
  /** bytes that a message must leave free in front */
  readonly room: number;
  /** true: a message's bytes hold only until `onMessage` returns */
  readonly isVolatile: boolean;
  /** bytes given to `send` that the system has not taken */
  readonly bufferedBytes: number;
  /** no more is sent while so many are buffered: what comes later may be more urgent */
  readonly bufferedBytesMax: number;
  /** Sends `buffer[room, length)` as one binary message; the bytes must not be changed any more. */
  send(buffer: Uint8Array<ArrayBuffer>): void;
  /** Closes it; `onEnd` may follow. */
  close(): void;
  /** Sets who is told; none of these throws. */
  attach(handlers: PipeHandlers): void;
}

/** Told of what happens on a {@linkcode MessagePipe}. */
export interface PipeHandlers {
  /** one message; the bytes may be kept, but where the pipe is volatile */
  onMessage(bytes: Uint8Array): void;
  /** nothing is buffered any more; told once there was `bufferedBytesMax` */
  onDrain(): void;
  /** it has ended */
  onEnd(reason: string): void;
}

/**
 * A WebSocket for each lane, so that none waits behind another's bytes in the system's buffers; or one for all of them,
 * with a node that knows no better. A message is a lane's number and then a piece of that lane's stream.
 */
export class WebSocketConnection extends StreamConnection {
  readonly carrier = "websocket";
  readonly #pipes: readonly MessagePipe[];
  readonly #onShut: () => void;
  #bulkIsNext = false;

  /**
   * @param pipes one for each lane, or one
   * @param onShut told once, whoever ends it
   */
  constructor(world: World, pipes: readonly MessagePipe[], remote: string, onShut: () => void = () => {}) {
    super(world, remote);
    this.#pipes = pipes;
    this.#onShut = onShut;
    for (const pipe of pipes) {
      pipe.attach({
        onMessage: (bytes) => {
          if (!(bytes[0] < LANES)) return this.finish("a message that is no lane's");
          this.received(bytes[0], bytes.subarray(1), pipe.isVolatile);
        },
        onDrain: () => this.pump(),
        onEnd: (reason) => this.finish(reason),
      });
    }
  }

  protected override pump(): void {
    if (this.isClosed) return;
    try {
      for (let n = 0; n < this.#pipes.length; n++) {
        const pipe = this.#pipes[n];
        while (pipe.bufferedBytes < pipe.bufferedBytesMax) {
          const lane = this.#pipes.length === 1 ? this.#nextLane() : this.queues[n].bytes > 0 ? n : -1;
          if (lane === -1) break;
          const message = this.queues[lane].take(MESSAGE_BYTES_MAX, pipe.room + 1);
          message[pipe.room] = lane;
          pipe.send(message);
        }
      }
    } catch (error) {
      this.finish(error instanceof Error ? error.message : String(error));
    }
  }

  /** Control first; messages and bulk in turns, so that neither starves. */
  #nextLane(): number {
    const [control, message, bulk] = this.queues;
    if (control.bytes > 0) return 0;
    if (message.bytes > 0 && bulk.bytes > 0) {
      this.#bulkIsNext = !this.#bulkIsNext;
      return this.#bulkIsNext ? 2 : 1;
    }
    return message.bytes > 0 ? 1 : bulk.bytes > 0 ? 2 : -1;
  }

  protected override bytesInFlight(): number {
    return this.#pipes.reduce((sum, pipe) => sum + pipe.bufferedBytes, 0);
  }

  protected override laneBytesInFlight(lane: Lane): number {
    return (this.#pipes[lane] ?? this.#pipes[0]).bufferedBytes;
  }

  protected override shut(): void {
    for (const pipe of this.#pipes) pipe.close();
    this.#onShut();
  }
}
