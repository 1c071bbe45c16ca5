/**
 * An interface engine in miniature: sends HL7 messages over MLLP one by one, waits for each acknowledgement, and repeats
 * what was not accepted, at the next address when the connection broke. Waterpark asks no more of a sender.
 */

/** How a message got through. */
export interface Delivery {
  /** how often it was sent; 1 = at once */
  tries: number;
  /** from the first try to AA, ms */
  ms: number;
}

const START = 0x0b;
const END = [0x1c, 0x0d];
const PAUSE_MS = 20;

/** Sends to one of several addresses, the next when one is lost. */
export class MllpSender {
  readonly #addresses: readonly string[];
  readonly #limits: { answerMs: number; messageMs: number };
  #next = 0;
  #connection: Deno.TcpConn | null = null;

  /** No connection is made yet. `answerMs`: silence that is a lost node; `messageMs`: after that a message is given up. */
  constructor(addresses: readonly string[], { answerMs = 12_000, messageMs = 30_000 } = {}) {
    this.#addresses = addresses;
    this.#limits = { answerMs, messageMs };
  }

  /**
   * Sends until it is accepted.
   *
   * @throws when it is refused for ever (AR), or not accepted within `messageMs`
   */
  async send(text: string): Promise<Delivery> {
    const startMs = performance.now();
    for (let tries = 1;; tries++) {
      const answer = await this.#ask(text).catch(() => "broken");
      const ms = performance.now() - startMs;
      if (answer === "AA") return { tries, ms };
      if (answer === "AR" || ms > this.#limits.messageMs) throw new Error(`Cannot send a message: ${answer}`);
      if (answer === "broken") this.close();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  }

  /** Hangs up. */
  close(): void {
    const connection = this.#connection;
    this.#connection = null;
    try {
      connection?.close();
    } catch {
      // the other side was first
    }
  }

  async #ask(text: string): Promise<string> {
    const connection = this.#connection ??= await this.#connect();
    const limit = setTimeout(() => this.close(), this.#limits.answerMs);
    try {
      const frame = Uint8Array.from([START, ...new TextEncoder().encode(text), ...END]);
      for (let at = 0; at < frame.length;) at += await connection.write(frame.subarray(at));
      let answer = "";
      const buffer = new Uint8Array(4096);
      while (!answer.endsWith("\x1c\r")) {
        const length = await connection.read(buffer);
        if (length === null) return "broken";
        answer += new TextDecoder().decode(buffer.subarray(0, length));
      }
      return /\rMSA\|(\w\w)/.exec(answer)?.[1] ?? "broken";
    } finally {
      clearTimeout(limit);
    }
  }

  async #connect(): Promise<Deno.TcpConn> {
    const [hostname, port] = this.#addresses[this.#next++ % this.#addresses.length].split(":");
    return await Deno.connect({ hostname, port: Number(port) });
  }
}
