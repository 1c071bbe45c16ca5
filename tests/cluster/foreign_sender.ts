/**
 * An HL7 sender that is not ours: node-hl7-client, as an interface engine uses it. It sends, waits for the
 * acknowledgement, sends the next. What was not accepted, or whose connection broke, is sent again, and after a break
 * at the next address: all that Waterpark asks of a sender.
 *
 * The library needs two hands: it tells of a broken connection only when `connectionTimeout` is set, and a message
 * given to it before "connect" opens a second socket. Its own way of reconnecting is not used, as it knows one address.
 */
import Client, { type InboundResponse, Message } from "node-hl7-client";

/** What became of a list of messages. */
export interface SendReport {
  /** acknowledged AA, or CA where the message asks for enhanced mode */
  accepted: number;
  /** acknowledged AE or CE, each followed by another try */
  deferred: number;
  /** connections that broke, or could not be made */
  broken: number;
}

/** How a list is sent. */
export interface SendOptions {
  /** `host:port` to try in turn, for ever round */
  addresses: readonly string[];
  /** MSH-12 of the messages */
  version: "2.3" | "2.5";
  /** called after each message accepted */
  onAccepted?: () => void;
  /** no answer for so long is a broken connection, ms; default 15 000 */
  answerMs?: number;
  /** the whole list must be through by then, ms; default 60 000 */
  limitMs?: number;
}

/**
 * Sends `messages` one after the other until each is accepted.
 *
 * @throws when one is refused for ever (AR, CR), or the time is up
 */
export async function sendByForeignClient(messages: readonly string[], options: SendOptions): Promise<SendReport> {
  const { addresses, version, onAccepted, answerMs = 15_000, limitMs = 60_000 } = options;
  const endMs = Date.now() + limitMs;
  const report: SendReport = { accepted: 0, deferred: 0, broken: 0 };
  let next = 0;
  let line: Line | null = null;
  try {
    for (const message of messages) {
      for (;;) {
        if (Date.now() > endMs) throw new Error(`Not sent within ${limitMs} ms: ${JSON.stringify(report)}`);
        line ??= await Line.open(addresses[next++ % addresses.length], version);
        const answer: string = line === null ? "broken" : await line.ask(message, answerMs);
        if (answer === "AA" || answer === "CA") break;
        if (answer === "AR" || answer === "CR") {
          throw new Error(`A message of the feed was refused for ever: ${answer}`);
        }
        if (answer === "AE" || answer === "CE") report.deferred++;
        else {
          report.broken++;
          await line?.close();
          line = null;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      report.accepted++;
      onAccepted?.();
    }
    return report;
  } finally {
    await line?.close();
  }
}

/** One connection of the foreign client. */
class Line {
  readonly #connection: ReturnType<Client["createConnection"]>;
  #answer: (answer: string) => void = () => {};

  private constructor(address: string, version: SendOptions["version"]) {
    const [host, port] = address.split(":");
    this.#connection = new Client({ host, version, connectionTimeout: 60_000 }).createConnection(
      { port: Number(port), version },
      (response: InboundResponse) => {
        this.#answer(response.getMessage().get("MSA.1").toString());
        return Promise.resolve();
      },
    );
  }

  /** A connection, or null when none could be made. */
  static async open(address: string, version: SendOptions["version"]): Promise<Line | null> {
    const line = new Line(address, version);
    const opened = await new Promise<boolean>((resolve) => {
      line.#connection.once("connect", () => resolve(true));
      line.#connection.on("client.error", () => {
        resolve(false);
        line.#answer("broken");
      });
    });
    if (opened) return line;
    await line.close();
    return null;
  }

  /** Sends; answers MSA-1, `AA` or `CE` or the like, or `broken`. */
  async ask(text: string, answerMs: number): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#answer = resolve;
    const limit = setTimeout(() => resolve("broken"), answerMs);
    try {
      await this.#connection.sendMessage(new Message({ text }));
      return await promise;
    } finally {
      clearTimeout(limit);
    }
  }

  async close(): Promise<void> {
    this.#answer = () => {};
    await this.#connection.close();
  }
}
