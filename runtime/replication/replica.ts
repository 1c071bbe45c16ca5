import type { RememberedCopy } from "../journal/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { noteConfiguration } from "./append.ts";
import { FreshReads } from "./fresh_reads.ts";
import { termBefore } from "./generations.ts";
import { newShardState, type ShardState } from "./shard_state.ts";
import { SenderOrder } from "./sender_order.ts";
import { WaitingList } from "./waiting.ts";

/** One replica and what its driver keeps beside it. */
export interface Replica {
  state: ShardState;
  waiting: WaitingList;
  order: SenderOrder;
  reads: FreshReads;
  isDirty: boolean;
  isAwake: boolean;
}

/** A replica that has just come: empty, or with the log that is remembered of an earlier life of the node. */
export function newReplica(
  about: { shard: number; self: number; members: number[]; generation: number },
  remembered: RememberedCopy<ShardStore> | null,
): Replica {
  const { shard, self, members, generation } = about;
  const store = remembered?.log ?? new ShardStore();
  const state = newShardState({ shard, self, store, configuration: { voters: members, old: null }, generation });
  state.term = termBefore(generation);
  if (remembered !== null) {
    // Who votes stands in the log, and the part that is there will not be given again.
    for (let index = 1; index <= store.lastIndex; index++) {
      if (store.kindAt(index) === ENTRY.CONFIG) noteConfiguration(state, index, store.body(index));
    }
    // As an earlier life would have done, it refuses writers of terms before those of its entries, and has no vote there.
    state.term = Math.max(state.term, store.lastTerm);
    state.votedFor = state.self;
    if (remembered.generation < generation) state.inheritedFrom = remembered.generation;
  }
  return {
    state,
    waiting: new WaitingList(),
    order: new SenderOrder(),
    reads: new FreshReads(),
    isDirty: false,
    isAwake: false,
  };
}
