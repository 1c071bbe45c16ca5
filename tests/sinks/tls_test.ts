/**
 * Sinks over TLS, with an authority of their own in a file: whoever is not vouched for by it is not talked to.
 */
import assert from "node:assert/strict";
import { type BundledSink, startSink } from "./bundled_sink.ts";
import { BundledSource, Records, until } from "./bundled_source.ts";
import { withCertificate } from "./certificate.ts";
import { delivery } from "./deliver_all.ts";
import { findKafka, startKafka } from "./kafka_broker.ts";
import { KafkaTopics } from "./kafka_topics.ts";
import { findRabbit, startRabbit } from "./rabbit_broker.ts";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

async function endOf(sink: BundledSink): Promise<string> {
  try {
    const [end] = await sink.deliver([delivery(1, 1)]);
    return end.state === "done" ? "done" : end.code;
  } catch {
    // it cannot be opened, or its process ends over the broken handshake: either way it is tried again
    return "not opened";
  }
}

Deno.test("tls: http, with an authority of its own", async () => {
  await withCertificate(async ({ caFile, cert, key }) => {
    const onListen = () => {};
    await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, cert, key, onListen }, () => new Response("ok"));
    const url = `https://localhost:${(server.addr as Deno.NetAddr).port}/`;
    await using trusting = await startSink("http httpSink", { url, tls: { caFile } });
    assert.deepEqual(trusting.about.permissions.read, [caFile]);
    assert.equal(await endOf(trusting), "done");
    await using strange = await startSink("http httpSink", { url });
    assert.equal(await endOf(strange), "http/unreachable");
  });
});

const nats = await new Deno.Command("nats-server", { args: ["--version"] }).output().catch(() => null);

Deno.test({
  name: "tls: nats, which wants a certificate of ours, too",
  ignore: nats === null,
  async fn() {
    await withCertificate(async ({ caFile, certFile, keyFile }) => {
      const port = freePort();
      const tls = ["--tlsverify", `--tlscert=${certFile}`, `--tlskey=${keyFile}`, `--tlscacert=${caFile}`];
      await using _server = await ServerProcess.start((folder) => {
        const args = ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder, ...tls];
        return new Deno.Command("nats-server", { args, stdin: "null", stdout: "null", stderr: "null" });
      }, () => accepts(port));
      const options = { servers: [`localhost:${port}`], subject: "nobody" };
      await using known = await startSink("nats natsSink", { ...options, tls: { caFile, certFile, keyFile } });
      // let in, and told that no stream listens
      assert.equal(await endOf(known), "nats/no-stream");
      await using nameless = await startSink("nats natsSink", { ...options, tls: { caFile } });
      assert.equal(await endOf(nameless), "not opened");
      await using strange = await startSink("nats natsSink", { ...options, tls: true });
      assert.equal(await endOf(strange), "not opened");
    });
  },
});

const USER = "waterpark";
const PASSWORD = "a-secret-of-ours";

/** What the sink says of a check, which must not have the password in it. */
async function checked(sink: BundledSink): Promise<string> {
  const said = await sink.check().catch((error: Error) => `! ${error.message}`);
  assert.ok(!said.includes(PASSWORD) && !said.includes("wrong-one"), "no password is told");
  return said;
}

const kafka = await findKafka();
if ("reason" in kafka) console.log(`tls: kafka skipped, as ${kafka.reason}`);

Deno.test({
  name: "tls: kafka, which wants a password by PLAIN or SCRAM",
  ignore: "reason" in kafka,
  // kafkajs, which makes the topic, leaves timers behind
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    await withCertificate(async ({ caFile, cert, key }) => {
      const security = { cert, key, user: USER, password: PASSWORD };
      await using broker = await startKafka(kafka as { classPath: string }, security);
      await new KafkaTopics(broker.port).make("results");
      const options = { brokers: [`localhost:${broker.securePort}`], topic: "results", timeoutMs: 5_000 };
      const start = (mechanism: string, { tls = { caFile } as unknown, password = PASSWORD } = {}) => {
        const login = { mechanism, user: USER, passwordEnv: "KAFKA_PASSWORD" };
        return startSink("kafka kafkaSink", { ...options, tls, login }, { KAFKA_PASSWORD: password });
      };
      for (const mechanism of ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]) {
        await using known = await start(mechanism);
        assert.deepEqual(known.about.permissions.env, ["KAFKA_PASSWORD"]);
        assert.match(await checked(known), /results has 4 partitions/, mechanism);
        assert.equal(await endOf(known), "done", mechanism);
        await using stranger = await start(mechanism, { password: "wrong-one" });
        assert.match(await checked(stranger), /^! .*kafka\/not-let-in/);
        assert.equal(await endOf(stranger), "kafka/not-let-in", mechanism);
      }
      await using distrustful = await start("PLAIN", { tls: true });
      assert.match(await checked(distrustful), /^!/);
      assert.notEqual(await endOf(distrustful), "done");
      assert.equal(
        (await new KafkaTopics(broker.port).read("results", 20_000)).length,
        3,
        "of those let in, and no more",
      );

      const records = new Records();
      const source = `import { kafkaSource } from "@waterpark/waterpark/sources/kafka";
        export default kafkaSource({
          brokers: ["localhost:${broker.securePort}"], group: "waterpark", topics: ["results"],
          tls: { caFile: ${JSON.stringify(caFile)} },
          login: { mechanism: "SCRAM-SHA-512", user: "${USER}", passwordEnv: "KAFKA_PASSWORD" },
          messageOf: ({ key, value }) => ({ key: { facility: "HOSPX", id: key }, body: value }),
        });`;
      await using _reader = await BundledSource.start(source, records, { KAFKA_PASSWORD: PASSWORD });
      await until(30_000, "they are read", () => records.all.length === 3);
    });
  },
});

const rabbit = await findRabbit();
if ("reason" in rabbit) console.log(`tls: amqp skipped, as ${rabbit.reason}`);

Deno.test({
  name: "tls: amqp, which wants a user's password",
  ignore: "reason" in rabbit,
  async fn() {
    await withCertificate(async ({ caFile, certFile, keyFile }) => {
      await using broker = await startRabbit({ certFile, keyFile, user: USER, password: PASSWORD });
      const login = { user: USER, passwordEnv: "AMQP_PASSWORD" };
      const options = { servers: [broker.secureAddress], routingKey: "nobody", timeoutMs: 3_000 };
      const start = (tls: unknown, password: string) =>
        startSink("amqp amqpSink", { ...options, tls, login }, { AMQP_PASSWORD: password });
      await using known = await start({ caFile }, PASSWORD);
      assert.match(await checked(known), /^[^!]/);
      // let in, and told that no queue takes it
      assert.equal(await endOf(known), "amqp/unroutable");
      await using stranger = await start({ caFile }, "wrong-one");
      assert.match(await checked(stranger), /^! .*amqp\/not-let-in/);
      assert.equal(await endOf(stranger), "amqp/not-let-in");
      await using distrustful = await start(true, PASSWORD);
      assert.match(await checked(distrustful), /^! .*amqp\/unreachable/);
      assert.equal(await endOf(distrustful), "amqp/unreachable");
    });
  },
});
