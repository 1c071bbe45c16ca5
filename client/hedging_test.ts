import assert from "node:assert/strict";
import fc from "fast-check";
import { connect, type ConnectOptions, WaterparkError } from "../client.ts";
import { FakeNode } from "../runtime/gateway/fake_node.ts";
import { createApp } from "../runtime/gateway/mod.ts";
import { systemWorld } from "../runtime/world/mod.ts";
import { Patience } from "./patience.ts";

/** What a node does with a request: answers, or says nothing until it is hung up on. */
type Fate = (name: string, answer: () => Promise<Response>, silence: () => Promise<never>) => Promise<Response>;

/** Three nodes of one memory. An attempt would be given up after a minute: only hedging can end a silence in time. */
function setUp(fate: Fate, options: ConnectOptions = {}) {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld(), tokens: [] });
  const asked: string[] = [];
  const hungUp: string[] = [];
  const client = connect(["http://a", "http://b", "http://c"], {
    deadlineMs: 60_000,
    attemptMs: 60_000,
    hedgeMs: 20,
    fetch: (request) => {
      const name = new URL(request.url).hostname;
      asked.push(name);
      const silence = () =>
        new Promise<never>((_, reject) =>
          request.signal.addEventListener("abort", () => {
            hungUp.push(name);
            reject(request.signal.reason);
          })
        );
      return fate(name, async () => await app.fetch(request), silence);
    },
    ...options,
  });
  return { node, client, asked, hungUp };
}

const KEY = { facility: "HOSPX", id: "1001" };
const frozenA: Fate = (name, answer, silence) => name === "a" ? silence() : answer();

Deno.test("a silent node is not waited for: the next is asked as well, and from then on first", async () => {
  const { client, asked, hungUp } = setUp(frozenA);
  assert.equal((await client.send(KEY, { n: 1 })).seq, 1);
  assert.deepEqual([asked, hungUp], [["a", "b"], ["a"]]);
  assert.equal((await client.read(KEY)).seq, 1);
  assert.deepEqual(asked, ["a", "b", "b"]);
});

Deno.test("what the silent node has recorded is recorded once, and its receipt is a receipt", async () => {
  const { client, node } = setUp(async (name, answer, silence) => {
    const response = await answer();
    return name === "a" ? await silence() : response;
  });
  const sent = await client.send(KEY, { n: 1 });
  assert.deepEqual([sent.seq, sent.duplicate], [1, true]);
  assert.equal(node.historyOf("HOSPX/1001").length, 1);
});

Deno.test("the first of the two that answers counts, be it the one that was asked first", async () => {
  const asking = Promise.withResolvers<void>();
  const { client, hungUp } = setUp(async (name, answer, silence) => {
    if (name !== "a") {
      asking.resolve();
      return await silence();
    }
    await asking.promise;
    return await answer();
  });
  assert.equal((await client.send(KEY, {})).seq, 1);
  assert.deepEqual(hungUp, ["b"]);
  assert.equal(client.url, "http://a");
});

Deno.test("never more than two at once; when the second is not able, the third is asked", async () => {
  let open = 0;
  let most = 0;
  const { client, asked } = setUp(async (name, answer, silence) => {
    most = Math.max(most, ++open);
    try {
      if (name === "b") throw new TypeError("connection refused");
      return name === "a" ? await silence() : await answer();
    } finally {
      open--;
    }
  });
  assert.equal((await client.send(KEY, {})).seq, 1);
  assert.deepEqual([asked, most], [["a", "b", "c"], 2]);
  const silent = setUp((_, __, silence) => silence(), { deadlineMs: 200 });
  await assert.rejects(silent.client.read(KEY), { code: "client/broken" });
  assert.deepEqual(silent.asked, ["a", "b"]);
});

Deno.test("operators' commands go to one node at a time", async () => {
  const { client, asked } = setUp(frozenA, { attemptMs: 150 });
  await client.drainNode("TN-A-1");
  await client.removeNode("TN-A-1").catch(() => {});
  assert.deepEqual(asked, ["a", "b", "b"]);
  const commands = setUp((_, __, silence) => silence(), { deadlineMs: 100 });
  await assert.rejects(commands.client.rollbackPlugin("census"), { code: "client/broken" });
  assert.deepEqual(commands.asked, ["a"]);
});

Deno.test("a refusal counts when the other node can no longer have recorded the message", async () => {
  const refused = Promise.withResolvers<void>();
  const { client } = setUp(async (name, answer) => {
    if (name === "a") await refused.promise;
    const response = await answer();
    if (name === "b") setTimeout(refused.resolve, 5);
    return name === "a" ? Response.json({ seq: 7, duplicate: true }, { status: 201 }) : response;
  });
  assert.equal((await client.send(KEY, {}, { ifMatch: 5 })).seq, 7, "the first node had it");
  const open = setUp(async (name, answer, silence) => name === "a" ? await silence() : await answer(), {
    deadlineMs: 300,
  });
  const error = await open.client.send(KEY, {}, { ifMatch: 5 }).catch((error) => error);
  assert.ok(error instanceof WaterparkError);
  assert.equal(error.outcome, "unknown", "the first node may have it");
});

Deno.test("of many, what one node refused the silent one may have recorded", async () => {
  const { client, node } = setUp(frozenA);
  node.refusal = ({ id }) =>
    id === "m2" ? { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "Cannot" } : null;
  const outcomes: string[] = [];
  for (let round = 0; round < 2; round++) {
    const messages = ["m1", "m2"].map((id) => ({ key: KEY, id, message: {} }));
    for await (const answer of client.sendMany(messages)) {
      outcomes.push(answer.state === "recorded" ? answer.state : answer.error.outcome);
    }
  }
  assert.deepEqual(outcomes, ["recorded", "unknown", "recorded", "not-applied"]);
});

Deno.test("who is usually answered late is not asked twice for long", async () => {
  const { client, asked } = setUp(async (_, answer) => {
    if (asked.length > 1) await new Promise((resolve) => setTimeout(resolve, 60));
    return await answer();
  });
  for (let n = 0; n < 12; n++) await client.send(KEY, { n });
  // on a busy machine the first answer may be late as well, and then nobody is asked twice
  assert.ok(asked.length >= 12 && asked.length < 20, `12 sends became ${asked.length}`);
});

Deno.test("patience is never less than asked for, follows what is usual, and is a matter of the kind", () => {
  fc.assert(fc.property(fc.nat(20_000), (tookMs) => {
    const patience = new Patience(1000);
    for (let n = 0; n < 40; n++) patience.learn("send", tookMs);
    const afterMs = patience.hedgeAfterMs("send");
    assert.ok(afterMs >= Math.max(1000, tookMs) && afterMs <= Math.max(1000, tookMs * 1.01 + 1), String(afterMs));
    assert.equal(patience.hedgeAfterMs("read"), 1000);
  }));
  const patience = new Patience(1000);
  for (let n = 0; n < 100; n++) patience.learn("send", n % 2 === 0 ? 10 : 2000);
  assert.ok(patience.hedgeAfterMs("send") > 2000, "now and then late is usual, too");
  assert.equal(new Patience(Infinity).hedgeAfterMs("send"), Infinity);
});
