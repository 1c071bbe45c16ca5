/**
 * The MLLP sink beside receivers that others wrote, our own listener, and receivers that misbehave.
 */
import assert from "node:assert/strict";
import type { Delivery, DeliveryEnd, SinkConnection } from "@waterpark/waterpark";
import { mllpSink, type MllpSinkOptions } from "../../plugins/sinks/mllp.ts";
import { encodeMllp, MllpDecoder } from "../../runtime/gateway/mllp_decoder.ts";
import { MllpListener } from "../../runtime/gateway/mllp_listener.ts";
import { acknowledgeHl7, type Hl7AckCode, type Hl7View, parseHl7 } from "../../runtime/wire/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { medplumHl7 } from "./medplum_hl7.ts";
import { FakeService } from "./mllp_fake_service.ts";
import { selfSigned } from "./self_signed.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const latin1 = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const message = (id: string, { patient = "1", rest = "" } = {}) =>
  `MSH|^~\\&|WP|DC|EHR|HQ|20260101||ADT^A08|${id}|P|2.5${rest}\rPID|||${patient}||Müller^Zoë\r`;

const delivery = (body: string | Uint8Array, patient = "1"): Delivery => ({
  id: `effect-of-${patient}`,
  key: { kind: "patient", facility: "HOSPX", id: patient },
  seq: 1,
  attempt: 1,
  type: "ADT^A08",
  contentType: "x-application/hl7-v2+er7",
  bytes: typeof body === "string" ? bytesOf(body) : body,
  options: {},
});

const open = (port: number, options: Partial<MllpSinkOptions> = {}): Promise<SinkConnection> =>
  mllpSink({ host: "127.0.0.1", port, ...options }).open();

const said = (end: DeliveryEnd) => end.state === "done" ? "done" : `${end.state} ${end.code}`;

/** A receiver that answers each message with what `answer` says; null closes the connection. */
function receiver(answer: (view: Hl7View, nth: number) => (Hl7AckCode | string | null)[]) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: { text: string; bytes: Uint8Array; connection: number }[] = [];
  let connections = 0;
  (async () => {
    for await (const connection of listener) serve(connection, connections++).catch(() => {});
  })().catch(() => {});
  async function serve(connection: Deno.Conn, number: number) {
    const decoder = new MllpDecoder(1 << 20);
    const buffer = new Uint8Array(65536);
    for (;;) {
      const length = await connection.read(buffer);
      if (length === null) break;
      for (const event of decoder.push(buffer.subarray(0, length))) {
        if (event.state !== "message") continue;
        const view = parseHl7(event.bytes);
        received.push({ text: view.text, bytes: event.bytes, connection: number });
        for (const code of answer(view, received.length)) {
          if (code === null) return connection.close();
          const text = /^[AC][AER]$/.test(code)
            ? acknowledgeHl7(view, {
              code: code as Hl7AckCode,
              id: "a",
              at: 0,
              problems: code[1] === "A" ? [] : [{ code: 101 }],
            }).done().text
            : code;
          await connection.write(encodeMllp(bytesOf(text)));
        }
      }
    }
  }
  return {
    port: (listener.addr as Deno.NetAddr).port,
    received,
    connections: () => connections,
    [Symbol.dispose]: () => listener.close(),
  };
}

Deno.test("mllp sink: AA and CA are done, AE and CE tried again, AR and CR dead, and why is said without the message", async () => {
  using target = receiver((view) => [view.get("MSH-10")]);
  const sink = await open(target.port, { connections: 1 });
  const ends = await sink.deliver(["AA", "CA", "AE", "CE", "AR", "CR"].map((code) => delivery(message(code))));
  assert.deepEqual(ends.map(said), [
    "done",
    "done",
    "retry mllp/error",
    "retry mllp/error",
    "dead mllp/rejected",
    "dead mllp/rejected",
  ]);
  assert.equal(ends[4].state === "dead" && ends[4].text, "the receiver says AR, error 101");
  assert.match(ends[0].state === "done" ? ends[0].answer ?? "" : "", /MSA\|AA\|AA/);
  assert.equal(target.connections(), 1);
  await sink.close?.();
});

Deno.test("mllp sink: an answer that does not fit is no answer, and the connection is not used again", async () => {
  using target = receiver((
    _view,
    nth,
  ) => [["hello", "MSH|^~\\&|A\rMSA|AA|another", "MSH|^~\\&|A\rMSA|XX|3", "AA"][nth - 1]]);
  const sink = await open(target.port, { connections: 1 });
  const ends = [];
  for (const id of ["1", "2", "3", "4"]) ends.push(...await sink.deliver([delivery(message(id))]));
  assert.deepEqual(ends.map(said), [
    "retry mllp/bad-answer",
    "retry mllp/other-answer",
    "retry mllp/bad-answer",
    "done",
  ]);
  assert.deepEqual(target.received.map(({ connection }) => connection), [0, 1, 2, 3]);
  await sink.close?.();
  using vague = receiver(() => ["MSH|^~\\&|A\rMSA|AA|"]);
  const lenient = await open(vague.port, { answerId: "may-differ" });
  assert.deepEqual((await lenient.deliver([delivery(message("1"))])).map(said), ["done"]);
  await lenient.close?.();
});

Deno.test("mllp sink: silence, a broken connection and a receiver that is away are tried again", async () => {
  using target = receiver((_view, nth) => nth === 1 ? [] : nth === 2 ? [null] : ["AA"]);
  const sink = await open(target.port, { connections: 1, answerMs: 200 });
  const first = await sink.deliver([delivery(message("1")), delivery(message("2"))]);
  assert.deepEqual(first.map(said), ["retry mllp/no-answer", "retry mllp/no-answer"]);
  assert.equal(target.received.length, 1, "what waited behind it was not sent");
  assert.deepEqual((await sink.deliver([delivery(message("1"))])).map(said), ["retry mllp/broken"]);
  assert.deepEqual((await sink.deliver([delivery(message("1"))])).map(said), ["done"]);
  assert.equal(new Set(target.received.map(({ text }) => text)).size, 1, "each time the same bytes");
  await sink.close?.();
  const away = await open(1, { connectMs: 500 });
  assert.deepEqual((await away.deliver([delivery(message("1"))])).map(said), ["retry mllp/unreachable"]);
  await assert.rejects(away.check!());
});

Deno.test("mllp sink: an idle connection that the receiver closed is noticed, not written into", async () => {
  using target = receiver(() => ["AA", null]);
  const sink = await open(target.port, { connections: 1 });
  for (const id of ["1", "2", "3"]) {
    assert.deepEqual((await sink.deliver([delivery(message(id))])).map(said), ["done"]);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(target.received.length, 3);
  await sink.close?.();
});

Deno.test("mllp sink: in enhanced mode CA is enough, or the AA behind it is waited for", async () => {
  const enhanced = (id: string) => message(id, { rest: "|||AL|AL" });
  using target = receiver((view) => view.get("MSH-10") === "bad" ? ["CA", "AR"] : ["CA", "AA"]);
  const soon = await open(target.port, { connections: 1 });
  const ends = [];
  for (const id of ["1", "2", "bad", "4"]) ends.push(...await soon.deliver([delivery(enhanced(id))]));
  assert.deepEqual(ends.map(said), ["done", "done", "done", "done"], "the AA of the one before is nobody's answer");
  assert.ok(ends.every((end) => end.state === "done" && end.answer?.includes("MSA|CA")));
  assert.equal(target.connections(), 1);
  await soon.close?.();
  const late = await open(target.port, { connections: 1, until: "application" });
  const other = await late.deliver([delivery(enhanced("5")), delivery(enhanced("bad"))]);
  assert.deepEqual(other.map(said), ["done", "dead mllp/rejected"]);
  await late.close?.();
});

Deno.test("mllp sink: an actor keeps to its connection, in order; others go beside it", async () => {
  using target = receiver(() => ["AA"]);
  const sink = await open(target.port, { connections: 4 });
  for (let round = 0; round < 25; round++) {
    const all = Array.from(
      { length: 16 },
      (_, patient) => delivery(message(`${round}`, { patient: `${patient}` }), `${patient}`),
    );
    assert.ok((await sink.deliver(all)).every(({ state }) => state === "done"));
  }
  const byPatient = Map.groupBy(target.received, ({ text }) => parseHl7(text).get("PID-3"));
  assert.equal(byPatient.size, 16);
  for (const mine of byPatient.values()) {
    assert.equal(new Set(mine.map(({ connection }) => connection)).size, 1);
    assert.deepEqual(mine.map(({ text }) => Number(parseHl7(text).controlId)), Array.from({ length: 25 }, (_, n) => n));
  }
  assert.equal(target.connections(), 4);
  await sink.close?.();
});

Deno.test("mllp sink: text goes in the charset that is declared, bytes as they are, and nothing that cannot go goes", async () => {
  using target = receiver(() => ["AA"]);
  const sink = await open(target.port);
  const declared = message("1", { rest: "||||||8859/1" });
  const raw = latin1(message("2", { rest: "||||||8859/1" }));
  const ends = await sink.deliver([
    delivery(declared),
    delivery(raw),
    delivery(message("3", { rest: "||||||8859/1" }).replace("Zoë", "東京")),
    delivery("hello"),
    delivery(message("5").replace("Zoë", "a\x1cb")),
    delivery(message("6", { rest: "|||NE|NE" })),
    delivery(message("")),
  ]);
  assert.deepEqual(ends.map(said), [
    "done",
    "done",
    "dead mllp/charset",
    "dead mllp/not-hl7",
    "dead mllp/not-framed",
    "dead mllp/no-answer-asked",
    "done",
  ]);
  const received = (id: string) => target.received.find(({ text }) => parseHl7(text).controlId === id)?.bytes;
  assert.deepEqual(received("1"), latin1(declared));
  assert.deepEqual(received("2"), raw);
  assert.ok(target.received.some(({ text }) => parseHl7(text).controlId === "effect-of-1" && text.includes("Zoë")));
  await sink.close?.();
});

Deno.test("mllp sink: our own listener, over TLS", async () => {
  const tls = await selfSigned();
  const service = new FakeService();
  const listener = await MllpListener.listen({ world: systemWorld(), service, hostname: "127.0.0.1", port: 0, tls });
  const file = await Deno.makeTempFile();
  await Deno.writeTextFile(file, tls.cert);
  const port = Number(listener.address.split(":")[1]);
  const sink = await mllpSink({ host: "localhost", port, tls: { ca: { file } } }).open();
  assert.equal(await sink.check?.(), `localhost:${port} lets one in over TLS`);
  assert.deepEqual((await sink.deliver([delivery(message("1"))])).map(said), ["done"]);
  assert.deepEqual(service.posted[0].payload, bytesOf(message("1")));
  const stranger = await mllpSink({ host: "localhost", port, tls: true }).open();
  const [end] = await stranger.deliver([delivery(message("2"))]);
  assert.equal(said(end), "retry mllp/unreachable");
  await sink.close?.();
  await listener.close();
  await Deno.remove(file);
});

const medplum = await medplumHl7("mllp sink: @medplum/hl7 as the receiver");

Deno.test({
  name: "mllp sink: @medplum/hl7 receives, in original and in enhanced mode",
  ignore: medplum === null,
  async fn() {
    const { Hl7Server } = medplum!;
    for (const isEnhanced of [false, true]) {
      const received: string[] = [];
      const server = new Hl7Server((connection) =>
        connection.addEventListener("message", ({ message }) => {
          received.push(message.toString());
          connection.send(message.buildAck());
        })
      );
      const port = freePort();
      await server.start(port, "utf-8", isEnhanced);
      const sink = await open(port, { connections: 2, until: isEnhanced ? "application" : "accept" });
      const ends = await sink.deliver(["1", "2", "3"].map((id) => delivery(message(id, { patient: id }), id)));
      assert.deepEqual(ends.map(said), ["done", "done", "done"]);
      assert.ok(ends.every((end) => end.state === "done" && end.answer?.includes("MSA|AA|")));
      assert.equal(received.length, 3);
      assert.ok(received[0].includes("Müller^Zoë"));
      await sink.close?.();
      await server.stop();
    }
  },
});

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}
