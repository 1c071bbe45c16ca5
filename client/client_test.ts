import assert from "node:assert/strict";
import fc from "fast-check";
import { connect, type ConnectOptions, type Sending, WaterparkError } from "../client.ts";
import { createApp } from "../runtime/gateway/mod.ts";
import { FakeNode } from "../runtime/gateway/fake_node.ts";
import { systemWorld } from "../runtime/world/mod.ts";
import { eventsIn } from "./event_stream.ts";

type Fate = (request: Request, answer: () => Promise<Response>) => Response | Promise<Response>;

/** A cluster whose nodes share one memory, and whose every answer passes `fate`. */
function setUp(fate: Fate = (_, answer) => answer(), options: ConnectOptions = {}) {
  const node = new FakeNode();
  const app = createApp(node, { world: systemWorld(), tokens: options.token === undefined ? [] : ["s3cret"] });
  const asked: string[] = [];
  const client = connect(["http://a", "http://b"], {
    deadlineMs: 2000,
    fetch: (request) => {
      asked.push(new URL(request.url).hostname);
      return fate(request, async () => await app.fetch(request));
    },
    ...options,
  });
  return { node, app, client, asked };
}

const KEY = { facility: "HOSPX", id: "1001" };
const REFUSED = new TypeError("client error (Connect): tcp connect error: Connection refused (os error 111)");

async function codeOf(promise: Promise<unknown>): Promise<[string, string]> {
  const error = await promise.then(() => assert.fail("it was answered"), (error) => error);
  assert.ok(error instanceof WaterparkError, String(error));
  return [error.code, error.outcome];
}

Deno.test("what is sent is read back as it was: values, texts, bytes, odd keys", async () => {
  const { client } = setUp();
  const key = { kind: "ward", facility: "a/b", id: "100% ü" };
  const bytes = new Uint8Array([255, 0, 13]);
  for (const message of [{ type: "admit", n: 1 }, "grüß", bytes]) await client.send(key, message);
  const { events, next } = await client.history(key);
  assert.deepEqual(events.map((event) => event.body), [{ type: "admit", n: 1 }, "grüß", bytes]);
  assert.equal(events[0].type, "admit");
  assert.equal(next, null);
  assert.equal((await client.read(key)).seq, 3);
  assert.equal((await client.place(key)).key, "ward/a%2Fb/100%25 ü");
  assert.equal((await client.actors()).actors.length, 1);
});

Deno.test("options become headers", async () => {
  const { client, node } = setUp();
  await client.send(KEY, "{}", {
    id: `"x"`,
    type: "t t",
    contentType: "application/json",
    ifMatch: 0,
    wait: "handled",
  });
  const { id, type, contentType, ifMatch, wait } = node.posted[0];
  assert.deepEqual([id, type, contentType, ifMatch, wait], [`"x"`, "t t", "application/json", 0, "handled"]);
});

Deno.test("a lost answer is asked for at the next node, and recorded once", async () => {
  let calls = 0;
  const { client, node, asked } = setUp(async (_, answer) => {
    const response = await answer();
    if (++calls === 1) throw new TypeError("connection closed before message completed");
    return response;
  });
  const sent = await client.send(KEY, { n: 1 });
  assert.deepEqual([sent.seq, sent.duplicate], [1, true]);
  assert.deepEqual(asked, ["a", "b"]);
  assert.equal(node.historyOf("HOSPX/1001").length, 1);
  await client.send(KEY, { n: 2 });
  assert.equal(asked[2], "b", "it stays with the node that answers");
});

Deno.test("busy is asked again, refusals that stay are not", async () => {
  const { client, node, asked } = setUp();
  let left = 3;
  node.refusal = () =>
    left-- > 0
      ? { state: "refused", code: "mailroom/busy", outcome: "not-applied", message: "Cannot", retryAfterMs: 5 }
      : null;
  assert.equal((await client.send(KEY, {})).seq, 1);
  assert.equal(asked.length, 4);
  assert.deepEqual(await codeOf(client.send(KEY, {}, { ifMatch: 0 })), ["mailroom/precondition", "not-applied"]);
  assert.equal(asked.length, 5);
});

Deno.test("the deadline ends it: not reached is not-applied, broken is unknown", async () => {
  const refused = setUp(() => Promise.reject(REFUSED), { deadlineMs: 100 });
  assert.deepEqual(await codeOf(refused.client.send(KEY, {})), ["client/unreachable", "not-applied"]);
  assert.ok(refused.asked.length >= 2);
  let calls = 0;
  const broken = setUp(() => Promise.reject(calls++ === 0 ? new TypeError("reset") : REFUSED), { deadlineMs: 100 });
  assert.deepEqual(await codeOf(broken.client.send(KEY, {})), ["client/unreachable", "unknown"]);
});

Deno.test("who does not want to wait for nobody is told after one round", async () => {
  const { client, asked } = setUp(() => Promise.reject(REFUSED), { whenNobody: "fail" });
  assert.deepEqual(await codeOf(client.topology()), ["client/unreachable", "not-applied"]);
  assert.deepEqual(asked, ["a", "b"]);
});

Deno.test("a node that hangs is left after its time", async () => {
  const { client } = setUp((request, answer) => {
    if (new URL(request.url).hostname === "b") return answer();
    return new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(request.signal.reason)));
  }, { attemptMs: 20 });
  assert.equal((await client.send(KEY, {})).seq, 1);
});

Deno.test("a deploy to live is asked for again until the version has folded everything and is live", async () => {
  let asked = 0;
  const { client } = setUp(async (request, answer) => {
    const response = await answer();
    if (request.method !== "PUT" || ++asked === 3) return response;
    return Response.json({ ...await response.json(), stage: "dark" });
  });
  const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
  const bundle = new TextEncoder().encode("{}");
  const about = { name: "census", kind: "handler", url: "data:", hash, bundle };
  assert.equal((await client.deploy(about)).stage, "live");
  assert.equal(asked, 3);
  assert.equal((await client.deploy({ ...about, stage: "dark" })).stage, "dark", "who wants it dark has it dark");
  assert.equal(asked, 4);
});

Deno.test("a roll-back whose answer is lost is not repeated", async () => {
  const { client, node } = setUp(async (request, answer) => {
    const response = await answer();
    if (request.url.endsWith("/rollback")) throw new TypeError("reset");
    return response;
  });
  const hash = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
  const bundle = new TextEncoder().encode("{}");
  const view = await client.deploy({ name: "census", kind: "handler", url: "file:///ü.ts", hash, bundle });
  assert.equal(view.url, "file:///%C3%BC.ts");
  assert.deepEqual(await codeOf(client.rollbackPlugin("census")), ["client/broken", "unknown"]);
  assert.deepEqual(node.asked, ["rollback census"]);
  assert.equal((await client.plugins()).length, 1);
  await client.removePlugin("census");
  assert.deepEqual(await codeOf(client.plugin("census")), ["gateway/not-found", "not-applied"]);
});

Deno.test("nodes are listed, drained, removed", async () => {
  const { client, node } = setUp();
  assert.equal((await client.nodes())[0].name, (await client.topology()).node);
  await client.drainNode("TN-A-1");
  assert.deepEqual(await codeOf(client.removeNode("TN-A-1")), ["topology/last-node", "not-applied"]);
  assert.deepEqual(node.asked, ["drain TN-A-1", "remove TN-A-1"]);
});

Deno.test("the token goes along; without it nobody is answered", async () => {
  assert.equal((await setUp(undefined, { token: "s3cret" }).client.topology()).version, 7);
  const stranger = setUp(undefined, { token: "guess" });
  assert.deepEqual(await codeOf(stranger.client.topology()), ["gateway/unauthorized", "not-applied"]);
});

Deno.test("what cannot be asked is refused before it is", () => {
  const { client, asked } = setUp();
  assert.throws(() => connect("localhost:8600"), { code: "client/bad-url" });
  assert.throws(() => connect([]), { code: "client/bad-url" });
  assert.throws(() => client.read({ facility: "HOSPX", id: ".." }), { code: "base/bad-key" });
  assert.throws(() => client.send(KEY, {}, { id: "ü" }), { code: "client/bad-id" });
  assert.equal(asked.length, 0);
});

Deno.test("many are sent in order, over a connection that breaks, each once", async () => {
  let calls = 0;
  const { client, node } = setUp(async (_, answer) => {
    const response = await answer();
    if (++calls !== 1) return response;
    const lines = (await response.text()).split("\n");
    // the node went down after ten answers
    return new Response(lines.slice(0, 10).join("\n"), { headers: response.headers });
  });
  const sendings: Sending[] = Array.from({ length: 300 }, (_, n) => ({ key: KEY, id: `m${n}`, message: { n } }));
  sendings.splice(5, 0, { key: KEY, id: "m0", message: "other bytes" });
  const states: string[] = [];
  for await (const answer of client.sendMany(sendings)) {
    states.push(answer.state === "recorded" ? answer.state : answer.error.code);
  }
  assert.equal(states.length, 301);
  assert.equal(states[5], "mailroom/conflict");
  assert.equal(states.filter((state) => state === "recorded").length, 300);
  assert.deepEqual(node.historyOf("HOSPX/1001").map((event) => event.id), sendings.map(({ id }) => id).toSpliced(5, 1));
});

Deno.test("a watch goes on at the next node where the first broke off, and ends with the loop", async () => {
  let calls = 0;
  const { client, app, asked } = setUp(async (request, answer) => {
    if (!request.url.endsWith("/watch") || ++calls > 1) return await answer();
    const response = await answer();
    const reader = response.body!.getReader();
    const { value } = await reader.read();
    await reader.cancel();
    return new Response(value, { headers: response.headers });
  });
  await client.send(KEY, { n: 1 });
  await client.send(KEY, { n: 2 });
  const seen: unknown[] = [];
  for await (const event of client.watch(KEY, { after: 1 })) {
    seen.push((event.body as { n: number }).n);
    if (event.seq === 2) await client.send(KEY, { n: 3 });
    if (event.seq === 3) break;
  }
  assert.deepEqual(seen, [2, 3]);
  assert.ok(asked.includes("b"));
  for (let turn = 0; turn < 100 && app.streams.count > 0; turn++) await Promise.resolve();
  assert.equal(app.streams.count, 0);
});

Deno.test("a watch that can never be is an error, one that is aborted ends", async () => {
  const stranger = setUp(undefined, { token: "guess" });
  assert.deepEqual(await codeOf(stranger.client.watch(KEY).next()), ["gateway/unauthorized", "not-applied"]);
  const nobody = setUp(() => Promise.reject(REFUSED), { deadlineMs: 100 });
  assert.deepEqual(await codeOf(nobody.client.watch(KEY).next()), ["client/unreachable", "not-applied"]);
  const ending = new AbortController();
  const next = setUp().client.watch(KEY, { signal: ending.signal }).next();
  ending.abort();
  assert.equal((await next).done, true);
});

Deno.test("server-sent events are the same however the bytes are cut", async () => {
  const text = fc.string().filter((text) => !/[\r\n\0]/.test(text));
  const event = fc.record({ id: text, data: fc.array(text, { minLength: 1, maxLength: 3 }) });
  const end = fc.constantFrom("\n", "\r\n", "\r");
  await fc.assert(
    fc.asyncProperty(fc.array(event, { maxLength: 4 }), end, fc.array(fc.nat(200)), async (events, eol, cuts) => {
      const whole = events.map(({ id, data }) =>
        [`id: ${id}`, ...data.map((line) => `data: ${line}`), "", ""].join(eol)
      );
      const bytes = new TextEncoder().encode(whole.join("") + `: end${eol}`);
      const ends = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].sort((a, b) =>
        a - b
      );
      const chunks = ends.slice(1).map((end, i) => bytes.slice(ends[i], end));
      const read: { id: string; data: string }[] = [];
      for await (const { event, id, data } of eventsIn(ReadableStream.from(chunks))) {
        if (event === "message") read.push({ id, data });
      }
      assert.deepEqual(read, events.map(({ id, data }) => ({ id, data: data.join("\n") })));
    }),
    { numRuns: 100 },
  );
});
