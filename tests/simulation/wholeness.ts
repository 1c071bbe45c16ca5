/**
 * Wholeness: what keeps a cluster from being as placement wants it. Read from the nodes' own state, some times
 * a virtual second, so it is cheap: it stops at the first troubles.
 */
import { SYSTEM_SHARD } from "../../runtime/topology/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";

/** So many troubles say enough. */
const TROUBLES_MAX = 6;

/**
 * With `inPlace` whatever is not at rest: copies that lag, writers that are not the ones that placement names, nodes that
 * are not up. Without it what a crash now would add to: nodes that are down or have not joined anew, shards whose
 * committed members are not those that placement wants. Copies may lag then. A majority has whatever is committed, with the
 * members' own entry, so that two more may be lost; and under steady load some copy always lacks the very last entry: who
 * waits for all of them to be equal sees one crash in a simulation and no second. Nothing: the cluster is whole.
 */
export function unwhole(cluster: SimulatedCluster, { inPlace }: { inPlace: boolean }): string[] {
  const missing: string[] = [];
  const living = cluster.living();
  const versionOf = (node: SimulatedNode) => node.core.directory.topology?.version ?? 0;
  const versions = new Set(living.map(versionOf));
  if (inPlace && versions.size > 1) missing.push(`topology versions differ: ${[...versions].join(", ")}`);
  if (living.length < cluster.names.length) missing.push("a node is down");
  const newest = Math.max(...versions);
  const topology = living.find((node) => versionOf(node) === newest)?.core.directory.topology ?? null;
  if (topology === null || topology.state.born === null) return [...missing, "shards are not born"];
  for (const node of topology.state.nodes) {
    const life = cluster.nodes.get(node.name);
    if (life?.core.self.incarnation !== node.incarnation) missing.push(`${node.name} has not joined anew`);
    if (node.status !== "up") missing.push(`${node.name} is ${node.status}`);
  }
  if (missing.length > 0) return missing;
  const nodes = new Map(living.map((node) => [node.core.self.incarnation, node]));
  for (const shard of [SYSTEM_SHARD, ...topology.dataShards()]) {
    if (missing.length >= TROUBLES_MAX) break;
    const voters = topology.votersOf(shard).map((node) => node.incarnation);
    const trouble = troubleOf({ shard, voters, living, nodes, inPlace });
    if (trouble !== null) missing.push(`shard ${shard}: ${trouble}`);
  }
  return missing;
}

interface ShardQuestion {
  shard: number;
  /** as placement wants them, in slot order */
  voters: number[];
  living: SimulatedNode[];
  nodes: Map<number, SimulatedNode>;
  inPlace: boolean;
}

function troubleOf({ shard, voters, living, nodes, inPlace }: ShardQuestion): string | null {
  const writers = living.filter((node) => node.core.replication.isWriter(shard));
  if (writers.length !== 1) return `${writers.length} writers`;
  const { core } = writers[0];
  const state = core.replication.stateOf(shard)!;
  const { configuration, index } = state.configurations[state.configurations.length - 1];
  if (configuration.old !== null) return "a swap is under way";
  const { length } = configuration.voters;
  if (length !== voters.length || !voters.every((voter) => configuration.voters.includes(voter))) {
    return "members are not as placement wants";
  }
  if (state.commit < Math.max(index, state.termStart)) return "its members are not committed";
  if (inPlace && state.commit !== state.store.lastIndex) return "entries are not committed";
  for (const voter of voters) {
    const copy = nodes.get(voter)?.core.replication.stateOf(shard);
    if (!copy) return "a copy is missing";
    if (inPlace && copy.commit !== state.commit) return `a copy stands at ${copy.commit} of ${state.commit}`;
  }
  if (inPlace && shard !== SYSTEM_SHARD && core.self.incarnation !== voters[0]) {
    return "the writer is not the one that placement names";
  }
  return null;
}
