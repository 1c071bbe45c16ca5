/**
 * httpSource, bundled and behind its walls, asked over real connections.
 */
import assert from "node:assert/strict";
import { BundledSource, Records, until } from "./bundled_source.ts";
import { freePort } from "./server_process.ts";

const plugin = (port: number, options = "") => `
import { httpSource } from "@waterpark/waterpark/sources/http";
export default httpSource({
  listen: "127.0.0.1:${port}",
  messageOf({ path, headers, bytes, text }) {
    if (path === "/throws") throw new Error("no such bed");
    const [, bed] = /^\\/beds\\/(\\w+)$/.exec(path) ?? [];
    return bed === undefined ? null : { key: { kind: "bed", facility: "HOSPX", id: bed }, type: "alarm", body: bytes };
  },
  ${options}
});`;

async function start(records: Records, options = "", env: Record<string, string> = {}) {
  const port = freePort();
  const source = await BundledSource.start(plugin(port, options), records, env);
  const post = async (path: string, body: BodyInit, headers: Record<string, string> = {}) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: "POST", body, headers });
    return { status: response.status, retryAfter: response.headers.get("retry-after"), ...await response.json() };
  };
  await until(5_000, "it listens", () => post("/", "").then(() => true, () => false));
  return { post, port, source, [Symbol.asyncDispose]: () => source[Symbol.asyncDispose]() };
}

Deno.test("http source: a thousand requests, each answered when it is recorded; repeats are one message", async () => {
  const records = new Records();
  await using front = await start(records);
  const answers = await Promise.all(Array.from({ length: 100 }, async (_, bed) => {
    for (let n = 0; n < 10; n++) {
      const { status } = await front.post(`/beds/${bed}`, `${n}`, { "idempotency-key": `${bed}-${n}` });
      assert.equal(status, 201);
      assert(records.all.some(({ id }) => id === `${bed}-${n}`), "answered before it was recorded");
    }
    return await front.post(`/beds/${bed}`, "9", { "idempotency-key": `${bed}-9` });
  }));
  assert.deepEqual(new Set(answers.map(({ status, duplicate }) => `${status} ${duplicate}`)), new Set(["201 true"]));
  assert.equal(records.all.length, 1_000);
  for (let bed = 0; bed < 100; bed++) {
    const texts = records.all.filter(({ key }) => key === `bed/HOSPX/${bed}`).map(({ text }) => text);
    assert.deepEqual(texts, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
  }
});

Deno.test("http source: what an answer means", async () => {
  const records = new Records();
  records.refusal = ({ text }) => {
    const [code, outcome] = text.split(" ");
    return outcome === undefined ? null : { code, outcome };
  };
  await using front = await start(records, "bodyBytesMax: 1000, bodyMs: 300");
  const statusOf = async (path: string, body: string) => {
    const { status, retryAfter } = await front.post(path, body);
    return retryAfter === null ? status : `${status} after ${retryAfter}`;
  };
  assert.equal(await statusOf("/throws", "x"), 400);
  assert.equal(await statusOf("/elsewhere", "x"), 404);
  assert.equal(await statusOf("/beds/1", "x".repeat(1_001)), 413);
  assert.equal(await statusOf("/beds/1", "mailroom/conflict not-applied"), 409);
  assert.equal(await statusOf("/beds/1", "mailroom/too-large not-applied"), 413);
  assert.equal(await statusOf("/beds/1", "base/bad-key not-applied"), 422);
  assert.equal(await statusOf("/beds/1", "mailroom/busy not-applied"), "503 after 1");
  assert.equal(await statusOf("/beds/1", "mailroom/timeout unknown"), "503 after 1");
  const endless = new ReadableStream<Uint8Array>({ start: (controller) => controller.enqueue(new Uint8Array(1)) });
  assert.equal((await front.post("/beds/1", endless)).status, 408);
  const unsized = ReadableStream.from(Array.from({ length: 20 }, () => new Uint8Array(100)));
  assert.equal((await front.post("/beds/1", unsized)).status, 413);
  assert.deepEqual(records.all, []);
});

Deno.test("http source: only who bears the token is let in", async () => {
  const records = new Records();
  await using front = await start(records, 'tokenEnv: "HTTP_TEST_TOKEN"', { HTTP_TEST_TOKEN: "s3cret\n" });
  assert.deepEqual(front.source.process.about.permissions, {
    net: [`127.0.0.1:${front.port}`],
    env: ["HTTP_TEST_TOKEN"],
    read: [],
  });
  for (const authorization of ["", "Bearer other", "Basic s3cret", "Bearer s3cret2"]) {
    assert.equal((await front.post("/beds/1", "x", { authorization })).status, 401);
  }
  assert.equal((await front.post("/beds/1", "x", { authorization: "Bearer s3cret" })).status, 201);
});
