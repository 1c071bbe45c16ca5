import assert from "node:assert/strict";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import { applyCommand, emptyState, type TopologyCommand, type TopologyState } from "../topology/mod.ts";
import { pack } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Directory } from "./directory.ts";
import type { Requests } from "./requests.ts";

const SELF = 3;
const join = (name: string, incarnation: number): TopologyCommand => ({
  type: "join",
  node: { name, incarnation, address: "127.0.0.1:4600", http: null, mllp: null },
});
const CREATE: TopologyCommand = { type: "create", clusterId: "test", copies: 5, expect: 9 };
const LOG = [CREATE, join("TN-A-1", 1), join("TX-A-1", 2), join("FL-A-1", SELF), join("UT-A-1", 4)];

function directoryOf(log: readonly TopologyCommand[]): { directory: Directory; versions: number[] } {
  const versions: number[] = [];
  const time = new SimulatedTime();
  const store = { kindAt: () => ENTRY.COMMAND, body: (index: number) => pack(log[index - 1]) };
  const directory = new Directory({
    world: simulatedWorld({ time, random: new SeededRandom(1), isAlive: () => true }),
    requests: { handle: () => {} } as unknown as Requests,
    self: SELF,
    systemStore: () => store as unknown as ShardStore,
    systemHint: () => null,
    isSuspect: () => false,
    proposeEntry: () => {},
    onPublished: (topology) => versions.push(topology.version),
    onLife: () => {},
    requestMs: 1000,
  });
  return { directory, versions };
}

/** What a host would give: the state after the first `count` commands. */
function stateAfter(count: number): TopologyState {
  return LOG.slice(0, count).reduce((state, command) => applyCommand(state, command).state, emptyState());
}

Deno.test("a directory is whole when the log has come to its own node's join, not before", () => {
  const { directory } = directoryOf(LOG);
  for (const [index, isWhole] of [[1, false], [2, false], [3, false], [4, true], [5, true]] as const) {
    directory.committed(index, index);
    assert.equal(directory.isWhole, isWhole, `after entry ${index}`);
  }
});

Deno.test("what a host gives is in force until the log has come so far, and is not whole", () => {
  const { directory, versions } = directoryOf(LOG);
  directory.publish(stateAfter(4), { isPartial: true });
  assert.deepEqual([directory.isWhole, versions], [false, [stateAfter(4).version]]);
  directory.committed(1, 3);
  assert.equal(versions.length, 1, "the past is not published");
  directory.committed(4, 4);
  assert.equal(directory.isWhole, true);
});

Deno.test("a host's answer that comes after the log leaves in force what the log has brought", () => {
  const { directory, versions } = directoryOf(LOG);
  directory.committed(1, 4);
  const before = versions.length;
  directory.publish(stateAfter(5), { isPartial: true });
  assert.deepEqual([directory.isWhole, versions.length], [true, before]);
});
