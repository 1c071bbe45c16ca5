/**
 * amqpSink: deliveries become messages of a RabbitMQ exchange (AMQP 0-9-1).
 *
 *     import { amqpSink } from "@waterpark/waterpark/sinks/amqp";
 *     export default amqpSink({ name: "to-rabbit", servers: ["r1:5672"], exchange: "adt", routingKey: "{key.facility}" });
 *
 * Messages are persistent; one is done when the broker has confirmed it, which it does when a quorum queue has it on its
 * majority, or a durable classic queue on its disk. One that no queue takes is tried again: a queue may come.
 *
 * `message-id` is the effect's id, and so is the header `effect-id`. RabbitMQ drops no repeats: after a crash or a broken
 * connection an actor's last message may be there twice, under one id.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  type SinkConnection,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { AmqpChannel, type AmqpMessage } from "./amqp_channel.ts";
import { type Login, passwordOf, permissionsOf, type Tls, tlsContext } from "./credentials.ts";
import { effectDigest } from "./effect_digest.ts";
import { hostPort } from "./host_port.ts";
import { keyText, MissingOption, type Template, template } from "./template.ts";

/** Which broker, which exchange. */
export interface AmqpSinkOptions {
  /** the sink's name; usual: `amqp` */
  readonly name?: string;
  /** `host:port` of the brokers; the first that can be reached is used */
  readonly servers: readonly string[];
  /** usual: `/` */
  readonly vhost?: string;
  /** which exists; usual: `""`, where the routing key is a queue's name */
  readonly exchange?: string;
  /** may have gaps */
  readonly routingKey: string;
  /** usual: `guest`, which brokers let in from their own machine only */
  readonly login?: Login;
  readonly tls?: Tls;
  /** usual: 16 MiB, as RabbitMQ 4 has it */
  readonly messageBytesMax?: number;
  /** ms until the broker must have confirmed; usual: 10000 */
  readonly timeoutMs?: number;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const BATCH_MAX = 200;
const SHORT_BYTES_MAX = 255;

/**
 * A sink that publishes to RabbitMQ; a plugin's module exports the answer as its default. It may connect to the servers,
 * read the password's variable and the files of `tls`, and nothing else.
 *
 * @throws {TypeError} when servers or routing key cannot be used
 *
 * @example
 * ```ts
 * import { amqpSink } from "./amqp.ts";
 * const login = { user: "waterpark", passwordEnv: "AMQP_PASSWORD" };
 * const sink = amqpSink({ servers: ["rabbit.example:5671"], tls: true, login, exchange: "lab", routingKey: "{type}" });
 * if (sink.permissions?.env?.[0] !== "AMQP_PASSWORD") throw new Error("unreachable");
 * ```
 */
export function amqpSink(options: AmqpSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "amqp", servers, login, tls, timeoutMs = 10_000, retry, whenDead } = options;
  if (servers.length === 0 || !servers.every((server) => hostPort(server) !== null)) {
    throw new TypeError("Cannot use the servers as each must be host:port, and there must be one");
  }
  const routingKey = template(options.routingKey, { what: "routingKey" });
  const bytesMax = options.messageBytesMax ?? 16 * 1024 * 1024;
  return defineSink({
    name,
    permissions: { net: servers, ...permissionsOf({ tls, login }) },
    batchMax: BATCH_MAX,
    retry,
    whenDead,
    async open(): Promise<SinkConnection> {
      const channel = new AmqpChannel({
        name,
        servers,
        vhost: options.vhost ?? "/",
        user: login?.user ?? "guest",
        password: login === undefined ? "guest" : passwordOf(login),
        context: await tlsContext(tls),
        exchange: options.exchange ?? "",
        timeoutMs,
      });
      return {
        async deliver(all) {
          const messages = await Promise.all(all.map((delivery) => messageOf(delivery, { routingKey, bytesMax })));
          return await channel.publishSome(messages);
        },
        check: () => channel.check(),
        close: () => channel.close(),
      };
    },
  });
}

async function messageOf(
  delivery: Delivery,
  { routingKey, bytesMax }: { routingKey: Template; bytesMax: number },
): Promise<AmqpMessage | DeliveryEnd> {
  const { id, type, contentType, bytes, seq, key } = delivery;
  if (bytes.length > bytesMax) {
    return {
      state: "dead",
      code: "amqp/too-large",
      text: `a message may have ${bytesMax} bytes, it has ${bytes.length}`,
    };
  }
  try {
    const to = routingKey.fill(delivery, (value) => value);
    if (bytesOf(to) > SHORT_BYTES_MAX) {
      return {
        state: "dead",
        code: "amqp/bad-routing-key",
        text: `its routing key would be longer than ${SHORT_BYTES_MAX} bytes`,
      };
    }
    return {
      routingKey: to,
      content: Buffer.from(bytes),
      properties: {
        messageId: bytesOf(id) <= SHORT_BYTES_MAX ? id : `sha256-${await effectDigest(id)}`,
        // properties are short; what does not fit stands in the headers alone
        ...(bytesOf(type) <= SHORT_BYTES_MAX ? { type } : {}),
        ...(bytesOf(contentType) <= SHORT_BYTES_MAX ? { contentType } : {}),
        headers: { "effect-id": id, actor: keyText(key), seq },
      },
    };
  } catch (error) {
    if (!(error instanceof MissingOption)) throw error;
    return { state: "dead", code: "amqp/missing-option", text: error.message };
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
