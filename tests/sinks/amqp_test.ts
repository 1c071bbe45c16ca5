/**
 * amqpSink, bundled and behind its walls, against a RabbitMQ that is killed in between.
 */
import assert from "node:assert/strict";
import amqp from "npm:amqplib@2.3.1";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";
import { findRabbit, type RabbitBroker, startRabbit } from "./rabbit_broker.ts";

const rabbit = await findRabbit();
if ("reason" in rabbit) console.log(`amqp: skipped, as ${rabbit.reason}`);

/** Makes a durable queue; with an exchange it is bound to that with `#`. */
async function makeQueue(address: string, queue: string, exchange = ""): Promise<void> {
  const connection = await amqp.connect(`amqp://${address}`);
  const channel = await connection.createChannel();
  await channel.assertQueue(queue, { durable: true });
  if (exchange !== "") {
    await channel.assertExchange(exchange, "topic", { durable: true });
    await channel.bindQueue(queue, exchange, "#");
  }
  await connection.close();
}

async function readQueue(address: string, queue: string) {
  const connection = await amqp.connect(`amqp://${address}`);
  const channel = await connection.createChannel();
  const messages = [];
  for (;;) {
    const message = await channel.get(queue, { noAck: true });
    if (message === false) break;
    const { messageId, headers, type, contentType, deliveryMode } = message.properties;
    messages.push({ id: messageId, headers, type, contentType, deliveryMode, text: message.content.toString() });
  }
  await connection.close();
  return messages;
}

async function overARestart(broker: RabbitBroker): Promise<void> {
  await makeQueue(broker.address, "adt", "feeds");
  const options = { servers: [broker.address], exchange: "feeds", routingKey: "adt.{key.id}", timeoutMs: 3_000 };
  await using sink = await startSink("amqp amqpSink", options);
  assert.deepEqual(sink.about.permissions, { net: [broker.address], read: [], env: [] });
  assert.match(await sink.check(), /there is an exchange feeds$/);
  const all = deliveries(100, 10);
  let restarted: Promise<void> | null = null;
  const tally = await deliverAll(sink, all, {
    msMax: 90_000,
    onDone: (done) => {
      if (done === 400) restarted = broker.kill().then(() => broker.start());
    },
  });
  await restarted;
  assert.deepEqual([tally.done, [...tally.dead]], [1_000, []]);
  assert(tally.retries > 0, "nothing was under way when the broker died");
  const messages = await readQueue(broker.address, "adt");
  const repeats = repeatsIn(messages, all);
  console.log(`${tally.retries} retries, ${repeats} repeats`);
  const { text, headers, type, contentType, deliveryMode } = messages.find(({ id }) =>
    id === "patient/HOSPX/7#3#feed#0"
  )!;
  assert.deepEqual([text, type, contentType, deliveryMode], [
    '{"patient":7,"seq":3}',
    "ORU^R01",
    "application/json",
    2,
  ]);
  assert.deepEqual(headers, { "effect-id": "patient/HOSPX/7#3#feed#0", actor: "patient/HOSPX/7", seq: 3 });
}

async function oneByOne(broker: RabbitBroker): Promise<void> {
  await makeQueue(broker.address, "here");
  // by name: nothing but that name and port may be asked for
  const servers = [broker.address.replace("127.0.0.1", "localhost")];
  const options = { servers, routingKey: "{option.to}", messageBytesMax: 1_000, timeoutMs: 3_000 };
  await using sink = await startSink("amqp amqpSink", options);
  const id = `${"ü".repeat(190)}#1#feed#0`;
  const ends = await sink.deliver([
    delivery(1, 1, { options: { to: "here" } }),
    delivery(2, 1, { options: { to: "nowhere" } }),
    delivery(3, 1, { options: { to: "here" }, bytes: new Uint8Array(2_000) }),
    delivery(4, 1, { options: { to: "x".repeat(256) } }),
    delivery(5, 1),
    delivery(6, 1, { options: { to: "here" }, id, type: "t".repeat(300) }),
  ]);
  assert.deepEqual(ends.map((end) => end.state === "done" ? "done" : `${end.state} ${end.code}`), [
    "done",
    "retry amqp/unroutable",
    "dead amqp/too-large",
    "dead amqp/bad-routing-key",
    "dead amqp/missing-option",
    "done",
  ]);
  const messages = await readQueue(broker.address, "here");
  assert.match(messages[1].id, /^sha256-[0-9a-f]{64}$/);
  assert.deepEqual([messages[1].headers?.["effect-id"], messages[1].type], [id, undefined]);
  await using missing = await startSink("amqp amqpSink", { ...options, exchange: "no-such" });
  await assert.rejects(missing.check(), /no such exchange/);
  const [end] = await missing.deliver([delivery(1, 1, { options: { to: "x" } })]);
  assert.equal(end.state === "retry" && end.code, "amqp/no-exchange");
  await makeQueue(broker.address, "later", "no-such");
  const tally = await deliverAll(missing, [[delivery(1, 1, { options: { to: "x" } })]], { msMax: 10_000 });
  assert.equal(tally.done, 1);
}

async function whoIsNotLetIn(broker: RabbitBroker): Promise<void> {
  const options = {
    servers: [broker.address],
    routingKey: "x",
    login: { user: "guest", passwordEnv: "AMQP_TEST_PASSWORD" },
  };
  await using sink = await startSink("amqp amqpSink", options, { AMQP_TEST_PASSWORD: "wrong" });
  assert.deepEqual(sink.about.permissions?.env, ["AMQP_TEST_PASSWORD"]);
  await assert.rejects(sink.check(), /amqp\/not-let-in/);
}

Deno.test({
  name: "amqp: with a broker of its own",
  ignore: "reason" in rabbit,
  async fn(t) {
    await using broker = await startRabbit();
    await t.step("a thousand deliveries, the broker killed in between", () => overARestart(broker));
    await t.step("what nobody takes, what is too long, exchanges that are not there", () => oneByOne(broker));
    await t.step("a login that is refused", () => whoIsNotLetIn(broker));
  },
});
