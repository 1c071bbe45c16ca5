/**
 * natsSink, bundled and behind its walls, against a nats-server that is killed in between.
 */
import assert from "node:assert/strict";
import { connect } from "npm:@nats-io/transport-node@3.4.0";
import { AckPolicy, jetstream, jetstreamManager } from "npm:@nats-io/jetstream@3.4.0";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";
import { accepts, freePort, ServerProcess } from "./server_process.ts";

const found = await new Deno.Command("nats-server", { args: ["--version"] }).output().catch(() => null);
if (found === null) console.log("nats: skipped, as there is no nats-server");

const test = (name: string, fn: () => Promise<void>) => Deno.test({ name, fn, ignore: found === null });

async function startNats() {
  const port = freePort();
  const server = await ServerProcess.start(
    (folder) =>
      new Deno.Command("nats-server", {
        args: ["-a", "127.0.0.1", "-p", String(port), "-js", "-sd", folder],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }),
    () => accepts(port),
  );
  return {
    address: `127.0.0.1:${port}`,
    kill: () => server.kill(),
    start: () => server.start(),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

async function makeStream(address: string, stream: string, max_msg_size = -1): Promise<void> {
  const connection = await connect({ servers: address });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`], max_msg_size });
  await connection.close();
}

async function readStream(address: string, stream: string) {
  const connection = await connect({ servers: address });
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(stream);
  const { name } = await manager.consumers.add(stream, {
    ack_policy: AckPolicy.None,
    inactive_threshold: 30_000_000_000,
  });
  const consumer = await jetstream(connection).consumers.get(stream, name);
  const messages: { id: string; subject: string; type: string; text: string }[] = [];
  for await (const message of await consumer.fetch({ max_messages: state.messages, expires: 10_000 })) {
    const [id, type] = [message.headers!.get("Nats-Msg-Id"), message.headers!.get("Type")];
    messages.push({ id, type, subject: message.subject, text: message.string() });
    if (messages.length === state.messages) break;
  }
  await connection.close();
  return messages;
}

test("nats: a thousand deliveries, the server killed in between, none there twice", async () => {
  await using server = await startNats();
  await makeStream(server.address, "adt");
  const options = { servers: [server.address], subject: "adt.{key}", timeoutMs: 1_000 };
  await using sink = await startSink("nats natsSink", options);
  assert.deepEqual(sink.about.permissions, { net: [server.address], read: [], env: [] });
  const all = deliveries(100, 10);
  let restarted: Promise<void> | null = null;
  const tally = await deliverAll(sink, all, {
    msMax: 60_000,
    onDone: (done) => {
      if (done === 400) restarted = server.kill().then(() => server.start());
    },
  });
  await restarted;
  assert.deepEqual([tally.done, [...tally.dead]], [1_000, []]);
  assert(tally.retries > 0, "nothing was under way when the server died");
  const messages = await readStream(server.address, "adt");
  assert.equal(repeatsIn(messages, all), 0);
  assert.deepEqual(messages.find(({ id }) => id === "patient/HOSPX/7#3#feed#0"), {
    id: "patient/HOSPX/7#3#feed#0",
    subject: "adt.patient.HOSPX.7",
    type: "ORU^R01",
    text: '{"patient":7,"seq":3}',
  });
  // whoever crashed after the acknowledgement sends again what is there
  const [again] = await sink.deliver([delivery(7, 3)]);
  assert.match(again.state === "done" && again.answer || "", /was there$/);
  assert.equal((await readStream(server.address, "adt")).length, 1_000);
});

test("nats: what the stream does not take, or nobody listens to", async () => {
  await using server = await startNats();
  await makeStream(server.address, "small", 1_000);
  await using sink = await startSink("nats natsSink", {
    servers: [server.address],
    subject: "{option.to}.x",
    timeoutMs: 1_000,
  });
  const ends = await sink.deliver([
    delivery(1, 1, { options: { to: "small" } }),
    delivery(2, 1, { options: { to: "small" }, bytes: new Uint8Array(2_000) }),
    delivery(3, 1, { options: { to: "small" }, bytes: new Uint8Array(2_000_000) }),
    delivery(4, 1, { options: { to: "nobody" } }),
    delivery(5, 1),
  ]);
  assert.deepEqual(ends.map((end) => end.state === "done" ? "done" : `${end.state} ${end.code}`), [
    "done",
    "dead nats/too-large",
    "dead nats/too-large",
    "retry nats/no-stream",
    "dead nats/missing-option",
  ]);
});

test("nats: hostile values stay in their token; a connection test", async () => {
  await using server = await startNats();
  await makeStream(server.address, "adt");
  const options = { servers: [server.address], subject: "adt.{option.to}", stream: "adt" };
  await using sink = await startSink("nats natsSink", options);
  assert.match(await sink.check(), /the stream adt takes it$/);
  const values = ["a.b.>", "*", "", "a b\r\nPUB x 1", "ü"];
  const type = "a\r\nNats-Msg-Id: other";
  const ends = await sink.deliver(values.map((to, n) => delivery(n, 1, { options: { to }, type })));
  assert.deepEqual(new Set(ends.map(({ state }) => state)), new Set(["done"]));
  const subjects = (await readStream(server.address, "adt")).map(({ subject }) => subject);
  const expected = ["adt.a%2Eb%2E%3E", "adt.%2A", "adt.%", "adt.a%20b%0D%0APUB%20x%201", "adt.%C3%BC"];
  assert.deepEqual(subjects.sort(), expected.sort());
  await using other = await startSink("nats natsSink", { ...options, stream: "other" });
  await assert.rejects(other.check(), /stream not found/);
  await using gone = await startSink("nats natsSink", { ...options, servers: ["127.0.0.1:1"] });
  await assert.rejects(gone.deliver([delivery(1, 1)]), /refused/);
});
