import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp, type GatewayOptions } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

function setUp(options: Partial<GatewayOptions> = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const node = new FakeNode();
  const app = createApp(node, { world, ...options });
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}) =>
    app.request(path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  return { app, node, time, post };
}

const MESSAGES = "/v1/actors/patient/HOSPX/1001/messages";

// deno-lint-ignore no-explicit-any
async function problem(response: Response, status: number, code: string): Promise<any> {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.code, code);
  assert.equal(body.status, status);
  assert.ok(["not-applied", "applied", "unknown"].includes(body.outcome));
  return body;
}

Deno.test("a message is recorded, its receipt names the place, its bytes are kept as sent", async () => {
  const { node, post } = setUp();
  const body = '{ "type": "admit",  "ward": "5W" }';
  const response = await post(MESSAGES, body, { "idempotency-key": "m1" });
  assert.equal(response.status, 201);
  assert.equal(response.headers.get("etag"), '"1"');
  assert.equal(response.headers.get("location"), "/v1/actors/patient/HOSPX/1001/history?after=0&limit=1");
  const receipt = await response.json();
  assert.equal(receipt.key, "patient/HOSPX/1001");
  assert.equal(receipt.id, "m1");
  assert.equal(receipt.seq, 1);
  assert.equal("duplicate" in receipt, false);
  assert.equal(new TextDecoder().decode(node.posted[0].payload), body);
  assert.equal(node.posted[0].type, "admit");
});

Deno.test("the same message again is the first receipt; other bytes under its id are a conflict", async () => {
  const { post } = setUp();
  const first = await (await post(MESSAGES, "{}", { "idempotency-key": "m1" })).json();
  const again = await post(MESSAGES, "{}", { "idempotency-key": '"m1"' });
  assert.equal(again.status, 200);
  assert.deepEqual(await again.json(), { ...first, duplicate: true });
  const other = await post(MESSAGES, "[]", { "idempotency-key": "m1" });
  assert.equal((await problem(other, 409, "mailroom/conflict")).id, "m1");
});

Deno.test("If-Match lets a message in only at its seq", async () => {
  const { post } = setUp();
  assert.equal((await post(MESSAGES, "{}", { "if-match": '"0"' })).status, 201);
  const late = await problem(await post(MESSAGES, "{}", { "if-match": '"0"' }), 412, "mailroom/precondition");
  assert.equal(late.seq, 1);
  for (const bad of ["*", 'W/"1"', "one", "-1", "1.5", "99999999999999999999"]) {
    await problem(await post(MESSAGES, "{}", { "if-match": bad }), 400, "gateway/bad-request");
  }
});

Deno.test("Prefer: return=representation waits for the handlers", async () => {
  const { node, post } = setUp();
  const response = await post(MESSAGES, "{}", { prefer: "respond-async, return=representation" });
  assert.equal(response.headers.get("preference-applied"), "return=representation");
  const body = await response.json();
  assert.deepEqual([body.projections, body.reply], [{ census: { ward: "5W" } }, "seen"]);
  assert.equal(node.posted[0].wait, "handled");
});

Deno.test("the type is the header's, else a JSON object's, else MSH-9", async () => {
  const { node, post } = setUp();
  const hl7 = "MSH|^~\\&|LAB|HOSPX|||20260101||ADT^A01|7|P|2.5\rPID|1||1001\r";
  await post(MESSAGES, '{"type":"inside"}', { "waterpark-type": "outside" });
  await post(MESSAGES, '{"type":7}');
  await post(MESSAGES, hl7, { "content-type": "x-application/hl7-v2+er7; charset=utf-8" });
  await post(MESSAGES, "no hl7", { "content-type": "x-application/hl7-v2+er7" });
  assert.deepEqual(node.posted.map((request) => request.type), ["outside", "", "ADT^A01", ""]);
  assert.equal(node.posted[2].contentType, "x-application/hl7-v2+er7; charset=utf-8");
});

Deno.test("a content type must be there and well-formed; any such is taken", async () => {
  const { app, node, post } = setUp();
  for (const good of ["image/png", "application/xml", "application/vnd.a+json; v=1", 'text/plain; charset="utf-8"']) {
    assert.equal((await post(MESSAGES, "{}", { "content-type": good })).status, 201, good);
  }
  for (const bad of ["json", "text/", "/plain", "text/plain; charset", "te xt/plain", `text/${"x".repeat(300)}`]) {
    await problem(await post(MESSAGES, "{}", { "content-type": bad }), 415, "gateway/bad-content-type");
  }
  const none = await app.request(MESSAGES, { method: "POST", body: new Uint8Array(2) });
  await problem(none, 415, "gateway/bad-content-type");
  await problem(await post(MESSAGES, "{}", { "content-encoding": "gzip" }), 415, "gateway/bad-content-type");
  assert.equal(node.posted.length, 4);
});

Deno.test("JSON must parse, and may be 64 deep", async () => {
  const { post } = setUp();
  const deep = (n: number) => "[".repeat(n) + "]".repeat(n);
  assert.equal((await post(MESSAGES, deep(64))).status, 201);
  assert.equal((await post(MESSAGES, `"${"[".repeat(100)}"`)).status, 201);
  for (const bad of ["", "{", "nope", deep(65), deep(400_000), new Uint8Array([0x22, 0xff, 0x22])]) {
    await problem(await post(MESSAGES, bad), 400, "gateway/bad-json");
  }
});

Deno.test("a body over the limit is refused, announced or not, without reading on", async () => {
  const { app, node, post } = setUp();
  await problem(await post(MESSAGES, "x", { "content-length": "1048577" }), 413, "gateway/too-large");
  let pulls = 0;
  let isCancelled = false;
  const endless = new ReadableStream({
    pull(controller) {
      pulls++;
      controller.enqueue(new Uint8Array(64 * 1024));
    },
    cancel: () => void (isCancelled = true),
  });
  const headers = { "content-type": "application/octet-stream" };
  const init = { method: "POST", body: endless, headers, duplex: "half" } as RequestInit;
  await problem(await app.request(MESSAGES, init), 413, "gateway/too-large");
  assert.ok(isCancelled && pulls < 20, `${pulls} pulls`);
  assert.equal(node.posted.length, 0);
});

Deno.test("keys are percent-decoded once, odd characters are fine, broken ones are 400", async () => {
  const { app, node, post } = setUp();
  const odd = ["a b", "a/b", "100%", "%2F", "ü", "日本", "a?b#c", "'\"<>", "😀"];
  for (const id of odd) {
    const path = `/v1/actors/ward/H%C3%B6SP/${encodeURIComponent(id)}`;
    assert.equal((await post(`${path}/messages`, "{}")).status, 201, id);
    assert.equal((await app.request(path)).status, 200, id);
  }
  assert.deepEqual(
    node.posted.map((request) => request.key),
    odd.map((id) => ({ kind: "ward", facility: "HöSP", id })),
  );
  for (const bad of ["%ZZ", "%FF", "%", "a%0Ab", "x".repeat(201)]) {
    await problem(await post(`/v1/actors/ward/HOSP/${bad}/messages`, "{}"), 400, "base/bad-key");
  }
});

Deno.test("a refusal becomes its status, with Retry-After where later helps", async () => {
  const { node, post } = setUp();
  const refuse = (code: string, retryAfterMs?: number) => {
    node.refusal = () => ({ state: "refused", code, outcome: "not-applied", message: "Cannot", retryAfterMs });
    return post(MESSAGES, "{}");
  };
  const busy = await refuse("mailroom/busy", 1200);
  assert.equal(busy.headers.get("retry-after"), "2");
  assert.equal((await problem(busy, 503, "mailroom/busy")).retryAfterMs, 1200);
  assert.equal((await refuse("replication/no-writer")).headers.get("retry-after"), "1");
  assert.equal((await refuse("mailroom/too-fast")).status, 429);
  assert.equal((await refuse("topology/last-node")).status, 409);
  assert.equal((await refuse("topology/no-such-node")).status, 404);
  assert.equal((await refuse("topology/behind")).status, 503);
  assert.equal((await refuse("actors/unknown")).status, 404);
});

Deno.test("a node that does not answer ends the request as unknown, under an id to repeat", async () => {
  const { node, post, time } = setUp();
  node.hang = true;
  const answering = post(MESSAGES, "{}");
  while (node.posted.length === 0) await Promise.resolve();
  time.runUntil(11_000);
  const body = await problem(await answering, 503, "gateway/deadline");
  assert.deepEqual([body.outcome, body.id], ["unknown", "id1"]);
});

Deno.test("a bug is 500 without its text, and told inside", async () => {
  const bugs: unknown[] = [];
  const { app, node } = setUp({ onBug: (error) => bugs.push(error) });
  node.metrics = () => Promise.reject(new Error("Jane Doe"));
  const body = await problem(await app.request("/metrics"), 500, "gateway/bug");
  assert.equal(JSON.stringify(body).includes("Jane"), false);
  assert.equal(bugs.length, 1);
});

Deno.test("unknown addresses are 404, other methods 405 with Allow", async () => {
  const { app } = setUp();
  await problem(await app.request("/v2"), 404, "gateway/not-found");
  await problem(await app.request("/v1/actors/patient/HOSPX"), 404, "gateway/not-found");
  const other = await app.request(MESSAGES, { method: "PATCH" });
  assert.equal(other.headers.get("allow"), "POST");
  await problem(other, 405, "gateway/method-not-allowed");
  assert.equal((await app.request("/healthz", { method: "HEAD" })).status, 200);
});

Deno.test("with tokens, only who carries one is answered; health is open", async () => {
  const { app } = setUp({ tokens: ["s3cret", "other"] });
  for (const authorization of ["", "Bearer", "Bearer s3cre", "Bearer s3crets", "Basic s3cret"]) {
    const response = await app.request("/v1/topology", { headers: { authorization } });
    assert.equal(response.headers.get("www-authenticate"), "Bearer");
    await problem(response, 401, "gateway/unauthorized");
  }
  await problem(await app.request("/v2"), 401, "gateway/unauthorized");
  const ok = await app.request("/v1/topology", { headers: { authorization: "Bearer other" } });
  assert.equal(ok.status, 200);
  assert.equal((await app.request("/healthz")).status, 200);
});

Deno.test("with tokens that have names, what is done bears the name; the name is no part of the token", async () => {
  const { app, node } = setUp({ tokens: ["ann:s3cret", "bare"] });
  const ask = (token: string, name: string) =>
    app.request(`/v1/switches/${name}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: '{"on": true}',
    });
  assert.equal((await ask("s3cret", "a")).status, 200);
  assert.equal((await ask("bare", "b")).status, 200);
  assert.deepEqual(node.stages.switches().map(({ history }) => history[0].by), ["ann", "unknown"]);
  await problem(await ask("ann:s3cret", "c"), 401, "gateway/unauthorized");
});

Deno.test("readiness tells a load balancer to stay away", async () => {
  const { app, node } = setUp();
  assert.equal((await app.request("/readyz")).status, 200);
  node.ready = false;
  const response = await app.request("/readyz");
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { ready: false, reason: "joining" });
  assert.equal(await (await app.request("/metrics")).text(), "waterpark_up 1\n");
});
