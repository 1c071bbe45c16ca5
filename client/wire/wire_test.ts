import assert from "node:assert/strict";
import fc from "fast-check";
import { connect, type ConnectOptions, type Sending, WaterparkClient, WaterparkError } from "../../client.ts";
import { createApp } from "../../runtime/gateway/mod.ts";
import type { GatewayLimits } from "../../runtime/gateway/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";
import { Dialer } from "../dialer.ts";
import { Wire } from "./wire.ts";
import { BUSY, WireCluster } from "./wire_fixture.ts";

const NAMES = ["TN-A-1", "TX-A-1", "FL-A-1"];
const KEY = { facility: "HOSPX", id: "1001" };
const REFUSED = new TypeError("client error (Connect): tcp connect error: Connection refused (os error 111)");

function setUp(
  options: ConnectOptions & { limits?: Partial<GatewayLimits> & { openMin?: number }; names?: string[] } = {},
) {
  const cluster = new WireCluster(options.names ?? NAMES, options.limits);
  const requests: string[] = [];
  const dialer = new Dialer(cluster.urls, {
    deadlineMs: 2000,
    fetch: async (request) => {
      requests.push(request.url);
      const node = cluster.nodes.find((node) => new URL(request.url).hostname === node.name.toLowerCase())!;
      if (!node.isUp) throw REFUSED;
      return await createApp(cluster.memory, { world: systemWorld() }).fetch(request);
    },
    ...options,
  });
  const { openSocket } = cluster;
  const client = new WaterparkClient(dialer, new Wire(dialer, { silentMs: options.attemptMs ?? 200, openSocket }));
  return { cluster, client, requests };
}

async function codeOf(promise: Promise<unknown>): Promise<[string, string]> {
  const error = await promise.then(() => assert.fail("it was answered"), (error) => error);
  assert.ok(error instanceof WaterparkError, String(error));
  return [error.code, error.outcome];
}

/** Waits for a state; fails loudly when it does not come. */
async function until(isSo: () => boolean): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    assert.ok(turn < 2000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

Deno.test("what is sent is what HTTP would have sent, and so is the receipt", async () => {
  const { cluster, client } = setUp();
  const overHttp = connect(cluster.urls, {
    fetch: async (request) => await createApp(cluster.memory, { world: systemWorld() }).fetch(request),
  });
  using _ = client;
  const messages = [{ type: "admit", n: 1 }, { type: { a: 1 } }, [1], 7, null, "grüß", new Uint8Array([255, 0])];
  for (const [i, message] of messages.entries()) {
    const id = `m${i}`;
    const [a, b] = [
      await client.send({ facility: "a/b", id: "100% ü" }, message, { id }),
      await overHttp.send({ facility: "a/b", id: "2" }, message, { id }),
    ];
    assert.deepEqual({ ...a, key: "" }, { ...b, key: "" });
  }
  const kept = (key: string) =>
    cluster.memory.historyOf(key).map(({ type, contentType, payload }) => ({ type, contentType, payload }));
  assert.deepEqual(kept("patient/a%2Fb/100%25 ü"), kept("patient/a%2Fb/2"));
  assert.equal(kept("patient/a%2Fb/2")[0].type, "admit");
  const handled = await client.send(KEY, {}, {
    wait: "handled",
    ifMatch: 0,
    type: "t",
    contentType: "application/json",
  });
  assert.deepEqual([handled.reply, handled.projections], ["seen", { census: { ward: "5W" } }]);
  assert.equal((await client.send(KEY, {}, { id: handled.id })).duplicate, true);
  assert.deepEqual(await codeOf(client.send(KEY, {}, { ifMatch: 0 })), ["mailroom/precondition", "not-applied"]);
  assert.throws(() => client.send({ facility: "HOSPX", id: ".." }, {}), { code: "base/bad-key" });
  assert.throws(() => client.send(KEY, {}, { id: "x".repeat(201) }), { code: "client/bad-id" });
});

Deno.test("what one turn sends leaves as one batch, in order", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  await client.send(KEY, {}, { id: "first" });
  const before = cluster.nodes[0].batches;
  await Promise.all(Array.from({ length: 100 }, (_, i) => client.send(KEY, { i }, { id: `m${i}` })));
  assert.equal(cluster.nodes[0].batches - before, 1);
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["first", ...Array.from({ length: 100 }, (_, i) => `m${i}`)]);
});

Deno.test("it learns who writes, and goes there; when that node is gone any other does", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  cluster.writerOf = () => "FL-A-1";
  await client.send(KEY, {}, { id: "a" });
  await client.send(KEY, {}, { id: "b" });
  await until(() => cluster.nodes[2].sessions.size === 1);
  await client.send(KEY, {}, { id: "c" });
  assert.ok(cluster.nodes[2].ids.includes("c"), "straight to the writer");
  cluster.nodes[2].isUp = false;
  cluster.nodes[2].breakAll();
  await client.send(KEY, {}, { id: "d" });
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["a", "b", "c", "d"]);
});

Deno.test("what is on a connection that breaks goes out again elsewhere, in order, and is recorded once", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  await client.send(KEY, {}, { id: "first" });
  cluster.memory.held = [];
  const sent = Array.from({ length: 20 }, (_, i) => client.send(KEY, { i }, { id: `m${i}` }));
  await until(() => cluster.memory.held!.length === 20);
  cluster.memory.held = null;
  cluster.nodes[0].isUp = false;
  cluster.nodes[0].breakAll();
  const receipts = await Promise.all(sent);
  assert.ok(receipts.every((receipt) => receipt.duplicate === true));
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["first", ...Array.from({ length: 20 }, (_, i) => `m${i}`)]);
});

Deno.test("a refusal for now is not overtaken; one for good is", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  let left = 3;
  for (const node of cluster.nodes) node.fate = (id) => id === "m1" && left-- > 0 ? BUSY : null;
  const sent = ["m0", "m1", "m2", "m3"].map((id) => client.send(KEY, { id }, { id }));
  const late = client.send(KEY, {}, { id: "m4", ifMatch: 99 });
  await Promise.all(sent);
  assert.deepEqual(await codeOf(late), ["mailroom/precondition", "not-applied"]);
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["m0", "m1", "m2", "m3"]);
});

Deno.test("what is given up does not stand in the way of its successors", async () => {
  const { cluster, client } = setUp({ deadlineMs: 700, names: ["TN-A-1"] });
  using _ = client;
  cluster.nodes[0].fate = (id) => id === "m0" ? BUSY : null;
  assert.deepEqual(await codeOf(client.send(KEY, {}, { id: "m0" })), ["mailroom/busy", "not-applied"]);
  await client.send(KEY, {}, { id: "m1" });
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["m1"]);
});

Deno.test("a crowd waits in the client for the node's window, and loses nothing", async () => {
  const { cluster, client } = setUp({ limits: { wireInFlightMax: 4, wireInFlightBytesMax: 250 }, names: ["TN-A-1"] });
  using _ = client;
  await client.send(KEY, {}, { id: "first" });
  const text = "x".repeat(100);
  await Promise.all(Array.from({ length: 200 }, (_, i) => client.send(KEY, text, { id: `m${i}` })));
  assert.equal(cluster.dialled.length, 1, "it was never cut off");
  assert.equal(cluster.idsOf("HOSPX/1001").length, 201);
  assert.deepEqual(await codeOf(client.send(KEY, "x".repeat(2 << 20))), ["gateway/too-large", "not-applied"]);
});

Deno.test("when a node says goodbye what is under way is answered there and the rest goes elsewhere", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  const [first, second] = cluster.nodes;
  await client.send(KEY, {}, { id: "first" });
  cluster.memory.held = [];
  const a = client.send(KEY, {}, { id: "a" });
  await until(() => cluster.memory.held!.length === 1);
  for (const session of first.sessions) session.leave();
  const held = cluster.memory.held;
  cluster.memory.held = null;
  await until(() => true);
  const b = client.send(KEY, {}, { id: "b" });
  await until(() => second.sessions.size + first.sessions.size > 0);
  assert.ok(![...first.ids, ...second.ids].includes("b"), "an actor's messages are on one connection at a time");
  held.forEach((answer) => answer());
  assert.ok(!(await a).duplicate);
  await b;
  assert.ok(!first.ids.includes("b"));
  await until(() => first.sessions.size === 0);
});

Deno.test("where no WebSocket gets through messages go by HTTP, in order", async () => {
  const { cluster, client, requests } = setUp();
  using _ = client;
  for (const node of cluster.nodes) node.hasWire = false;
  await Promise.all(["a", "b", "c"].map((id) => client.send(KEY, { id }, { id })));
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["a", "b", "c"]);
  assert.equal(requests.length, 3);
});

Deno.test("the deadline ends it: never reached is not-applied, without an answer it is unknown", async () => {
  const nobody = setUp({ deadlineMs: 150 });
  for (const node of nobody.cluster.nodes) node.isUp = false;
  // A try that the deadline cuts off, as on a busy machine, may have reached somebody for all that is known.
  const ends: string[] = [];
  for (let tries = 0; tries < 6 && !ends.includes("client/unreachable not-applied"); tries++) {
    ends.push((await codeOf(nobody.client.send(KEY, {}))).join(" "));
  }
  assert.equal(ends.at(-1), "client/unreachable not-applied");
  const silent = setUp({ deadlineMs: 700 });
  silent.cluster.memory.hang = true;
  assert.deepEqual(await codeOf(silent.client.send(KEY, {})), ["client/broken", "unknown"]);
  const sent = silent.client.send(KEY, {});
  silent.client.close();
  assert.equal((await codeOf(sent))[0], "client/closed");
  assert.equal((await codeOf(silent.client.send(KEY, {})))[0], "client/closed");
  nobody.client.close();
});

Deno.test("what was on its way when the last node was lost may be recorded, and is called so", async () => {
  const { cluster, client } = setUp({ whenNobody: "fail" });
  using _ = client;
  await client.send(KEY, {}, { id: "a" });
  cluster.memory.held = [];
  const sent = client.send(KEY, {}, { id: "b" });
  await until(() => cluster.memory.held!.length === 1);
  for (const node of cluster.nodes) node.isUp = false;
  cluster.nodes[0].breakAll();
  assert.deepEqual(await codeOf(sent), ["client/unreachable", "unknown"]);
});

Deno.test("a node that says nothing any more is left for another", async () => {
  const { cluster, client } = setUp({ attemptMs: 100 });
  using _ = client;
  await client.send(KEY, {}, { id: "a" });
  for (const session of cluster.nodes[0].sessions) session.receive = () => {};
  cluster.nodes[0].isUp = false;
  await client.send(KEY, {}, { id: "b" });
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), ["a", "b"]);
});

Deno.test("many are sent in order, and answered in order, also when the reader stops early", async () => {
  const { cluster, client } = setUp();
  using _ = client;
  const sendings: Sending[] = Array.from({ length: 500 }, (_, n) => ({ key: KEY, id: `m${n}`, message: { n } }));
  sendings.splice(5, 0, { key: KEY, id: "m0", message: "other bytes" });
  const states: string[] = [];
  for await (const answer of client.sendMany(sendings)) {
    states.push(answer.state === "recorded" ? answer.state : answer.error.code);
  }
  assert.equal(states.length, 501);
  assert.equal(states[5], "mailroom/conflict");
  assert.equal(states.filter((state) => state === "recorded").length, 500);
  assert.deepEqual(cluster.idsOf("HOSPX/1001"), sendings.map(({ id }) => id).toSpliced(5, 1));
  const endless = (function* () {
    for (let n = 0;; n++) yield { key: KEY, id: `n${n}`, message: n };
  })();
  for await (const { state } of client.sendMany(endless)) {
    assert.equal(state, "recorded");
    break;
  }
  const broken = (function* (): Generator<Sending> {
    yield { key: KEY, message: 1 };
    throw new RangeError("mine");
  })();
  await assert.rejects(async () => {
    for await (const { state } of client.sendMany(broken)) assert.equal(state, "recorded");
  }, RangeError);
});

Deno.test("law: whatever breaks, an actor's messages are recorded once and in the order sent", async () => {
  const event = fc.oneof(
    { weight: 8, arbitrary: fc.record({ type: fc.constant("send" as const), actor: fc.nat(3) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("turn" as const) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constantFrom("break" as const, "leave" as const), node: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("write" as const), node: fc.nat(2) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("busy" as const), node: fc.nat(2), share: fc.nat(3) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(event, { minLength: 20, maxLength: 120 }), async (events) => {
      const { cluster, client } = setUp({ limits: { wireInFlightMax: 5, openMin: 3 }, deadlineMs: 20_000 });
      let writer = 0;
      cluster.nodes[0].isSlow = cluster.nodes[1].isSlow = cluster.isFar = true;
      cluster.writerOf = () => NAMES[writer];
      const sent = new Map<number, string[]>();
      const open: Promise<unknown>[] = [];
      let number = 0;
      for (const event of events) {
        if (event.type === "send") {
          const id = `m${number++}`;
          sent.set(event.actor, [...sent.get(event.actor) ?? [], id]);
          open.push(client.send({ facility: "H", id: String(event.actor) }, { id }, { id }));
        } else if (event.type === "turn") await new Promise((resolve) => setTimeout(resolve, 0));
        else if (event.type === "write") writer = event.node;
        else if (event.type === "busy") {
          const { node, share } = event;
          cluster.nodes[node].fate = (id) => (Number(id.slice(1)) + node) % 4 < share ? BUSY : null;
        } else if (event.type === "break") cluster.nodes[event.node].breakAll();
        else cluster.nodes[event.node].sessions.forEach((session) => session.leave());
      }
      for (const node of cluster.nodes) node.fate = () => null;
      await Promise.all(open);
      for (const [actor, ids] of sent) assert.deepEqual(cluster.idsOf(`H/${actor}`), ids);
      client.close();
      await new Promise((resolve) => setTimeout(resolve, 0));
    }),
    { numRuns: 15, interruptAfterTimeLimit: 60_000 },
  );
});
