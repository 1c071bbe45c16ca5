import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME, pack, PROTOCOL, type ProtocolRange, unpack } from "../wire/mod.ts";
import { Handshake, type HandshakeStep } from "./handshake.ts";
import { clusterKeys } from "./secret.ts";

const KEY = clusterKeys(new TextEncoder().encode("the cluster's own secret")).proofKey;

function side(
  which: "dial" | "accept",
  proofKey = KEY,
  incarnation = which === "dial" ? 1 : 2,
  protocol: ProtocolRange = PROTOCOL,
): Handshake {
  return new Handshake({
    side: which,
    self: { name: which, incarnation, address: `${which}:1`, clusterId: "c1" },
    proofKey,
    nonce: new Uint8Array(32).fill(incarnation),
    call: which === "dial" ? 4 : 0,
    protocol,
  });
}

Deno.test("handshake: four frames, and both know each other", () => {
  const [dialler, listener] = [side("dial"), side("accept")];
  assert.deepEqual(listener.start(), { send: [], end: null });
  const hello = only(dialler.start(), FRAME.HELLO);
  const answer = only(listener.receive(FRAME.HELLO, hello), FRAME.HELLO);
  const proof = only(dialler.receive(FRAME.HELLO, answer), FRAME.HELLO_PROOF);
  const welcomed = listener.receive(FRAME.HELLO_PROOF, proof);
  assert.ok(welcomed.end?.state === "linked");
  assert.deepEqual([welcomed.end.peer.name, welcomed.end.call], ["dial", 4]);
  const done = dialler.receive(FRAME.WELCOME, welcomed.send[0].payload);
  assert.ok(done.end?.state === "linked");
  assert.equal(done.end.peer.incarnation, 2);
  assert.deepEqual(dialler.receive(FRAME.WELCOME, welcomed.send[0].payload), { send: [], end: null });
});

Deno.test("handshake: a proof cannot be sent back, replayed, or moved to another hello", () => {
  const [dialler, listener] = [side("dial"), side("accept")];
  const hello = only(dialler.start(), FRAME.HELLO);
  const answer = only(listener.receive(FRAME.HELLO, hello), FRAME.HELLO);
  const proof = only(dialler.receive(FRAME.HELLO, answer), FRAME.HELLO_PROOF);
  const mirrored = dialler.receive(FRAME.WELCOME, proof);
  assert.deepEqual(mirrored.end, { state: "refused", code: "transport/wrong-secret", isTold: false });

  const again = new Handshake({
    side: "accept",
    self: { name: "accept", incarnation: 2, address: "accept:1", clusterId: "c1" },
    proofKey: KEY,
    nonce: new Uint8Array(32).fill(99),
    call: 0,
    protocol: PROTOCOL,
  });
  again.receive(FRAME.HELLO, hello);
  assert.equal(again.receive(FRAME.HELLO_PROOF, proof).end?.state, "refused");

  const other = side("accept");
  const claimed = { ...unpack(hello) as Record<string, unknown>, name: "somebody-else" };
  other.receive(FRAME.HELLO, pack(claimed));
  assert.equal(other.receive(FRAME.HELLO_PROOF, proof).end?.state, "refused");
});

Deno.test("handshake: whatever comes, nothing throws and nobody without the key gets in", () => {
  const hello = only(side("dial").start(), FRAME.HELLO);
  const parts = fc.record({
    type: fc.constantFrom(FRAME.HELLO, FRAME.HELLO_PROOF, FRAME.WELCOME, FRAME.PING, 200),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 80 }),
      fc.constant(hello),
      fc.record({ versions: fc.anything(), name: fc.anything(), incarnation: fc.anything(), nonce: fc.anything() })
        .map((value) => packed(value)),
    ),
  });
  fc.assert(
    fc.property(
      fc.array(parts, { maxLength: 6 }),
      fc.constantFrom("dial" as const, "accept" as const),
      (all, which) => {
        const handshake = side(which, KEY, 7);
        handshake.start();
        for (const { type, payload } of all) assert.notEqual(handshake.receive(type, payload).end?.state, "linked");
      },
    ),
  );
});

Deno.test("handshake: another protocol version is named", () => {
  const { newest } = PROTOCOL;
  const hello = {
    ...unpack(only(side("dial").start(), FRAME.HELLO)) as Record<string, unknown>,
    versions: [newest + 1, newest + 2],
  };
  const step = side("accept").receive(FRAME.HELLO, pack(hello));
  assert.deepEqual(step.end, { state: "refused", code: "transport/wrong-version", isTold: false });
  assert.deepEqual(side("dial").receive(FRAME.REFUSED, step.send[0].payload).end, {
    state: "refused",
    code: "transport/wrong-version",
    isTold: true,
  });
});

Deno.test("handshake: two speak the highest version that both know, or not at all", () => {
  const ranges = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 3 })).map(([oldest, more]) => ({
    oldest,
    newest: oldest + more,
  }));
  fc.assert(fc.property(ranges, ranges, (a, b) => {
    const [dialler, listener] = [side("dial", KEY, 1, a), side("accept", KEY, 2, b)];
    const hello = only(dialler.start(), FRAME.HELLO);
    const answer = listener.receive(FRAME.HELLO, hello);
    const both = [1, 2, 3, 4, 5, 6, 7, 8].filter((v) =>
      a.oldest <= v && v <= a.newest && b.oldest <= v && v <= b.newest
    );
    if (both.length === 0) {
      return assert.deepEqual(answer.end, { state: "refused", code: "transport/wrong-version", isTold: false });
    }
    const proof = only(dialler.receive(FRAME.HELLO, only(answer, FRAME.HELLO)), FRAME.HELLO_PROOF);
    const welcomed = listener.receive(FRAME.HELLO_PROOF, proof);
    const done = dialler.receive(FRAME.WELCOME, welcomed.send[0].payload);
    for (const { end } of [welcomed, done]) assert.equal(end?.state === "linked" && end.version, Math.max(...both));
  }));
});

Deno.test("handshake: who lowers the versions of a hello on its way has broken its proof", () => {
  const [dialler, listener] = [
    side("dial", KEY, 1, { oldest: 1, newest: 2 }),
    side("accept", KEY, 2, { oldest: 1, newest: 2 }),
  ];
  const hello = only(dialler.start(), FRAME.HELLO);
  const lowered = { ...unpack(hello) as Record<string, unknown>, versions: [1, 1] };
  const answer = only(listener.receive(FRAME.HELLO, pack(lowered)), FRAME.HELLO);
  const proof = only(dialler.receive(FRAME.HELLO, answer), FRAME.HELLO_PROOF);
  assert.equal(listener.receive(FRAME.HELLO_PROOF, proof).end?.state, "refused");
});

function only(step: HandshakeStep, type: number): Uint8Array {
  assert.equal(step.send.length, 1);
  assert.equal(step.send[0].type, type);
  return step.send[0].payload;
}

function packed(value: unknown): Uint8Array {
  try {
    return pack(value);
  } catch {
    return new Uint8Array(1);
  }
}
