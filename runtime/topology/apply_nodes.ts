/**
 * Commands about nodes. The rules that look fussy: an incarnation that was replaced or removed never comes back (it may
 * have voted); the last node that is up stays; one data center at most is absent unless an operator insists, since two
 * that cannot see each other would otherwise each declare the other lost.
 */
import { accepted, type Change, type Refused, refused } from "./change.ts";
import type { JoiningNode } from "./command.ts";
import { assignHomes } from "./homes.ts";
import { compareText, parseNodeName } from "./node_name.ts";
import { Placement, votersAmong } from "./placement.ts";
import { DATA_SHARDS, isUsed } from "./shard.ts";
import { GONE_MAX, NODES_MAX, type NodeStatus, PAST_MAX, type TopologyNode, type TopologyState } from "./state.ts";

/** A node is up, for the first time or anew. */
export function join(state: TopologyState, joining: JoiningNode): Change | Refused {
  const { name, incarnation, address, http, mllp, protocol = 1 } = joining;
  if (protocol < state.spoken) {
    return refused(
      "topology/wrong-protocol",
      `Cannot join "${name}" as it must speak version ${state.spoken} of the protocol: it speaks ${protocol}`,
    );
  }
  if (state.past.includes(incarnation)) {
    return refused("topology/incarnation-gone", `Cannot join "${name}" as this life of it was replaced or removed`);
  }
  const other = state.nodes.find((node) => node.incarnation === incarnation && node.name !== name);
  if (other !== undefined) {
    return refused("topology/incarnation-taken", `Cannot join "${name}" as its incarnation is that of "${other.name}"`);
  }
  const before = state.nodes.find((node) => node.name === name);
  if (before === undefined && state.nodes.length >= NODES_MAX) {
    return refused("topology/too-many-nodes", `Cannot join "${name}" as a cluster has at most ${NODES_MAX} nodes`);
  }
  const again = before?.incarnation === incarnation;
  const status: NodeStatus = again && before.status === "draining" ? "draining" : "up";
  const same = again && before.status === status && before.address === address && before.http === http &&
    before.mllp === mllp && before.protocol === protocol;
  if (same) return accepted({});

  const node = { name, ...parseNodeName(name), incarnation, address, http, mllp, status, protocol };
  const nodes = [...state.nodes.filter((one) => one !== before), node].sort((a, b) => compareText(a.name, b.name));
  const fields: Change["fields"] = { nodes };
  if (before !== undefined && !again) fields.past = remember(state.past, before.incarnation, PAST_MAX);
  if (state.gone.includes(name)) fields.gone = state.gone.filter((gone) => gone !== name);
  const next = { ...state, ...fields };
  if (state.born === null) return usable(nodes).length < state.expect ? accepted(fields) : giveBirth(next, fields);
  return accepted({ ...fields, ...rehomed(next) });
}

/** The shards are born on the nodes that there are, fewer than expected maybe. */
export function birth(state: TopologyState): Change | Refused {
  if (state.born !== null) {
    return refused("topology/already-born", `Cannot give birth to the shards as they are: since ${state.born.version}`);
  }
  if (usable(state.nodes).length === 0) {
    return refused("topology/no-node", "Cannot give birth to the shards as no node is up");
  }
  return giveBirth(state, {});
}

/** Incarnations are believed lost. Those that the topology does not know, or not any more, are passed over. */
export function absent(state: TopologyState, incarnations: number[], force: boolean): Change | Refused {
  const lost = new Set(incarnations);
  const nodes = state.nodes.map((node) => lost.has(node.incarnation) ? withStatus(node, "absent") : node);
  if (nodes.every((node, i) => node === state.nodes[i])) return accepted({});
  if (usable(nodes).length === 0) return lastNode("declare the nodes absent");
  // Single nodes may be lost in several data centers; it is whole ones of which a second asks for an operator.
  const dataCenters = new Set(
    dataCentersOf(nodes).filter((name) => nodes.every((node) => node.dataCenter !== name || node.status === "absent")),
  );
  if (dataCenters.size > 1 && !force) {
    const names = [...dataCenters].sort(compareText).slice(0, 10).join(", ");
    return refused(
      "topology/too-many-absent",
      `Cannot declare the nodes absent as one data center at most may be without force: ${names} would be`,
    );
  }
  return accepted({ nodes });
}

/** Incarnations that were absent are back. */
export function present(state: TopologyState, incarnations: number[]): Change | Refused {
  const back = new Set(incarnations);
  const nodes = state.nodes.map((node) =>
    back.has(node.incarnation) && node.status === "absent" ? withStatus(node, "up") : node
  );
  return accepted(nodes.every((node, i) => node === state.nodes[i]) ? {} : { nodes });
}

/** A node gives away its copies. */
export function drain(state: TopologyState, name: string, incarnation?: number): Change | Refused {
  const node = state.nodes.find((one) => one.name === name);
  if (node === undefined) return noSuchNode("drain", name);
  if (incarnation !== undefined && incarnation !== node.incarnation) return accepted({});
  if (node.status === "draining") return accepted({});
  if (node.status === "absent") {
    return refused("topology/node-absent", `Cannot drain "${name}" as it is absent: its copies are being replaced`);
  }
  const nodes = state.nodes.map((one) => one === node ? withStatus(one, "draining") : one);
  return usable(nodes).length === 0 ? lastNode(`drain "${name}"`) : accepted({ nodes });
}

/** A node is gone for good; its name may join again, this life of it may not. */
export function remove(state: TopologyState, name: string, incarnation?: number): Change | Refused {
  const node = state.nodes.find((one) => one.name === name);
  if (node === undefined) return state.gone.includes(name) ? accepted({}) : noSuchNode("remove", name);
  if (incarnation !== undefined && incarnation !== node.incarnation) return accepted({});
  const nodes = state.nodes.filter((one) => one !== node);
  if (usable(nodes).length === 0) return lastNode(`remove "${name}"`);
  const fields = {
    nodes,
    gone: remember(state.gone, name, GONE_MAX),
    past: remember(state.past, node.incarnation, PAST_MAX),
  };
  return accepted({ ...fields, ...(state.born === null ? {} : rehomed({ ...state, ...fields })) });
}

function giveBirth(state: TopologyState, fields: Change["fields"]): Change {
  const homes = assignHomes(dataCentersOf(state.nodes), []);
  const placement = new Placement({ ...state, homes });
  const members = Array.from(
    { length: DATA_SHARDS },
    (_, shard) =>
      isUsed(shard, state.shardsPerSet) ? votersAmong(placement.nodesOf(shard)).map((node) => node.incarnation) : [],
  );
  return accepted({ ...fields, homes, born: { version: state.version + 1, members } }, { born: true });
}

/** New homes where data centers came or went; nothing where the old ones still do. */
function rehomed(state: TopologyState): Change["fields"] {
  const homes = assignHomes(dataCentersOf(state.nodes), state.homes);
  return homes.every((home, set) => home === state.homes[set]) ? {} : { homes };
}

function dataCentersOf(nodes: readonly TopologyNode[]): string[] {
  return nodes.map((node) => node.dataCenter);
}

function usable(nodes: readonly TopologyNode[]): TopologyNode[] {
  return nodes.filter((node) => node.status === "up");
}

function withStatus(node: TopologyNode, status: NodeStatus): TopologyNode {
  return node.status === status ? node : { ...node, status };
}

function remember<T>(list: readonly T[], one: T, max: number): T[] {
  return [...list, one].slice(-max);
}

function noSuchNode(action: string, name: string): Refused {
  return refused("topology/no-such-node", `Cannot ${action} "${name}" as the topology has no node of that name`);
}

function lastNode(action: string): Refused {
  return refused("topology/last-node", `Cannot ${action} as no other node would be up`);
}
