import type { Lane } from "../wire/mod.ts";
import type { gates, World } from "../world/mod.ts";
import { StreamConnection } from "./stream_connection.ts";

/** One write: large enough that its cost vanishes, small enough that a lane's last bytes do not wait long. */
const WRITE_BYTES_MAX = 256 * 1024;
/** A default reader takes 64 KiB for every read, which the collector pays for; most reads bring a few hundred bytes. */
const READ_BYTES_MIN = 2 * 1024;
const READ_BYTES_MAX = 64 * 1024;
/** Of QUIC's lanes only control goes first: bulk must not starve behind messages, or copies are never replaced. */
const SEND_ORDER = [1, 0, 0];

/**
 * Three bidirectional streams, opened by the dialling side, the first byte of each being its lane. A stream exists for
 * the other side only when something was written to it, so that byte is written at once.
 */
export class QuicConnection extends StreamConnection {
  readonly carrier = "quic";
  readonly #conn: gates.QuicConn;
  readonly #writers: (WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>> | null)[] = [null, null, null];
  readonly #writing: number[] = [0, 0, 0];

  private constructor(world: World, conn: gates.QuicConn, remote: string) {
    super(world, remote);
    this.#conn = conn;
    conn.closed.then(
      (info) => this.finish(info.reason || `closed by the peer with code ${info.closeCode}`),
      (error) => this.finish(messageOf(error)),
    );
  }

  /** Opens the lanes of a connection that this node has dialled. */
  static async dialled(world: World, conn: gates.QuicConn, remote: string): Promise<QuicConnection> {
    const connection = new QuicConnection(world, conn, remote);
    for (let lane = 0; lane < SEND_ORDER.length; lane++) {
      const stream = await conn.createBidirectionalStream({ sendOrder: SEND_ORDER[lane] });
      connection.#attach(lane, stream);
      // Not awaited: a peer that stalls must not hold up the dial.
      connection.#write(lane, Uint8Array.of(lane));
      connection.#read(lane, stream.readable.getReader({ mode: "byob" }));
    }
    return connection;
  }

  /** Waits for the lanes of a connection that came in. */
  static accepted(world: World, conn: gates.QuicConn, remote: string): QuicConnection {
    const connection = new QuicConnection(world, conn, remote);
    connection.#acceptLanes().catch((error) => connection.finish(messageOf(error)));
    return connection;
  }

  async #acceptLanes(): Promise<void> {
    const incoming = this.#conn.incomingBidirectionalStreams.getReader();
    for (;;) {
      const { done, value } = await incoming.read();
      if (done) return;
      this.#acceptLane(value).catch((error) => this.finish(messageOf(error)));
    }
  }

  async #acceptLane(stream: gates.QuicStream): Promise<void> {
    const reader = stream.readable.getReader({ mode: "byob" });
    const { done, value } = await reader.read(new Uint8Array(READ_BYTES_MIN));
    const lane = done ? NaN : value![0];
    if (!(lane < SEND_ORDER.length) || this.#writers[lane] !== null) return this.finish("a stream that is no lane");
    this.#attach(lane, stream);
    stream.writable.sendOrder = SEND_ORDER[lane];
    if (value!.length > 1) this.received(lane, value!.subarray(1));
    this.#read(lane, reader);
    this.pump();
  }

  #attach(lane: number, stream: gates.QuicStream): void {
    const writer = stream.writable.getWriter() as WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
    writer.closed.catch(() => {});
    this.#writers[lane] = writer;
  }

  #read(lane: number, reader: ReadableStreamBYOBReader): void {
    let bytes = READ_BYTES_MIN;
    const loop = async () => {
      for (;;) {
        const { done, value } = await reader.read(new Uint8Array(bytes));
        // A lane never ends alone; and a sender's abort looks the same as its end (measured).
        if (done) return this.finish("the peer ended a lane");
        // Payloads are views that may be kept, so every read gets a buffer of its own; its size follows the traffic.
        if (value.length === bytes) bytes = Math.min(READ_BYTES_MAX, bytes * 4);
        else if (value.length * 8 < bytes) bytes = Math.max(READ_BYTES_MIN, bytes / 2);
        this.received(lane, value);
      }
    };
    loop().catch((error) => this.finish(messageOf(error)));
  }

  protected override pump(): void {
    for (let lane = 0; lane < SEND_ORDER.length; lane++) {
      if (this.#writers[lane] === null || this.#writing[lane] > 0 || this.queues[lane].bytes === 0) continue;
      this.#write(lane, this.queues[lane].take(WRITE_BYTES_MAX));
    }
  }

  #write(lane: number, bytes: Uint8Array<ArrayBuffer>): void {
    this.#writing[lane] = bytes.length;
    this.#writers[lane]!.write(bytes).then(
      () => {
        this.#writing[lane] = 0;
        if (!this.isClosed) this.pump();
      },
      (error) => this.finish(messageOf(error)),
    );
  }

  protected override bytesInFlight(): number {
    return this.#writing[0] + this.#writing[1] + this.#writing[2];
  }

  protected override laneBytesInFlight(lane: Lane): number {
    return this.#writing[lane];
  }

  protected override shut(reason: string): void {
    try {
      this.#conn.close({ closeCode: 0, reason: reason.slice(0, 200) });
    } catch {
      // Closed by the peer already: nothing is left to be told.
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
