import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

function started() {
  const node = new FakeNode();
  const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
  const app = createApp(node, { world });
  return { node, ask: (path: string, init?: RequestInit) => app.request(path, init) };
}

Deno.test("functions: path, query, body and headers reach it, who asked does not; its answer comes back", async () => {
  const { ask } = started();
  const headers = { authorization: "Bearer t", "x-mine": "1" };
  const answer = await ask("/v1/functions/echo/wards/5W?x=1", { method: "POST", headers, body: "hello" });
  assert.equal(answer.status, 203);
  assert.deepEqual([answer.headers.get("x-a"), answer.headers.get("connection")], ["b", null]);
  const [method, path, sent, body] = await answer.json();
  assert.deepEqual([method, path, body, sent["x-mine"], sent.authorization], [
    ...["POST", "/wards/5W?x=1", "hello", "1"],
    undefined,
  ]);
  assert.deepEqual((await (await ask("/v1/functions/echo")).json()).slice(0, 2), ["GET", "/"]);
  assert.equal((await ask("/v1/functions/nobody")).status, 404);
});

Deno.test("effects: listed, tried again, mended, discarded", async () => {
  const { node, ask } = started();
  const { deliveries } = await (await ask("/v1/effects?sink=lab&dead=true&limit=5")).json();
  assert.equal(deliveries[0].state, "held");
  const id = encodeURIComponent("patient/H/1#2#p#0");
  assert.equal((await ask(`/v1/effects/retry?id=${id}`, { method: "POST", body: "mended" })).status, 200);
  assert.equal((await ask(`/v1/effects/discard?id=${id}`, { method: "POST" })).status, 200);
  assert.deepEqual(node.asked.slice(-3), [
    'effects {"sink":"lab","limit":5,"dead":true,"settled":false}',
    "retry patient/H/1#2#p#0 mended",
    "discard patient/H/1#2#p#0",
  ]);
  assert.equal((await (await ask("/v1/effects/retry", { method: "POST" })).json()).code, "gateway/bad-request");
  assert.equal((await ask("/v1/effects?limit=0")).status, 400);
});

Deno.test("sinks: tried, stopped, set going", async () => {
  const { node, ask } = started();
  assert.equal((await (await ask("/v1/plugins/lab/check", { method: "POST" })).json()).said, "it answers");
  assert.deepEqual(await (await ask("/v1/plugins/lab/pause", { method: "POST" })).json(), {
    name: "lab",
    isPaused: true,
  });
  await ask("/v1/plugins/lab/resume", { method: "POST" });
  assert.deepEqual(node.asked.slice(-3), ["check lab", "pause lab", "resume lab"]);
});

Deno.test("following: a state that there is; counts since a time", async () => {
  const { node, ask } = started();
  assert.equal((await ask("/v1/find?state=dead&kind=patient")).status, 200);
  assert.equal((await ask("/v1/find?state=lost")).status, 400);
  assert.equal((await (await ask("/v1/plugins/lab-feed/counts?since=5")).json()).name, "lab-feed");
  assert.equal((await ask("/v1/plugins/lab-feed/counts?since=x")).status, 400);
  assert.deepEqual(node.asked, ['find {"kind":"patient","state":"dead"}', "counts lab-feed 5"]);
});
