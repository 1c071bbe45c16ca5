/**
 * kafkaSink, bundled and behind its walls, against a Kafka broker that is killed in between.
 */
import assert from "node:assert/strict";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";
import { findKafka, type KafkaBroker, startKafka } from "./kafka_broker.ts";
import { KafkaTopics } from "./kafka_topics.ts";

const kafka = await findKafka();
if ("reason" in kafka) console.log(`kafka: skipped, as ${kafka.reason}`);

const idsIn = (records: { headers: Record<string, string> }[]) =>
  records.map(({ headers }) => ({ id: headers["effect-id"] }));

async function overARestart(broker: KafkaBroker): Promise<void> {
  const topics = new KafkaTopics(broker.port);
  await topics.make("results");
  const options = { brokers: [`127.0.0.1:${broker.port}`], topic: "results", headers: { facility: "{key.facility}" } };
  await using sink = await startSink("kafka kafkaSink", options);
  assert.deepEqual(sink.about.permissions, { net: options.brokers, read: [], env: [] });
  assert.equal(await sink.check(), "1 broker; the topic results has 4 partitions");
  const all = deliveries(100, 10);
  let restarted: Promise<void> | null = null;
  const startMs = performance.now();
  const tally = await deliverAll(sink, all, {
    msMax: 90_000,
    onDone: (done) => {
      if (done === 400) restarted = broker.kill().then(() => broker.start());
    },
  });
  await restarted;
  assert.deepEqual([tally.done, [...tally.dead]], [1_000, []]);
  const records = await topics.read("results", 30_000);
  const repeats = repeatsIn(idsIn(records), all);
  console.log(`${tally.retries} retries, ${repeats} repeats, ${Math.round(performance.now() - startMs)} ms`);
  const ofOne = records.filter(({ key }) => key === "patient/HOSPX/7");
  assert.equal(new Set(ofOne.map(({ partition }) => partition)).size, 1);
  assert.equal(new Set(records.map(({ partition }) => partition)).size, 4);
  const { value, headers } = ofOne[0];
  assert.deepEqual(JSON.parse(value), { patient: 7, seq: 1 });
  assert.deepEqual(headers, {
    "effect-id": "patient/HOSPX/7#1#feed#0",
    type: "ORU^R01",
    seq: "1",
    "content-type": "application/json",
    facility: "HOSPX",
  });
}

async function oneByOne(broker: KafkaBroker): Promise<void> {
  const topics = new KafkaTopics(broker.port);
  await topics.make("small", { "max.message.bytes": "20000" });
  await topics.make("other");
  const options = { brokers: [`127.0.0.1:${broker.port}`], topic: "{option.topic}", recordBytesMax: 60_000 };
  await using sink = await startSink("kafka kafkaSink", options);
  const to = (n: number, topic: string, bytes = 100) =>
    delivery(n, 1, { options: { topic }, bytes: new Uint8Array(bytes).fill(97) });
  const batch = Array.from({ length: 30 }, (_, n) => to(n, n % 2 === 0 ? "small" : "other"));
  batch[4] = to(4, "small", 50_000);
  batch[5] = to(5, "no-such-topic");
  batch[6] = to(6, "no topic has this name");
  batch[7] = to(7, "small", 70_000);
  batch[8] = delivery(8, 1);
  const ends = await sink.deliver(batch);
  const codes = ends.map((end) => end.state === "done" ? "done" : `${end.state} ${end.code}`);
  assert.deepEqual(codes.splice(4, 5), [
    "dead kafka/refused",
    "retry kafka/unknown-topic",
    "dead kafka/bad-topic",
    "dead kafka/too-large",
    "dead kafka/missing-option",
  ]);
  assert.deepEqual(new Set(codes), new Set(["done"]));
  const ids = new Set([...await topics.read("small", 20_000), ...await topics.read("other", 20_000)]
    .map(({ headers }) => headers["effect-id"]));
  assert.equal(ids.size, 25);
}

async function whoIsNotLetIn(broker: KafkaBroker): Promise<void> {
  await using gone = await startSink("kafka kafkaSink", { brokers: ["127.0.0.1:1"], topic: "t" });
  const [end] = await gone.deliver([delivery(1, 1)]);
  assert.deepEqual([end.state, end.state === "retry" && end.code], ["retry", "kafka/unreachable"]);
  await assert.rejects(gone.check(), /no broker can be reached/);
  await new KafkaTopics(broker.port).make("t");
  // it advertises 127.0.0.1
  await using other = await startSink("kafka kafkaSink", { brokers: [`localhost:${broker.port}`], topic: "t" });
  const [undeclared] = await other.deliver([delivery(1, 1)]);
  assert.equal(undeclared.state === "retry" && undeclared.code, "kafka/undeclared-broker");
}

Deno.test({
  name: "kafka: with a broker of its own",
  ignore: "reason" in kafka,
  // kafkajs, which reads, leaves timers behind
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using broker = await startKafka(kafka as { classPath: string });
    await t.step("a thousand deliveries, the broker killed in between", () => overARestart(broker));
    await t.step("one that cannot be sent spoils nothing for the others", () => oneByOne(broker));
    await t.step("a broker that is not there, or not among those declared", () => whoIsNotLetIn(broker));
  },
});
