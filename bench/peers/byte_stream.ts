/**
 * A TCP connection for a client with much to say: what is written while a write is under way goes out with the next one,
 * so batches grow with the load.
 */
const FIRST_BYTES = 1 << 16;
const READ_BYTES = 1 << 18;
const ENCODER = new TextEncoder();

/** A connection to 127.0.0.1. */
export class ByteStream {
  readonly #conn: Deno.TcpConn;
  #filling = new Uint8Array(FIRST_BYTES);
  #filled = 0;
  #going = new Uint8Array(FIRST_BYTES);
  #isWriting = false;
  #isClosed = false;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
    conn.setNoDelay(true);
  }

  static async connect(port: number): Promise<ByteStream> {
    return new ByteStream(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Adds ASCII text to what goes out. */
  text(text: string): void {
    this.#reserve(text.length);
    this.#filled += ENCODER.encodeInto(text, this.#filling.subarray(this.#filled)).written;
  }

  /** Adds bytes. */
  write(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#filling.set(bytes, this.#filled);
    this.#filled += bytes.length;
  }

  /** Bytes that wait to go out. */
  get waitingBytes(): number {
    return this.#filled;
  }

  /** Room for so many bytes to be laid out by hand; what was laid out before stays where it was, counted from the start. */
  room(length: number): { bytes: Uint8Array; at: number } {
    this.#reserve(length);
    const at = this.#filled;
    this.#filled += length;
    return { bytes: this.#filling, at };
  }

  /** Sends what was added, now or as soon as the write under way is done. */
  flush(): void {
    if (this.#isWriting || this.#isClosed || this.#filled === 0) return;
    this.#isWriting = true;
    [this.#filling, this.#going] = [this.#going, this.#filling];
    const length = this.#filled;
    this.#filled = 0;
    this.#writeAll(this.#going.subarray(0, length)).then(() => {
      this.#isWriting = false;
      this.flush();
    }, () => this[Symbol.dispose]());
  }

  /** Hands over what comes in, until the end; the bytes are the caller's until the function returns. */
  async read(onBytes: (bytes: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (let count = await this.#conn.read(buffer); count !== null; count = await this.#conn.read(buffer)) {
        onBytes(buffer.subarray(0, count));
      }
    } catch (error) {
      if (!this.#isClosed) throw error;
    }
  }

  [Symbol.dispose](): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#conn.close();
  }

  #reserve(length: number): void {
    if (this.#filled + length <= this.#filling.length) return;
    const larger = new Uint8Array(Math.max(this.#filling.length * 2, this.#filled + length));
    larger.set(this.#filling.subarray(0, this.#filled));
    this.#filling = larger;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }
}

/** What was left over, and what came after it. */
export function joined(rest: Uint8Array, chunk: Uint8Array): Uint8Array {
  if (rest.length === 0) return chunk;
  const bytes = new Uint8Array(rest.length + chunk.length);
  bytes.set(rest);
  bytes.set(chunk, rest.length);
  return bytes;
}
