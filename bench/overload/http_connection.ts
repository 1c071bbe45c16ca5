/**
 * HTTP/1.1 over one connection, one request after the other, as little as the bench needs. Deno's `fetch` is no measure
 * of a node here: of 4,000 requests under way in one process, 3,300 waited within that process for the whole run, 451 of
 * them on connections over which not a byte was ever sent, while the nodes answered strangers within 0.1 s.
 */

/** What came back. */
export interface HttpAnswer {
  status: number;
  retryAfter: string | null;
  body: string;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();
/** The gateway's answers to single messages are small; who says more is not what we asked. */
const ANSWER_BYTES_MAX = 16_384;

/** A connection to one node. */
export class HttpConnection {
  readonly #connection: Deno.TcpConn;
  readonly #host: string;
  readonly #buffer = new Uint8Array(ANSWER_BYTES_MAX);
  #isOpen = true;

  private constructor(connection: Deno.TcpConn, host: string) {
    this.#connection = connection;
    this.#host = host;
  }

  /** Connects to `host:port`. */
  static async open(host: string): Promise<HttpConnection> {
    const colon = host.lastIndexOf(":");
    const connection = await Deno.connect({ hostname: host.slice(0, colon), port: Number(host.slice(colon + 1)) });
    connection.setNoDelay(true);
    return new HttpConnection(connection, host);
  }

  /** false: it is of no use any more */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Posts a JSON text and reads the answer. @throws when the connection ends before it is there */
  async post(path: string, headers: string, body: string): Promise<HttpAnswer> {
    const length = ENCODER.encode(body).length;
    const request = `POST ${path} HTTP/1.1\r\nhost: ${this.#host}\r\ncontent-type: application/json\r\n${headers}` +
      `content-length: ${length}\r\n\r\n${body}`;
    try {
      const bytes = ENCODER.encode(request);
      for (let at = 0; at < bytes.length;) at += await this.#connection.write(bytes.subarray(at));
      return await this.#read();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Ends it. */
  close(): void {
    if (this.#isOpen) this.#connection.close();
    this.#isOpen = false;
  }

  async #read(): Promise<HttpAnswer> {
    let have = 0;
    while (have < ANSWER_BYTES_MAX) {
      const count = await this.#connection.read(this.#buffer.subarray(have));
      if (count === null) throw new Error("the connection has ended");
      have += count;
      const text = DECODER.decode(this.#buffer.subarray(0, have));
      const end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      const head = text.slice(0, end);
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? NaN);
      if (Number.isNaN(length)) throw new Error(`no length in ${head}`);
      // Heads are ASCII; a body may not be.
      if (have < end + 4 + length) continue;
      if (/\r\nconnection: *close/i.test(head)) this.close();
      return {
        status: Number(head.slice(9, 12)),
        retryAfter: /\r\nretry-after: *(\S+)/i.exec(head)?.[1] ?? null,
        body: DECODER.decode(this.#buffer.subarray(end + 4, end + 4 + length)),
      };
    }
    throw new Error("the answer is too long");
  }
}
