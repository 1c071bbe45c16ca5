import { deepEqual, equal, ok } from "node:assert/strict";
import { applyCommand } from "./apply.ts";
import { dated, protocolInForce, sinceOf } from "./protocol.ts";
import { emptyState, type TopologyState } from "./state.ts";

function joined(state: TopologyState, name: string, protocol?: number) {
  const incarnation = 100 + state.version;
  return applyCommand(state, {
    type: "join",
    node: { name, incarnation, address: "a:1", http: null, mllp: null, protocol },
  });
}

/** Nodes TN-A-1, TN-A-2 ... that speak these versions; undefined: they do not say. */
function clusterOf(...protocols: (number | undefined)[]): TopologyState {
  let { state } = applyCommand(emptyState(), { type: "create", clusterId: "c", copies: 1, expect: 1, shardsPerSet: 1 });
  protocols.forEach((protocol, i) => state = joined(state, `TN-A-${i + 1}`, protocol).state);
  return state;
}

Deno.test("protocol: in force is what every node speaks, absent and draining ones too", () => {
  equal(protocolInForce(emptyState()), 1);
  equal(protocolInForce(clusterOf(2, 3)), 2);
  equal(protocolInForce(clusterOf(2, undefined)), 1, "who does not say speaks the first");
  const state = clusterOf(2, 1);
  const absent = applyCommand(state, { type: "absent", incarnations: [state.nodes[1].incarnation] }).state;
  equal(protocolInForce(absent), 1);
  equal(protocolInForce(applyCommand(absent, { type: "remove", name: "TN-A-2" }).state), 2);
});

Deno.test("protocol: what not every node knows is refused by all, whether they know it or not", () => {
  const state = clusterOf(2, 1);
  for (const command of [{ type: "switch", name: "x", on: true, since: 2 }, { type: "of-the-future", since: 2 }]) {
    const { state: after, answer } = applyCommand(state, command);
    ok(!answer.ok && answer.code === "topology/not-spoken", JSON.stringify(answer));
    equal(after, state);
  }
  const unknown = applyCommand(clusterOf(2, 2), { type: "of-the-future", since: 2 });
  ok(!unknown.answer.ok && unknown.answer.code === "topology/bad-command");
});

Deno.test("protocol: once all speak it it holds, and nobody comes who does not; until then one may go back", () => {
  const upgraded = joined(clusterOf(2, 1), "TN-A-2", 2).state;
  ok(joined(upgraded, "TN-A-1", 1).answer.ok, "nothing was said yet that it would not know");
  const { state, answer } = applyCommand(upgraded, { type: "switch", name: "x", on: true, since: 2 });
  ok(answer.ok && answer.changed);
  deepEqual([state.switches, state.spoken], [{ x: true }, 2]);
  const late = joined(state, "TN-A-1", 1);
  ok(!late.answer.ok && late.answer.code === "topology/wrong-protocol");
  equal(late.state, state);
  ok(joined(state, "TN-A-1", 3).answer.ok);
});

Deno.test("protocol: a command's date is read from anything", () => {
  deepEqual(dated({ type: "birth" }), { type: "birth" });
  for (const value of [null, 1, "x", {}, { since: "2" }, { since: NaN }, { since: -1 }]) equal(sinceOf(value), 1);
  equal(sinceOf({ type: "constructor", since: 7 }), 7);
  const hostile = {
    get since(): number {
      throw new Error("no");
    },
  };
  equal(sinceOf(hostile), 1);
  ok(!applyCommand(clusterOf(1), hostile).answer.ok);
});
