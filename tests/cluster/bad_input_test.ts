/**
 * What strangers may send over HTTP, to a real node: each gets an error with a code and an outcome, and the node goes on
 * as if nothing had been. Nothing of what was refused is in a history.
 */
import assert from "node:assert/strict";
import { type ClusterOfProcesses, until, withCluster, within } from "./cluster_of_processes.ts";

const BODY_BYTES_MAX = 1024 * 1024;
const JSON_TYPE = { "content-type": "application/json" };
const ENCODER = new TextEncoder();

interface Case {
  what: string;
  method?: "GET" | "PUT" | "DELETE";
  /** after the node's URL; default: the messages of `patient/BAD/1` */
  path?: string;
  headers?: Record<string, string>;
  body?: BodyInit;
  status: number;
  code: string;
}

const MESSAGES = "/v1/actors/patient/BAD/1/messages";
const ACTOR = "/v1/actors/patient/BAD/1";
const big = (bytes: number) => new Uint8Array(bytes).fill(0x20);

const CASES: Case[] = [
  { what: "JSON that is none", headers: JSON_TYPE, body: '{"a":', status: 400, code: "gateway/bad-json" },
  { what: "an empty body that calls itself JSON", headers: JSON_TYPE, body: "", status: 400, code: "gateway/bad-json" },
  {
    what: "JSON nested too deep",
    headers: JSON_TYPE,
    body: "[".repeat(100_000),
    status: 400,
    code: "gateway/bad-json",
  },
  {
    what: "bytes that are no UTF-8",
    headers: JSON_TYPE,
    body: Uint8Array.of(0x22, 0xff, 0xfe, 0x22),
    status: 400,
    code: "gateway/bad-json",
  },
  { what: "no content type", body: big(1), status: 415, code: "gateway/bad-content-type" },
  {
    what: "no content type that it is",
    headers: { "content-type": "nonsense" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  {
    what: "a packed body",
    headers: { ...JSON_TYPE, "content-encoding": "gzip" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  {
    what: "a body over the limit",
    headers: JSON_TYPE,
    body: big(BODY_BYTES_MAX + 1),
    status: 413,
    code: "gateway/too-large",
  },
  {
    what: "a body over the limit that does not say so before",
    headers: JSON_TYPE,
    body: new ReadableStream({
      start: (controller) => {
        for (let i = 0; i < 5; i++) controller.enqueue(big(BODY_BYTES_MAX / 4));
        controller.close();
      },
    }),
    status: 413,
    code: "gateway/too-large",
  },
  {
    what: "an id that is too long",
    headers: { ...JSON_TYPE, "idempotency-key": "x".repeat(201) },
    body: "1",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "an If-Match that is no seq",
    headers: { ...JSON_TYPE, "if-match": "latest" },
    body: "1",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "an If-Match of long ago",
    headers: { ...JSON_TYPE, "if-match": '"77"' },
    body: "1",
    status: 412,
    code: "mailroom/precondition",
  },
  {
    what: "a key part of control characters",
    path: "/v1/actors/patient/BAD/%00/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "a key part of broken percent-encoding",
    path: "/v1/actors/patient/BAD/%zz/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "a key part that is too long",
    path: `/v1/actors/patient/BAD/${"x".repeat(201)}/messages`,
    headers: JSON_TYPE,
    body: "1",
    status: 400,
    code: "base/bad-key",
  },
  {
    what: "an empty key part",
    path: "/v1/actors/patient/BAD//messages",
    headers: JSON_TYPE,
    body: "1",
    status: 404,
    code: "gateway/not-found",
  },
  {
    what: "a key of too few parts",
    path: "/v1/actors/BAD/messages",
    headers: JSON_TYPE,
    body: "1",
    status: 404,
    code: "gateway/not-found",
  },
  {
    what: "an actor that nobody knows",
    method: "GET",
    path: "/v1/actors/patient/BAD/nobody",
    status: 404,
    code: "actors/unknown",
  },
  { what: "a seq that is none", method: "GET", path: `${ACTOR}?at=-1`, status: 400, code: "gateway/bad-request" },
  {
    what: "a read that is none",
    method: "GET",
    path: `${ACTOR}?read=psychic`,
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "a limit of everything",
    method: "GET",
    path: `${ACTOR}/history?limit=1000000`,
    status: 400,
    code: "gateway/bad-request",
  },
  { what: "an address that is none", method: "GET", path: "/v2/secrets", status: 404, code: "gateway/not-found" },
  {
    what: "a method that does not fit",
    method: "DELETE",
    path: MESSAGES,
    status: 405,
    code: "gateway/method-not-allowed",
  },
  {
    what: "many messages that are not lines",
    path: "/v1/messages",
    headers: { "content-type": "text/plain" },
    body: "x",
    status: 415,
    code: "gateway/bad-content-type",
  },
  { what: "a node that is none", method: "DELETE", path: "/v1/nodes/XX-X-9", status: 404, code: "gateway/not-found" },
  {
    what: "a plugin's name that is none",
    method: "PUT",
    path: "/v1/plugins/%20",
    headers: { "content-type": "application/javascript" },
    body: "x",
    status: 400,
    code: "gateway/bad-request",
  },
  {
    what: "a plugin of another hash",
    method: "PUT",
    path: "/v1/plugins/p",
    headers: { "content-type": "application/javascript", "waterpark-plugin-hash": "00" },
    body: "x",
    status: 400,
    code: "gateway/bad-request",
  },
];

Deno.test("over HTTP: each bad request has its clear error, and the node lives", async () => {
  await withCluster({ names: ["TN-A-1"] }, async (cluster) => {
    const [{ http }] = cluster.nodes;
    for (const { what, method, path = MESSAGES, headers, body, status, code } of CASES) {
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
