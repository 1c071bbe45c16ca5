import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { applyCommand } from "./apply.ts";
import type { TopologyCommand } from "./command.ts";
import { emptyState, type TopologyState } from "./state.ts";
import { Topology } from "./topology.ts";

const HASHES = ["a", "b", "c"].map((digit) => digit.repeat(64));
let lives = 0;

function joinOf(name: string, incarnation = ++lives): TopologyCommand {
  return { type: "join", node: { name, incarnation, address: `${name}:4600`, http: null, mllp: null } };
}

function run(state: TopologyState, ...commands: TopologyCommand[]): TopologyState {
  for (const command of commands) {
    const applied = applyCommand(state, command);
    ok(applied.answer.ok, `${command.type}: ${JSON.stringify(applied.answer)}`);
    state = applied.state;
  }
  return state;
}

function codeOf(state: TopologyState, command: unknown): string {
  const { answer, state: after } = applyCommand(state, command);
  equal(after === state, !answer.ok || !answer.changed);
  return answer.ok ? (answer.changed ? "changed" : "same") : answer.code;
}

function clusterOf(names: string[], expect = names.length): TopologyState {
  return run(
    emptyState(),
    { type: "create", clusterId: "test", copies: 5, expect },
    ...names.map((name) => joinOf(name)),
  );
}

const NAMES = ["TN-A-1", "TN-A-2", "TN-B-1", "TX-A-1", "TX-B-1", "FL-A-1", "UT-A-1"];
const pick = <T>(...values: T[]) => fc.constantFrom(...values);
const incarnation = fc.integer({ min: 1, max: 12 });
const nodeCommand: fc.Arbitrary<TopologyCommand> = fc.oneof(
  fc.record({ name: pick(...NAMES), incarnation }).map(({ name, incarnation }) => joinOf(name, incarnation)),
  fc.record({ type: pick("absent" as const), incarnations: fc.array(incarnation), force: fc.boolean() }),
  fc.record({ type: pick("present" as const), incarnations: fc.array(incarnation) }),
  fc.record({ type: pick("drain" as const, "remove" as const), name: pick(...NAMES) }),
  pick({ type: "birth" as const }),
);
const otherCommand: fc.Arbitrary<TopologyCommand> = fc.oneof(
  fc.record({ type: pick("home" as const), facility: pick("HOSPX", "HOSPY"), dataCenter: pick("TN", "TX", "NO") }),
  fc.record({
    type: pick("deploy" as const),
    name: pick("census", "sepsis"),
    kind: pick("handler" as const, "sink" as const),
    hash: pick(...HASHES),
    url: pick("file:///x.ts"),
    bytes: pick(new Uint8Array([1, 2, 3])),
    stage: pick("live" as const, "dark" as const, "canary" as const),
    atMs: pick(5),
  }),
  fc.record({
    type: pick("promote" as const, "rollback" as const, "remove-plugin" as const),
    name: pick("census", "x"),
  }),
  fc.record({ type: pick("switch" as const), name: pick("a", "constructor"), on: fc.boolean() }),
  fc.record({
    type: pick("setting" as const),
    name: pick("a", "b"),
    value: pick<string | number | null>(1, "x", null),
  }),
);

Deno.test("commands: an example: three nodes join, the shards are born, one node comes back anew", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1", "FL-A-1"]);
  equal(state.version, 4);
  equal(state.born!.version, 4);
  equal(state.born!.members.length, 1024);
  deepEqual(state.homes.slice(0, 4), ["FL", "TN", "TX", "FL"]);
  const topology = new Topology(state);
  deepEqual(state.born!.members[77], topology.votersOf(77).map((node) => node.incarnation));

  const [first] = state.nodes;
  const again = run(state, joinOf(first.name, 4711));
  equal(again.nodes[0].incarnation, 4711);
  deepEqual(again.born, state.born, "the first members stay what they were");
  equal(codeOf(again, joinOf(first.name, first.incarnation)), "topology/incarnation-gone");
  equal(codeOf(again, joinOf(first.name, 4711)), "same");
});

Deno.test("commands: any value is applied or refused, and nothing is thrown", () => {
  const state = clusterOf(["TN-A-1", "TN-B-1"]);
  const mangled = fc.tuple(fc.oneof(nodeCommand, otherCommand), fc.string(), fc.anything()).map(
    ([command, field, value]) => ({ ...command, [field in command ? field : "name"]: value }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.anything(), mangled, fc.object()), (value) => {
      const { state: after, answer } = applyCommand(state, value);
      if (!answer.ok) equal(after, state);
    }),
    { numRuns: 500 },
  );
  const trap = new Proxy({}, {
    get() {
      throw new Error("trap");
    },
  });
  const joins = [{ node: trap }, { node: { ...nodeFields(), incarnation: 2 ** 52 + 1 } }, {
    node: { ...nodeFields(), name: 5 },
  }];
  const values = [trap, { type: trap }, ...joins.map((join) => ({ type: "join", ...join })), undefined, 1n, () => {}];
  for (const value of values) equal(codeOf(state, value), "topology/bad-command");
  equal(codeOf(state, { type: "absent", incarnations: new Array(1_001).fill(1) }), "topology/bad-command");
  equal(codeOf(state, { type: "home", facility: "__proto__", dataCenter: "TN" }), "topology/bad-command");
  equal(codeOf(state, { type: "home", facility: "\ud800", dataCenter: "TN" }), "topology/bad-command");
  equal(codeOf(state, { ...deployOf(0), bytes: new Uint8Array(4 * 1024 * 1024 + 1) }), "topology/bad-command");
});

Deno.test("commands: the same commands give the same state, and never change the one before", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(nodeCommand, otherCommand), { maxLength: 25 }), (commands) => {
      let one = emptyState();
      let two = emptyState();
      const create: TopologyCommand = { type: "create", clusterId: "test", copies: 5, expect: 2 };
      for (const command of [create, ...commands]) {
        const frozen = structuredClone({ ...one, born: null });
        const first = applyCommand(one, command);
        const second = applyCommand(two, structuredClone(command));
        deepEqual({ ...one, born: null }, frozen);
        deepEqual(first.answer, second.answer);
        equal(first.state.version, one.version + (first.answer.ok && first.answer.changed ? 1 : 0));
        [one, two] = [first.state, second.state];
        checkState(one);
      }
      equal(JSON.stringify(one), JSON.stringify(two), "down to the order of keys");
    }),
    { numRuns: 60 },
  );
});

function checkState(state: TopologyState): void {
  const names = state.nodes.map((node) => node.name);
  deepEqual(names, [...new Set(names)].sort());
  equal(new Set(state.nodes.map((node) => node.incarnation)).size, names.length);
  ok(state.nodes.every((node) => !state.past.includes(node.incarnation) && !state.gone.includes(node.name)));
  equal(state.homes.length, state.born === null ? 0 : 16);
  ok(state.homes.every((home) => state.nodes.some((node) => node.dataCenter === home)));
  for (const { live, versions } of Object.values(state.plugins)) {
    ok(versions.length >= 1 && versions.length <= 5);
    deepEqual(
      versions.filter((version) => version.stage === "live").map((version) => version.version),
      live ? [live] : [],
    );
  }
}

Deno.test("commands: an actor's shard never changes, whatever happens to the nodes", () => {
  const keys = ["HOSPX", "HOSPY", "a/b%c", "constructor"].map((facility) => ({ facility, id: "1001" }));
  fc.assert(
    fc.property(fc.array(nodeCommand, { maxLength: 20 }), (commands) => {
      let state = run(clusterOf(["TN-A-1", "TX-A-1"]), { type: "home", facility: "HOSPY", dataCenter: "TX" });
      let topology = new Topology(state);
      const shards = keys.map((key) => topology.shardOf(key));
      for (const command of commands) {
        state = applyCommand(state, command).state;
        topology = new Topology(state, topology);
        deepEqual(keys.map((key) => topology.shardOf(key)), shards);
      }
    }),
    { numRuns: 30 },
  );
});

Deno.test("commands: the same nodes in another order of joining are placed the same", () => {
  fc.assert(
    fc.property(fc.shuffledSubarray(NAMES, { minLength: NAMES.length }), (names) => {
      const one = new Topology(clusterOf(NAMES));
      const two = new Topology(clusterOf(names));
      deepEqual(one.state.homes, two.state.homes);
      for (let shard = 0; shard < 1024; shard += 37) {
        deepEqual(one.placementOf(shard).map((node) => node.name), two.placementOf(shard).map((node) => node.name));
      }
    }),
    { numRuns: 8 },
  );
});

Deno.test("commands: one data center at most is absent as a whole without an operator", () => {
  const state = clusterOf(NAMES);
  const life = (name: string) => state.nodes.find((node) => node.name === name)!.incarnation;
  const tx = run(state, { type: "absent", incarnations: [life("TX-A-1"), 999_999] });
  equal(tx.nodes.find((node) => node.name === "TX-A-1")!.status, "absent");
  equal(codeOf(tx, { type: "absent", incarnations: [life("TX-A-1")] }), "same");
  equal(codeOf(tx, { type: "absent", incarnations: [life("TX-B-1")] }), "changed");
  equal(codeOf(tx, { type: "absent", incarnations: [life("FL-A-1")] }), "changed");
  const all = (dataCenter: string) =>
    state.nodes.filter((node) => node.dataCenter === dataCenter).map((node) => node.incarnation);
  const txGone = run(state, { type: "absent", incarnations: all("TX") });
  equal(codeOf(txGone, { type: "absent", incarnations: all("FL") }), "topology/too-many-absent");
  equal(codeOf(state, { type: "absent", incarnations: [...all("TX"), ...all("FL")] }), "topology/too-many-absent");
  equal(codeOf(txGone, { type: "absent", incarnations: all("FL"), force: true }), "changed");
  equal(
    codeOf(tx, { type: "absent", incarnations: state.nodes.map((n) => n.incarnation), force: true }),
    "topology/last-node",
  );
  equal(run(tx, { type: "present", incarnations: [life("TX-A-1")] }).nodes.every((node) => node.status === "up"), true);
});

Deno.test("commands: drain and remove stop at the last node; a data center's homes move with its last node", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1"]);
  const one = run(state, { type: "drain", name: "TX-A-1" });
  equal(codeOf(one, { type: "drain", name: "TN-A-1" }), "topology/last-node");
  equal(codeOf(one, { type: "remove", name: "TN-A-1" }), "topology/last-node");
  const gone = run(one, { type: "remove", name: "TX-A-1" });
  deepEqual(new Set(gone.homes), new Set(["TN"]));
  deepEqual(gone.gone, ["TX-A-1"]);
  equal(codeOf(gone, { type: "remove", name: "TX-A-1" }), "same");
  equal(codeOf(gone, { type: "remove", name: "FL-A-1" }), "topology/no-such-node");
  const three = run(state, joinOf("FL-A-1"));
  equal(three.homes.filter((home, set) => home !== state.homes[set]).length, 5);
});

Deno.test("commands: a drain or removal that comes late leaves the node's next life alone", () => {
  const before = clusterOf(["TN-A-1", "TX-A-1"]);
  const { incarnation } = before.nodes[1];
  const after = run(before, joinOf("TX-A-1", incarnation + 1));
  for (const type of ["drain", "remove"] as const) {
    equal(codeOf(after, { type, name: "TX-A-1", incarnation }), "same");
    equal(codeOf(after, { type, name: "TX-A-1", incarnation: incarnation + 1 }), "changed");
    equal(codeOf(after, { type, name: "TX-A-1" }), "changed");
  }
});

Deno.test("commands: birth waits for the nodes expected, or for an operator; a cluster is created once", () => {
  const create: TopologyCommand = { type: "create", clusterId: "test", copies: 5, expect: 3 };
  equal(codeOf(emptyState(), joinOf("TN-A-1")), "topology/not-created");
  const state = run(emptyState(), create);
  equal(codeOf(state, create), "same");
  equal(codeOf(state, { ...create, clusterId: "other" }), "topology/already-created");
  equal(codeOf(state, { type: "birth" }), "topology/no-node");
  equal(codeOf(state, { type: "home", facility: "HOSPX", dataCenter: "TN" }), "topology/not-born");
  const two = run(state, joinOf("TN-A-1"), joinOf("TN-A-2"));
  equal(two.born, null);
  const born = run(two, { type: "birth" });
  deepEqual(born.born!.members.map((members) => members.length), new Array(1024).fill(1));
  equal(codeOf(born, { type: "birth" }), "topology/already-born");
});

Deno.test("commands: a facility's home is given once and for ever", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1"]);
  const home = (dataCenter: string): TopologyCommand => ({ type: "home", facility: "HOSPX", dataCenter });
  equal(codeOf(state, home("NO")), "topology/no-such-home");
  for (const dataCenter of ["TN", "TX"]) {
    const after = run(state, home(dataCenter));
    const topology = new Topology(after);
    equal(topology.homeOf(topology.shardOf("HOSPX/1")), dataCenter);
    equal(codeOf(after, home(dataCenter)), "same");
    equal(codeOf(after, home(dataCenter === "TN" ? "TX" : "TN")), "topology/facility-fixed");
  }
});

Deno.test("commands: versions of a plugin: deploy, go dark, promote, roll back, keep five", () => {
  let state = run(clusterOf(["TN-A-1"]), deployOf(0));
  const plugin = () => state.plugins.census;
  equal(codeOf(state, deployOf(0)), "same");
  equal(codeOf(state, { ...deployOf(1), kind: "sink" }), "topology/kind-fixed");
  equal(codeOf(state, { type: "rollback", name: "census" }), "topology/no-such-version");
  state = run(state, { ...deployOf(1), stage: "dark" });
  equal(plugin().live, 1);
  state = run(state, { type: "promote", name: "census" });
  deepEqual(plugin().versions.map((version) => version.stage), ["dark", "live"]);
  state = run(state, { type: "rollback", name: "census" });
  equal(plugin().live, 1);
  state = run(state, deployOf(2));
  equal(plugin().live, 3);
  state = run(state, { type: "rollback", name: "census" });
  equal(plugin().live, 1, "not to the version that was rolled back");
  for (let i = 0; i < 9; i++) state = run(state, { ...deployOf(i % 2), stage: "dark" });
  equal(plugin().live, 1);
  deepEqual(plugin().versions.map((version) => version.version), [1, 9, 10, 11, 12]);
  equal(codeOf(state, { type: "promote", name: "census", version: 7 }), "topology/no-such-version");
  equal(codeOf(state, { type: "remove-plugin", name: "constructor" }), "topology/no-such-plugin");
  state = run(state, { type: "remove-plugin", name: "census" });
  deepEqual(state.plugins, {});
});

Deno.test("commands: a bundle is copied, not kept as a window into what it came in", () => {
  const frame = new Uint8Array(1_000).fill(7);
  const state = run(clusterOf(["TN-A-1"]), { ...deployOf(0), bytes: frame.subarray(10, 20) });
  frame.fill(0);
  const [{ bytes }] = state.plugins.census.versions;
  deepEqual([bytes.buffer.byteLength, bytes[0]], [10, 7]);
});

Deno.test("commands: switches and settings", () => {
  let state = run(clusterOf(["TN-A-1"]), { type: "switch", name: "constructor", on: true });
  state = run(state, { type: "setting", name: "a", value: 1 }, { type: "setting", name: "b", value: "x" });
  equal(codeOf(state, { type: "setting", name: "b", value: "x" }), "same");
  state = run(state, { type: "setting", name: "a", value: null });
  deepEqual(Object.entries(state.switches), [["constructor", true]]);
  deepEqual(state.settings, { b: "x" });
  for (let i = 1; i < 1_000; i++) state = run(state, { type: "switch", name: `s${i}`, on: false });
  equal(codeOf(state, { type: "switch", name: "one-more", on: false }), "topology/too-many-names");
});

function nodeFields() {
  return { name: "TN-A-9", incarnation: 99, address: "a:1", http: null, mllp: null };
}

function deployOf(hash: number): TopologyCommand & { type: "deploy" } {
  const bytes = new Uint8Array([hash, 2, 3]);
  return {
    type: "deploy",
    name: "census",
    kind: "handler",
    hash: HASHES[hash],
    url: "file:///x.ts",
    bytes,
    stage: "live",
    atMs: 5,
  };
}

Deno.test("commands: a shard is recovered once for each generation, from a node that is up", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1", "FL-A-1"]);
  const survivor = state.nodes[0].incarnation;
  const recover = (from: number, by = survivor): TopologyCommand => ({ type: "recover", shard: 5, survivor: by, from });
  equal(codeOf(clusterOf(["TN-A-1"], 2), recover(1)), "topology/not-born");
  const once = run(state, recover(1));
  deepEqual(once.recovered, { 5: { generation: 2, survivor } });
  equal(codeOf(once, recover(1)), "same", "the same word twice");
  equal(codeOf(once, recover(1, state.nodes[1].incarnation)), "topology/other-generation", "somebody else was quicker");
  equal(codeOf(once, recover(3)), "topology/other-generation");
  deepEqual(run(once, recover(2)).recovered, { 5: { generation: 3, survivor } });
  equal(codeOf(state, recover(1, 999_999)), "topology/no-such-survivor");
  equal(codeOf(run(state, { type: "drain", name: state.nodes[0].name }), recover(1)), "topology/no-such-survivor");
  equal(codeOf(state, { ...recover(1), shard: 1024 }), "topology/bad-command", "the system shard is not its own judge");
});

Deno.test("commands: a recovered system shard leaps beyond all versions that it may have had elsewhere", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1"]);
  const leapt = run(state, { type: "leap", generation: 2 });
  ok(leapt.version > state.version + 100_000);
  equal(codeOf(leapt, { type: "leap", generation: 2 }), "same");
  ok(run(leapt, { type: "leap", generation: 4000 }).version < 2 ** 32, "a version fits into its 32 bits for ever");
});

Deno.test("commands: the rule for receipts is a majority at least, and no more than there is", () => {
  const state = clusterOf(["TN-A-1", "TX-A-1", "FL-A-1"]);
  const ack = (copies: number, dataCenters: number): TopologyCommand => ({ type: "ack", copies, dataCenters });
  for (const bad of [ack(2, 1), ack(6, 1), ack(3, 4)]) equal(codeOf(state, bad), "topology/bad-ack-rule");
  const strict = run(state, ack(4, 3));
  deepEqual(new Topology(strict).effectiveAck({ copies: 3, dataCenters: 2 }), { copies: 3, dataCenters: 3 }, "capped");
  equal(codeOf(strict, ack(4, 3)), "same");
});
