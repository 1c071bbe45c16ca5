import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { clusterTag, encodeFrame, type Frame, FRAME_HEADER_BYTES, FrameReader } from "./frame.ts";

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const incarnation = fc.integer({ min: 0, max: 2 ** 52 });
const frames = fc.array(
  fc.record({
    type: fc.integer({ min: 0, max: 255 }),
    cluster: fc.record({ hi: u32, lo: u32 }),
    from: incarnation,
    to: incarnation,
    topologyVersion: u32,
    payload: fc.uint8Array({ maxLength: 200 }),
  }),
  { maxLength: 12 },
);

Deno.test("frame: the same frames come out however the stream was cut", () => {
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1, maxLength: 20 }), (sent, cuts) => {
      const stream = join(sent.map((frame) => encodeFrame(frame)));
      const reader = new FrameReader();
      const read: Frame[] = [];
      let at = 0;
      for (let i = 0; at < stream.length; i++) {
        const to = at + cuts[i % cuts.length];
        read.push(...reader.push(stream.slice(at, to)));
        at = to;
      }
      assert.deepEqual(read.map(plain), sent.map(plain));
      assert.equal(reader.heldBytes, 0);
    }),
    { numRuns: 300 },
  );
});

Deno.test("frame: a frame that lies whole in a chunk is a view of it", () => {
  const bytes = join([frameOf(new Uint8Array(10)), frameOf(new Uint8Array([7, 8]))]);
  const [first, second] = new FrameReader().push(bytes);
  assert.equal(first.payload.buffer, bytes.buffer);
  assert.deepEqual([...second.payload], [7, 8]);
});

Deno.test("frame: a large frame in small chunks arrives, and a claimed length alone takes no memory", () => {
  const payload = new Uint8Array(3_000_000).map((_, i) => i * 31);
  const bytes = frameOf(payload);
  const reader = new FrameReader();
  const read: Frame[] = [];
  for (let at = 0; at < bytes.length; at += 65_536) read.push(...reader.push(bytes.slice(at, at + 65_536)));
  assert.equal(read.length, 1);
  assert.equal(Buffer.compare(read[0].payload, payload), 0);
});

Deno.test("frame: what is too large, too short, of another version or no incarnation is thrown, and thrown for ever", () => {
  const small = new FrameReader({ frameBytesMax: 100 });
  assert.throws(() => small.push(frameOf(new Uint8Array(65))), { code: "wire/frame-too-large" });
  assert.throws(() => small.push(frameOf(new Uint8Array(1))), { code: "wire/frame-too-large" });
  assert.equal(new FrameReader({ frameBytesMax: 100 }).push(frameOf(new Uint8Array(64))).length, 1);
  assert.throws(() => new FrameReader().push(new Uint8Array([3, 0, 0, 0])), { code: "wire/bad-frame" });
  assert.throws(() => new FrameReader().push(new TextEncoder().encode("GET / HTTP/1.1\r\n")), {
    code: "wire/frame-too-large",
  });
  for (const [at, value] of [[4, 2], [27, 0xff], [35, 0xff]]) {
    const bytes = frameOf(new Uint8Array(1));
    bytes[at] = value;
    assert.throws(() => new FrameReader().push(bytes), { code: "wire/bad-frame" });
  }
  assert.throws(() => frameOf(new Uint8Array(16 * 1024 * 1024)), { code: "wire/frame-too-large" });
});

Deno.test("frame: garbage throws one of two codes or waits for more", () => {
  fc.assert(fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (garbage) => {
    try {
      new FrameReader().push(garbage);
    } catch (error) {
      assert.match((error as { code: string }).code, /^wire\/(bad-frame|frame-too-large)$/);
    }
  }));
});

Deno.test("frame: the tag tells clusters apart, and none is zero", () => {
  assert.deepEqual(clusterTag(null), { hi: 0, lo: 0 });
  assert.notDeepEqual(clusterTag("a"), clusterTag("b"));
  assert.equal(FRAME_HEADER_BYTES, frameOf(new Uint8Array(0)).length);
});

function frameOf(payload: Uint8Array): Uint8Array {
  return encodeFrame({ type: 30, cluster: { hi: 1, lo: 2 }, from: 3, to: 4, topologyVersion: 5, payload });
}

function plain(frame: Frame): unknown {
  return { ...frame, cluster: { ...frame.cluster }, payload: [...frame.payload] };
}

function join(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
