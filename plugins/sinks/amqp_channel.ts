/**
 * One channel to RabbitMQ with publisher confirms. What breaks it (a broken connection, an exchange that is not there) ends
 * it, and what is under way is to be tried again; the next messages go over a fresh one.
 *
 * @module
 */
import amqp from "npm:amqplib@2.3.1";
import type { Buffer } from "node:buffer";
import type { DeliveryEnd } from "@waterpark/waterpark";
import type { TlsContext } from "./credentials.ts";

/** A message on its way. */
export interface AmqpMessage {
  routingKey: string;
  content: Buffer;
  properties: { messageId: string; type?: string; contentType?: string; headers: Record<string, string | number> };
}

/** Whom to talk to. */
export interface AmqpChannelOptions {
  name: string;
  servers: readonly string[];
  vhost: string;
  user: string;
  password: string;
  context: TlsContext | null;
  exchange: string;
  timeoutMs: number;
}

interface Open {
  connection: amqp.ChannelModel;
  channel: amqp.ConfirmChannel;
  server: string;
  /** why the broker takes nothing at the moment */
  blocked: string | null;
  /** why it is over */
  ended: DeliveryEnd | null;
  /** ids of messages that no queue took */
  returned: Set<string>;
}

/** A channel that opens itself anew. */
export class AmqpChannel {
  readonly #options: AmqpChannelOptions;
  #open: Promise<Open> | null = null;

  /** Connects when something is to be published. */
  constructor(options: AmqpChannelOptions) {
    this.#options = options;
  }

  /** Publishes the messages among these; what has its end already keeps it. */
  async publishSome(all: readonly (AmqpMessage | DeliveryEnd)[]): Promise<DeliveryEnd[]> {
    let open: Open;
    try {
      open = await this.#opened();
    } catch (error) {
      const end = meaningOf(error);
      return all.map((one) => "state" in one ? one : end);
    }
    if (open.blocked !== null) {
      const text = "the broker takes nothing for now: it is short of memory or disk";
      return all.map((one) => "state" in one ? one : { state: "retry", code: "amqp/blocked", text, afterMs: 5_000 });
    }
    return await Promise.all(all.map((one) => "state" in one ? one : this.#publish(one, open)));
  }

  /**
   * Whether the broker lets us in, and has the exchange.
   *
   * @throws {Error} when not, with a code in brackets
   */
  async check(): Promise<string> {
    const { connection, server } = await this.#opened().catch((error) => {
      throw told(error);
    });
    const { exchange } = this.#options;
    if (exchange === "") return server;
    // on a channel of its own: an exchange that is not there ends it
    const channel = await connection.createChannel();
    channel.on("error", () => {});
    try {
      await channel.checkExchange(exchange);
    } catch (error) {
      throw told(error);
    }
    await channel.close();
    return `${server}; there is an exchange ${exchange}`;
  }

  async close(): Promise<void> {
    const open = await this.#open?.catch(() => null);
    this.#open = null;
    if (open) await endOf(open);
  }

  #publish({ routingKey, content, properties }: AmqpMessage, open: Open): Promise<DeliveryEnd> {
    const { promise, resolve } = Promise.withResolvers<DeliveryEnd>();
    const timer = setTimeout(() => {
      resolve({ state: "retry", code: "amqp/timeout", text: "the broker did not confirm in time" });
      // a confirm that is missing may come for the wrong attempt: nothing more over this one
      this.#drop(open, { state: "retry", code: "amqp/timeout", text: "the broker did not confirm in time" });
    }, this.#options.timeoutMs);
    const options = { ...properties, persistent: true, mandatory: true };
    try {
      open.channel.publish(this.#options.exchange, routingKey, content, options, (error) => {
        if (open.returned.delete(properties.messageId)) {
          resolve({ state: "retry", code: "amqp/unroutable", text: "no queue takes what has its routing key" });
        } else if (error === null || error === undefined) resolve({ state: "done" });
        else resolve(open.ended ?? { state: "retry", code: "amqp/refused", text: "the broker did not take it" });
      });
    } catch (error) {
      resolve(open.ended ?? meaningOf(error));
    }
    return promise.finally(() => clearTimeout(timer));
  }

  #opened(): Promise<Open> {
    if (this.#open === null) {
      const opening = this.#open = this.#connect();
      opening.catch(() => {
        if (this.#open === opening) this.#open = null;
      });
    }
    return this.#open;
  }

  async #connect(): Promise<Open> {
    const { servers, name, vhost, user, password, context, timeoutMs } = this.#options;
    let last: unknown;
    for (const server of servers) {
      const url = new URL(`${context === null ? "amqp" : "amqps"}://${server}`);
      const to = {
        protocol: url.protocol.slice(0, -1),
        hostname: url.hostname,
        port: Number(url.port || (context === null ? 5672 : 5671)),
        username: user,
        password,
        vhost,
        heartbeat: 10,
      };
      try {
        const clientProperties = { connection_name: `waterpark-${name}` };
        const connection = await amqp.connect(to, { ...context, timeout: timeoutMs, clientProperties, noDelay: true });
        return await this.#watched(connection, server);
      } catch (error) {
        last = error;
      }
    }
    throw last;
  }

  async #watched(connection: amqp.ChannelModel, server: string): Promise<Open> {
    // an error without a listener would end the process
    connection.on("error", () => {});
    const channel = await connection.createConfirmChannel();
    const open: Open = { connection, channel, server, blocked: null, ended: null, returned: new Set() };
    const ends = (error: unknown) => this.#drop(open, meaningOf(error));
    connection.on("blocked", (reason: string) => open.blocked = reason);
    connection.on("unblocked", () => open.blocked = null);
    connection.on("close", ends);
    channel.on("error", ends);
    channel.on("close", ends);
    channel.on("return", ({ properties }) => open.returned.add(properties.messageId));
    return open;
  }

  #drop(open: Open, why: DeliveryEnd): void {
    open.ended ??= why;
    if (this.#open !== null) {
      this.#open.then((current) => {
        if (current === open) this.#open = null;
      }, () => {});
    }
    endOf(open);
  }
}

/** Closes what may be closed already, which the library takes amiss in one way or the other. */
async function endOf({ connection }: Open): Promise<void> {
  try {
    await connection.close();
  } catch {
    // closed
  }
}

function told(error: unknown): Error {
  const { code, text } = meaningOf(error);
  return new Error(`${text} (${code})`);
}

/** What the broker says when it closes a channel or a connection. */
function meaningOf(error: unknown): Exclude<DeliveryEnd, { state: "done" }> {
  const { code, message = "" } = (error ?? {}) as { code?: unknown; message?: string };
  if (code === 404 || /NOT_FOUND/.test(message)) {
    return { state: "retry", code: "amqp/no-exchange", text: "there is no such exchange, or no such vhost" };
  }
  if (code === 403 || code === 530 || /ACCESS_REFUSED|NOT_ALLOWED/.test(message)) {
    return { state: "retry", code: "amqp/not-let-in", text: "the broker does not let us in" };
  }
  return { state: "retry", code: "amqp/unreachable", text: "no broker can be reached, or the connection broke" };
}
