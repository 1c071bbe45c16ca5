/**
 * The integration engine, end to end on this machine: HL7 v2 comes in over MLLP in original mode, is recorded on three of
 * five copies before it is acknowledged, goes through a channel that changes it, and out again over MLLP, and to a Kafka
 * topic where the machine can have a broker. Beside it what others have published, with their conditions.
 *
 *     deno task bench:integration [--connections 1,16] [--seconds 10] [--messages 30000] [--nodes 5]
 *                                 [--hospitals 1] [--at any|writer] [--no-kafka] [--record-only] [--json]
 *
 * `--at writer` connects the feed to the node that writes the hospital's patients, as where an interface is pointed at its
 * own data center; `any` spreads the connections over all nodes.
 */
import { parseArgs } from "node:util";
import { connect } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { findKafka, startKafka } from "../../tests/sinks/kafka_broker.ts";
import { KafkaTopics } from "../../tests/sinks/kafka_topics.ts";
import { Child } from "../child.ts";
import { BenchCluster } from "../cluster.ts";
import { BENCH_SHARDS } from "../options.ts";
import { cpuSeconds } from "../processes.ts";
import type { FeedResult } from "./feed.ts";
import type { Received } from "./receiver.ts";

const YARDSTICKS = `
  published by others, messages a second:
     300 to 400   Medplum agent, enhanced mode, in production
            486   Iguana 5, 42 million in 24 hours
          5,555   Ensemble 2015.1, 28 cores, in and out, transformed
         11,333   Rhapsody, a cluster (and one engine) on HCI: 640,000 a minute
`;

const { values } = parseArgs({
  options: {
    connections: { type: "string", default: "1,16" },
    seconds: { type: "string", default: "10" },
    messages: { type: "string", default: "30000" },
    nodes: { type: "string", default: "5" },
    patients: { type: "string", default: "2000" },
    hospitals: { type: "string", default: "1" },
    at: { type: "string", default: "any" },
    shards: { type: "string", default: String(BENCH_SHARDS) },
    "no-kafka": { type: "boolean", default: false },
    "record-only": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
  },
});

const CHANNEL = (sinks: string) => `
import { defineChannel, editHl7, HL7_CONTENT_TYPE } from "@waterpark/waterpark";
const transform = ({ body, type }) => ({ type, contentType: HL7_CONTENT_TYPE, body: editHl7(body).set("MSH-5", "EHR").done().text });
export default defineChannel({ name: "through", destinations: [${sinks}] });
`;
const DESTINATIONS = {
  mllp: `{ name: "mllp", sink: "out-mllp", transform }`,
  kafka: `{ name: "kafka", sink: "out-kafka", transform }`,
};

const cluster = new BenchCluster();
/** where the feed connects to */
let addresses: string[] = [];
const receiver = new Child({ name: "receiver", args: [new URL("receiver.ts", import.meta.url).pathname] });
const found = values["no-kafka"] || values["record-only"] ? { reason: "it is not wanted" } : await findKafka();
if ("reason" in found) console.error(`Kafka is left out, as ${found.reason}`);
const broker = "reason" in found ? null : await startKafka(found);
const feed = new Child({ name: "feed", args: [new URL("feed.ts", import.meta.url).pathname] });
try {
  const { port } = await receiver.answer<{ port: number }>();
  await cluster.start({ nodes: Number(values.nodes), transport: "auto", profile: null, shards: Number(values.shards) });
  const client = connect(cluster.urls);
  if (values.at === "writer") {
    // Before anything is deployed that it would go through.
    const { writer } = await client.send({ facility: "HOSP0", id: "first" }, { type: "hello" });
    addresses = [cluster.mllp[cluster.names.indexOf(writer)]];
  } else addresses = cluster.mllp;
  const topics = broker === null ? null : new KafkaTopics(broker.port);
  await topics?.make("out");
  if (!values["record-only"]) {
    await deploy(
      client,
      `import { mllpSink } from "@waterpark/waterpark/sinks/mllp";` +
        `export default mllpSink({ name: "out-mllp", host: "127.0.0.1", port: ${port}, connections: 16 });`,
    );
    if (broker !== null) {
      await deploy(
        client,
        `import { kafkaSink } from "@waterpark/waterpark/sinks/kafka";` +
          `export default kafkaSink({ name: "out-kafka", brokers: ["127.0.0.1:${broker.port}"], topic: "out" });`,
      );
    }
    await deploy(client, CHANNEL(broker === null ? DESTINATIONS.mllp : Object.values(DESTINATIONS).join()));
  }
  // everything is warm, and connected
  await run("w", 4, 2, 2_000);
  for (const [n, connections] of values.connections.split(",").map(Number).entries()) {
    // Control ids of its own: what comes again is acknowledged, and not sent on again.
    report(connections, await run(`r${n}-`, connections, Number(values.seconds), Number(values.messages)));
  }
  if (!values.json) console.log(YARDSTICKS);
} finally {
  await Promise.all([feed.end(), receiver.end(), cluster.end()]);
  await broker?.[Symbol.asyncDispose]();
  await stopBundler();
}
Deno.exit(0);

interface Through extends FeedResult {
  /** until the last was delivered, from the first's sending */
  wholeSeconds: number;
  received: Received;
  kafkaRecords: number | null;
  nodesCpuUs: number;
}

async function run(prefix: string, connections: number, seconds: number, messagesMax: number): Promise<Through> {
  const before = await received();
  const topics = broker === null ? null : new KafkaTopics(broker.port);
  const kafkaBefore = await topics?.count("out") ?? 0;
  const cpuBefore = cpuSeconds(cluster.pids);
  const startMs = performance.now();
  await feed.tell({
    addresses,
    connections,
    patients: Number(values.patients),
    hospitals: Number(values.hospitals),
    seconds,
    messagesMax,
    prefix,
  });
  const fed = await feed.answer<FeedResult>();
  let now = await received();
  let kafkaNow = kafkaBefore;
  const isThrough = async () => {
    if (values["record-only"]) return true;
    now = await received();
    if (topics !== null) kafkaNow = await topics.count("out");
    const wanted = fed.acknowledged;
    return now.messages - now.repeated >= before.messages - before.repeated + wanted &&
      (topics === null || kafkaNow - kafkaBefore >= wanted);
  };
  const untilMs = performance.now() + 120_000;
  while (!await isThrough() && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
  const wholeSeconds = (performance.now() - startMs) / 1000;
  const messages = now.messages - before.messages;
  return {
    ...fed,
    wholeSeconds,
    received: { messages, repeated: now.repeated - before.repeated, disordered: now.disordered - before.disordered },
    kafkaRecords: topics === null ? null : kafkaNow - kafkaBefore,
    nodesCpuUs: (cpuSeconds(cluster.pids) - cpuBefore) * 1e6 / Math.max(1, fed.acknowledged),
  };
}

async function received(): Promise<Received> {
  await receiver.tell("");
  return await receiver.answer<Received>();
}

function report(connections: number, through: Through): void {
  const { acknowledged, refused, seconds, p50Us, p99Us, wholeSeconds, received, kafkaRecords, nodesCpuUs } = through;
  const inPerSecond = Math.round(acknowledged / seconds);
  const throughPerSecond = Math.round(acknowledged / wholeSeconds);
  const row = { connections, acknowledged, refused, inPerSecond, p50Us, p99Us, throughPerSecond };
  const rest = { ...received, kafkaRecords, nodesCpuUs: Math.round(nodesCpuUs) };
  if (values.json) return console.log(JSON.stringify({ bench: "integration", ...row, ...rest }));
  const kafka = kafkaRecords === null ? "" : `, ${kafkaRecords} in Kafka`;
  console.log(
    `${String(connections).padStart(2)} connections: ${acknowledged} acknowledged, ${inPerSecond}/s, ` +
      `p50 ${p50Us} us, p99 ${p99Us} us; through and out ${throughPerSecond}/s (${received.messages} received, ` +
      `${received.repeated} repeated, ${received.disordered} out of a patient's order${kafka}); ` +
      `${refused} refused; nodes ${Math.round(nodesCpuUs)} us of CPU a message`,
  );
}

async function deploy(client: ReturnType<typeof connect>, text: string): Promise<void> {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(file, text);
  const { name, kind, actorKind, hash, bytes } = await bundlePlugin(file);
  await Deno.remove(file);
  await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: "bench:" });
}
