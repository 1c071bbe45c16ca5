/**
 * Leaving: a copy that nobody wants asks the writer to be let go, and keeps everything until that says so: the writer may
 * still count on what it has. From the moment the writer lets it go, nothing that it ever acknowledged counts.
 *
 * The permission names how many appends the copy had received when it asked. One more in between means that it is
 * wanted again, and voids the permission however late that arrives.
 */
import { blankMessage, RAFT, type RaftMessage } from "./raft_message.ts";
import { endOfLog, type ShardEnv, type ShardState } from "./shard_state.ts";
import { isWanted, letsGo } from "./swap.ts";

/**
 * What copies that have left may not forget: their term and how far their log went. Without it a writer that slept
 * through its own removal could find a majority among the forgetful.
 */
export class Departed {
  readonly #left: ({ generation: number; term: number; floor: { term: number; index: number } } | undefined)[] = [];

  /** The copy goes, with the permission of a writer of `letGoInTerm`. */
  remember(state: ShardState, letGoInTerm: number): void {
    const { shard, generation, term } = state;
    this.#left[shard] = { generation, term: Math.max(term, letGoInTerm), floor: endOfLog(state) };
  }

  /** A copy of the same shard comes: it takes up the term, without a vote in it. */
  recall(state: ShardState): void {
    const left = this.#left[state.shard];
    // What was promised in a generation that has ended binds nobody.
    if (left === undefined || left.generation !== state.generation) return;
    state.term = left.term;
    state.votedFor = state.self;
    state.floor = left.floor;
  }
}

/** Asks `writer` to be let go. */
export function askToLeave(state: ShardState, env: ShardEnv, writer: number): void {
  const { shard, generation, term, appendsSeen } = state;
  env.send(writer, { ...blankMessage(), type: RAFT.LEAVING, shard, generation, term, index: appendsSeen });
}

/** A copy asks to be let go. */
export function onLeaving(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  if (!letsGo(state, from)) return;
  state.peers.delete(from);
  const { shard, generation, term } = state;
  env.send(from, { ...blankMessage(), type: RAFT.GONE, shard, generation, term, index: message.index });
}

/** True when the permission holds and this copy may free its memory. */
export function mayGo(state: ShardState, message: RaftMessage): boolean {
  const isVoid = message.term < state.term || message.index !== state.appendsSeen;
  return !isVoid && state.role !== "writer" && !isWanted(state, state.self);
}
