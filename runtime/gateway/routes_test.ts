import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";
import type { GatewayLimits } from "./limits.ts";

const ACTOR = "/v1/actors/patient/HOSPX/1001";

function setUp(limits: Partial<GatewayLimits> = {}) {
  const time = new SimulatedTime();
  const node = new FakeNode();
  const app = createApp(node, { world: simulatedWorld({ time, random: new SeededRandom(1) }), limits });
  const record = (payload: string | Uint8Array, contentType = "application/json", id = "1001") =>
    node.post({
      key: { facility: "HOSPX", id },
      contentType,
      payload: typeof payload === "string" ? new TextEncoder().encode(payload) : payload,
    });
  const get = async (path: string) => await (await app.request(path)).json();
  return { app, node, record, get };
}

Deno.test("an actor is read as it is or was", async () => {
  const { app, record, get } = setUp();
  await record("{}");
  await record("{}");
  const response = await app.request(`${ACTOR}?read=fresh`);
  assert.equal(response.headers.get("etag"), '"2"');
  const view = await response.json();
  assert.deepEqual([view.key, view.seq, view.projections.read], ["patient/HOSPX/1001", 2, "fresh"]);
  assert.equal((await get(`${ACTOR}?at=1`)).seq, 1);
  for (const bad of ["at=x", "at=-1", "read=dirty", "after=1e3"]) {
    assert.equal((await get(`${ACTOR}?${bad}`)).code, "gateway/bad-request", bad);
  }
});

Deno.test("a history shows values as values, text as text, all else as base64", async () => {
  const { record, get } = setUp();
  await record('{"a":1}');
  await record("grüß", "text/plain");
  await record("MSH|^~\\&\r", "x-application/hl7-v2+er7");
  await record(new Uint8Array([0xff, 0]), "text/plain");
  await record(new Uint8Array([1, 2]), "image/png");
  const { events, next } = await get(`${ACTOR}/history`);
  assert.deepEqual(events.map((event: { message: unknown }) => event.message), [
    { a: 1 },
    "grüß",
    "MSH|^~\\&\r",
    "/wA=",
    "AQI=",
  ]);
  assert.deepEqual(events.map((event: { encoding?: string }) => event.encoding ?? ""), [
    "",
    "",
    "",
    "base64",
    "base64",
  ]);
  assert.equal(next, null);
});

Deno.test("a history comes in pages, bounded in events and in bytes", async () => {
  const { record, get } = setUp({ historyBytesMax: 10 });
  for (let i = 0; i < 5; i++) await record('"1234"');
  assert.equal((await get(`${ACTOR}/history?limit=0`)).code, "gateway/bad-request");
  assert.equal((await get(`${ACTOR}/history?limit=1001`)).code, "gateway/bad-request");
  const seqs: number[] = [];
  let after: number | null = 0;
  while (after !== null) {
    const page: { events: { seq: number }[]; next: number | null } = await get(
      `${ACTOR}/history?after=${after}&limit=3`,
    );
    assert.equal(page.events.length, 1);
    seqs.push(...page.events.map((event) => event.seq));
    after = page.next;
  }
  assert.deepEqual(seqs, [1, 2, 3, 4, 5]);
});

Deno.test("actors are listed in pages", async () => {
  const { record, get } = setUp();
  for (const id of ["c", "a", "b"]) await record("{}", "application/json", id);
  const first = await get("/v1/actors?limit=2");
  assert.deepEqual(first.actors.map((actor: { key: string }) => actor.key), ["patient/HOSPX/a", "patient/HOSPX/b"]);
  const rest = await get(`/v1/actors?after=${encodeURIComponent(first.next)}`);
  assert.deepEqual(rest, { actors: [{ key: "patient/HOSPX/c", seq: 1 }], next: null });
});

Deno.test("the topology, its nodes, and where an actor lives", async () => {
  const { app, node, get } = setUp();
  assert.equal((await get("/v1/topology")).version, 7);
  assert.equal((await get("/v1/nodes")).nodes[0].name, "TN-A-1");
  assert.equal((await get("/v1/topology/actors/patient/HOSPX/1001")).writer, "TN-A-1");
  assert.equal((await app.request("/v1/nodes/TN-A-1/drain", { method: "POST" })).status, 202);
  assert.equal((await app.request("/v1/nodes/TN-A-9/drain", { method: "POST" })).status, 404);
  assert.equal((await app.request("/v1/nodes/TN-A-1/drain?fast=true", { method: "POST" })).status, 202);
  assert.equal((await get("/v1/whole")).whole, true);
  assert.equal((await get("/v1/topology/plan?lose=TN&add=TN-A-5")).nodes.length, 2);
  assert.equal((await app.request("/v1/topology/plan")).status, 400);
  assert.equal((await app.request("/v1/topology/plan?burn=TN")).status, 400);
  const removal = await app.request("/v1/nodes/TN-A-1", { method: "DELETE" });
  assert.equal(removal.status, 409);
  assert.equal((await removal.json()).code, "topology/last-node");
  assert.deepEqual(node.asked, [
    "drain TN-A-1",
    "drain TN-A-1 fast",
    "plan lose TN, add TN-A-5",
    "remove TN-A-1",
  ]);
});

Deno.test("a plugin is deployed as bytes, looked at, rolled back, removed", async () => {
  const { app, get } = setUp({ bundleBytesMax: 100 });
  const put = (headers: Record<string, string>, body = "module.exports={}", name = "census") =>
    app.request(`/v1/plugins/${name}`, {
      method: "PUT",
      body,
      headers: { "content-type": "application/javascript", ...headers },
    });
  const url = { "waterpark-plugin-url": "file:///census.ts" };
  const first = await put(url);
  assert.equal(first.status, 201);
  const view = await first.json();
  assert.deepEqual([view.name, view.kind, view.url, view.hash.length], ["census", "handler", "file:///census.ts", 64]);
  assert.equal((await put({ "waterpark-plugin-hash": view.hash })).status, 200);
  assert.equal((await (await put({ "waterpark-plugin-hash": "00" })).json()).code, "gateway/bad-request");
  assert.equal((await put({ "waterpark-plugin-kind": "virus" })).status, 400);
  assert.equal((await put({ "content-type": "text/html" })).status, 415);
  assert.equal((await put({}, "x".repeat(101))).status, 413);
  assert.equal((await put({}, "x", ".%2F..")).status, 400);
  assert.equal((await get("/v1/plugins")).plugins.length, 1);
  assert.equal((await app.request("/v1/plugins/census/rollback", { method: "POST" })).status, 200);
  assert.equal((await app.request("/v1/plugins/census", { method: "DELETE" })).status, 200);
  assert.equal((await app.request("/v1/plugins/census")).status, 404);
});

Deno.test("a watch tells the history, then what comes, and ends when the gateway goes down", async () => {
  const { app, node, record } = setUp();
  await record('{"n":1}');
  await record('{"n":2}');
  const response = await app.request(`${ACTOR}/watch`, { headers: { "last-event-id": "1" } });
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const first = (await reader.read()).value!;
  assert.ok(first.startsWith("retry: 500\n\nid: 2\ndata: "), first);
  assert.ok(first.endsWith('"message":{"n":2}}\n\n'), first);
  const second = reader.read();
  await record('{"n":3}');
  assert.ok((await second).value!.startsWith("id: 3\n"));
  const heartbeat = reader.read();
  while (app.streams.count !== 1) await Promise.resolve();
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  node.wake();
  assert.equal((await heartbeat).value, ": alive\n\n");
  app.streams.closeAll();
  assert.equal((await reader.read()).done, true);
  assert.equal(app.streams.count, 0);
  assert.equal((await (await app.request(`${ACTOR}/watch`)).json()).code, "gateway/closing");
});

Deno.test("a watch that cannot go on says why; one too many is refused; one left is counted out", async () => {
  const { app, node } = setUp({ openStreamsMax: 1 });
  const first = await app.request(`${ACTOR}/watch?after=0`);
  assert.equal((await app.request(`${ACTOR}/watch`)).status, 503);
  await first.body!.cancel();
  assert.equal(app.streams.count, 0);
  const second = await app.request(`${ACTOR}/watch`);
  node.history = () => Promise.reject(new Error("gone"));
  assert.ok((await second.text()).includes("event: problem\ndata: {"));
  assert.equal((await app.request(`${ACTOR}/watch`, { headers: { "last-event-id": "x" } })).status, 400);
});
