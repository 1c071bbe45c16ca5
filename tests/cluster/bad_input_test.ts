/**
 * What strangers may send over HTTP, to a real node: each gets an error with a code and an outcome, and the node goes on
 * as if nothing had been. Nothing of what was refused is in a history.
 */
import assert from "node:assert/strict";
import { BAD_REQUESTS, BODY_BYTES_MAX, JSON_TYPE, MESSAGES } from "./bad_requests.ts";
import { type ClusterOfProcesses, withCluster } from "./cluster_of_processes.ts";
import { until, within } from "./waiting.ts";

const ENCODER = new TextEncoder();

Deno.test("over HTTP: each bad request has its clear error, and the node lives", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const [{ http }] = cluster.nodes;
    for (const { what, method, path = MESSAGES, headers, body, status, code } of BAD_REQUESTS) {
      const response = await fetch(http + path, {
        method: method ?? "POST",
        headers,
        body: method === "GET" ? undefined : body,
      });
      const problem = await response.json();
      assert.equal(response.headers.get("content-type")?.split(";")[0], "application/problem+json", what);
      assert.deepEqual([response.status, problem.code, problem.outcome], [status, code, "not-applied"], what);
      assert.ok(problem.detail.startsWith("Cannot "), `${what}: ${problem.detail}`);
    }
    await keepsWhatItDoesNotKnow(http);
    await refusesOtherBytes(http);
    await answersLines(http);
    await survivesRawBytes(cluster);
    const { actors } = await (await fetch(`${http}/v1/actors`)).json();
    assert.deepEqual(actors.map((actor: { key: string }) => actor.key), [
      "patient/ODD/%2F.. ü",
      "patient/ODD/1",
      "patient/ODD/2",
    ]);
    assert.equal(cluster.alive.length, 1);
  });
});

// A recorder that refuses what it does not understand loses messages: odd is not bad.
async function keepsWhatItDoesNotKnow(http: string): Promise<void> {
  const bytes = Uint8Array.of(0, 1, 2, 0xff, 0x0b, 0x1c, 0x0d);
  const path = `${http}/v1/actors/patient/ODD/${encodeURIComponent("/.. ü")}`;
  const headers = { "content-type": "application/x-unheard-of; v=1", "waterpark-type": "odd", "idempotency-key": "o" };
  const receipt = await (await fetch(`${path}/messages`, { method: "POST", headers, body: bytes })).json();
  assert.deepEqual([receipt.key, receipt.seq], ["patient/ODD/%2F.. ü", 1]);
  const { events: [event] } = await (await fetch(`${path}/history`)).json();
  assert.deepEqual(Uint8Array.fromBase64(event.message), bytes);
  assert.deepEqual([event.id, event.type, event.contentType], ["o", "odd", headers["content-type"]]);
}

async function refusesOtherBytes(http: string): Promise<void> {
  const send = (body: string) =>
    fetch(`${http}/v1/actors/patient/ODD/1/messages`, {
      method: "POST",
      headers: { ...JSON_TYPE, "idempotency-key": "once" },
      body,
    });
  const first = await (await send("1")).json();
  const again = await send("1");
  assert.deepEqual([again.status, await again.json()], [200, { ...first, duplicate: true }]);
  const other = await send("2");
  assert.equal(other.status, 409);
  const { outcome, id } = await other.json();
  assert.deepEqual([outcome, id], ["not-applied", "once"]);
}

/** Bad lines among good ones: an answer for each, in order, and the good ones recorded. */
async function answersLines(http: string): Promise<void> {
  const good = (id: string) => JSON.stringify({ key: "ODD/2", id, message: { id } });
  const lines: [string, string][] = [
    [good("a"), "recorded"],
    ["{", "gateway/bad-json"],
    ["[]", "gateway/bad-request"],
    ['{"message":1}', "gateway/bad-request"],
    ['{"key":"ODD/2"}', "gateway/bad-request"],
    ['{"key":"no-slash","message":1}', "base/bad-key"],
    ['{"key":"ODD/%","message":1}', "base/bad-key"],
    ['{"key":7,"message":1}', "gateway/bad-request"],
    ['{"key":"ODD/2","message":"?","contentType":"image/png","encoding":"base64"}', "gateway/bad-request"],
    ['{"key":"ODD/2","message":{},"contentType":"image/png"}', "gateway/bad-request"],
    ['{"key":"ODD/2","message":1,"contentType":"nonsense"}', "gateway/bad-content-type"],
    [`{"key":"ODD/2","message":${"[".repeat(5000)}${"]".repeat(5000)}}`, "gateway/bad-json"],
    [good("b"), "recorded"],
    [`{"key":"ODD/2","message":"${"x".repeat(BODY_BYTES_MAX)}"}`, "gateway/too-large"],
    [good("c"), "recorded"],
    ['{"key":"ODD/2","message":1', "gateway/bad-json"],
  ];
  // the last line has no line end, and CR LF is a line end
  const body = lines.map(([line], i) => line + (i === lines.length - 1 ? "" : i % 2 === 0 ? "\n" : "\r\n")).join("");
  const response = await fetch(`${http}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body,
  });
  const answers = (await response.text()).trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(answers.map((answer) => answer.code ?? "recorded"), lines.map(([, code]) => code));
  answers.forEach((answer, i) => {
    if (answer.code === undefined) return assert.equal(answer.seq, [0, 12, 14].indexOf(i) + 1);
    assert.deepEqual([answer.line, answer.outcome], [i + 1, "not-applied"]);
  });
}

/** What is not HTTP at all, or breaks off: the connection ends, and others are served. */
async function survivesRawBytes(cluster: ClusterOfProcesses): Promise<void> {
  const [{ http }] = cluster.nodes;
  const { hostname, port } = new URL(http);
  const raw = [
    crypto.getRandomValues(new Uint8Array(5000)),
    ENCODER.encode("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    ENCODER.encode(`GET /healthz HTTP/1.1\r\nhost: x\r\nlong: ${"x".repeat(1 << 20)}\r\n\r\n`),
    ENCODER.encode(
      `POST ${MESSAGES} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"a`,
    ),
    ENCODER.encode(`POST ${MESSAGES} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nwhat\r\n`),
    ENCODER.encode(`POST ${MESSAGES} HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\ncontent-length: 7\r\n\r\n`),
  ];
  for (const bytes of raw) {
    const connection = await Deno.connect({ hostname, port: Number(port) });
    try {
      for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
      await connection.closeWrite();
      while (await within(10_000, "the node ends the connection", connection.read(new Uint8Array(4096))) !== null);
    } catch {
      // reset: also an end
    } finally {
      connection.close();
    }
  }
  await until(5000, "the node is well", async () => (await fetch(`${http}/readyz`)).ok || null);
}
