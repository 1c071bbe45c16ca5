/**
 * kafkaSource, bundled and behind its walls, against a Kafka broker that is killed in between, as is the source.
 */
import assert from "node:assert/strict";
import { BundledSource, Records, until } from "./bundled_source.ts";
import { findKafka, type KafkaBroker, startKafka } from "./kafka_broker.ts";
import { KafkaTopics } from "./kafka_topics.ts";

const kafka = await findKafka();
if ("reason" in kafka) console.log(`kafka source: skipped, as ${kafka.reason}`);

const plugin = (broker: KafkaBroker, options: string) => `
import { kafkaSource } from "@waterpark/waterpark/sources/kafka";
export default kafkaSource({
  brokers: ["127.0.0.1:${broker.port}"],
  group: "waterpark",
  sessionMs: 6000,
  messageOf: ({ key, value }) => value === "" ? null : { key: { facility: "HOSPX", id: key }, body: JSON.parse(value) },
  ${options}
});`;

async function overCrashes(broker: KafkaBroker): Promise<void> {
  const topics = new KafkaTopics(broker.port);
  await topics.make("adt");
  const write = async (from: number, to: number) => {
    const records = [];
    for (let n = from; n < to; n++) {
      for (let patient = 0; patient < 20; patient++) {
        records.push({ key: String(patient), value: JSON.stringify({ n }) });
      }
    }
    await topics.write("adt", records);
  };
  await write(0, 40);
  const records = new Records();
  const options = 'topics: ["adt"]';
  const killed = await BundledSource.start(plugin(broker, options), records);
  const { promise, resolve } = Promise.withResolvers<void>();
  records.onRecorded = (count) => count === 500 ? killed.kill().then(resolve) : undefined;
  await promise;
  records.onRecorded = () => {};
  await using source = await BundledSource.start(plugin(broker, options), records);
  await until(60_000, "all are recorded", () => records.all.length === 800);
  await broker.kill();
  await broker.start();
  await write(40, 50);
  // the node would begin it anew when it fails; here that is done by hand
  let again: BundledSource | null = null;
  await until(60_000, "those after the broker's death too", async () => {
    if (source.failed !== null) again ??= await BundledSource.start(plugin(broker, options), records);
    return records.all.length === 1_000;
  });
  await (again as BundledSource | null)?.[Symbol.asyncDispose]();
  console.log(
    `${records.duplicates} read again; the source ${source.failed === null ? "went on" : `failed: ${source.failed}`}`,
  );
  for (let patient = 0; patient < 20; patient++) {
    const ofOne = records.all.filter(({ key }) => key === `patient/HOSPX/${patient}`).map(({ text }) =>
      JSON.parse(text).n
    );
    assert.deepEqual(ofOne, Array.from({ length: 50 }, (_, n) => n));
  }
}

async function whatIsCommitted(broker: KafkaBroker): Promise<void> {
  const topics = new KafkaTopics(broker.port);
  await topics.make("slow");
  await topics.write(
    "slow",
    Array.from({ length: 100 }, (_, n) => ({ key: `${n % 10}`, value: JSON.stringify({ n }) })),
  );
  const records = new Records();
  // one patient's message hangs: nothing at or behind it in its partition may be committed
  records.onRecorded = () => records.all.at(-1)!.key === "patient/HOSPX/3" ? new Promise(() => {}) : undefined;
  const options = 'topics: ["slow"], group: "slow"';
  const hanging = await BundledSource.start(plugin(broker, options), records);
  await until(30_000, "all but those behind it are recorded", () => records.all.length === 91);
  await new Promise((resolve) => setTimeout(resolve, 1_200));
  await hanging.kill();
  records.onRecorded = () => {};
  await using _source = await BundledSource.start(plugin(broker, options), records);
  await until(30_000, "the rest is read again", () => records.all.length === 100);
  const ofOne = records.all.filter(({ key }) => key === "patient/HOSPX/3").map(({ text }) => JSON.parse(text).n);
  assert.deepEqual(ofOne, [3, 13, 23, 33, 43, 53, 63, 73, 83, 93]);
  assert(records.duplicates < 91, "what was committed is not read again");
}

async function badOnes(broker: KafkaBroker): Promise<void> {
  const topics = new KafkaTopics(broker.port);
  await topics.make("mixed");
  const values = ['{"n":1}', "no json", "", '{"n":2}', '{"n":"huge"}', '{"n":3}'];
  await topics.write("mixed", values.map((value) => ({ key: "1", value })));
  const records = new Records();
  records.refusal = ({ text, type }) =>
    text.includes("huge") && type !== "bad-record" ? { code: "mailroom/too-large", outcome: "not-applied" } : null;
  const bad = 'badRecords: { kind: "dead-letter", facility: "HOSPX", id: "mixed" }';
  await using _source = await BundledSource.start(plugin(broker, `topics: ["mixed"], group: "mixed", ${bad}`), records);
  await until(30_000, "all are recorded", () => records.all.length === 5);
  const [good, dead] = ["patient/HOSPX/1", "dead-letter/HOSPX/mixed"].map((key) =>
    records.all.filter((one) => one.key === key).map(({ text }) => JSON.parse(text))
  );
  assert.deepEqual(good.map(({ n }) => n), [1, 2, 3]);
  assert.deepEqual(dead.map(({ base64 }) => new TextDecoder().decode(Uint8Array.fromBase64(base64))), [
    values[1],
    values[4],
  ]);
  await using stopped = await BundledSource.start(plugin(broker, 'topics: ["mixed"], group: "strict"'), new Records());
  await until(30_000, "the first bad one stops it", () => stopped.failed !== null);
  assert.match(stopped.failed!, /Cannot take the record mixed\/\d\/1 .*SyntaxError/);
}

Deno.test({
  name: "kafka source: with a broker of its own",
  ignore: "reason" in kafka,
  // kafkajs, which writes, leaves timers behind
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using broker = await startKafka(kafka as { classPath: string });
    await t.step("a thousand messages in order, source and broker killed in between", () => overCrashes(broker));
    await t.step("an offset is committed when all before it are recorded", () => whatIsCommitted(broker));
    await t.step("bad records stop it, or are laid aside", () => badOnes(broker));
  },
});
