/**
 * The channels of plugins/examples, end to end on a real cluster: HL7 comes in over MLLP at any node, and goes out to
 * receivers that others wrote (`@medplum/hl7`), to HTTP, and to a Kafka broker where the machine can have one. What is
 * missing is said and left out.
 */
import assert from "node:assert/strict";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import type { WaterparkClient } from "../../client.ts";
import { type ClusterOfProcesses, withCluster } from "../cluster/cluster_of_processes.ts";
import { until } from "../cluster/waiting.ts";
import { medplumHl7 } from "../interop/medplum_hl7.ts";
import { findKafka, type KafkaBroker, startKafka } from "../sinks/kafka_broker.ts";
import { KafkaTopics } from "../sinks/kafka_topics.ts";

const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];
const EXAMPLES = new URL("../../plugins/examples/", import.meta.url);
const PATIENTS = 8;
const EACH = 6;

const medplum = await medplumHl7("the examples");
const kafka = await findKafka();
if ("reason" in kafka) console.log(`Kafka is left out, as ${kafka.reason}`);

async function deploy(client: WaterparkClient, file: string | URL): Promise<void> {
  try {
    const { name, kind, actorKind, hash, bytes } = await bundlePlugin(file);
    await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: String(file) });
  } finally {
    await stopBundler();
  }
}

/** Deploys a sink of an example with other addresses, as the example's own ports may be taken here. */
async function deploySink(client: WaterparkClient, file: string, changes: [string, string][]): Promise<void> {
  let text = await Deno.readTextFile(new URL(file, EXAMPLES));
  for (const [before, after] of changes) {
    assert.equal(text.split(before).length, 2, `${file} has no ${before}`);
    text = text.replace(before, after);
  }
  const path = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(path, text);
    await deploy(client, path);
  } finally {
    await Deno.remove(path);
  }
}

/** An MLLP receiver of somebody else's, which acknowledges everything, in its order of arrival. */
async function receiver() {
  const received: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const server = new medplum!.Hl7Server((connection) => {
    connection.addEventListener("message", ({ message }) => {
      received.push(message.toString());
      connection.send(message.buildAck());
    });
  });
  await server.start(port);
  return { port, received, [Symbol.asyncDispose]: () => server.stop() };
}

/** An HTTP target that keeps what it is sent. */
function target() {
  const received: { path: string; type: string | null; body: Record<string, unknown>[] | Record<string, unknown> }[] =
    [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (request) => {
    const body = await request.json();
    received.push({ path: new URL(request.url).pathname, type: request.headers.get("x-what"), body });
    return new Response(null, { status: 204 });
  });
  return { port: server.addr.port, received, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Sends as feeds do: a connection for each of the cluster's nodes, each patient's messages over one of them. */
async function feed(cluster: ClusterOfProcesses, messageOf: (patient: number, n: number) => string): Promise<void> {
  await Promise.all(cluster.nodes.map(async ({ mllp }, node) => {
    const [host, port] = mllp.split(":");
    const client = new medplum!.Hl7Client({ host, port: Number(port) });
    for (let n = 0; n < EACH; n++) {
      for (let patient = node; patient < PATIENTS; patient += THREE.length) {
        const { Hl7Message } = await import("@medplum/core");
        const ack = await client.sendAndWait(Hl7Message.parse(messageOf(patient, n)));
        assert.equal(ack.getSegment("MSA")?.getComponent(1, 1), "AA");
      }
    }
    await client.close();
  }));
}

const controlIdsOf = (messages: string[], patient: number) =>
  messages.filter((text) => text.includes(`PID|1||${patient}^`)).map((text) => text.split("\r")[0].split("|")[9]);

const idsOf = (patient: number) => Array.from({ length: EACH }, (_, n) => `M${patient}-${n}`);

Deno.test({
  name: "lab feed: all results go to the record, in each patient's order, and what is out of range to the watch",
  ignore: medplum === null,
  fn: async () => {
    await using record = await receiver();
    await using watch = target();
    await withCluster({ names: THREE }, async (cluster) => {
      const client = cluster.client();
      await deploySink(client, "lab_feed/to_record.ts", [["2600", String(record.port)]]);
      await deploySink(client, "lab_feed/to_watch.ts", [["127.0.0.1:8700", `127.0.0.1:${watch.port}`]]);
      await deploy(client, new URL("lab_feed/channel.ts", EXAMPLES));
      await feed(cluster, (patient, n) =>
        [
          `MSH|^~\\&|LAB|HOSPX|EHR|HOSPX|20260102030405||ORU^R01|M${patient}-${n}|P|2.5`,
          `PID|1||${patient}^^^MRN`,
          `OBX|1|NM|2160-0^Creatinine^LN||${n}.4|mg/dL|||||F`,
          `OBX|2|NM|718-7^Hb^LN||${n}.1|g/dL||${n % 2 === 0 ? "HH" : "N"}|||F`,
        ].join("\r"));
      await until(30_000, "all results are there", () => record.received.length >= PATIENTS * EACH ? true : null);
      for (let patient = 0; patient < PATIENTS; patient++) {
        assert.deepEqual(controlIdsOf(record.received, patient), idsOf(patient));
      }
      await until(
        10_000,
        "what is out of range is there",
        () => watch.received.length >= PATIENTS * EACH / 2 ? true : null,
      );
      assert.equal(watch.received.length, PATIENTS * EACH / 2);
      assert.ok(watch.received.every(({ path }) => path === "/abnormal/HOSPX"));
      const [first] = watch.received[0].body as Record<string, unknown>[];
      assert.deepEqual([first.code, first.name, first.flag, first.unit], ["718-7", "Hb", "HH", "g/dL"]);
      const { projections } = await client.read({ facility: "HOSPX", id: "1" });
      assert.deepEqual(projections["lab-feed"], {
        received: EACH,
        filtered: 0,
        failed: 0,
        sent: { record: EACH, watch: EACH / 2 },
      });
    });
  },
});

Deno.test({
  name: "ADT fan-out: the laboratory, the board and the topic each get it in their own words",
  ignore: medplum === null,
  fn: async () => {
    await using laboratory = await receiver();
    await using board = target();
    const broker: KafkaBroker | null = "reason" in kafka ? null : await startKafka(kafka);
    try {
      await withCluster({ names: THREE }, async (cluster) => {
        const client = cluster.client();
        await deploySink(client, "adt_fan_out/to_lab.ts", [["2601", String(laboratory.port)]]);
        await deploySink(client, "adt_fan_out/to_board.ts", [["127.0.0.1:8701", `127.0.0.1:${board.port}`]]);
        const topics = broker === null ? null : new KafkaTopics(broker.port);
        await topics?.make("adt");
        if (broker !== null) {
          await deploySink(client, "adt_fan_out/to_topic.ts", [["127.0.0.1:9092", `127.0.0.1:${broker.port}`]]);
        }
        await deploy(client, new URL("adt_fan_out/channel.ts", EXAMPLES));
        const types = ["ADT^A01", "ADT^A02", "ADT^A08", "ADT^A02", "ADT^A03", "ADT^A08"];
        await feed(cluster, (patient, n) =>
          [
            `MSH|^~\\&|EHR|HOSPX|WP|HOSPX|20260102030405||${types[n]}|M${patient}-${n}|P|2.5`,
            `PID|1||${patient}^^^MRN||Doe^Jane`,
            "NK1|1|Doe^John|SPO",
            `PV1|1|I|5W^12^${n}`,
          ].join("\r"));
        const moves = 4;
        await until(
          30_000,
          "the laboratory has all",
          () => laboratory.received.length >= PATIENTS * moves ? true : null,
        );
        await until(20_000, "the board has all", () => board.received.length >= PATIENTS * moves ? true : null);
        const wanted = [0, 1, 3, 4];
        for (let patient = 0; patient < PATIENTS; patient++) {
          assert.deepEqual(controlIdsOf(laboratory.received, patient), wanted.map((n) => `M${patient}-${n}`));
          const said = board.received.map(({ body }) => body as Record<string, unknown>)
            .filter((body) => body.patient === String(patient));
          assert.deepEqual(said.map(({ what, bed }) => `${what} ${bed}`), [
            ...["admitted 0", "transferred 1", "transferred 3", "discharged 4"],
          ]);
        }
        assert.ok(laboratory.received.every((text) => !text.includes("NK1") && text.includes("|LAB|HOSPX|2026")));
        const history = await until(20_000, "what the laboratory said has come back", async () => {
          const { events } = await client.history({ facility: "HOSPX", id: "1" });
          return events.filter(({ type }) => type === "laboratory-answer").length === moves ? events : null;
        });
        assert.equal(history.length, EACH + moves);
        if (topics === null) return console.log("      Kafka is left out");
        const records = await until(30_000, "the topic has all", async () => {
          const all = await topics.read("adt", 10_000);
          return all.length >= PATIENTS * moves ? all : null;
        });
        const ofOne = records.filter(({ key }) => key === "patient/HOSPX/1").map(({ value }) => JSON.parse(value).what);
        assert.deepEqual(ofOne, ["admitted", "transferred", "transferred", "discharged"]);
      });
    } finally {
      await broker?.[Symbol.asyncDispose]();
    }
  },
});
