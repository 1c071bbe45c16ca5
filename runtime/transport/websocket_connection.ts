import type { World } from "../world/mod.ts";
import { LANES, StreamConnection } from "./stream_connection.ts";

/** One message: small, so that control waits behind little, as all lanes share one TCP stream. */
const MESSAGE_BYTES_MAX = 64 * 1024;
/** `send` never blocks and buffers without a bound (131 MB seen); beyond this the rest waits in our own queues. */
const BUFFERED_BYTES_MAX = 256 * 1024;
/** How long to wait before looking at `bufferedAmount` again; no event tells when it falls. */
const DRAIN_POLL_MS = 1;
/** RFC 6455: the reason of a close frame has at most 123 bytes. */
const REASON_UNITS_MAX = 40;

/** One WebSocket; a message is a lane's number and then a piece of that lane's stream. */
export class WebSocketConnection extends StreamConnection {
  readonly carrier = "websocket";
  readonly #socket: WebSocket;
  #isDraining = false;
  #bulkIsNext = false;

  /** @param socket one that is open, or about to be */
  constructor(world: World, socket: WebSocket, remote: string) {
    super(world, remote);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    // An exception in one of these would end the process: none of them throws.
    socket.onmessage = ({ data }) => {
      if (!(data instanceof ArrayBuffer) || data.byteLength === 0) return this.finish("a message that is no lane's");
      const bytes = new Uint8Array(data);
      if (bytes[0] >= LANES) return this.finish("a message that is no lane's");
      this.received(bytes[0], bytes.subarray(1));
    };
    socket.onerror = (event) => this.finish((event as ErrorEvent).message || "the socket failed");
    socket.onclose = ({ code, reason }) => this.finish(reason || `closed by the peer with code ${code}`);
  }

  protected override pump(): void {
    if (this.#isDraining || this.isClosed) return;
    try {
      while (this.#socket.bufferedAmount < BUFFERED_BYTES_MAX) {
        const lane = this.#nextLane();
        if (lane === -1) return;
        const message = this.queues[lane].take(MESSAGE_BYTES_MAX, 1);
        message[0] = lane;
        this.#socket.send(message);
      }
    } catch (error) {
      return this.finish(error instanceof Error ? error.message : String(error));
    }
    this.#isDraining = true;
    this.world.after(DRAIN_POLL_MS, () => {
      this.#isDraining = false;
      this.pump();
    });
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
    return this.#socket.bufferedAmount;
  }

  protected override laneBytesInFlight(): number {
    return this.#socket.bufferedAmount;
  }

  protected override shut(reason: string): void {
    try {
      this.#socket.close(1000, reason.slice(0, REASON_UNITS_MAX));
    } catch {
      // Failed before it was open: nothing is left to be told.
    }
  }
}
