import assert from "node:assert/strict";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { createApp } from "./app.ts";
import { FakeNode } from "./fake_node.ts";
import type { GatewayLimits } from "./limits.ts";
import type { Receipt } from "./service.ts";

function setUp(limits: Partial<GatewayLimits> = {}) {
  const time = new SimulatedTime();
  const node = new FakeNode();
  const app = createApp(node, { world: simulatedWorld({ time, random: new SeededRandom(1) }), limits });
  const record = async (id: string): Promise<Receipt> => {
    const payload = new TextEncoder().encode(id);
    const answer = await node.post({ key: { facility: "HOSPX", id: "1001" }, id, contentType: "text/plain", payload });
    assert.ok(answer.state === "recorded");
    return answer.receipt;
  };
  const post = (body: string, contentType = "application/x-ndjson") =>
    app.request("/v1/audit", { method: "POST", body, headers: { "content-type": contentType } });
  // deno-lint-ignore no-explicit-any
  const verdicts = async (lines: (object | string)[]): Promise<any[]> => {
    const body = lines.map((line) => typeof line === "string" ? line : JSON.stringify(line)).join("\n");
    const text = await (await post(body)).text();
    return text.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
  };
  const get = async (path: string) => await (await app.request(path)).json();
  return { time, node, app, record, post, verdicts, get };
}

Deno.test("each receipt has its verdict, in order, and no verdict names a patient", async () => {
  const { app, record, verdicts } = setUp();
  const receipt = await record("m1");
  const asGiven = { ...receipt, duplicate: true, projections: { census: {} } };
  const found = await verdicts([asGiven, { ...receipt, id: "m2" }, { ...receipt, digest: "0".repeat(16) }]);
  assert.deepEqual(found.map(({ line, state, index }) => [line, state, index]), [
    [1, "proven", 1],
    [2, "lost", 1],
    [3, "differs", 1],
  ]);
  assert.equal(JSON.stringify(found).includes("1001"), false);
  for (let turn = 0; turn < 100 && app.streams.count > 0; turn++) await Promise.resolve();
  assert.equal(app.streams.count, 0);
});

Deno.test("what is no receipt is a problem in its place, the others go on", async () => {
  const { record, verdicts } = setUp({ bodyBytesMax: 400 });
  const receipt = await record("m1");
  const bad: [object | string, string][] = [
    ["{", "gateway/bad-json"],
    ["7", "gateway/bad-receipt"],
    ["null", "gateway/bad-receipt"],
    [{ ...receipt, shard: 17 }, "gateway/bad-receipt"],
    [{ ...receipt, seq: 0 }, "gateway/bad-receipt"],
    [{ ...receipt, index: 1.5 }, "gateway/bad-receipt"],
    [{ ...receipt, index: 2 ** 32 }, "gateway/bad-receipt"],
    [{ ...receipt, digest: "XYZ" }, "gateway/bad-receipt"],
    [{ ...receipt, id: 5 }, "gateway/bad-receipt"],
    [{ ...receipt, key: "a/b/c/d" }, "base/bad-key"],
    [{ ...receipt, id: "x".repeat(400) }, "gateway/too-large"],
  ];
  const found = await verdicts([...bad.map(([line]) => line), receipt]);
  assert.deepEqual(found.map(({ code, state }) => code ?? state), [...bad.map(([, code]) => code), "proven"]);
  assert.ok(found.slice(0, -1).every(({ outcome }) => outcome === "not-applied"));
});

Deno.test("a node that does not answer costs a problem per line, not the stream", async () => {
  const { node, record, post, time } = setUp({ requestDeadlineMs: 100 });
  const receipt = await record("m1");
  node.audit = () => new Promise(() => {});
  const response = await post(JSON.stringify(receipt));
  const text = response.text();
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  await new Promise<void>((resolve) => queueMicrotask(resolve));
  time.runUntil(1000);
  assert.equal(JSON.parse(await text).code, "gateway/deadline");
});

Deno.test("only lines of JSON are taken", async () => {
  const { post } = setUp();
  assert.equal((await post("{}", "application/json")).status, 415);
});

Deno.test("copies are compared page by page", async () => {
  const { node, record, get } = setUp();
  await record("m1");
  const first = await get("/v1/audit?limit=17");
  assert.deepEqual([first.shards.length, first.next], [17, "S05/016"]);
  node.copiesState = "differs";
  const second = await get("/v1/audit?after=S05/016&limit=128&deep=true");
  assert.deepEqual([second.shards[0].shard, second.shards[0].state, second.next], ["S05/017", "differs", null]);
  assert.equal(JSON.stringify(second).includes("1001"), false);
  assert.equal((await get("/v1/audit?after=S05/016&keys=true")).shards[0].differing[0].key, "patient/HOSPX/1001");
  for (const bad of ["limit=0", "limit=129", "deep=yes", "keys=1"]) {
    assert.equal((await get(`/v1/audit?${bad}`)).code, "gateway/bad-request", bad);
  }
});
