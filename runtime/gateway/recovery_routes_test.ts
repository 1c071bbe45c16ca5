import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

function setUp() {
  const node = new FakeNode();
  const world = simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) });
  const app = createApp(node, { world });
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await app.request(path, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, value: await response.json() };
  };
  return { node, ask };
}

Deno.test("recovery: a shard is shown with its copies, and recovered only on the operator's explicit word", async () => {
  const { node, ask } = setUp();
  assert.deepEqual((await ask("GET", "/v1/shards")).value, { standing: ["S05/017"] });
  const { value } = await ask("GET", "/v1/shards/S05/017");
  assert.deepEqual([value.shard, value.copies.length, value.copies[0].copy.lastIndex], ["S05/017", 2, 9]);

  const path = "/v1/shards/S05/017/recover";
  for (const order of [undefined, {}, { acceptDataLoss: "yes" }, [], { acceptDataLoss: true, survivor: 7 }]) {
    const { status, value } = await ask("POST", path, order);
    assert.deepEqual([status, value.code, value.outcome], [400, "gateway/bad-request", "not-applied"]);
  }
  assert.deepEqual(node.asked, []);
  const done = await ask("POST", path, { acceptDataLoss: true, survivor: "TN-A-1" });
  assert.deepEqual([done.status, done.value.generation], [200, 2]);
  assert.deepEqual(node.asked, ["recover S05/017 TN-A-1 false"]);
});

Deno.test("recovery: the rule for receipts is set as numbers", async () => {
  const { node, ask } = setUp();
  assert.equal((await ask("PUT", "/v1/topology/ack", { copies: "3" })).status, 400);
  assert.equal((await ask("PUT", "/v1/topology/ack", { copies: 4, dataCenters: 2 })).status, 200);
  assert.deepEqual(node.asked, ["ack 4 2"]);
});

Deno.test("recovery: lost copies are listed, read in pages, sent again, discarded", async () => {
  const { node, ask } = setUp();
  const copy = "/v1/lost/TX-A-1/S05/017/1";
  assert.equal((await ask("GET", "/v1/lost")).value.copies[0].messages, 9);
  assert.equal((await ask("GET", `${copy}?after=3&limit=5`)).value.messages[0].present, false);
  assert.equal((await ask("GET", "/v1/lost/TX-A-1/S05/017/x")).status, 400);
  assert.equal((await ask("POST", `${copy}/resend`, { ids: "m9" })).status, 400);
  assert.deepEqual((await ask("POST", `${copy}/resend`, { ids: ["m9"] })).value, { sent: 1, already: 8, refused: [] });
  assert.equal((await ask("DELETE", copy)).value.discarded, true);
  assert.deepEqual(node.asked, ["lost TX-A-1 S05/017 1 3 5", "resend TX-A-1 m9", "discard TX-A-1 S05/017 1"]);
});

Deno.test("recovery: an operator may say that a node is lost", async () => {
  const { node, ask } = setUp();
  assert.equal((await ask("POST", "/v1/nodes/TN-A-1/absent")).status, 200);
  assert.equal((await ask("POST", "/v1/nodes/TN-A-9/absent")).status, 404);
  assert.deepEqual(node.asked, ["absent TN-A-1"]);
});
