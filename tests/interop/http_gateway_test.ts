/**
 * The gateway on a real port: what `app.request()` cannot show.
 */
import assert from "node:assert/strict";
import { connect } from "../../client.ts";
import { FakeNode } from "../../runtime/gateway/fake_node.ts";
import { createApp, startHttp } from "../../runtime/gateway/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";

function serve() {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld(), limits: { heartbeatMs: 200, shutdownGraceMs: 2000 } });
  const server = startHttp(app, { hostname: "127.0.0.1", port: 0 });
  return { node, app, server, [Symbol.asyncDispose]: () => server.close() };
}

const KEY = { facility: "HOSPX", id: "1001" };

Deno.test("http: thousands of messages in order over one client", async () => {
  await using gateway = serve();
  const client = connect(gateway.server.url);
  const messages = Array.from({ length: 3000 }, (_, n) => ({ key: KEY, id: `m${n}`, message: { n } }));
  let seq = 0;
  for await (const answer of client.sendMany(messages)) {
    assert.ok(answer.state === "recorded");
    assert.equal(answer.receipt.seq, ++seq);
  }
  assert.equal(seq, 3000);
});

Deno.test("http: an NDJSON stream is answered line by line while it is still being sent", async () => {
  await using gateway = serve();
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const line = (id: string) => new TextEncoder().encode(JSON.stringify({ key: "HOSPX/1", id, message: 1 }) + "\n");
  const sent = fetch(`${gateway.server.url}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: readable,
  });
  await writer.write(line("a"));
  const reader = (await sent).body!.pipeThrough(new TextDecoderStream()).getReader();
  assert.equal(JSON.parse((await reader.read()).value!).id, "a");
  await writer.write(line("b"));
  assert.equal(JSON.parse((await reader.read()).value!).id, "b");
  await writer.close();
  assert.equal((await reader.read()).done, true);
});

Deno.test("http: going down ends watches first, and at once", async () => {
  const gateway = serve();
  const response = await fetch(`${gateway.server.url}/v1/actors/patient/HOSPX/1001/watch`);
  const text = response.text();
  while (gateway.app.streams.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const startMs = performance.now();
  await gateway.server.close();
  assert.ok(performance.now() - startMs < 1500);
  assert.ok((await text).startsWith("retry: "));
});

Deno.test("http: a watcher that leaves is counted out", async () => {
  await using gateway = serve();
  const ending = new AbortController();
  const watching = connect(gateway.server.url).watch(KEY, { signal: ending.signal }).next();
  while (gateway.app.streams.count === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  ending.abort();
  assert.equal((await watching).done, true);
  for (let turn = 0; turn < 400 && gateway.app.streams.count > 0; turn++) {
    gateway.node.wake();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.equal(gateway.app.streams.count, 0);
});

Deno.test("http: an address that is taken is an error with a name", async () => {
  await using gateway = serve();
  const port = Number(gateway.server.address.split(":")[1]);
  const app = createApp(gateway.node, { world: systemWorld() });
  assert.throws(() => startHttp(app, { hostname: "127.0.0.1", port }), { code: "gateway/cannot-listen" });
});

Deno.test("http: a body that announces too much is refused before it comes", async () => {
  await using gateway = serve();
  const response = await fetch(`${gateway.server.url}/v1/actors/patient/HOSPX/1001/messages`, {
    method: "POST",
    headers: { "content-type": "application/octet-stream" },
    body: new Uint8Array((1 << 20) + 1),
  });
  assert.equal(response.status, 413);
  await response.body?.cancel();
});
