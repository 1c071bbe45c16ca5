import assert from "node:assert/strict";
import { encodeFrame, LANE_MESSAGE } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { Connection } from "./carrier.ts";
import { CARRIER_CONFORMANCE } from "./carrier_conformance.ts";
import { MemoryNetwork, type MemoryNetworkOptions } from "./memory.ts";

for (const { name, run, needsSockets } of CARRIER_CONFORMANCE) {
  if (needsSockets) continue;
  Deno.test(`memory carrier: ${name}`, async () => {
    const { time, network } = ground();
    await run({
      a: network.carrier("a:1"),
      b: network.carrier("b:1"),
      stranger: null,
      listenAt: "a:1",
      nobodyAt: "c:1",
      throwGarbage: null,
      waitFor(what, condition, limitMs = 2_000) {
        const untilMs = time.nowMs + limitMs;
        while (!condition() && time.nowMs <= untilMs && time.step());
        assert.ok(condition(), `waited in vain for ${what}`);
        return Promise.resolve();
      },
      close: () => Promise.resolve(),
    });
  });
}

Deno.test("memory network: a cut holds frames back, and a heal in time delivers them in order", () => {
  const { time, network, dialled, arrived } = pair();
  dialled.send(LANE_MESSAGE, frame(1));
  network.cut("b:1", "a:1");
  dialled.send(LANE_MESSAGE, frame(2));
  time.runUntil(time.nowMs + 1_000);
  assert.deepEqual(arrived, []);
  network.heal("a:1", "b:1");
  dialled.send(LANE_MESSAGE, frame(3));
  time.runUntil(time.nowMs + 100);
  assert.deepEqual(arrived, [1, 2, 3]);
});

Deno.test("memory network: a frame that comes twice holds up nobody behind it", () => {
  const { time, network, dialled, arrived } = pair();
  network.setFate(() => [1, 5_000]);
  dialled.send(LANE_MESSAGE, frame(1));
  network.setFate(() => [1]);
  dialled.send(LANE_MESSAGE, frame(2));
  time.runUntil(time.nowMs + 2);
  assert.deepEqual(arrived, [1, 1, 2]);
});

Deno.test("memory network: a cut one way ends the connection by time-out, on both sides", () => {
  const { time, network, dialled, accepted, arrived } = pair();
  const ended: string[] = [];
  dialled.onClose = (reason) => ended.push(`dialled ${reason}`);
  accepted.onClose = (reason) => ended.push(`accepted ${reason}`);
  network.cut("a:1", "b:1", { isOneWay: true });
  dialled.send(LANE_MESSAGE, frame(1));
  time.runUntil(time.nowMs + 2_900);
  assert.deepEqual([arrived, ended], [[1], []]);
  time.runUntil(time.nowMs + 200);
  assert.deepEqual(ended.toSorted(), ["accepted timed out", "dialled timed out"]);
});

Deno.test("memory network: a crash is silent; its peers learn of it when told to, what left still arrives", () => {
  const { time, network, dialled, accepted, arrived } = pair({ crashNoticeMs: 500 });
  const ended: string[] = [];
  dialled.onClose = () => ended.push("dialled");
  accepted.onClose = () => ended.push("accepted");
  dialled.send(LANE_MESSAGE, frame(1));
  network.crash("b:1");
  dialled.send(LANE_MESSAGE, frame(2));
  time.runUntil(time.nowMs + 499);
  assert.deepEqual([arrived, ended], [[1], []]);
  time.runUntil(time.nowMs + 2);
  assert.deepEqual(ended, ["accepted"]);
});

Deno.test("memory network: a fate loses, doubles and delays frames", () => {
  const { time, network, dialled, arrived } = pair();
  network.setFate((_from, _to, bytes) => bytes.length % 2 === 0 ? [] : [30, 10]);
  dialled.send(LANE_MESSAGE, frame(1, 1));
  dialled.send(LANE_MESSAGE, frame(2, 2));
  dialled.send(LANE_MESSAGE, frame(3, 3));
  time.runUntil(time.nowMs + 100);
  assert.deepEqual(arrived, [1, 1, 3, 3]);
  assert.equal(network.framesLost, 1);
});

function ground(options: Partial<MemoryNetworkOptions> = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  return { time, network: new MemoryNetwork({ world, ...options }) };
}

function pair(options: Partial<MemoryNetworkOptions> = {}) {
  const { time, network } = ground(options);
  const arrived: number[] = [];
  const ends: Connection[] = [];
  network.carrier("a:1").listenSync!("a:1", {
    onRefused: () => {},
    onConnection(connection) {
      connection.onFrame = (_lane, { topologyVersion }) => arrived.push(topologyVersion);
      ends.push(connection);
    },
  });
  network.carrier("b:1").dial("a:1", { onOpen: (connection) => ends.push(connection), onFail: assert.fail });
  time.runUntil(10);
  const [dialled, accepted] = ends;
  return { time, network, dialled, accepted, arrived };
}

function frame(number: number, payloadBytes = 1): Uint8Array {
  return encodeFrame({
    type: 30,
    cluster: { hi: 1, lo: 2 },
    from: 3,
    to: 4,
    topologyVersion: number,
    payload: new Uint8Array(payloadBytes),
  });
}
