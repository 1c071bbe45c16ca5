import assert from "node:assert/strict";
import { encodeMllp, MllpDecoder } from "../../runtime/gateway/mllp_decoder.ts";
import { MllpListener, type MllpListenerOptions } from "../../runtime/gateway/mllp_listener.ts";
import type { PostAnswer } from "../../runtime/gateway/service.ts";
import { parseHl7 } from "../../runtime/wire/mod.ts";
import type { TlsIdentity } from "../../runtime/gateway/mllp_tls.ts";
import { SeededRandom, SimulatedTime, simulatedWorld, systemWorld } from "../../runtime/world/mod.ts";
import { FakeService } from "./mllp_fake_service.ts";
import { selfSigned } from "./self_signed.ts";
import { testWithSimhospital } from "./simhospital.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const hl7 = (patient: string, id: string) => bytesOf(`MSH|^~\\&|A|F|B|G|x||ADT^A08|${id}|P|2.5\rPID|||${patient}\r`);

function listen(service: FakeService, options: Partial<MllpListenerOptions> = {}): Promise<MllpListener> {
  return MllpListener.listen({ world: systemWorld(), service, hostname: "127.0.0.1", port: 0, ...options });
}

const portOf = (listener: MllpListener) => Number(listener.address.split(":")[1]);

/** Reads acknowledgements as `AA 7`, until `count` are in or the connection ends. */
async function readAcks(connection: Deno.Conn, count: number): Promise<string[]> {
  const decoder = new MllpDecoder(1 << 20);
  const acks: string[] = [];
  const buffer = new Uint8Array(65536);
  while (acks.length < count) {
    const length = await connection.read(buffer).catch(() => null);
    if (length === null) break;
    for (const event of decoder.push(buffer.subarray(0, length))) {
      if (event.state !== "message") continue;
      const ack = parseHl7(event.bytes);
      acks.push(`${ack.get("MSA-1")} ${ack.get("MSA-2")}`);
    }
  }
  return acks;
}

async function writeAll(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

testWithSimhospital(
  "mllp listener: a hospital's day over one connection, pipelined, answered in order",
  async (all) => {
    const service = new FakeService();
    // recorded after a few turns of unequal length, so that answers settle out of order
    service.answer = async () => {
      for (let i = service.posted.length % 7; i > 0; i--) await Promise.resolve();
      return { state: "recorded", receipt: {}, duplicate: false } as PostAnswer;
    };
    const listener = await listen(service);
    const connection = await Deno.connect({ port: portOf(listener) });
    const stream = new Uint8Array(all.flatMap((message) => [...encodeMllp(message)]));
    const reading = readAcks(connection, all.length);
    // cut without regard for frames
    for (let at = 0; at < stream.length; at += 9973) await writeAll(connection, stream.subarray(at, at + 9973));
    const acks = await reading;
    // they ask for the accept acknowledgement, by MSH-15
    assert.deepEqual(acks, all.map((message) => `CA ${parseHl7(message).controlId}`));
    assert.equal(new Set(service.posted.map((request) => request.key.id)).size, 403);
    assert.deepEqual(service.posted.map((request) => request.payload.length).sort(), all.map((m) => m.length).sort());
    connection.close();
    await listener.close();
    assert.deepEqual([listener.counters.accepted, listener.counters.garbageBytes], [1013, 0]);
  },
);

Deno.test("mllp listener: answers what it owes when it closes, and takes no more", async () => {
  const service = new FakeService();
  let release = () => {};
  const taken = new Promise<void>((resolve) => {
    service.answer = () => {
      resolve();
      return new Promise((answer) =>
        release = () => answer({ state: "recorded", receipt: {}, duplicate: false } as PostAnswer)
      );
    };
  });
  const listener = await listen(service);
  const connection = await Deno.connect({ port: portOf(listener) });
  await writeAll(connection, encodeMllp(hl7("1", "a")));
  await taken;
  const closing = listener.close();
  release();
  assert.deepEqual(await readAcks(connection, 2), ["AA a"]);
  await closing;
  connection.close();
  await assert.rejects(Deno.connect({ port: portOf(listener) }));
});

Deno.test("mllp listener: a peer that closes its side first still gets its answers", async () => {
  const listener = await listen(new FakeService());
  const connection = await Deno.connect({ port: portOf(listener) });
  await writeAll(connection, encodeMllp(hl7("1", "a")));
  await connection.closeWrite();
  assert.deepEqual(await readAcks(connection, 2), ["AA a"]);
  connection.close();
  await listener.close();
});

Deno.test("mllp listener: idle connections, strangers and one too many are closed", async () => {
  const service = new FakeService();
  const listener = await listen(service, { idleMs: 400, connectionsMax: 1 });
  const idle = await Deno.connect({ port: portOf(listener) });
  const surplus = await Deno.connect({ port: portOf(listener) });
  assert.deepEqual(await readAcks(surplus, 1), []);
  assert.equal(listener.refusedConnections, 1);
  assert.deepEqual(await readAcks(idle, 1), [], "closed after 400 ms");
  const stranger = await Deno.connect({ port: portOf(listener) });
  await writeAll(stranger, new Uint8Array(100_000).fill(65)).catch(() => {});
  assert.deepEqual(await readAcks(stranger, 1), []);
  for (const connection of [idle, surplus, stranger]) connection.close();
  await listener.close();
});

Deno.test("mllp listener: over TLS with the client's certificate, and without a good one not", async () => {
  const [authority, stranger] = [await selfSigned(), await selfSigned()];
  const service = new FakeService();
  const listener = await listen(service, { tls: { ...authority, clientCa: authority.cert } });
  const at = { hostname: "localhost", port: portOf(listener), caCerts: [authority.cert] };
  const connection = await Deno.connectTls({ ...at, cert: authority.cert, key: authority.key });
  const large = bytesOf(`${new TextDecoder().decode(hl7("1", "b"))}NTE|1||${"x".repeat(700_000)}\r`);
  await writeAll(connection, encodeMllp(hl7("1", "a")));
  await writeAll(connection, encodeMllp(large));
  assert.deepEqual(await readAcks(connection, 2), ["AA a", "AA b"]);
  assert.deepEqual(service.posted.map(({ payload }) => payload.length), [hl7("1", "a").length, large.length]);
  for (const identity of [{}, { cert: stranger.cert, key: stranger.key }]) {
    const refused = await Deno.connectTls({ ...at, ...identity });
    await writeAll(refused, encodeMllp(hl7("1", "c"))).catch(() => {});
    assert.deepEqual(await readAcks(refused, 1), []);
    refused.close();
  }
  assert.deepEqual([service.posted.length, listener.counters.strangers], [2, 2]);
  connection.close();
  await listener.close();
  await assert.rejects(Deno.connect({ port: portOf(listener) }));
});

Deno.test("mllp listener: over TLS", async () => {
  const tls = await selfSigned();
  const listener = await listen(new FakeService(), { tls });
  const connection = await Deno.connectTls({ hostname: "localhost", port: portOf(listener), caCerts: [tls.cert] });
  await writeAll(connection, encodeMllp(hl7("1", "a")));
  assert.deepEqual(await readAcks(connection, 1), ["AA a"]);
  const plain = await Deno.connect({ port: portOf(listener) });
  await writeAll(plain, encodeMllp(hl7("1", "b")));
  assert.deepEqual(await readAcks(plain, 1), [], "no plain text is taken on a TLS port");
  assert.equal(listener.counters.strangers, 1);
  connection.close();
  plain.close();
  await listener.close();
});

Deno.test("mllp listener: a new certificate holds for new connections; one that does not fit is left", async () => {
  const [first, second] = [await selfSigned(), await selfSigned()];
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  let files: TlsIdentity | null = { ...first };
  const again = () => files === null ? Promise.reject(new Error("gone")) : Promise.resolve(files);
  const listener = await listen(new FakeService(), { world, idleMs: 0, tls: { ...first, again } });
  const port = portOf(listener);
  const serves = async ({ cert }: TlsIdentity): Promise<boolean> => {
    try {
      using connection = await Deno.connectTls({ hostname: "localhost", port, caCerts: [cert] });
      await writeAll(connection, encodeMllp(hl7("1", "a")));
      return (await readAcks(connection, 1)).join() === "AA a";
    } catch {
      return false;
    }
  };
  const minute = async () => {
    time.runUntil(time.nowMs + 60_000);
    await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const old = await Deno.connectTls({ hostname: "localhost", port, caCerts: [first.cert] });
  for (const bad of [null, { cert: second.cert, key: first.key }, { cert: "none", key: "none" }]) {
    files = bad;
    await minute();
    assert.ok(await serves(first));
  }
  files = second;
  await minute();
  assert.deepEqual([await serves(first), await serves(second)], [false, true]);
  await writeAll(old, encodeMllp(hl7("1", "b")));
  assert.deepEqual(await readAcks(old, 1), ["AA b"], "who is connected goes on");
  old.close();
  await listener.close();
  await assert.rejects(listen(new FakeService(), { tls: { cert: second.cert, key: first.key } }), {
    code: "gateway/bad-mllp-settings",
  });
});
