/**
 * What is still to be moved: the shards written here whose members are not yet the ones that placement names. Over all
 * nodes their sum is 0, and the writers' sum the number of shards, when every copy is back where it belongs.
 */
import type { Replication } from "../replication/mod.ts";
import type { Topology } from "../topology/mod.ts";

/** Counts them; 0 before the topology is known. */
export function shardsMoving(topology: Topology | null, replication: Replication): number {
  if (topology === null || topology.state.born === null) return 0;
  let moving = 0;
  for (const shard of topology.dataShards()) {
    if (!replication.isWriter(shard)) continue;
    const members = new Set(replication.members(shard));
    const wanted = topology.votersOf(shard);
    if (members.size !== wanted.length || wanted.some(({ incarnation }) => !members.has(incarnation))) moving++;
  }
  return moving;
}
