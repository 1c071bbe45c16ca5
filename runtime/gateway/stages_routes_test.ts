import { deepEqual, equal } from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";

function setUp() {
  const node = new FakeNode();
  const app = createApp(node, { world: simulatedWorld({ time: new SimulatedTime(), random: new SeededRandom(1) }) });
  const put = (headers: Record<string, string>) =>
    app.request("/v1/plugins/census", {
      method: "PUT",
      body: "module.exports = {}",
      headers: { "content-type": "application/javascript", ...headers },
    });
  const post = (path: string) => app.request(`/v1/plugins/census/${path}`, { method: "POST" });
  return { node, app, put, post };
}

Deno.test("stages: a deploy names its stage, part and actors, checked", async () => {
  const { node, put } = setUp();
  const canary = { "waterpark-plugin-stage": "canary" };
  const part = { "waterpark-plugin-percent": "5", "waterpark-plugin-actors": "H/1,ward/H/a%2Cb" };
  equal((await put({ ...canary, ...part })).status, 201);
  deepEqual(node.asked, ["deploy census canary 5 patient/H/1 ward/H/a,b"]);
  for (const [name, value] of [["percent", "0"], ["percent", "101"], ["actors", "/"]]) {
    equal((await put({ ...canary, [`waterpark-plugin-${name}`]: value })).status, 400, name + value);
  }
  equal((await put({ "waterpark-plugin-stage": "everywhere" })).status, 400);
});

Deno.test("stages: promote, diff, roll back with a reason", async () => {
  const { node, app, put, post } = setUp();
  equal((await post("promote")).status, 404);
  await put({});
  equal((await post("promote?stage=canary&percent=25&version=2")).status, 200);
  equal((await post("promote?accept-diff=true")).status, 200);
  equal((await post("rollback?reason=too+slow")).status, 200);
  deepEqual(node.asked, [
    'promote census {"version":2,"stage":"canary","percent":25,"by":"unknown","acceptDiff":false}',
    'promote census {"stage":"live","by":"unknown","acceptDiff":true}',
    "rollback census: too slow",
  ]);
  for (const bad of ["promote?stage=dark", "promote?version=x", `rollback?reason=${"x".repeat(501)}`]) {
    equal((await post(bad)).status, 400, bad);
  }
  const diff = await (await app.request("/v1/plugins/census/diff")).json();
  deepEqual([diff.name, diff.diffs[0].counts["effects-changed"]], ["census", 1]);
});

Deno.test("switches: set, asked for, listed; a body that says nothing is refused", async () => {
  const { app } = setUp();
  const set = (name: string, body: string) => app.request(`/v1/switches/${name}`, { method: "PUT", body });
  equal((await set("shiny", '{"on":true}')).status, 200);
  for (const body of ["", "{}", "null", '{"on":1}', "x".repeat(2000)]) {
    equal((await set("shiny", body)).status >= 400, true);
  }
  equal((await set("-", '{"on":true}')).status, 400);
  deepEqual((await (await app.request("/v1/switches/shiny")).json()).on, true);
  equal((await app.request("/v1/switches/dull")).status, 404);
  deepEqual((await (await app.request("/v1/switches")).json()).switches.length, 1);
});
