/**
 * kafkaSink: deliveries become records of a Kafka topic.
 *
 *     import { kafkaSink } from "@waterpark/waterpark/sinks/kafka";
 *     export default kafkaSink({ name: "to-kafka", brokers: ["k1:9092", "k2:9092", "k3:9092"], topic: "adt" });
 *
 * A record's key is the actor's (`patient/HOSPX/1001`), hashed as Kafka's own client does: what is about one patient is
 * in one partition, in order. Its value is the delivery's bytes; its headers are `effect-id`, `type`, `seq` and
 * `content-type`. It is done when all in-sync replicas have it (acks=all, idempotent producer).
 *
 * A request that the network cut is sent again by the same producer, and Kafka drops the repeat. Whoever carries on after
 * a crash is another producer: an actor's last record may then be there twice, under one `effect-id`.
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
import { type Login, passwordOf, permissionsOf, type Tls, tlsContext } from "./credentials.ts";
import { hostPort } from "./host_port.ts";
import { Gathering } from "./gathering.ts";
import { type KafkaRecord, KafkaRequests } from "./kafka_requests.ts";
import { MissingOption, type Template, template } from "./template.ts";

/** Which Kafka, which topic. */
export interface KafkaSinkOptions {
  /** the sink's name; usual: `kafka` */
  readonly name?: string;
  /**
   * `host:port` of *every* broker, by the addresses that they advertise: the sink may connect to these and to no others
   */
  readonly brokers: readonly string[];
  /** where to; may have gaps, as `lab-{option.kind}`. Topics are not made. */
  readonly topic: string;
  /** a record's key; usual: `{key}` */
  readonly key?: string;
  /** further headers, whose values may have gaps */
  readonly headers?: Readonly<Record<string, string>>;
  readonly tls?: Tls;
  /** with which the brokers know us */
  readonly login?: Login & { readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" };
  /** usual: `none` */
  readonly compression?: "none" | "gzip" | "zstd";
  /** bytes that a record may have: at most the brokers' `message.max.bytes`, less 1 KiB; usual: 1000000 */
  readonly recordBytesMax?: number;
  /** ms after which a request counts as failed, repeats included; usual: 20000 */
  readonly timeoutMs?: number;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const RECORDS_MAX = 2_000;
const BATCH_MAX = 500;

/**
 * A sink that produces to Kafka; a plugin's module exports the answer as its default. It may connect to the brokers, read
 * the password's variable and the files of `tls`, and nothing else.
 *
 * @throws {TypeError} when brokers, topic, key or headers cannot be used
 *
 * @example
 * ```ts
 * import { kafkaSink } from "./kafka.ts";
 * const sink = kafkaSink({
 *   brokers: ["kafka.example:9093"],
 *   topic: "lab-results",
 *   tls: true,
 *   login: { mechanism: "SCRAM-SHA-512", user: "waterpark", passwordEnv: "KAFKA_PASSWORD" },
 * });
 * ```
 */
export function kafkaSink(options: KafkaSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "kafka", brokers, login, tls, timeoutMs = 20_000, recordBytesMax = 1_000_000, retry, whenDead } =
    options;
  if (brokers.length === 0 || !brokers.every((broker) => hostPort(broker) !== null)) {
    throw new TypeError("Cannot use the brokers as each must be host:port, and there must be one");
  }
  const reading = {
    topic: template(options.topic, { what: "topic" }),
    key: template(options.key ?? "{key}", { what: "key" }),
    headers: Object.entries(options.headers ?? {}).map(([header, value]): [string, Template] => [
      header,
      template(value, { what: `header ${header}` }),
    ]),
    recordBytesMax,
  };
  const needed = permissionsOf({ tls, login });
  return defineSink({
    name,
    permissions: { net: brokers, ...needed },
    limits: { callMs: 2 * timeoutMs + 5_000, openMax: 16 },
    batchMax: BATCH_MAX,
    retry,
    whenDead,
    async open(): Promise<SinkConnection> {
      const context = await tlsContext(tls);
      const sasl = login && { mechanism: login.mechanism, username: login.user, password: passwordOf(login) };
      const requests = new KafkaRequests({ ...options, name, timeoutMs, context, sasl });
      const gathering = new Gathering(
        { deliveriesMax: RECORDS_MAX, bytesMax: recordBytesMax },
        (deliveries) => requests.produceSome(deliveries.map((delivery) => recordOf(delivery, reading))),
      );
      return {
        deliver: (deliveries) => gathering.deliver(deliveries),
        check: () => requests.check(reading.topic.isFixed ? options.topic : null),
        close: () => requests.close(),
      };
    },
  });
}

interface Reading {
  topic: Template;
  key: Template;
  headers: [string, Template][];
  recordBytesMax: number;
}

function recordOf(delivery: Delivery, { topic, key, headers, recordBytesMax }: Reading): KafkaRecord | DeliveryEnd {
  const asItIs = (value: string) => value;
  try {
    const name = topic.fill(delivery, asItIs);
    if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === "." || name === "..") {
      return { state: "dead", code: "kafka/bad-topic", text: "no topic can have the name that it would go to" };
    }
    if (delivery.bytes.length > recordBytesMax) {
      const text = `a record may have ${recordBytesMax} bytes, this one has ${delivery.bytes.length}`;
      return { state: "dead", code: "kafka/too-large", text };
    }
    const all: [string, string][] = [
      ["effect-id", delivery.id],
      ["type", delivery.type],
      ["seq", String(delivery.seq)],
      ["content-type", delivery.contentType],
      ...headers.map(([header, value]): [string, string] => [header, value.fill(delivery, asItIs)]),
    ];
    return {
      topic: name,
      key: Buffer.from(key.fill(delivery, asItIs)),
      value: Buffer.from(delivery.bytes),
      headers: new Map(all.map(([header, value]) => [Buffer.from(header), Buffer.from(value)])),
    };
  } catch (error) {
    if (!(error instanceof MissingOption)) throw error;
    return { state: "dead", code: "kafka/missing-option", text: error.message };
  }
}
