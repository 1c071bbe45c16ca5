import assert from "node:assert/strict";
import { bytesByRoom } from "./heap_sampling.ts";
import { roomOf } from "./rooms.ts";

const frame = (url: string, functionName = "f") => ({ url, functionName, lineNumber: 0 });

Deno.test("a function belongs to the room that its module stands in", () => {
  const rooms = {
    "file:///x/runtime/plugin_host/host.ts": "plugin_host",
    "file:///x/runtime/transport/memory_connection.ts": "simulated",
    "file:///x/runtime/world/simulated_world.ts": "simulated",
    "file:///x/runtime/world/system_world.ts": "world",
    "file:///x/client/wire/session.ts": "client",
    "file:///x/bench/run.ts": "bench",
    "file:///cache/npm/registry.npmjs.org/@hono/hono/4.13.19/dist/a.js": "@hono/hono",
    "ext:deno_http/00_serve.ts": "deno",
    "node:stream": "deno",
    "https://example.org/a.ts": "other",
  };
  for (const [url, room] of Object.entries(rooms)) assert.equal(roomOf(frame(url)), room, url);
  assert.equal(roomOf(frame("", "(garbage collector)")), "gc");
  assert.equal(roomOf(frame("", "(idle)")), "idle");
  assert.equal(roomOf(frame("", "set")), null);
});

Deno.test("what V8's own functions allocate is their caller's", () => {
  const mailroom = frame("file:///x/runtime/mailroom/a.ts");
  const head = {
    callFrame: frame("", "(root)"),
    selfSize: 1,
    children: [{
      callFrame: mailroom,
      selfSize: 10,
      children: [{ callFrame: frame("", "slice"), selfSize: 100, children: [] }],
    }],
  };
  assert.deepEqual(Object.fromEntries(bytesByRoom(head)), { native: 1, mailroom: 110 });
});
