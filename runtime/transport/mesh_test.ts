import assert from "node:assert/strict";
import { badPayload, FRAME, LANE_BULK, LANE_CONTROL, LANE_MESSAGE } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { Connection } from "./carrier.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";
import { Mesh } from "./mesh.ts";
import type { DialResult, MeshLimits } from "./mesh_options.ts";

const SECRET = new TextEncoder().encode("the cluster's own secret");

interface Node {
  mesh: Mesh;
  peer: { name: string; incarnation: number; address: string };
  events: string[];
  heard: [number, string][];
  refused: string[];
}

/** A network and nodes on it. */
function ground(options: Partial<MemoryNetworkOptions> & { seed?: number } = {}) {
  const time = new SimulatedTime();
  const random = new SeededRandom(options.seed ?? 1);
  const network = new MemoryNetwork({ world: simulatedWorld({ time, random }), ...options });
  const node = (
    name: string,
    incarnation: number,
    more: {
      clusterId?: string | null;
      secret?: Uint8Array | null;
      limits?: Partial<MeshLimits>;
      onFrame?: () => void;
    } = {},
  ): Node => {
    const address = `${name}:1`;
    const self: Node = { mesh: null!, peer: { name, incarnation, address }, events: [], heard: [], refused: [] };
    const clusterId = more.clusterId === undefined ? "c1" : more.clusterId;
    self.mesh = new Mesh({
      world: simulatedWorld({ time, random: new SeededRandom(incarnation) }),
      self: self.peer,
      clusterId: () => clusterId,
      secret: more.secret === undefined ? SECRET : more.secret,
      carriers: [network.carrier(address)],
      topologyVersion: () => 7,
      onFrame: more.onFrame ??
        ((from, type, payload) => self.heard.push([type, `${from.name} ${new TextDecoder().decode(payload)}`])),
      onPeer: (peer, isUp) => self.events.push(`${isUp ? "up" : "down"} ${peer.name}/${peer.incarnation}`),
      onRefused: (error) => self.refused.push(error.code),
      limits: { silentMs: Infinity, ...more.limits },
    });
    self.mesh.listenSync(address);
    return self;
  };
  const run = (ms: number) => time.runUntil(time.nowMs + ms);
  return { time, network, node, run };
}

function link(...nodes: Node[]): void {
  for (const node of nodes) node.mesh.setPeers(nodes.map(({ peer }) => peer));
}

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("mesh: peers link once, the lower incarnation dials, and frames say from whom they are", () => {
  const { node, run } = ground();
  const [a, b, c] = [node("A", 1), node("B", 2), node("C", 3)];
  link(a, b, c);
  assert.equal(a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("early")), false);
  run(200);
  assert.deepEqual(a.events.toSorted(), ["up B/2", "up C/3"]);
  assert.deepEqual(c.events.toSorted(), ["up A/1", "up B/2"]);
  assert.equal(a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("hello")), true);
  assert.equal(c.mesh.send(2, LANE_CONTROL, FRAME.PING, text("ping")), true);
  run(10);
  assert.deepEqual(b.heard, [[FRAME.DELIVER, "A hello"], [FRAME.PING, "C ping"]]);
  const [report] = a.mesh.links();
  assert.deepEqual([report.name, report.carrier, report.framesOut, report.queuedBytes], ["B", "memory", 1, 0]);
  assert.equal(b.mesh.links().find(({ name }) => name === "A")!.bytesIn, 5);
});

Deno.test("mesh: what is sent as soon as a peer is up is not lost, on no lane", () => {
  const { node, network, run } = ground();
  network.setFate((_from, _to, _bytes, lane) => [lane === LANE_CONTROL ? 50 : 1]);
  const [a, b] = [node("A", 1), node("B", 2)];
  link(a, b);
  // B is up first, as it has the last word; A learns of it by the slow lane, or by the fast ones.
  while (!b.mesh.isLinked(1)) run(1);
  for (const lane of [LANE_BULK, LANE_MESSAGE, LANE_CONTROL]) b.mesh.send(1, lane, FRAME.DELIVER, text(`${lane}`));
  run(200);
  assert.deepEqual(a.heard.map(([, what]) => what), ["B 2", "B 1", "B 0"]);
});

Deno.test("mesh: dialling each other at once leaves one link and one event, whatever the delays", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const { node, network, run } = ground({ seed });
    const random = new SeededRandom(seed);
    network.setFate(() => [random.next() * 40]);
    const [a, b] = [node("A", 1 + (seed & 1) * 5), node("B", 3)];
    const results: DialResult[] = [];
    const calls = [
      () => a.mesh.dialOnce("B:1", (r) => results.push(r)),
      () => b.mesh.dialOnce("A:1", (r) => results.push(r)),
    ];
    for (const call of seed % 3 === 0 ? [...calls, ...calls] : calls) call();
    link(a, b);
    run(5_000);
    assert.deepEqual([a.events.length, b.events.length], [1, 1], `seed ${seed}: ${a.events} ${b.events}`);
    assert.ok(results.every((result) => "peer" in result));
    for (const [from, to] of [[a, b], [b, a]]) {
      assert.equal(from.mesh.send(to.peer.incarnation, LANE_MESSAGE, FRAME.DELIVER, text("x")), true);
    }
    run(100);
    assert.deepEqual([a.heard.length, b.heard.length], [1, 1]);
  }
});

Deno.test("mesh: another secret is refused with the same code on both sides, and nobody comes up", () => {
  const { node, run } = ground();
  const [a, b] = [node("A", 1), node("B", 2, { secret: text("another secret of 16") })];
  let result: DialResult | null = null;
  a.mesh.dialOnce("B:1", (r) => result = r);
  run(100);
  assert.equal((result as unknown as { error: { code: string } }).error.code, "transport/wrong-secret");
  assert.deepEqual([a.refused, b.refused], [["transport/wrong-secret"], ["transport/wrong-secret"]]);
  assert.deepEqual([...a.events, ...b.events], []);
});

Deno.test("mesh: another cluster is refused, a node without one is taken in", () => {
  const { node, run } = ground();
  const [a, b, joining] = [node("A", 1), node("B", 2, { clusterId: "c2" }), node("J", 3, { clusterId: null })];
  const results: DialResult[] = [];
  b.mesh.dialOnce("A:1", (r) => results.push(r));
  joining.mesh.dialOnce("A:1", (r) => results.push(r));
  run(100);
  const [refused, joined] = results as unknown as [{ error: { code: string } }, { peer: { clusterId: string } }];
  assert.equal(refused.error.code, "transport/wrong-cluster");
  assert.equal(joined.peer.clusterId, "c1");
  assert.deepEqual(a.refused, ["transport/wrong-cluster"]);
  joining.mesh.send(1, LANE_CONTROL, FRAME.REQUEST, text("topology?"));
  a.mesh.send(3, LANE_CONTROL, FRAME.RESPONSE, text("here"));
  run(10);
  assert.deepEqual([a.heard.length, joining.heard.length], [1, 1]);
});

Deno.test("mesh: a node that dials itself is told so", () => {
  const { node, run } = ground();
  const a = node("A", 1);
  let code = "";
  a.mesh.dialOnce("A:1", (result) => code = "error" in result ? result.error.code : "linked");
  run(100);
  assert.equal(code, "transport/self");
  assert.deepEqual(a.events, []);
});

Deno.test("mesh: dialling nobody is an error, and a peer that appears later is linked to", () => {
  const { node, run } = ground();
  const a = node("A", 1);
  let code = "";
  a.mesh.dialOnce("B:1", (result) => code = "error" in result ? result.error.code : "linked");
  a.mesh.setPeers([{ name: "B", incarnation: 2, address: "B:1" }]);
  run(10_000);
  assert.equal(code, "transport/unreachable");
  node("B", 2);
  run(2_200);
  assert.deepEqual(a.events, ["up B/2"]);
  assert.deepEqual(a.refused, []);
});

Deno.test("mesh: a cut takes the link down on both sides, a heal brings it back", () => {
  const { node, network, run } = ground();
  const [a, b] = [node("A", 1), node("B", 2)];
  link(a, b);
  run(100);
  network.cut("A:1", "B:1");
  run(3_100);
  assert.deepEqual([a.events.at(-1), b.events.at(-1)], ["down B/2", "down A/1"]);
  assert.equal(a.mesh.isLinked(2), false);
  run(10_000);
  network.heal("A:1", "B:1");
  run(6_000);
  assert.deepEqual(a.events, ["up B/2", "down B/2", "up B/2"]);
  assert.deepEqual(b.events, ["up A/1", "down A/1", "up A/1"]);
});

Deno.test("mesh: a restarted peer is another one, and the dead one is not dialled in its place", () => {
  const { node, network, run } = ground({ crashNoticeMs: 10 });
  const [a, b] = [node("A", 1), node("B", 2)];
  link(a, b);
  run(100);
  network.crash("B:1");
  run(100);
  node("B", 9);
  run(5_000);
  let hellos = 0;
  network.setFate((_from, _to, bytes) => {
    if (bytes[5] === FRAME.HELLO) hellos++;
    return [1];
  });
  run(20_000);
  assert.equal(hellos, 0);
  assert.deepEqual(a.events, ["up B/2", "down B/2", "up B/9"]);
  assert.equal(a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("x")), false);
  assert.equal(a.mesh.send(9, LANE_MESSAGE, FRAME.DELIVER, text("x")), true);
});

Deno.test("mesh: what was sent before a goodbye arrives before it, on every lane", async () => {
  const { node, network, run } = ground();
  const [a, b] = [node("A", 1), node("B", 2)];
  link(a, b);
  run(100);
  network.setFate((_from, _to, _bytes, lane) => [lane * 100 + 1]);
  for (const lane of [LANE_BULK, LANE_MESSAGE, LANE_CONTROL]) a.mesh.send(2, lane, FRAME.DELIVER, text(`${lane}`));
  let isClosed = false;
  const closed = a.mesh.close("the node leaves").then(() => isClosed = true);
  assert.equal(a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("late")), false);
  run(150);
  assert.equal(isClosed, false);
  assert.deepEqual(b.events, ["up A/1"]);
  run(300);
  assert.deepEqual(b.heard.map(([, what]) => what), ["A 0", "A 1", "A 2"]);
  assert.deepEqual([a.events, b.events], [["up B/2", "down B/2"], ["up A/1", "down A/1"]]);
  // The promise's own steps are microtasks; its timer is virtual.
  for (let i = 0; i < 10; i++) await Promise.resolve();
  run(10);
  await closed;
});

Deno.test("mesh: two that leave at once, or whose peer is silent, still close in time", async () => {
  const { node, network, run } = ground();
  const nodes = [node("A", 1), node("B", 2), node("C", 3)];
  const [a, b] = nodes;
  link(...nodes);
  run(200);
  network.cut("A:1", "C:1");
  const closed = [a.mesh.close("leaving"), b.mesh.close("leaving")];
  run(1_100);
  for (let i = 0; i < 10; i++) await Promise.resolve();
  run(10);
  await Promise.all(closed);
  assert.deepEqual(a.mesh.links(), []);
});

Deno.test("mesh: a full queue says so, control last", () => {
  const { node, network, run } = ground();
  const [a, b] = [node("A", 1, { limits: { queueBytesMax: 10_000 } }), node("B", 2)];
  link(a, b);
  run(100);
  network.cut("A:1", "B:1");
  const payload = new Uint8Array(1_000);
  const sent = [LANE_BULK, LANE_MESSAGE, LANE_CONTROL].map((lane) => {
    let count = 0;
    while (a.mesh.send(2, lane, FRAME.DELIVER, payload)) count++;
    return count;
  });
  assert.deepEqual(sent, [4, 4, 1]);
  assert.equal(a.mesh.counts.queueFull, 3);
  network.heal("A:1", "B:1");
  run(10);
  assert.equal(b.heard.length, 9);
});

Deno.test("mesh: strangers are bounded in number and in time", () => {
  const { node, network, run } = ground();
  const a = node("A", 1, { limits: { strangersMax: 4 } });
  const open: Connection[] = [];
  let ended = 0;
  for (let i = 0; i < 6; i++) {
    network.carrier("S:1").dial("A:1", {
      onFail: assert.fail,
      onOpen(connection) {
        open.push(connection);
        connection.onClose = () => ended++;
      },
    });
  }
  run(1_000);
  assert.deepEqual([open.length, ended, a.mesh.counts.refused], [6, 2, 2]);
  run(2_100);
  assert.equal(ended, 6);
});

Deno.test("mesh: frames for another incarnation, from another or of another cluster are dropped and counted", () => {
  const { node, network, run } = ground();
  const [a, b] = [node("A", 1), node("B", 2)];
  link(a, b);
  run(100);
  for (const offset of [28, 20, 12]) {
    network.setFate((_from, _to, bytes) => {
      new DataView(bytes.buffer, bytes.byteOffset).setFloat64(offset, 1234, true);
      return [1];
    });
    a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("x"));
    run(5);
  }
  assert.deepEqual(b.heard, []);
  const { wrongTo, wrongFrom, wrongCluster } = b.mesh.counts;
  assert.deepEqual([wrongTo, wrongFrom, wrongCluster], [1, 1, 1]);
  assert.deepEqual(b.events, ["up A/1", "down A/1"]);
});

Deno.test("mesh: what a room cannot read ends the link, a bug of ours is not hidden", () => {
  const { node, run } = ground();
  let error: Error = badPayload("as tested");
  const [a, b] = [
    node("A", 1),
    node("B", 2, {
      onFrame: () => {
        throw error;
      },
    }),
  ];
  link(a, b);
  run(100);
  a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("x"));
  run(20);
  assert.equal(b.mesh.counts.unreadable, 1);
  assert.deepEqual(b.events, ["up A/1", "down A/1"]);
  run(2_000);
  error = new TypeError("a bug");
  a.mesh.send(2, LANE_MESSAGE, FRAME.DELIVER, text("x"));
  assert.throws(() => run(20), TypeError);
});

Deno.test("mesh: a link on which nothing is heard is closed", () => {
  const { node, run } = ground();
  const [a, b] = [node("A", 1, { limits: { silentMs: 1_000 } }), node("B", 2)];
  link(a, b);
  run(900);
  b.mesh.send(1, LANE_CONTROL, FRAME.PING, text(""));
  run(900);
  assert.deepEqual(a.events, ["up B/2"]);
  run(500);
  assert.deepEqual(a.events.slice(0, 2), ["up B/2", "down B/2"]);
});
