/** Topics as a second client sees them: what the sink's own library writes is read by another one, kafkajs. */
import { Kafka, logLevel } from "npm:kafkajs@2.2.4";

/** A record that was read. */
export interface ReadRecord {
  partition: number;
  key: string;
  value: string;
  headers: Record<string, string>;
}

/** Topics of a broker. */
export class KafkaTopics {
  readonly #kafka: Kafka;

  constructor(port: number) {
    this.#kafka = new Kafka({ brokers: [`127.0.0.1:${port}`], logLevel: logLevel.NOTHING });
  }

  /** Makes a topic. */
  async make(topic: string, config: Record<string, string> = {}): Promise<void> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const configEntries = Object.entries(config).map(([name, value]) => ({ name, value }));
    await admin.createTopics({
      waitForLeaders: true,
      topics: [{ topic, numPartitions: 4, replicationFactor: 1, configEntries }],
    });
    await admin.disconnect();
  }

  /** All that is in a topic, each partition's records in order. */
  async read(topic: string, msMax: number): Promise<ReadRecord[]> {
    const admin = this.#kafka.admin();
    await admin.connect();
    const missing = new Map<number, number>();
    for (const { partition, offset, low } of await admin.fetchTopicOffsets(topic)) {
      if (Number(offset) > Number(low)) missing.set(partition, Number(offset));
    }
    await admin.disconnect();
    const records: ReadRecord[] = [];
    if (missing.size === 0) return records;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const timer = setTimeout(() => reject(new Error(`${topic} was not read in ${msMax} ms`)), msMax);
    const consumer = this.#kafka.consumer({ groupId: `reader-${crypto.randomUUID()}` });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      // deno-lint-ignore require-await -- kafkajs wants a promise
      eachMessage: async ({ partition, message: { key, value, headers = {}, offset } }) => {
        const texts = Object.entries(headers).map(([name, value]) => [name, String(value)]);
        records.push({ partition, key: String(key), value: String(value), headers: Object.fromEntries(texts) });
        if (Number(offset) + 1 >= (missing.get(partition) ?? 0)) missing.delete(partition);
        if (missing.size === 0) resolve();
      },
    });
    await promise.finally(() => clearTimeout(timer));
    await consumer.disconnect();
    return records;
  }

  /** Puts records into a topic. */
  async write(
    topic: string,
    records: { key: string; value: string; headers?: Record<string, string> }[],
  ): Promise<void> {
    const producer = this.#kafka.producer();
    await producer.connect();
    await producer.send({ topic, messages: records });
    await producer.disconnect();
  }
}
