import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME_ROOM_BYTES } from "../wire/mod.ts";
import { formatAddress, isLoopback, parseAddress } from "./address.ts";
import { LaneQueue } from "./lane_queue.ts";

Deno.test("lane queue: what is taken is what was pushed, in pieces of any size", () => {
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 30 });
  fc.assert(fc.property(parts, fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1 }), (pushed, sizes) => {
    const queue = new LaneQueue();
    const taken: number[] = [];
    for (const [i, part] of pushed.entries()) {
      queue.push(framed(part));
      if (i % 3 === 0) taken.push(...queue.take(sizes[i % sizes.length], 2).subarray(2));
    }
    while (queue.bytes > 0) taken.push(...queue.take(sizes[0]));
    assert.deepEqual(taken, pushed.flatMap((part) => [...part]));
  }));
});

Deno.test("lane queue: a long queue is emptied without keeping what was taken, and clear forgets", () => {
  const queue = new LaneQueue();
  for (let i = 0; i < 5_000; i++) queue.push(framed([i & 0xff]));
  for (let i = 0; i < 4_999; i++) assert.equal(queue.take(1)[0], i & 0xff);
  assert.equal(queue.bytes, 1);
  queue.clear();
  assert.deepEqual([queue.bytes, queue.take(10).length], [0, 0]);
});

Deno.test("address: host:port in both spellings, and nothing else", () => {
  for (const address of ["10.0.0.1:7400", "[::1]:0", "node-1.example:65535"]) {
    assert.equal(formatAddress(parseAddress(address)), address);
  }
  for (const bad of ["", "a", "a:", ":1", "a:65536", "a:-1", "::1:80", "http://a:1", "a b:1", "u@h:1"]) {
    assert.throws(() => parseAddress(bad), { code: "transport/bad-address" });
  }
  assert.deepEqual(["127.0.0.1", "127.9.9.9", "::1", "localhost"].map(isLoopback), [true, true, true, true]);
  assert.deepEqual(["0.0.0.0", "10.0.0.1", "127.evil.example"].map(isLoopback), [false, false, false]);
});

/** With room in front, as an encoded frame. */
function framed(bytes: ArrayLike<number>): Uint8Array {
  const room = new Uint8Array(FRAME_ROOM_BYTES + bytes.length);
  room.set(bytes, FRAME_ROOM_BYTES);
  return room.subarray(FRAME_ROOM_BYTES);
}
