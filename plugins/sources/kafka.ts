/**
 * kafkaSource: records of Kafka topics become messages.
 *
 *     import { kafkaSource } from "@waterpark/waterpark/sources/kafka";
 *     export default kafkaSource({
 *       name: "from-kafka",
 *       brokers: ["k1:9092", "k2:9092", "k3:9092"],
 *       topics: ["adt"],
 *       group: "waterpark",
 *       messageOf: ({ key, value }) => ({ key: { facility: "HOSPX", id: key }, type: "adt", body: JSON.parse(value) }),
 *     });
 *
 * A record's offset is committed when enough copies have its message, and those of all records before it in its partition:
 * what a crash leaves uncommitted is read again. A message's id is topic, partition, offset and a digest of the value, so
 * that reading again records nothing twice. What is about one actor stays in the order of its partition; different actors'
 * messages go side by side.
 *
 * @module
 */
import "../sinks/hidden_environment.ts";
import { Consumer, type Message, type MessagesStream } from "npm:@platformatic/kafka@2.12.1";
import type { Buffer } from "node:buffer";
import { defineSource, type SourceContext, type SourceDefinition, type SourceKey } from "@waterpark/waterpark";
import { type Login, passwordOf, permissionsOf, type Tls, tlsContext } from "../sinks/credentials.ts";
import { KeyedQueue, Passed } from "./progress.ts";
import { isForGood, reasonOf } from "./refusal.ts";

/** A record as `messageOf` is given it. */
export interface TakenRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** ms since 1970, as the record says */
  readonly timestampMs: number;
  /** as UTF-8 text; `""` where it has none */
  readonly key: string;
  readonly value: string;
  readonly bytes: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** What is recorded of it. */
export interface RecordMessage {
  readonly key: SourceKey;
  /** usual: made of topic, partition and offset */
  readonly id?: string;
  readonly type?: string;
  readonly contentType?: string;
  readonly body: unknown;
}

/** Which Kafka, which topics. */
export interface KafkaSourceOptions {
  /** the source's name; usual: `kafka` */
  readonly name?: string;
  /** `host:port` of every broker, by the addresses that they advertise */
  readonly brokers: readonly string[];
  readonly topics: readonly string[];
  /** the consumer group, under whose name Kafka keeps the offsets */
  readonly group: string;
  /** The message of a record; null: it is none for us. What it throws makes the record a bad one. */
  messageOf(record: TakenRecord): RecordMessage | null;
  /** to which actor bad records go, as they are; left out: the source stops at the first, and tries again */
  readonly badRecords?: SourceKey;
  /** where a group begins that has no offsets yet; usual: `earliest` */
  readonly from?: "earliest" | "latest";
  /**
   * `one` node reads, and another when that dies; or `each` reads, and Kafka shares the partitions out among them; usual:
   * `one`
   */
  readonly runsOn?: "one" | "each";
  readonly tls?: Tls;
  readonly login?: Login & { readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512" };
  /** messages under way at a time; usual: 256 */
  readonly openMax?: number;
  /** ms without a word from us after which Kafka gives the partitions to another; usual: 10000 */
  readonly sessionMs?: number;
}

const COMMIT_EVERY_MS = 500;
const COMMIT_FAILURES_MAX = 20;
/** Records of a partition that may be recorded while one before them is not: what is read again after a crash. */
const AHEAD_MAX = 10_000;

/**
 * A source that consumes topics; a plugin's module exports the answer as its default. It may connect to the brokers, read
 * the password's variable and the files of `tls`, and nothing else.
 *
 * @throws {TypeError} when brokers, topics or group cannot be used
 *
 * @example
 * ```ts
 * import { kafkaSource } from "./kafka.ts";
 * const source = kafkaSource({
 *   brokers: ["kafka.example:9092"],
 *   topics: ["adt"],
 *   group: "waterpark",
 *   messageOf: ({ key, bytes }) => ({ key: { facility: "HOSPX", id: key }, contentType: "text/plain", body: bytes }),
 * });
 * if (source.runsOn !== "one") throw new Error("unreachable");
 * ```
 */
export function kafkaSource(options: KafkaSourceOptions): SourceDefinition & { readonly plugin: "source" } {
  const { name = "kafka", brokers, topics, group, tls, login, runsOn = "one", sessionMs = 10_000 } = options;
  if (brokers.length === 0 || !brokers.every((broker) => /^(\[[0-9a-f:]+\]|[^\s:,/]+):\d+$/i.test(broker))) {
    throw new TypeError("Cannot use the brokers as each must be host:port, and there must be one");
  }
  if (topics.length === 0 || !topics.every((topic) => /^[a-zA-Z0-9._-]{1,249}$/.test(topic)) || !/^\S+$/.test(group)) {
    throw new TypeError("Cannot use topics or group as there must be one of each, with a name that Kafka takes");
  }
  return defineSource({
    name,
    permissions: { net: brokers, ...permissionsOf({ tls, login }) },
    runsOn,
    async run(context) {
      const tlsOptions = await tlsContext(tls);
      const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
        clientId: `waterpark-${name}`,
        groupId: group,
        bootstrapBrokers: [...brokers],
        autocommit: false,
        sessionTimeout: sessionMs,
        heartbeatInterval: Math.min(3_000, Math.floor(sessionMs / 3)),
        maxWaitTime: 500,
        ...(tlsOptions === null ? {} : { tls: tlsOptions }),
        ...(login === undefined
          ? {}
          : { sasl: { mechanism: login.mechanism, username: login.user, password: passwordOf(login) } }),
      });
      const fallbackMode = options.from ?? "earliest";
      let stream: MessagesStream<Buffer, Buffer, Buffer, Buffer> | null = null;
      try {
        stream = await consumer.consume({ topics: [...topics], mode: "committed", fallbackMode, autocommit: false });
        await new Intake(options, context, consumer).takeAll(stream);
      } finally {
        await stream?.close().catch(() => {});
        await consumer.close(true).catch(() => {});
      }
    },
  });
}

type KafkaConsumer = Consumer<Buffer, Buffer, Buffer, Buffer>;
type KafkaMessage = Message<Buffer, Buffer, Buffer, Buffer>;

class Intake {
  readonly #options: KafkaSourceOptions;
  readonly #context: SourceContext;
  readonly #consumer: KafkaConsumer;
  /** by `topic/partition` */
  readonly #passed = new Map<string, { topic: string; partition: number; passed: Passed; committed: bigint }>();
  readonly #queue: KeyedQueue;

  constructor(options: KafkaSourceOptions, context: SourceContext, consumer: KafkaConsumer) {
    this.#options = options;
    this.#context = context;
    this.#consumer = consumer;
    this.#queue = new KeyedQueue(options.openMax ?? 256);
  }

  /** Takes records until the signal is aborted; rejects when one cannot be recorded, or Kafka is gone. */
  async takeAll(stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>): Promise<void> {
    const { signal } = this.#context;
    const end = () => void stream.close().catch(() => {});
    signal.addEventListener("abort", end, { once: true });
    let failure: unknown = null;
    let inARow = 0;
    const timer = setInterval(async () => {
      try {
        await this.#commit();
        inARow = 0;
      } catch (error) {
        // while partitions are given to others none is taken; nothing is lost by that, only read again
        if (++inARow === COMMIT_FAILURES_MAX) stream.destroy(error as Error);
      }
    }, COMMIT_EVERY_MS);
    try {
      if (signal.aborted) return;
      for await (const record of stream) {
        if (signal.aborted) break;
        await this.#take(record);
      }
    } catch (error) {
      failure = error;
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", end);
    }
    // what is recorded is committed, whatever stopped the rest
    await this.#queue.end().catch((error) => failure ??= error);
    await this.#commit().catch((error) => failure ??= error);
    if (failure !== null && !signal.aborted) throw failure;
  }

  async #take(record: KafkaMessage): Promise<void> {
    const { topic, partition, offset } = record;
    const place = `${topic}/${partition}`;
    let line = this.#passed.get(place);
    if (line === undefined) this.#passed.set(place, line = { topic, partition, passed: new Passed(), committed: -1n });
    if (line.passed.ahead >= AHEAD_MAX) await this.#queue.end();
    const done = line.passed.begin(offset);
    const taken = takenOf(record);
    const message = this.#messageOf(taken);
    if (message === null) return done();
    const id = message.id ?? `${place}/${offset}~${await digestOf(taken.bytes)}`;
    const { kind = "patient", facility, id: actor } = message.key;
    await this.#queue.add(JSON.stringify([kind, facility, actor]), async () => {
      try {
        await this.#context.send(message.key, { ...message, id });
      } catch (error) {
        const { badRecords } = this.#options;
        if (badRecords === undefined || !isForGood(error)) throw error;
        await this.#context.send(badRecords, badMessage(taken, { id, reason: reasonOf(error) }));
      }
      done();
    });
  }

  #messageOf(taken: TakenRecord): RecordMessage | null {
    try {
      return this.#options.messageOf(taken);
    } catch (error) {
      const { badRecords } = this.#options;
      if (badRecords === undefined) {
        const at = `${taken.topic}/${taken.partition}/${taken.offset}`;
        throw new Error(`Cannot take the record ${at} as messageOf must know it: ${reasonOf(error)}`, { cause: error });
      }
      return { key: badRecords, ...badMessage(taken, { reason: reasonOf(error) }) };
    }
  }

  async #commit(): Promise<void> {
    const lines = [...this.#passed.values()].filter(({ passed, committed }) => (passed.next ?? -1n) > committed);
    if (lines.length === 0) return;
    const offsets = lines.map(({ topic, partition, passed }) => ({
      topic,
      partition,
      offset: passed.next!,
      leaderEpoch: -1,
    }));
    await this.#consumer.commit({ offsets });
    lines.forEach((line, i) => line.committed = offsets[i].offset);
  }
}

function takenOf({ topic, partition, offset, timestamp, key, value, headers }: KafkaMessage): TakenRecord {
  const texts = [...headers ?? []].map(([name, value]) => [String(name), String(value)]);
  const bytes = new Uint8Array(value ?? []);
  return {
    topic,
    partition,
    offset,
    timestampMs: Number(timestamp),
    key: key === undefined || key === null ? "" : key.toString(),
    get value() {
      return new TextDecoder().decode(bytes);
    },
    bytes,
    headers: Object.fromEntries(texts),
  };
}

function badMessage(taken: TakenRecord, more: { id?: string; reason: string }) {
  const { topic, partition, offset, key, bytes } = taken;
  const body = { topic, partition, offset: String(offset), key, reason: more.reason, base64: bytes.toBase64() };
  return { ...(more.id === undefined ? {} : { id: more.id }), type: "bad-record", body };
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex().slice(0, 16);
}
