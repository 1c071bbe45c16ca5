/**
 * The wire on real sockets: both of the client's, against the platform's upgrade.
 */
import assert from "node:assert/strict";
import { WaterparkClient, WaterparkError } from "../../client.ts";
import { type ConnectOptions, Dialer } from "../../client/dialer.ts";
import { openPlatformSocket } from "../../client/wire/platform_socket.ts";
import type { OpenSocket } from "../../client/wire/socket.ts";
import { openTcpSocket } from "../../client/wire/tcp_socket.ts";
import { Wire } from "../../client/wire/wire.ts";
import { FakeNode } from "../../runtime/gateway/fake_node.ts";
import { createApp, startHttp } from "../../runtime/gateway/mod.ts";
import { systemWorld } from "../../runtime/world/mod.ts";

const KEY = { facility: "HOSPX", id: "1001" };
const SOCKETS: Record<string, OpenSocket> = { tcp: openTcpSocket, platform: openPlatformSocket };

function serve() {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld(), tokens: ["s3cret"], limits: { shutdownGraceMs: 2000 } });
  const server = startHttp(app, { hostname: "127.0.0.1", port: 0 });
  return { node, app, server, [Symbol.asyncDispose]: () => server.close() };
}

function clientOf(urls: string[], openSocket: OpenSocket, options: ConnectOptions = {}) {
  const token = options.token ?? "s3cret";
  const dialer = new Dialer(urls, { deadlineMs: 5000, ...options, token });
  const wire = new Wire(dialer, { token, silentMs: 2000, openSocket });
  return { client: new WaterparkClient(dialer, wire), wire };
}

async function until(isSo: () => boolean, pauseMs = 5): Promise<void> {
  for (let turn = 0; !isSo(); turn++) {
    assert.ok(turn < 2000, "it never came to be");
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

for (const [name, openSocket] of Object.entries(SOCKETS)) {
  Deno.test(`wire (${name}): messages of any size, whole and in order, without a stall`, async () => {
    await using gateway = serve();
    const { client } = clientOf([gateway.server.url], openSocket);
    using _ = client;
    const sizes = [0, 1, 100, 125, 126, 1000, 2000, 65_000, 65_536, 70_000, 300_000, 1_000_000];
    const texts = sizes.map((size) => "aé".repeat(size).slice(0, size / 1.5));
    await Promise.all(texts.map((text, i) => client.send(KEY, text, { id: `a${i}` })));
    const startMs = performance.now();
    for (const [i, text] of texts.slice(0, 9).entries()) await client.send(KEY, text, { id: `b${i}` });
    const eachMs = (performance.now() - startMs) / 9;
    const kept = gateway.node.historyOf("HOSPX/1001").map(({ payload }) => new TextDecoder().decode(payload));
    assert.deepEqual(kept, [...texts, ...texts.slice(0, 9)]);
    // Written in two pieces, each message of more than 1,024 bytes would take 44 ms.
    if (name === "tcp") assert.ok(eachMs < 20, `${eachMs} ms each`);
  });

  Deno.test(`wire (${name}): a message does not wait for the answer to the one before`, async () => {
    await using gateway = serve();
    const { client } = clientOf([gateway.server.url], openSocket);
    using _ = client;
    for (let i = 0; i < 40; i++) await client.send(KEY, {}, { id: `w${i}` });
    let slowMs = 0;
    for (let round = 0; round < 5; round++) {
      gateway.node.held = [];
      const first = client.send(KEY, {}, { id: `a${round}` });
      await until(() => gateway.node.held!.length === 1);
      const startMs = performance.now();
      const second = client.send(KEY, {}, { id: `b${round}` });
      await until(() => gateway.node.held!.length === 2, 1);
      slowMs = Math.max(slowMs, performance.now() - startMs);
      gateway.node.held.splice(0).forEach((answer) => answer());
      gateway.node.held = null;
      await Promise.all([first, second]);
    }
    if (name === "tcp") assert.ok(slowMs < 35, `${slowMs} ms`);
  });

  Deno.test(`wire (${name}): a stranger's messages go nowhere, and he is told so as over HTTP`, async () => {
    await using gateway = serve();
    const { client } = clientOf([gateway.server.url], openSocket, { token: "guess" });
    using _ = client;
    const error = await client.send(KEY, {}).then(() => assert.fail(), (error) => error);
    assert.ok(error instanceof WaterparkError && error.code === "gateway/unauthorized");
    assert.equal(gateway.node.posted.length, 0);
  });

  Deno.test(`wire (${name}): a gateway that goes down says goodbye, and is gone at once; the rest goes elsewhere`, async () => {
    const first = serve();
    await using second = serve();
    const { client, wire } = clientOf([first.server.url, second.server.url], openSocket);
    using _ = client;
    await client.send(KEY, {}, { id: "a" });
    assert.equal(first.app.streams.count, 1);
    first.node.held = [];
    const late = client.send(KEY, {}, { id: "late" });
    await until(() => first.node.held!.length === 1);
    const startMs = performance.now();
    const closed = first.server.close();
    const next = client.send({ facility: "HOSPX", id: "2" }, {}, { id: "next" });
    await next;
    first.node.held.forEach((answer) => answer());
    assert.equal((await late).seq, 2, "what was under way was answered");
    await closed;
    assert.ok(performance.now() - startMs < 1500);
    await client.send(KEY, {}, { id: "b" });
    assert.equal(first.app.streams.count, 0);
    assert.deepEqual(second.node.posted.map(({ id }) => id), ["next", "b"]);
    assert.equal(wire.nodes.length, 1);
  });

  Deno.test(`wire (${name}): a closed client leaves nothing open`, async () => {
    await using gateway = serve();
    const { client } = clientOf([gateway.server.url], openSocket);
    await client.send(KEY, {});
    client.close();
    await until(() => gateway.app.streams.count === 0);
  });
}
