import assert from "node:assert/strict";
import { applyCommand, emptyState, Topology, type TopologyCommand, type TopologyState } from "../topology/mod.ts";
import { Names } from "./names.ts";

function joinOf(name: string, incarnation: number): TopologyCommand {
  return { type: "join", node: { name, incarnation, address: `${name}:1`, http: null, mllp: null } };
}

Deno.test("names: a life that ended before this node was there is known from the log", () => {
  const commands: TopologyCommand[] = [
    { type: "create", clusterId: "c", copies: 5, expect: 2 },
    joinOf("TN-A-1", 11),
    joinOf("TX-A-1", 12),
    joinOf("TX-A-1", 13),
  ];
  let state: TopologyState = emptyState();
  for (const command of commands) state = applyCommand(state, command).state;
  const names = new Names({ name: "TN-A-1", incarnation: 11 });
  names.add("TX-A-1", 12);
  names.learn(new Topology(state));
  assert.deepEqual([11, 12, 13].map((life) => names.nameOf(life)), ["TN-A-1", "TX-A-1", "TX-A-1"]);
  assert.equal(names.dataCenterOf(12), "TX");
  assert.equal(names.nameOf(14), "incarnation-14");
  assert.equal(names.dataCenterOf(14), "");
});
