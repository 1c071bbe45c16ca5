/**
 * Step: one event of one replica. Nothing here waits, reads a clock or sends by itself: time, chance and the way out
 * come with `env`, so the same events give the same replica, in the simulator as on a real node.
 */
import { assert } from "../base/mod.ts";
import { becomeFollower, doubtWriter, onAppend, onAppendAnswer, sendAll, tickWriter } from "./append.ts";
import { campaignIfDue, onPreVote, onPreVoteAnswer, onVote, onVoteAnswer, planElection } from "./election.ts";
import { continueHandOver, onHandOver } from "./hand_over.ts";
import { onLeaving } from "./leaving.ts";
import { TERMS_PER_GENERATION } from "./generations.ts";
import { RAFT, type RaftMessage } from "./raft_message.ts";
import type { ShardEnv, ShardState } from "./shard_state.ts";
import { manageMembers } from "./swap.ts";

/** A term takes an election; nobody has been away for a million of them, but a broken peer may say so. */
const TERM_LEAP_MAX = TERMS_PER_GENERATION;

/** A record has arrived from a peer. */
export function stepMessage(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  assert(message.generation === state.generation, "the driver has seen to the generation");
  if (message.term > state.term + TERM_LEAP_MAX) return;
  // Pre-votes speak of a term that does not exist yet: they change nobody's.
  const speculative = message.type === RAFT.PRE_VOTE ||
    (message.type === RAFT.PRE_VOTE_ANSWER && message.flag === 1);
  if (!speculative && message.term > state.term) {
    becomeFollower(state, env, { term: message.term, writer: message.type === RAFT.APPEND ? from : 0 });
  }
  switch (message.type) {
    case RAFT.APPEND:
      onAppend(state, env, from, message);
      if (state.writer !== from || state.role !== "follower") break;
      // It has just been heard: there is nothing to plan, and this is asked for every append.
      state.campaignAtMs = Infinity;
      return;
    case RAFT.APPEND_ANSWER:
      onAppendAnswer(state, env, from, message);
      if (state.handOverTo !== 0) continueHandOver(state, env);
      else if (state.settling && state.role === "writer") state.settling = manageMembers(state, env);
      break;
    case RAFT.PRE_VOTE:
      onPreVote(state, env, from, message);
      break;
    case RAFT.PRE_VOTE_ANSWER:
      onPreVoteAnswer(state, env, from, message);
      break;
    case RAFT.VOTE:
      onVote(state, env, from, message);
      break;
    case RAFT.VOTE_ANSWER:
      onVoteAnswer(state, env, from, message);
      break;
    case RAFT.HAND_OVER:
      onHandOver(state, env, from, message);
      break;
    case RAFT.RESIGNED:
      if (message.term === state.term && state.writer === from) state.writer = 0;
      break;
    case RAFT.LEAVING:
      // In a later term than the writer's, as after an election that it lost, it has deposed that writer by now: only a
      // writer of no earlier term can let it go, and it would never win one.
      onLeaving(state, env, from, message);
      break;
  }
  planElection(state, env);
}

/** Time has passed; false when this replica has nothing to do until the next event. */
export function stepTick(state: ShardState, env: ShardEnv): boolean {
  if (state.role === "writer") {
    continueHandOver(state, env);
    if (state.settling) state.settling = manageMembers(state, env);
    sendAll(state, env);
    return tickWriter(state, env) || state.settling;
  }
  planElection(state, env);
  campaignIfDue(state, env);
  return state.campaignAtMs !== Infinity;
}

/** Somebody wants this replica's writer and there is none: a member then starts an election instead of waiting. */
export function stepAsked(state: ShardState, env: ShardEnv): void {
  planElection(state, env);
  doubtWriter(state, env);
}
