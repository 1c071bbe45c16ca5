import { deepEqual, equal, ok, throws } from "node:assert/strict";
import fc from "fast-check";
import { applyCommand } from "./apply.ts";
import { copiesPossible } from "./placement.ts";
import { shardText } from "./shard.ts";
import { emptyState, type TopologyState } from "./state.ts";
import { Topology } from "./topology.ts";
import { whatIf, type WhatIfChange } from "./what_if.ts";

const RULE = { ack: { copies: 3, dataCenters: 2 } };
/** Fewer shards, as each is looked at one by one below. */
const SHARDS_PER_SET = 2;

function clusterOf(names: readonly string[]): TopologyState {
  const create = { type: "create", clusterId: "c", copies: 5, expect: names.length, shardsPerSet: SHARDS_PER_SET };
  return names.reduce(joined, applyCommand(emptyState(), create).state);
}

function joined(state: TopologyState, name: string): TopologyState {
  const incarnation = 1000 + state.version;
  const node = { name, incarnation, address: "a:1", http: null, mllp: null };
  return applied(state, { type: "join", node });
}

function applied(state: TopologyState, command: unknown): TopologyState {
  const { state: next, answer } = applyCommand(state, command);
  ok(answer.ok, JSON.stringify(answer));
  return next;
}

/** What is claimed, found out shard by shard. */
function assertExact(plan: ReturnType<typeof whatIf>, state: TopologyState, next: TopologyState): void {
  const [before, after] = [new Topology(state), new Topology(next)];
  const counts = new Map(plan.nodes.map(({ name }) => [name, { was: [0, 0], is: [0, 0], gains: 0 }]));
  const changed: string[] = [];
  let writers = 0;
  for (const shard of before.dataShards()) {
    const was = before.placementOf(shard).map((node) => node.name);
    const is = after.placementOf(shard).map((node) => node.name);
    was.forEach((name, slot) => {
      counts.get(name)!.was[0]++;
      if (slot === 0) counts.get(name)!.was[1]++;
    });
    is.forEach((name, slot) => {
      counts.get(name)!.is[0]++;
      if (slot === 0) counts.get(name)!.is[1]++;
      if (!was.includes(name)) counts.get(name)!.gains++;
    });
    if (was[0] !== is[0]) writers++;
    if (was[0] !== is[0] || [...was].sort().join() !== [...is].sort().join()) changed.push(shardText(shard));
  }
  for (const { name, before, after, gains } of plan.nodes) {
    deepEqual([before.copies, before.writers], counts.get(name)!.was, name);
    deepEqual([after.copies, after.writers], counts.get(name)!.is, name);
    equal(gains, counts.get(name)!.gains, name);
  }
  deepEqual(plan.moves.map((move) => move.shard), changed);
  equal(plan.total.shards, changed.length);
  equal(plan.total.writers, writers);
  equal(plan.total.copies, plan.nodes.reduce((sum, node) => sum + node.gains, 0));
}

const names = fc.uniqueArray(
  fc.tuple(fc.constantFrom("TN", "TX", "FL", "UT"), fc.constantFrom("A", "B"), fc.integer({ min: 1, max: 3 }))
    .map((parts) => parts.join("-")),
  { minLength: 2, maxLength: 10 },
);

Deno.test("what if: a node is added: what placement says once it has joined", () => {
  fc.assert(fc.property(names, fc.constantFrom("TN-A-4", "CA-A-1"), (names, name) => {
    const state = clusterOf(names);
    assertExact(whatIf(state, [{ type: "add", what: name }], RULE), state, joined(state, name));
  }));
});

Deno.test("what if: something is lost: what placement says once it is absent, and who has a majority until then", () => {
  fc.assert(fc.property(names, fc.nat(), fc.integer({ min: 1, max: 3 }), (names, pick, parts) => {
    const state = clusterOf(names);
    const what = names[pick % names.length].split("-").slice(0, parts).join("-");
    const lost = state.nodes.filter(({ name }) => `${name}-`.startsWith(`${what}-`));
    const change: WhatIfChange = { type: "lose", what };
    if (lost.length === names.length) {
      return void throws(() => whatIf(state, [change], RULE), { code: "topology/bad-plan" });
    }
    const plan = whatIf(state, [change], RULE);
    const incarnations = lost.map((node) => node.incarnation);
    assertExact(plan, state, applied(state, { type: "absent", incarnations, force: true }));

    const topology = new Topology(state);
    const standing = topology.dataShards().filter((shard) => {
      const voters = topology.votersOf(shard);
      return voters.filter((node) => !lost.includes(node)).length <= voters.length / 2;
    });
    deepEqual(plan.atOnce.standing, standing.map(shardText));
    const { writable, waiting } = plan.atOnce;
    equal(writable + waiting.length + standing.length, topology.dataShards().length);
    const below = topology.dataShards().filter((shard) => {
      const held = topology.placementOf(shard);
      return held.filter((node) => !lost.includes(node)).length < Math.min(3, held.length);
    });
    deepEqual(plan.atOnce.belowThree, below.map(shardText));
  }));
});

Deno.test("what if: one thing after the other, with the bytes and members that are known", () => {
  const state = clusterOf(["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-1", "FL-A-1", "UT-A-1"]);
  const changes: WhatIfChange[] = [{ type: "remove", what: "TN-B-1" }, { type: "add", what: "TN-B-2" }];
  const plan = whatIf(state, changes, { ...RULE, bytesOf: (shard) => shard === 0 ? null : 100 });
  assertExact(plan, state, joined(applied(state, { type: "remove", name: "TN-B-1" }), "TN-B-2"));
  equal(plan.total.bytes, plan.nodes.reduce((sum, node) => sum + node.gainsBytes, 0));
  ok(plan.total.bytes > 0 && plan.total.bytes <= plan.total.copies * 100);
  deepEqual(plan.nodes.filter((node) => node.change !== null).map((node) => [node.name, node.change, node.status]), [
    ["TN-B-1", "removed", "up"],
    ["TN-B-2", "added", null],
  ]);
  // A shard whose members are still others than placement wants: they count.
  const [tx, fl, ut] = ["TX-A-1", "FL-A-1", "UT-A-1"].map((name) =>
    state.nodes.find((node) => node.name === name)!.incarnation
  );
  const facts = { ...RULE, votersOf: (shard: number) => shard === 0 ? [tx, fl, ut] : null };
  ok(
    whatIf(state, [{ type: "lose", what: "TX" }, { type: "lose", what: "FL" }], facts).atOnce.standing.includes(
      "S00/000",
    ),
  );
  ok(!whatIf(state, [{ type: "lose", what: "TX" }], facts).atOnce.standing.includes("S00/000"));
});

Deno.test("what if: what cannot happen is no plan", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1"]);
  for (const [type, what] of [["lose", "CA"], ["remove", "TN"], ["add", "TN-A-1"], ["add", "TN"]] as const) {
    throws(() => whatIf(state, [{ type, what }], RULE), { code: "topology/bad-plan" }, `${type} ${what}`);
  }
  throws(() => whatIf(emptyState(), [{ type: "add", what: "TN-A-1" }], RULE), { code: "topology/bad-plan" });
});

Deno.test("copies possible: what placement has with all nodes up", () => {
  fc.assert(fc.property(names, (names) => {
    const state = clusterOf(names);
    equal(copiesPossible(state), new Topology(state).placementOf(0).length);
    const [{ incarnation, name }] = state.nodes;
    if (names.length === 1) return;
    equal(
      copiesPossible(applied(state, { type: "absent", incarnations: [incarnation], force: true })),
      copiesPossible(state),
    );
    const drained = applied(state, { type: "drain", name });
    equal(copiesPossible(drained), new Topology(drained).placementOf(0).length);
  }));
});
