/**
 * Records into Kafka, a request at a time, and what the answers mean.
 *
 * A producer that got no answer is put away, and the next request begins with a fresh one: a producer numbers its records,
 * and nobody knows which number the broker expects now. What one record spoils is found by sending halves.
 *
 * @module
 */
import "./hidden_environment.ts";
import {
  compatibilityPartitioner,
  type CompressionAlgorithmValue,
  type MessageToProduce,
  Producer,
  type SASLOptions,
} from "npm:@platformatic/kafka@2.12.1";
import type { Buffer } from "node:buffer";
import type { DeliveryEnd } from "@waterpark/waterpark";
import type { TlsContext } from "./credentials.ts";

/** A record on its way. */
export type KafkaRecord = MessageToProduce<Buffer, Buffer, Buffer, Buffer>;

/** Whom to talk to. */
export interface KafkaRequestsOptions {
  name: string;
  brokers: readonly string[];
  context: TlsContext | null;
  sasl?: SASLOptions;
  compression?: CompressionAlgorithmValue;
  /** ms after which a request counts as failed */
  timeoutMs: number;
}

/** Requests to Kafka, one after the other. */
export class KafkaRequests {
  readonly #options: KafkaRequestsOptions;
  #producer: Producer<Buffer, Buffer, Buffer, Buffer> | null = null;

  constructor(options: KafkaRequestsOptions) {
    this.#options = options;
  }

  /** Sends the records among these; what has its end already keeps it. */
  async produceSome(all: readonly (KafkaRecord | DeliveryEnd)[]): Promise<DeliveryEnd[]> {
    const records = all.filter((one) => !("state" in one)) as KafkaRecord[];
    const ends = await this.#produce(records);
    return all.map((one) => "state" in one ? one : ends.get(one)!);
  }

  /** Whether the brokers let us in; with a topic, whether there is one of that name. */
  async check(topic: string | null): Promise<string> {
    const producer = this.#producer ??= this.#newProducer();
    try {
      const metadata = await producer.metadata({ topics: topic === null ? [] : [topic], forceUpdate: true });
      const brokers = `${metadata.brokers.size} broker${metadata.brokers.size === 1 ? "" : "s"}`;
      if (topic === null) return brokers;
      return `${brokers}; the topic ${topic} has ${metadata.topics.get(topic)?.partitionsCount} partitions`;
    } catch (error) {
      await this.close();
      const { code, text } = meaningOf(error);
      throw new Error(`${text} (${code})`);
    }
  }

  async close(): Promise<void> {
    const producer = this.#producer;
    this.#producer = null;
    // whatever becomes of it: nothing is under way on it that anybody waits for
    if (producer !== null) await within(1_000, producer.close(true)).catch(() => {});
  }

  async #produce(records: KafkaRecord[]): Promise<Map<KafkaRecord, DeliveryEnd>> {
    if (records.length === 0) return new Map();
    try {
      const producer = this.#producer ??= this.#newProducer();
      await within(this.#options.timeoutMs, producer.send({ messages: records, idempotent: true, acks: -1 }));
      return new Map(records.map((record) => [record, { state: "done" }]));
    } catch (error) {
      const { spoiledBy, ...end } = meaningOf(error);
      // after an answer the library begins a new series of numbers by itself
      if (spoiledBy === undefined) await this.close();
      const parts = spoiledBy === "topic" ? byTopic(records) : spoiledBy === "record" ? halves(records) : [records];
      if (parts.length === 1) return new Map(records.map((record) => [record, end]));
      const ends = new Map<KafkaRecord, DeliveryEnd>();
      for (const part of parts) (await this.#produce(part)).forEach((end, record) => ends.set(record, end));
      return ends;
    }
  }

  #newProducer(): Producer<Buffer, Buffer, Buffer, Buffer> {
    const { name, brokers, context, sasl, compression, timeoutMs } = this.#options;
    return new Producer<Buffer, Buffer, Buffer, Buffer>({
      clientId: `waterpark-${name}`,
      bootstrapBrokers: [...brokers],
      idempotent: true,
      acks: -1,
      compression,
      // as Kafka's own client does it, so that others' records of the same key are in the same partition
      partitioner: (message, key) => compatibilityPartitioner(message, key),
      // one is too few: the library then makes it endless
      retries: 3,
      retryDelay: 250,
      connectTimeout: Math.min(5_000, timeoutMs),
      requestTimeout: Math.min(10_000, timeoutMs),
      timeout: Math.min(10_000, timeoutMs),
      ...(context === null ? {} : { tls: context }),
      ...(sasl === undefined ? {} : { sasl }),
    });
  }
}

type Meaning = Exclude<DeliveryEnd, { state: "done" }> & { spoiledBy?: "topic" | "record" };

/** What Kafka says of a record itself: it will say so of every attempt. */
const OF_RECORD = ["MESSAGE_TOO_LARGE", "RECORD_LIST_TOO_LARGE", "INVALID_RECORD", "INVALID_TIMESTAMP"];
const NOT_LET_IN = /AUTHENTICATION|AUTHORIZATION|SASL/;

function meaningOf(error: unknown): Meaning {
  const causes = causesOf(error);
  const words = causes.flatMap(({ apiId, code }) => [apiId, code]).filter((word) => typeof word === "string");
  const said = causes.map(({ apiId }) => apiId).filter((id) => id !== undefined).at(-1);
  const ofRecord = words.find((word) => OF_RECORD.includes(word));
  if (ofRecord !== undefined) {
    return { state: "dead", code: "kafka/refused", text: `Kafka says ${ofRecord}`, spoiledBy: "record" };
  }
  if (words.includes("INVALID_TOPIC_EXCEPTION")) {
    return { state: "dead", code: "kafka/bad-topic", text: "Kafka takes no topic of that name", spoiledBy: "topic" };
  }
  // the library puts its own words in the place of Kafka's when it looks for a topic, and may name another one
  if (
    words.includes("UNKNOWN_TOPIC_OR_PARTITION") || causes.some(({ message }) => /^Unknown topic /.test(message ?? ""))
  ) {
    return { state: "retry", code: "kafka/unknown-topic", text: "there is no such topic", spoiledBy: "topic" };
  }
  if (words.some((word) => NOT_LET_IN.test(word))) {
    const spoiledBy = words.includes("TOPIC_AUTHORIZATION_FAILED") ? "topic" : undefined;
    return {
      state: "retry",
      code: "kafka/not-let-in",
      text: `Kafka lets us not in: ${said ?? "login refused"}`,
      spoiledBy,
    };
  }
  if (causes.some(({ name }) => name === "NotCapable")) {
    const text = "a broker advertises an address that is not among the sink's brokers";
    return { state: "retry", code: "kafka/undeclared-broker", text };
  }
  if (said !== undefined) return { state: "retry", code: "kafka/not-now", text: `Kafka says ${said}` };
  return causes.some(({ name, code }) => name === "TimeoutError" || code === "PLT_KFK_TIMEOUT")
    ? { state: "retry", code: "kafka/timeout", text: "Kafka did not answer in time" }
    : { state: "retry", code: "kafka/unreachable", text: "no broker can be reached" };
}

interface Cause {
  name?: string;
  message?: string;
  code?: string;
  apiId?: string;
}

/** The error, what it gathers and what it comes from. */
function causesOf(error: unknown, depth = 0): Cause[] {
  if (typeof error !== "object" || error === null || depth > 10) return [];
  const { errors = [], cause } = error as { errors?: unknown[]; cause?: unknown };
  return [error as Cause, ...[...errors, cause].flatMap((inner) => causesOf(inner, depth + 1))];
}

function byTopic(records: KafkaRecord[]): KafkaRecord[][] {
  return [...Map.groupBy(records, ({ topic }) => topic).values()];
}

function halves(records: KafkaRecord[]): KafkaRecord[][] {
  if (records.length === 1) return [records];
  const middle = records.length >> 1;
  return [records.slice(0, middle), records.slice(middle)];
}

async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("not in time", "TimeoutError")), ms);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
