/**
 * What touches the outside, on real nodes: a function, a sink whose target comes and goes, dead letters, a source that runs
 * on one node and on another when that is killed.
 */
import assert from "node:assert/strict";
import type { ActorKey, WaterparkClient } from "../../client.ts";
import { bundlePlugin, stopBundler } from "../../runtime/plugin_host/mod.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { until } from "./waiting.ts";

const THREE = ["TN-A-1", "TX-A-1", "FL-A-1"];
const ACTORS = 10;
const EACH = 20;

const keyOf = (i: number): ActorKey => ({ kind: "patient", facility: `H${i % 3}`, id: String(i) });

/** Bundles what the text says and deploys it. */
async function deploy(client: WaterparkClient, text: string) {
  const file = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    await Deno.writeTextFile(file, text);
    const { name, kind, actorKind, hash, bytes } = await bundlePlugin(file);
    return await client.deploy({ name, kind, actorKind, hash, bundle: bytes, url: "file:" });
  } finally {
    await stopBundler();
    await Deno.remove(file);
  }
}

const OUT = `
import { defineHandler, effect } from "@waterpark/waterpark";
export default defineHandler({
  name: "out", kind: "patient", initial: 0,
  handle: (key, n, message) => ["ok", n + 1, message.type === "cursor" ? [] : [effect.deliver("desk", { type: "note", body: message.body })]],
});`;

/** A sink that posts to `port` and follows the status: 2xx done, 422 never, everything else later. */
function deskOf(port: number, whenDead: string): string {
  return `
import { defineSink } from "@waterpark/waterpark";
import process from "node:process"; // the environment holds what was declared, and nothing else
export default defineSink({
  name: "desk", permissions: { net: ["127.0.0.1:${port}"] }, whenDead: "${whenDead}",
  retry: { attempts: 3, firstMs: 50, mostMs: 500 },
  open: async () => ({
    check: async () => "HOME" in process.env && "SECRET_OF_THE_NODE" in process.env ? "leaks" : (await fetch("http://127.0.0.1:${port}/check")).text(),
    deliver: (all) => Promise.all(all.map(async ({ id, key, bytes }) => {
      const headers = { "idempotency-key": id, "x-actor": key.id };
      const answer = await fetch("http://127.0.0.1:${port}/", { method: "POST", headers, body: bytes });
      const text = await answer.text();
      if (answer.ok) return { state: "done", answer: text };
      return { state: answer.status === 422 ? "dead" : "retry", code: "desk/refused", text: "it says " + answer.status };
    })),
  }),
});`;
}

/** A desk that takes what is handed in, unless it is to be awkward. */
class Desk {
  readonly port: number;
  readonly taken = new Map<string, { actor: string; body: Record<string, unknown> }>();
  readonly inOrder = new Map<string, number[]>();
  isOpen = true;
  #server: Deno.HttpServer<Deno.NetAddr>;

  constructor() {
    this.#server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen: () => {} },
      (request) => this.#answer(request),
    );
    this.port = this.#server.addr.port;
  }

  async #answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname === "/check") {
      return new Response("at your service");
    }
    const body = await request.json();
    if (!this.isOpen) return new Response("closed", { status: 503 });
    if (body.bad === true) return new Response("never", { status: 422 });
    const [id, actor] = [request.headers.get("idempotency-key")!, request.headers.get("x-actor")!];
    if (!this.taken.has(id)) this.inOrder.set(actor, [...this.inOrder.get(actor) ?? [], body.n]);
    this.taken.set(id, { actor, body });
    return new Response("thanks");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

async function sendEach(cluster: ClusterOfProcesses, from: number, to: number): Promise<void> {
  for (let n = from; n < to; n++) {
    await Promise.all(Array.from({ length: ACTORS }, (_, i) => cluster.client().send(keyOf(i), { type: "note", n })));
  }
}

Deno.test("deliveries go out once each and in order, though the target closes and a node is killed", async () => {
  await using desk = new Desk();
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client("TX-A-1");
    await deploy(client, OUT);
    await sendEach(cluster, 0, EACH);
    const { sinks } = await client.effects();
    assert.deepEqual(
      sinks.map(({ name, version }) => [name, version]),
      [["desk", 0]],
      "they wait for a sink of that name",
    );
    await deploy(client, deskOf(desk.port, "skip"));
    assert.equal((await client.checkPlugin("desk")).said, "at your service");
    await until(20_000, "all are delivered", () => desk.taken.size >= ACTORS * EACH ? true : null);
    desk.isOpen = false;
    await sendEach(cluster, EACH, 2 * EACH);
    await cluster.kill("FL-A-1");
    desk.isOpen = true;
    await until(30_000, "all are delivered", () => desk.taken.size >= ACTORS * 2 * EACH ? true : null);
    const wanted = Array.from({ length: 2 * EACH }, (_, n) => n);
    for (let i = 0; i < ACTORS; i++) assert.deepEqual(desk.inOrder.get(String(i)), wanted);
    assert.equal(desk.taken.size, ACTORS * 2 * EACH);
    assert.deepEqual((await client.effects({ dead: true })).deliveries, []);
  });
});

Deno.test("what the target never takes is a dead letter, mended and sent again; or held, and discarded", async () => {
  await using desk = new Desk();
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const client = cluster.client();
    await deploy(client, OUT);
    await deploy(client, deskOf(desk.port, "skip"));
    await client.send(keyOf(1), { type: "note", n: 1, bad: true });
    await client.send(keyOf(1), { type: "note", n: 2 });
    const [letter] = await until(10_000, "there is a dead letter", async () => {
      const { deliveries } = await client.effects({ dead: true });
      return deliveries.length > 0 ? deliveries : null;
    });
    assert.deepEqual([letter.id, letter.state, letter.code], ["patient/H1/1#1#out#0", "dead", "desk/refused"]);
    await until(5_000, "the next one goes on", () => desk.inOrder.get("1")?.includes(2) ? true : null);
    await assert.rejects(client.retryEffect(letter.id), { code: "effects/not-delivered" });
    const mended = new TextEncoder().encode('{"n": 3}');
    assert.equal((await client.retryEffect(letter.id, mended)).state, "sent");
    assert.deepEqual(desk.taken.get(letter.id)?.body, { n: 3 }, "under its id");
    assert.deepEqual((await client.effects({ dead: true })).deliveries, []);
    const [settled] = (await client.effects({ dead: true, settled: true })).deliveries;
    assert.deepEqual([settled.state, settled.attempts], ["sent", letter.attempts + 2]);

    // that it is done is marked a moment later
    const { outcomes } = await until(5_000, "it is marked", async () => {
      const view = await client.trace(keyOf(1), 2);
      return view.outcomes[0]?.effects[0]?.state === "done" ? view : null;
    });
    const sent = { type: "note", contentType: "application/json", message: { type: "note", n: 2 } };
    assert.deepEqual(outcomes.map(({ plugin, state, effects }) => [plugin, state, effects]), [["out", "ok", [
      { id: "patient/H1/1#2#out#0", type: "deliver", to: "desk", state: "done", sent, answer: "thanks", code: "" },
    ]]]);
    const given = await client.trace(keyOf(1), 1);
    const [effect] = given.outcomes[0].effects;
    assert.deepEqual([effect.state, effect.code, given.message?.message], ["dead", "desk/refused", {
      type: "note",
      n: 1,
      bad: true,
    }]);
    const states = async (state: "dead" | "sent" | "queued" | "any") =>
      (await client.find({ state, kind: "patient" })).messages.map(({ seq, states }) => `${seq} ${states}`);
    assert.deepEqual([await states("dead"), await states("sent"), await states("queued")], [
      ["1 dead"],
      ["2 sent"],
      [],
    ]);
    assert.deepEqual(await states("any"), ["2 sent", "1 dead"]);
    const { received, filtered, destinations, isWhole: isCounted } = await client.pluginCounts("out");
    assert.deepEqual([received, filtered, isCounted], [2, 0, true]);
    assert.deepEqual(destinations, [{ type: "deliver", to: "desk", sent: 1, queued: 0, dead: 1 }]);
    await assert.rejects(client.pluginCounts("nobody"), { code: "topology/no-such-plugin" });
    const metrics = await (await fetch(`${cluster.node("TN-A-1").http}/metrics`)).text();
    assert.match(metrics, /^waterpark_sink_deliveries_dead\{sink="desk",node="TN-A-1"\} 1$/m);
    await assert.rejects(client.trace(keyOf(1), 9), { code: "actors/unknown" });
    const { messages, isWhole } = await client.find({ text: '"bad":true', kind: "patient" });
    assert.deepEqual([messages.map(({ key, seq }) => [key, seq]), isWhole], [[["patient/H1/1", 1]], true]);
    assert.deepEqual((await client.find({ text: "bad", until: 1 })).messages, []);

    await deploy(client, deskOf(desk.port, "hold"));
    await client.send(keyOf(2), { type: "note", n: 1, bad: true });
    await client.send(keyOf(2), { type: "note", n: 2 });
    await client.pausePlugin("desk", true);
    await client.pausePlugin("desk", false);
    const held = await until(
      10_000,
      "it is held",
      async () => (await client.effects()).deliveries.find(({ state }) => state === "held") ?? null,
    );
    assert.equal(desk.inOrder.get("2"), undefined, "those behind it wait");
    assert.equal((await client.discardEffect(held.id)).state, "discarded");
    await until(5_000, "they go on", () => desk.inOrder.get("2")?.join() === "2" ? true : null);

    await client.pausePlugin("out", true);
    const { seq } = await client.send(keyOf(3), { type: "note", n: 5 });
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(desk.inOrder.get("3"), undefined, "a handler that is stopped handles nothing");
    assert.equal((await client.pluginCounts("out")).waiting, 1);
    assert.deepEqual((await client.find({ state: "waiting" })).messages.map(({ key }) => key), ["patient/H0/3"]);
    assert.deepEqual((await client.trace(keyOf(3), seq)).waiting, ["out"]);
    await client.pausePlugin("out", false);
    await until(10_000, "it goes on where it stood", () => desk.inOrder.get("3")?.join() === "5" ? true : null);
    assert.equal((await client.read(keyOf(3))).projections.out, seq);
    await assert.rejects(client.discardEffect("patient/H1/1#99#out#0"), { code: "effects/no-such-delivery" });
  });
});

Deno.test("a function answers on every node, with what it may touch and nothing else", async () => {
  await withCluster({ names: THREE }, async (cluster) => {
    const client = cluster.client("TN-A-1");
    await deploy(
      client,
      `
      import { defineFunction } from "@waterpark/waterpark";
      export default defineFunction({
        name: "desk-api", limits: { callMs: 500 },
        async fetch(request, { send, read }) {
          const { pathname, searchParams } = new URL(request.url);
          if (pathname === "/slow") await new Promise((resolve) => setTimeout(resolve, 5_000));
          if (pathname === "/pry") {
            const tries = await Promise.allSettled([Deno.readTextFile("/etc/hostname"), fetch("http://127.0.0.1:4600/"), Deno.makeTempFile()]);
            return Response.json(tries.map(({ reason }) => reason?.name));
          }
          const key = { facility: "H1", id: searchParams.get("id") };
          if (request.method === "POST") return Response.json(await send(key, { type: "note", id: "once", body: await request.json() }), { status: 201 });
          const view = await read(key);
          return view === null ? new Response("nobody", { status: 404 }) : Response.json(view.seq);
        },
      });`,
    );
    const [{ declares }] = (await client.plugin("desk-api")).versions;
    assert.deepEqual([declares?.permissions, declares?.limits], [{}, { callMs: 500 }]);
    const ask = (node: string, path: string, init?: RequestInit) =>
      fetch(`${cluster.node(node).http}/v1/functions/desk-api${path}`, init);
    const first = await until(10_000, "it is there", async () => {
      const answer = await ask("FL-A-1", "/?id=7");
      return answer.status === 404 && await answer.text() === "nobody" ? answer : null;
    });
    assert.equal(first.status, 404);
    const posted = await ask("TX-A-1", "/?id=7", { method: "POST", body: '{"n": 1}' });
    assert.deepEqual([posted.status, await posted.json()], [201, { id: "once", seq: 1, duplicate: false }]);
    const again = await ask("TN-A-1", "/?id=7", { method: "POST", body: '{"n": 1}' });
    assert.deepEqual(await again.json(), { id: "once", seq: 1, duplicate: true });
    assert.equal(await (await ask("FL-A-1", "/?id=7")).json(), 1);
    assert.deepEqual(await (await ask("TN-A-1", "/pry")).json(), ["NotCapable", "NotCapable", "NotCapable"]);
    const slow = await ask("TN-A-1", "/slow");
    assert.equal((await slow.json()).code, "plugin_host/deadline");
    assert.equal((await fetch(`${cluster.node("TN-A-1").http}/v1/functions/nobody`)).status, 404);
  });
});

Deno.test("a source runs on one node, and goes on from its cursor on another when that is killed", async () => {
  await withCluster({ names: ["TN-A-1", "TX-A-1", "FL-A-1", "UT-A-1"] }, async (cluster) => {
    const client = cluster.client("TN-A-1");
    await deploy(
      client,
      `
      import { defineSource } from "@waterpark/waterpark";
      export default defineSource({
        name: "ticks", runsOn: "one",
        async run({ signal, send, cursor, keep }) {
          let n = await cursor() ?? 0;
          while (!signal.aborted) {
            await send({ kind: "clock", facility: "H", id: "main" }, { id: "tick-" + n, type: "tick", body: { n } });
            await keep(++n);
            await new Promise((resolve) => setTimeout(resolve, 20));
          }
        },
      });`,
    );
    const seq = async () => (await cluster.client().read({ kind: "clock", facility: "H", id: "main" })).seq;
    await until(15_000, "it runs", async () => await seq() > 10 ? true : null);
    const running = (await client.effects()).sources.filter(({ state }) => state === "running");
    assert.equal(running.length, 1, JSON.stringify(running));
    await cluster.kill(running[0].node);
    const killedAt = await until(10_000, "the clock is read", seq);
    await until(30_000, "it runs elsewhere", async () => await seq() > killedAt + 20 ? true : null);
    const { events } = await cluster.client().history({ kind: "clock", facility: "H", id: "main" }, { limit: 1000 });
    const ticks = events.map(({ id }) => Number(id.slice(5)));
    assert.deepEqual(ticks, ticks.map((_, i) => i), "none is missing, none comes twice");
  });
});
