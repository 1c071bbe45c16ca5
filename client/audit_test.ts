import assert from "node:assert/strict";
import { type AuditReceipt, connect, type Receipt } from "../client.ts";
import { FakeNode } from "../runtime/gateway/fake_node.ts";
import { createApp } from "../runtime/gateway/mod.ts";
import { systemWorld } from "../runtime/world/mod.ts";

type Fate = (answer: () => Promise<Response>) => Promise<Response>;

async function setUp(count: number, fate: Fate = (answer) => answer()) {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld() });
  const client = connect(["http://a", "http://b"], {
    deadlineMs: 2000,
    fetch: (request) => fate(async () => await app.fetch(request)),
  });
  const receipts: Receipt[] = [];
  for (let i = 0; i < count; i++) {
    const payload = new Uint8Array([i & 255]);
    const answer = await node.post({ key: { facility: "H", id: "1" }, id: `m${i}`, contentType: "a/b", payload });
    if (answer.state === "recorded") receipts.push(answer.receipt);
  }
  return { client, receipts, node };
}

async function statesOf(answers: AsyncIterable<{ state: string }>): Promise<string[]> {
  const states: string[] = [];
  for await (const { state } of answers) states.push(state);
  return states;
}

Deno.test("many receipts are audited in order, values and lines, over a connection that breaks", async () => {
  let calls = 0;
  const { client, receipts } = await setUp(1500, async (answer) => {
    const response = await answer();
    if (++calls === 1) throw new TypeError("connection closed before message completed");
    if (calls !== 2) return response;
    const lines = (await response.text()).split("\n");
    return new Response(lines.slice(0, 10).join("\n"), { headers: response.headers });
  });
  const asked: (AuditReceipt | string)[] = receipts.map((receipt, i) => i % 2 ? receipt : JSON.stringify(receipt));
  asked[700] = { ...receipts[700], id: "never-sent" };
  asked[900] = "";
  asked[901] = '{"a":1}\n{"b":2}';
  asked[902] = "\r\n1\n2";
  const states = await statesOf(client.audit(asked));
  assert.equal(states.length, 1500);
  assert.deepEqual([states[700], ...states.slice(900, 903)], ["lost", "refused", "refused", "refused"]);
  assert.equal(states.filter((state) => state === "proven").length, 1496);
});

Deno.test("a broken audit leaves nothing open", async () => {
  const { client, receipts } = await setUp(1, () => Promise.reject(new TypeError("reset")));
  await assert.rejects(() => client.audit(receipts).next(), { code: "client/broken", outcome: "not-applied" });
});

Deno.test("copies are compared page by page", async () => {
  const { client, node } = await setUp(1);
  node.copiesState = "thin";
  const { shards, next } = await client.auditCopies({ after: "S05/016", limit: 1, deep: true, keys: true });
  assert.deepEqual([shards[0].state, shards[0].differing[0].key, next], ["thin", "patient/HOSPX/1001", "S05/017"]);
});
