import type { ShardStore } from "../storage/mod.ts";
import { everyVoter } from "./configuration.ts";
import type { Replica } from "./replica.ts";
import { configurationOf, type ShardState } from "./shard_state.ts";

/** What can be asked of one node's replicas: the half of `Replication` that changes nothing. */
export abstract class ReplicaReader {
  /** @ignore by shard: for the driver that extends this */
  protected readonly replicas: (Replica | null)[] = [];

  /** True while this node has the writer's role, as far as it knows. */
  isWriter(shard: number): boolean {
    return this.replicas[shard]?.state.role === "writer";
  }

  /** The log held here, or null. */
  store(shard: number): ShardStore | null {
    return this.replicas[shard]?.state.store ?? null;
  }

  /** Last index that is known here to be committed; 0 where there is no copy. */
  commitIndex(shard: number): number {
    return this.replicas[shard]?.state.commit ?? 0;
  }

  /** The replica's state for reading: inspection, metrics, the simulator's checkers. */
  stateOf(shard: number): Readonly<ShardState> | null {
    return this.replicas[shard]?.state ?? null;
  }

  /** Shards of which there is a copy here. */
  heldShards(): number[] {
    return this.replicas.flatMap((replica) => replica ? [replica.state.shard] : []);
  }

  /** Incarnations with a vote, as far as this node knows. */
  members(shard: number): number[] {
    const replica = this.replicas[shard];
    return replica ? everyVoter(configurationOf(replica.state)) : [];
  }
}
