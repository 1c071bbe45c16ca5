/**
 * httpSink, bundled and behind its walls, against HTTP servers that answer, refuse, are slow, and die.
 */
import assert from "node:assert/strict";
import { startSink } from "./bundled_sink.ts";
import { deliverAll, deliveries, delivery, repeatsIn } from "./deliver_all.ts";

interface Arrived {
  id: string;
  path: string;
  headers: Headers;
  body: string;
}

/** A server that keeps what it is sent, until `kill`; `start` again on the same port. */
function target(answer: (arrived: Arrived, n: number) => Response | Promise<Response>) {
  const arrived: Arrived[] = [];
  let requests = 0;
  let port = 0;
  let server: Deno.HttpServer<Deno.NetAddr>;
  let ending = new AbortController();
  const start = () => {
    ending = new AbortController();
    server = Deno.serve({ hostname: "127.0.0.1", port, signal: ending.signal, onListen: () => {} }, async (request) => {
      const { pathname, search } = new URL(request.url);
      const body = await request.text();
      const id = request.headers.get("idempotency-key") ?? "";
      const one = { id, path: pathname + search, headers: request.headers, body };
      const response = await answer(one, ++requests);
      if (response.ok && request.method !== "HEAD") arrived.push(one);
      return response;
    });
    port = server.addr.port;
  };
  const kill = async () => {
    ending.abort();
    await server.finished;
  };
  start();
  return { arrived, kill, start, url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: kill };
}

Deno.test("http: a thousand deliveries, some refused for now, the target gone in between", async () => {
  await using service = target((_, n) => {
    if (n % 50 === 0) return new Response("not now", { status: 503, headers: { "retry-after": "0" } });
    if (n % 77 === 0) return new Response("too many", { status: 429 });
    return new Response(`kept ${n}`);
  });
  const url = service.url + "/patients/{key.id}/results?type={type}";
  await using sink = await startSink("http httpSink", { url, breaker: { failures: 20, pauseMs: 200 } });
  const all = deliveries(100, 10);
  let restarted: Promise<void> | null = null;
  const tally = await deliverAll(sink, all, {
    msMax: 60_000,
    onDone: (done) => {
      if (done !== 400) return;
      restarted = service.kill().then(() => new Promise((resolve) => setTimeout(resolve, 300))).then(service.start);
    },
  });
  await restarted;
  assert.deepEqual([tally.done, tally.dead.size], [1_000, 0]);
  assert(tally.retries >= 20, `${tally.retries} retries`);
  repeatsIn(service.arrived, all);
  const one = service.arrived.find(({ id }) => id === "patient/HOSPX/7#3#feed#0")!;
  assert.equal(one.path, "/patients/7/results?type=ORU%5ER01");
  assert.equal(one.headers.get("content-type"), "application/json");
  assert.deepEqual(JSON.parse(one.body), { patient: 7, seq: 3 });
});

Deno.test("http: what an answer means", async () => {
  await using service = target(({ path }) => {
    const status = Number(path.split("/")[1]);
    const headers = new Headers(status === 302 ? { location: "http://192.0.2.1/" } : { "retry-after": "7" });
    return new Response(status === 204 ? null : "x".repeat(10_000), { status, headers });
  });
  const options = { url: service.url + "/{option.status}", retryStatuses: [409], breaker: { failures: 1_000 } };
  await using sink = await startSink("http httpSink", options);
  const answers: Record<string, string> = {};
  for (const status of ["200", "204", "302", "400", "404", "408", "409", "425", "429", "500", "503"]) {
    const [end] = await sink.deliver([delivery(1, 1, { options: { status } })]);
    answers[status] = end.state === "retry" ? `${end.state} ${end.code} ${end.afterMs}` : end.state;
    if (end.state !== "retry") assert((end.answer ?? "").length <= 4_096);
  }
  const retry = (status: number, ms: number | undefined) => `retry http/status-${status} ${ms}`;
  assert.deepEqual(answers, {
    200: "done",
    204: "done",
    302: "dead",
    400: "dead",
    404: "dead",
    408: retry(408, 7_000),
    409: retry(409, 7_000),
    425: retry(425, 7_000),
    429: retry(429, 7_000),
    500: retry(500, 7_000),
    503: retry(503, 7_000),
  });
  const [end] = await sink.deliver([delivery(1, 1)]);
  assert.equal(end.state === "dead" && end.code, "http/missing-option");
});

Deno.test("http: who does not answer in time is left alone for a while", async () => {
  let slow = true;
  await using service = target(async () => {
    if (slow) await new Promise((resolve) => setTimeout(resolve, 400));
    return new Response("here");
  });
  const options = { url: service.url, timeoutMs: 100, breaker: { failures: 2, pauseMs: 500 } };
  await using sink = await startSink("http httpSink", options);
  const codes: string[] = [];
  for (let n = 0; n < 3; n++) {
    const [end] = await sink.deliver([delivery(n, 1)]);
    codes.push(end.state === "retry" ? end.code : end.state);
  }
  assert.deepEqual(codes, ["http/timeout", "http/timeout", "http/paused"]);
  slow = false;
  const tally = await deliverAll(sink, deliveries(10, 1), { msMax: 5_000 });
  assert.deepEqual([tally.done, [...tally.dead]], [10, []]);
});

Deno.test("http: hostile keys, types and options stay where they were put", async () => {
  await using service = target(() => new Response("ok"));
  const url = service.url + "/a/{key}/{option.x}?q={type}";
  const headers = { "x-secret": "Bearer {env.HTTP_TEST_TOKEN}", "x-type": "{type}", "content-type": null };
  await using sink = await startSink("http httpSink", { url, headers }, { HTTP_TEST_TOKEN: "s3cret" });
  const key = { kind: "patient", facility: "HÖSP", id: "../..?x=1#y" };
  const type = 'a"\r\nx-forged: 1\u{1F600}';
  const [end] = await sink.deliver([delivery(1, 1, { key, type, options: { x: "../b/c?d&e" } })]);
  assert.equal(end.state, "done");
  const { path, headers: sent } = service.arrived[0];
  assert.equal(
    path,
    "/a/patient/H%C3%96SP/..%252F..%3Fx%3D1%23y/..%2Fb%2Fc%3Fd%26e?q=a%22%0D%0Ax-forged%3A%201%F0%9F%98%80",
  );
  assert.deepEqual(
    [sent.get("x-secret"), sent.get("x-type"), sent.get("x-forged"), sent.get("content-type")],
    ["Bearer s3cret", 'a"%0D%0Ax-forged: 1%F0%9F%98%80', null, null],
  );
  for (const x of [".", ".."]) {
    const [end] = await sink.deliver([delivery(1, 1, { options: { x } })]);
    assert.equal(end.state === "dead" && end.code, "http/bad-request");
  }
});

Deno.test("http: a connection test; nothing but the target may be reached, nothing but the secret read", async () => {
  await using service = target(() => new Response("ok", { status: 405 }));
  const options = { url: service.url + "/in", headers: { authorization: "{env.HTTP_TEST_TOKEN}" } };
  await using sink = await startSink("http httpSink", options, { HTTP_TEST_TOKEN: "s3cret" });
  const host = service.url.slice("http://".length);
  assert.deepEqual(sink.about.permissions, { net: [host], env: ["HTTP_TEST_TOKEN"], read: [] });
  assert.equal(await sink.check(), `${host} answers HEAD / with 405`);
  await service.kill();
  await assert.rejects(sink.check(), /cannot be reached/);
  await using unset = await startSink("http httpSink", options);
  await assert.rejects(unset.deliver([delivery(1, 1)]), /HTTP_TEST_TOKEN is not set/);
});
