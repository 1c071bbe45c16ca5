import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { formatKey } from "../base/mod.ts";
import { applyCommand } from "./apply.ts";
import { SYSTEM_SHARD } from "./shard.ts";
import { emptyState, type TopologyState } from "./state.ts";
import { Topology } from "./topology.ts";

function clusterOf(names: string[], copies = 5): TopologyState {
  let { state } = applyCommand(emptyState(), { type: "create", clusterId: "test", copies, expect: names.length });
  names.forEach((name, i) => {
    const node = { name, incarnation: i + 1, address: `${name}:4600`, http: null, mllp: null };
    state = applyCommand(state, { type: "join", node }).state;
  });
  return state;
}

const EIGHT = ["TN", "TX", "FL", "UT"].flatMap((dataCenter) => [`${dataCenter}-A-1`, `${dataCenter}-B-1`]);

Deno.test("topology: an example: where an actor is, and where it goes when that node drains", () => {
  const state = clusterOf([...EIGHT, "TN-A-2", "TN-B-2"]);
  const topology = new Topology(state);
  const key = { facility: "HOSPX", id: "1001" };
  const writer = topology.nodeByName(topology.getActorServer(key))!;
  equal(topology.placementOf(topology.shardOf(key))[0], writer);
  equal(writer.dataCenter, topology.homeOf(topology.shardOf(key)));
  const drained = new Topology(applyCommand(state, { type: "drain", name: writer.name }).state, topology);
  ok(drained.getActorServer(key) !== writer.name);
  equal(drained.shardOf(key), topology.shardOf(key));
  equal(drained.placementOf(topology.shardOf(key))[0].dataCenter, writer.dataCenter);
  equal(drained.nodeByIncarnation(writer.incarnation)!.status, "draining");
});

Deno.test("topology: a key and its text have one shard, in the facility's set", () => {
  const topology = new Topology(clusterOf(EIGHT));
  const part = fc.string({ minLength: 1, maxLength: 12, unit: fc.constantFrom("a", "/", "%", "2", "F", "é", "-") });
  fc.assert(fc.property(part, part, part, (kind, facility, id) => {
    const shard = topology.shardOf({ kind, facility, id });
    equal(topology.shardOf(formatKey({ kind, facility, id })), shard);
    equal(Math.floor(shard / 64), topology.setOf(facility));
  }));
  equal(topology.shardOf("HOSPX/1001"), topology.shardOf("patient/HOSPX/1001"));
  for (const bad of ["", "x", "/", "a//b", "/a/b", "a/b/", "a/b/c/d"]) {
    throws(() => topology.shardOf(bad), { code: "base/bad-key" });
  }
});

Deno.test("topology: a facility's actors are spread over the 64 shards of its set", () => {
  const topology = new Topology(clusterOf(EIGHT));
  const counts = new Map<number, number>();
  for (let i = 0; i < 12_800; i++) {
    const shard = topology.shardOf(`patient/HOSPX/${100_000 + i}`);
    counts.set(shard, (counts.get(shard) ?? 0) + 1);
  }
  equal(counts.size, 64);
  ok(Math.max(...counts.values()) < 1.4 * 200);
});

Deno.test("topology: what a change does not touch is taken over, what it touches is not", () => {
  const state = clusterOf(EIGHT);
  const before = new Topology(state);
  before.placementOf(3);
  const flagged = new Topology(applyCommand(state, { type: "switch", name: "x", on: true }).state, before);
  equal(flagged.placementOf(3), before.placementOf(3));
  const [writer] = before.placementOf(3);
  const absent = applyCommand(state, { type: "absent", incarnations: [writer.incarnation] }).state;
  deepEqual(new Topology(absent, before).placementOf(3), new Topology(absent).placementOf(3));
  ok(!new Topology(absent, before).placementOf(3).some((node) => node.name === writer.name));
});

Deno.test("topology: the state is plain data: a copy gives the same answers", () => {
  const state = clusterOf(EIGHT);
  const copy = new Topology(structuredClone(state));
  deepEqual(copy.state, state);
  deepEqual(copy.placementOf(77), new Topology(state).placementOf(77));
});

Deno.test("topology: voters and learners are the placement, the system shard's too", () => {
  const topology = new Topology(clusterOf(EIGHT));
  for (const shard of [0, 500, 1023, SYSTEM_SHARD]) {
    const all = [...topology.votersOf(shard), ...topology.learnersOf(shard)];
    deepEqual(all.map((node) => node.name).sort(), topology.placementOf(shard).map((node) => node.name).sort());
  }
  equal(topology.votersOf(SYSTEM_SHARD).length, 7);
  equal(topology.learnersOf(SYSTEM_SHARD).length, 1);
  const four = new Topology(clusterOf(EIGHT.slice(0, 4)));
  deepEqual([four.votersOf(9).length, four.learnersOf(9).length], [3, 1]);
});

Deno.test("topology: an acknowledgement's rule is capped by what there is, not by what is up", () => {
  const rule = { copies: 3, dataCenters: 2 };
  const ack = (state: TopologyState) => new Topology(state).effectiveAck(rule);
  deepEqual(ack(clusterOf(EIGHT)), rule);
  deepEqual(ack(clusterOf(["TN-A-1"])), { copies: 1, dataCenters: 1 });
  deepEqual(ack(clusterOf(["TN-A-1", "TN-A-2", "TN-A-3"])), { copies: 3, dataCenters: 1 });
  const two = clusterOf(["TN-A-1", "TX-A-1"]);
  deepEqual(ack(applyCommand(two, { type: "absent", incarnations: [2] }).state), { copies: 2, dataCenters: 2 });
  deepEqual(ack(applyCommand(two, { type: "remove", name: "TX-A-1" }).state), { copies: 1, dataCenters: 1 });
});

Deno.test("topology: without nodes it says so", () => {
  const topology = new Topology(emptyState());
  deepEqual(topology.placementOf(0), []);
  deepEqual(topology.votersOf(SYSTEM_SHARD), []);
  throws(() => topology.getActorServer("HOSPX/1"), { code: "topology/no-node" });
});

Deno.test("topology: a cluster created with fewer shards has its actors, and members, in those alone", () => {
  const create = { type: "create", clusterId: "test", copies: 5, expect: 1, shardsPerSet: 4 };
  let { state } = applyCommand(emptyState(), create);
  for (const shardsPerSet of [0, 3, 65, 128, 1.5, "4"]) {
    const { answer } = applyCommand(emptyState(), { ...create, shardsPerSet });
    equal(answer.ok ? "" : answer.code, "topology/bad-command");
  }
  const again = applyCommand(state, { ...create, shardsPerSet: 8 }).answer;
  equal(again.ok ? "" : again.code, "topology/already-created");
  const node = { name: "TN-A-1", incarnation: 7, address: "TN-A-1:4600", http: null, mllp: null };
  state = applyCommand(state, { type: "join", node }).state;
  const topology = new Topology(state);
  equal(topology.dataShards().length, 16 * 4);
  const used = new Set(topology.dataShards());
  state.born!.members.forEach((members, shard) => deepEqual(members, used.has(shard) ? [7] : []));
  const hit = new Set<number>();
  for (let i = 0; i < 1000; i++) hit.add(topology.shardOf({ facility: `H${i % 100}`, id: String(i) }));
  ok([...hit].every((shard) => used.has(shard)) && hit.size > 50);
  const recover = (shard: number) => applyCommand(state, { type: "recover", shard, survivor: 7, from: 1 }).answer;
  equal(recover(67).ok, true);
  const refusal = recover(68);
  equal(refusal.ok ? "" : refusal.code, "topology/bad-shard");
});
