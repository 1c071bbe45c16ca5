import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import {
  AnswerBatchReader,
  decodeHello,
  decodeNames,
  type OutgoingPost,
  PostBatchWriter,
  WIRE,
  WIRE_CLOSE,
} from "../wire/mod.ts";
import { Admission } from "./admission.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";
import { GATEWAY_LIMITS, type GatewayLimits } from "./limits.ts";
import { OpenStreams } from "./open_streams.ts";
import { WireSession } from "./wire_session.ts";

interface Answer {
  id: number;
  code: string;
  seq: number;
  status: number;
  handled: string;
}

/** A session, and the client's end of its socket. */
function setUp({ limits = {}, openMin = 512 }: { limits?: Partial<GatewayLimits>; openMin?: number } = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const node = new FakeNode();
  const streams = new OpenStreams(10);
  const admission = new Admission(world, { openMin, openMax: openMin, stayMs: 1000 });
  const gateway = { service: node, world, limits: { ...GATEWAY_LIMITS, ...limits }, streams, admission };
  const messages: Uint8Array[] = [];
  const closed: number[] = [];
  const socket = {
    bufferedAmount: 0,
    send: (bytes: Uint8Array) => void messages.push(bytes.slice()),
    close: (code: number) => void closed.push(code),
  };
  const session = new WireSession({ gateway, socket, stream: streams.open() });
  session.start();
  const writer = new PostBatchWriter();
  const post = (posts: Partial<OutgoingPost>[], epoch = 0) => {
    const whole = posts.map((post, requestId): OutgoingPost => ({
      key: "patient/HOSPX/1",
      id: `m${requestId}`,
      type: "note",
      contentType: "application/json",
      payload: "{}",
      ifMatch: -1,
      handled: false,
      sender: 0,
      requestId,
      ...post,
    }));
    session.receive(writer.encode(whole, { from: 0, to: whole.length, epoch }).slice().buffer);
  };
  /** what has come of the kind; answers decoded */
  const kinds = () => messages.map((bytes) => bytes[0]);
  const answers = async () => {
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    time.runUntil(time.nowMs + 1);
    const all: (Answer & { epoch: number })[] = [];
    for (const bytes of messages) {
      if (bytes[0] !== WIRE.ANSWERS) continue;
      const reader = new AnswerBatchReader();
      reader.open(bytes);
      while (reader.next()) {
        const { requestId, isRefused, code, seq, status, handled, epoch } = reader;
        all.push({ id: requestId, code: isRefused ? code : "", seq, status: isRefused ? status : 0, handled, epoch });
      }
    }
    return all;
  };
  return { node, session, post, answers, kinds, messages, closed, streams, socket, admission, time };
}

Deno.test("a batch is posted in its order, under one sender, and answered in one message, names before it", async () => {
  const { node, post, answers, messages, kinds } = setUp();
  node.urls = { "TX-A-1": "http://10.0.0.2:8600" };
  assert.equal(decodeHello(messages[0]).node, "TN-A-1");
  post([{}, { key: "ward/HOSPX/5W" }, { sender: 3 }]);
  assert.deepEqual((await answers()).map(({ id, seq }) => [id, seq]), [[0, 1], [1, 1], [2, 2]]);
  assert.deepEqual(kinds(), [WIRE.HELLO, WIRE.NAMES, WIRE.ANSWERS]);
  assert.deepEqual(decodeNames(messages[1])[1], { name: "TX-A-1", http: "http://10.0.0.2:8600" });
  const [a, b, c] = node.posted.map((request) => request.sender);
  assert.ok(a === b && c === `${a}.3`);
  post([{ id: "m9" }]);
  await answers();
  assert.deepEqual(kinds().slice(3), [WIRE.ANSWERS], "names are told once");
});

Deno.test("a post that is wrong is refused in its place, the others go on", async () => {
  const { node, post, answers, closed } = setUp({ limits: { bodyBytesMax: 100 } });
  post([
    { key: "a/b/c/d" },
    { key: "patient/./1" },
    { key: "patient/a\u0007/1" },
    { id: "x".repeat(201) },
    { id: "a\nb" },
    { type: "x".repeat(201) },
    { contentType: "nonsense" },
    { payload: "x".repeat(101) },
    { type: null, payload: "{" },
    { id: "other", type: null, payload: '{"type":"admit"}' },
    { id: "", key: "HOSPX/a%2Fb" },
    { id: "other" },
    { id: "late", ifMatch: 7 },
  ]);
  assert.deepEqual((await answers()).sort((a, b) => a.id - b.id).map(({ code }) => code), [
    "base/bad-key",
    "base/bad-key",
    "base/bad-key",
    "gateway/bad-request",
    "gateway/bad-request",
    "gateway/bad-request",
    "gateway/bad-content-type",
    "gateway/too-large",
    "gateway/bad-json",
    "",
    "",
    "mailroom/conflict",
    "mailroom/precondition",
  ]);
  assert.deepEqual(node.posted.map(({ type }) => type), ["admit", "note", "note", "note"]);
  assert.equal(node.historyOf("patient/HOSPX/a%2Fb").length, 1);
  assert.deepEqual(closed, []);
});

Deno.test("what handlers made of it comes along where that was asked for", async () => {
  const { post, answers } = setUp();
  post([{ handled: true }]);
  assert.deepEqual(JSON.parse((await answers())[0].handled), {
    projections: { census: { ward: "5W" } },
    reply: "seen",
  });
});

Deno.test("whatever comes in is answered or ends the connection", async () => {
  for (const bad of ["text", new ArrayBuffer(0), new Uint8Array([WIRE.POSTS, 1]).buffer, new Uint8Array([99]).buffer]) {
    const { session, closed, streams } = setUp();
    session.receive(bad);
    session.receive(bad);
    assert.deepEqual([closed, streams.count], [[WIRE_CLOSE.BAD_MESSAGE], 0]);
  }
  const { session, kinds } = setUp();
  session.receive(new Uint8Array([WIRE.BEAT]).buffer);
  await Promise.resolve();
  assert.deepEqual(kinds(), [WIRE.HELLO, WIRE.BEAT]);
});

Deno.test("who has more under way than the window is cut off, what was let in is still recorded", async () => {
  const { node, post, closed, session } = setUp({ limits: { wireInFlightMax: 3, wireInFlightBytesMax: 10 } });
  post([{}, {}, {}]);
  post([{}]);
  assert.deepEqual(closed, [WIRE_CLOSE.WINDOW]);
  assert.equal(node.posted.length, 3);
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  assert.equal(session.open, 0);
  const bytes = setUp({ limits: { wireInFlightMax: 3, wireInFlightBytesMax: 10 } });
  bytes.post([{ payload: "1234567" }, { payload: "1234567" }]);
  assert.deepEqual(bytes.closed, [WIRE_CLOSE.WINDOW]);
});

Deno.test("whom admission turns away is not overtaken: the older epoch is refused to its end", async () => {
  const { node, post, answers, admission } = setUp({ openMin: 1 });
  node.held = [];
  post([{ id: "a" }, { id: "b" }, { id: "c" }]);
  node.held.splice(0).forEach((answer) => answer());
  assert.equal(admission.open, 0);
  // There is room again, but the client does not know of the refusal yet.
  post([{ id: "d" }], 0);
  const first = await answers();
  assert.deepEqual(first.map(({ id, code, status }) => [id, code, status]), [
    [1, "gateway/busy", 503],
    [2, "gateway/busy", 503],
    [0, "", 0],
    [0, "gateway/busy", 503],
  ]);
  assert.ok(first.every(({ epoch }) => epoch === 1));
  node.held = null;
  post([{ id: "b" }], 1);
  await answers();
  assert.deepEqual(node.posted.map(({ id }) => id), ["a", "b"]);
});

Deno.test("answers wait while the client does not fetch those before", async () => {
  const { post, answers, socket, kinds, time } = setUp();
  socket.bufferedAmount = 8 << 20;
  post([{}]);
  assert.deepEqual(await answers(), []);
  socket.bufferedAmount = 0;
  time.runUntil(time.nowMs + 5);
  assert.equal((await answers()).length, 1);
  assert.equal(kinds().at(-1), WIRE.ANSWERS);
});

Deno.test("a node that goes says goodbye, answers what is under way, and ends the connection", async () => {
  const { node, session, post, answers, kinds, closed, streams } = setUp();
  node.held = [];
  post([{}]);
  session.leave();
  session.leave();
  assert.deepEqual(kinds(), [WIRE.HELLO, WIRE.GOODBYE]);
  post([{ id: "late" }]);
  assert.equal((await answers())[0].code, "gateway/closing");
  streams.closeAll();
  await Promise.resolve();
  assert.deepEqual(closed, []);
  node.held.forEach((answer) => answer());
  assert.equal((await answers()).length, 2);
  assert.deepEqual(closed, [WIRE_CLOSE.GONE]);
  assert.equal(streams.count, 1, "until the socket says that it is closed, and all has left");
  session.closed();
  assert.equal(streams.count, 0);
});

Deno.test("the upgrade is refused with a code to strangers, other origins, other protocols, and by who leaves", async () => {
  const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
  const node = new FakeNode();
  const app = createApp(node, { world, tokens: ["s3cret"] });
  const ask = async (headers: Record<string, string>) => {
    const response = await app.request("http://node:8600/v1/wire", { headers });
    return [response.status, (await response.json()).code];
  };
  const token = { authorization: "Bearer s3cret" };
  const upgrade = { ...token, upgrade: "websocket", "sec-websocket-protocol": "waterpark.1" };
  assert.deepEqual(await ask({}), [401, "gateway/unauthorized"]);
  assert.deepEqual(await ask(token), [400, "gateway/bad-request"]);
  assert.deepEqual(await ask({ ...upgrade, "sec-websocket-protocol": "waterpark.0" }), [400, "gateway/bad-request"]);
  assert.deepEqual(await ask({ ...upgrade, origin: "https://evil.example" }), [400, "gateway/bad-request"]);
  node.ready = false;
  assert.deepEqual(await ask({ ...upgrade, origin: "http://node:8600" }), [503, "gateway/closing"]);
});
