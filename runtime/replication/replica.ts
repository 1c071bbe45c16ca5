import type { FreshReads } from "./fresh_reads.ts";
import type { ShardState } from "./shard_state.ts";
import type { SenderOrder, WaitingList } from "./waiting.ts";

/** One replica and what its driver keeps beside it. */
export interface Replica {
  state: ShardState;
  waiting: WaitingList;
  order: SenderOrder;
  reads: FreshReads;
  isDirty: boolean;
  isAwake: boolean;
}
