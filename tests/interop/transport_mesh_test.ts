/** The mesh over real sockets on loopback: by QUIC, by WebSocket, and by whichever can be had. */
import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { type CarrierMode, type DialResult, Mesh, openCarriers } from "../../runtime/transport/mod.ts";
import { FRAME, type Lane, LANE_BULK, LANE_CONTROL, LANE_MESSAGE } from "../../runtime/wire/mod.ts";
import { mintIncarnation, systemWorld } from "../../runtime/world/mod.ts";

const SECRET = new TextEncoder().encode("the secret of the interop cluster");
const world = systemWorld();

interface Node {
  mesh: Mesh;
  peer: { name: string; incarnation: number; address: string };
  events: string[];
  heard: Uint8Array[];
  refused: string[];
}

async function open(name: string, mode: CarrierMode, secret: Uint8Array | null = SECRET): Promise<Node> {
  const peer = { name, incarnation: mintIncarnation(world), address: "127.0.0.1:0" };
  const node: Node = { mesh: null!, peer, events: [], heard: [], refused: [] };
  node.mesh = new Mesh({
    world,
    self: peer,
    clusterId: () => "c1",
    secret,
    carriers: await openCarriers({ world, mode, secret, addresses: [peer.address] }),
    topologyVersion: () => 1,
    onFrame: (_from, _type, payload) => node.heard.push(payload),
    onPeer: ({ name }, isUp) => node.events.push(`${isUp ? "up" : "down"} ${name}`),
    onRefused: ({ code }) => node.refused.push(code),
    limits: { silentMs: Infinity },
  });
  peer.address = await node.mesh.listen(peer.address);
  return node;
}

async function waitFor(what: string, condition: () => boolean, limitMs = 5_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (!condition() && performance.now() < untilMs) await pause(1);
  assert.ok(condition(), `waited in vain for ${what}`);
}

function link(...nodes: Node[]): void {
  for (const { mesh } of nodes) mesh.setPeers(nodes.map(({ peer }) => peer));
}

for (const mode of ["quic", "websocket", "auto"] as const) {
  Deno.test(`mesh by ${mode}: three nodes link once, and what they send arrives before their goodbye`, async () => {
    const nodes = [await open("TN-A-1", mode), await open("TN-A-2", mode), await open("TN-B-1", mode)];
    const [a, b, c] = nodes;
    link(...nodes);
    await waitFor("all links", () => nodes.every(({ mesh }) => mesh.links().length === 2));
    assert.equal(a.mesh.links()[0].carrier, mode === "auto" ? "websocket" : mode);
    const lanes: Lane[] = [LANE_CONTROL, LANE_MESSAGE, LANE_BULK];
    for (let i = 0; i < 300; i++) a.mesh.send(b.peer.incarnation, lanes[i % 3], FRAME.DELIVER, new Uint8Array(5_000));
    await a.mesh.close("as tested");
    await waitFor("all frames", () => b.heard.length === 300);
    await waitFor("the goodbye", () => b.events.includes("down TN-A-1") && c.events.includes("down TN-A-1"));
    assert.deepEqual(a.events.length, 4);
    await Promise.all([b.mesh.close("as tested"), c.mesh.close("as tested")]);
  });

  Deno.test(`mesh by ${mode}: another secret is named on both sides`, async () => {
    const [a, b] = [await open("TN-A-1", mode), await open("TN-A-2", mode, SECRET.toReversed())];
    let result: DialResult | null = null;
    a.mesh.dialOnce(b.peer.address, (r) => result = r);
    await waitFor("both to be told", () => result !== null && b.refused.length > 0);
    assert.equal((result as unknown as { error: { code: string } }).error.code, "transport/wrong-secret");
    assert.deepEqual([a.refused, b.refused], [["transport/wrong-secret"], ["transport/wrong-secret"]]);
    await Promise.all([a.mesh.close("as tested"), b.mesh.close("as tested")]);
  });
}

Deno.test("mesh by auto: a peer that has only QUIC, or only WebSocket, is linked to by that", async () => {
  for (const only of ["quic", "websocket"] as const) {
    const [a, b] = [await open("TN-A-1", "auto"), await open("TN-A-2", only)];
    a.mesh.setPeers([a.peer, b.peer]);
    await waitFor("the link", () => a.mesh.links().length === 1);
    assert.equal(a.mesh.links()[0].carrier, only);
    await Promise.all([a.mesh.close("as tested"), b.mesh.close("as tested")]);
  }
});

Deno.test("mesh: without a secret loopback links, and nothing else is listened on", async () => {
  const [a, b] = [await open("TN-A-1", "auto", null), await open("TN-A-2", "auto", null)];
  link(a, b);
  await waitFor("the link", () => a.mesh.links().length === 1 && b.mesh.links().length === 1);
  for (const mode of ["quic", "websocket"] as const) {
    const [carrier] = await openCarriers({ world, mode, secret: null, addresses: [] });
    await assert.rejects(carrier.listen("0.0.0.0:0", { onConnection() {}, onRefused() {} }), {
      code: "transport/secret-needed",
    });
  }
  await assert.rejects(open("TN-A-3", "auto", new Uint8Array(15)), { code: "transport/weak-secret" });
  await Promise.all([a.mesh.close("as tested"), b.mesh.close("as tested")]);
});

Deno.test("mesh: a port in use is named, by UDP and by TCP", async () => {
  for (const mode of ["quic", "websocket"] as const) {
    const a = await open("TN-A-1", mode);
    const [carrier] = await openCarriers({ world, mode, secret: SECRET, addresses: [] });
    await assert.rejects(carrier.listen(a.peer.address, { onConnection() {}, onRefused() {} }), {
      code: "transport/address-in-use",
    });
    await a.mesh.close("as tested");
  }
});
