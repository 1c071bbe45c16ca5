import assert from "node:assert/strict";
import fc from "fast-check";
import {
  joinBytes,
  smallWebSocketFrame,
  WEBSOCKET,
  WEBSOCKET_ROOM_BYTES,
  webSocketAccept,
  webSocketFrame,
  WebSocketReader,
} from "./websocket_frames.ts";

const bodies = fc.array(
  fc.oneof(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(125, 126, 127, 65_535, 65_536).map((n) => pattern(n))),
  { maxLength: 8 },
);
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 70_000 })), {
  minLength: 1,
  maxLength: 20,
});

Deno.test("websocket: the same messages come out however the stream was cut, in one buffer or in many", () => {
  fc.assert(
    fc.property(
      bodies,
      cuts,
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      (sent, cuts, isClient, isOneBuffer, isMasked) => {
        const stream = joinBytes(
          sent.map((body, n) => isClient && isMasked ? masked(body, n) : framed(body, isClient)),
        );
        const { reader, read, ends } = readerOf(isClient);
        for (let at = 0, i = 0; at < stream.length; i++) {
          const to = Math.min(stream.length, at + cuts[i % cuts.length]);
          reader.push(isOneBuffer ? stream.subarray(at, to) : stream.slice(at, to));
          at = to;
        }
        assert.deepEqual(ends, []);
        assert.equal(read.length, sent.length);
        read.forEach((body, n) => assert(equal(body, sent[n]), `message ${n} of ${sent[n].length} bytes`));
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("websocket: pieces of a message are joined, a ping between them is told", () => {
  const { reader, read, pings } = readerOf(false);
  const [a, b] = [framed(Uint8Array.of(1, 2), false), framed(Uint8Array.of(3), false)];
  a[0] = WEBSOCKET.BINARY;
  b[0] = 0x80 | WEBSOCKET.CONTINUATION;
  reader.push(a);
  reader.push(smallWebSocketFrame(WEBSOCKET.PING, { isClient: false, body: Uint8Array.of(9) }));
  reader.push(b);
  assert.deepEqual(read.map((body) => [...body]), [[1, 2, 3]]);
  assert.deepEqual(pings.map((body) => [...body]), [[9]]);
});

Deno.test("websocket: what breaks the protocol ends it, and nothing more is handed up", () => {
  const close = smallWebSocketFrame(WEBSOCKET.CLOSE, { isClient: false, body: Uint8Array.of(3, 232) });
  const long = Uint8Array.of(0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0);
  const cases: [Uint8Array, RegExp][] = [
    [framed(Uint8Array.of(1), true), /masked by the wrong side/],
    [framed(Uint8Array.of(1), false, 1), /unexpected/],
    [framed(Uint8Array.of(1), false, WEBSOCKET.CONTINUATION), /unexpected/],
    [long, /too long/],
    [close, /code 1000/],
  ];
  for (const [bytes, reason] of cases) {
    const { reader, read, ends } = readerOf(false);
    reader.push(bytes);
    reader.push(framed(Uint8Array.of(2), false));
    assert.deepEqual(read, []);
    assert.equal(ends.length, 1);
    assert.match(ends[0], reason);
  }
});

Deno.test("websocket: the key of RFC 6455, 1.3, has the answer that stands there", async () => {
  const accept = await webSocketAccept("dGhlIHNhbXBsZSBub25jZQ==", (bytes) => crypto.subtle.digest("SHA-1", bytes));
  assert.equal(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
});

function readerOf(isFromClient: boolean) {
  const read: Uint8Array[] = [];
  const pings: Uint8Array[] = [];
  const ends: string[] = [];
  const reader = new WebSocketReader({
    onMessage: (bytes) => read.push(bytes),
    onPing: (body) => pings.push(body),
    onEnd: (reason) => ends.push(reason),
  }, { isFromClient });
  return { reader, read, pings, ends };
}

function framed(body: Uint8Array, isClient: boolean, opcode: number = WEBSOCKET.BINARY): Uint8Array {
  const buffer = new Uint8Array(WEBSOCKET_ROOM_BYTES + body.length);
  buffer.set(body, WEBSOCKET_ROOM_BYTES);
  return webSocketFrame(buffer, { opcode, isClient });
}

/** As others' clients do it. */
function masked(body: Uint8Array, n: number): Uint8Array {
  const frame = framed(body, true);
  const bodyAt = frame.length - body.length;
  const mask = [n, 7 * n + 1, 255 - n, 0x80];
  frame.set(mask, bodyAt - 4);
  for (let i = 0; i < body.length; i++) frame[bodyAt + i] ^= mask[i % 4];
  return frame;
}

function pattern(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => i * 31 & 0xff);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
