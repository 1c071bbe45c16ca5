/**
 * Hand-over: the writer's role goes to the member that placement names, without a moment in which a message can be
 * lost: the successor must have every entry, then it is told to stand for election at once. Until it has won, proposals
 * are told to come again in a moment. Without success in time the writer goes on as before.
 *
 * Source: Ongaro's thesis, 3.10 (leadership transfer).
 */
import { CAUGHT_UP_ENTRIES, refuse } from "./append.ts";
import { everyVoter } from "./configuration.ts";
import { startElection } from "./election.ts";
import { blankMessage, RAFT, type RaftMessage } from "./raft_message.ts";
import { configurationOf, type ShardEnv, type ShardState } from "./shard_state.ts";

const OUT = blankMessage();

/** How long a hand-over may take before the writer takes proposals again. */
export const HAND_OVER_MS_MAX = 1000;
/** After a hand-over that failed the writer takes proposals for so long before it tries again. */
const HAND_OVER_PAUSE_MS = 5000;

/** True when a peer has so nearly the whole log that it has the rest within a round trip. */
export function isCaughtUp(state: ShardState, incarnation: number): boolean {
  const match = state.peers.get(incarnation)?.match ?? 0;
  return match > 0 && match + CAUGHT_UP_ENTRIES >= state.store.lastIndex;
}

/** The voters beside this one that the role could go to, now or when they have caught up. */
function candidates(state: ShardState, env: ShardEnv): number[] {
  return everyVoter(configurationOf(state)).filter((voter) =>
    voter !== state.self && !env.isSuspect(voter) && !env.isLeaving(voter)
  );
}

/** True when there is somebody else with a vote who stays. */
export function hasSuccessor(state: ShardState, env: ShardEnv): boolean {
  return candidates(state, env).length > 0;
}

/** Begins to hand over to whoever can take it, rather to one that has been up for a while. */
export function handOverToAny(state: ShardState, env: ShardEnv): void {
  const able = candidates(state, env).filter((voter) => isCaughtUp(state, voter));
  const successor = able.find((voter) => env.isStable(voter)) ?? able[0];
  if (successor !== undefined) startHandOver(state, env, successor);
}

/** Begins to hand over to `successor`, a voter. */
export function startHandOver(state: ShardState, env: ShardEnv, successor: number): void {
  const peer = state.peers.get(successor);
  if (peer === undefined || state.handOverTo !== 0 || env.nowMs < state.handOverNotBeforeMs) return;
  state.handOverTo = successor;
  state.handOverUntilMs = env.nowMs + HAND_OVER_MS_MAX;
  continueHandOver(state, env);
}

/** Tells the successor once it has every entry; gives up when time is out. */
export function continueHandOver(state: ShardState, env: ShardEnv): void {
  if (state.handOverTo === 0) return;
  if (env.nowMs >= state.handOverUntilMs || env.isSuspect(state.handOverTo)) {
    state.handOverTo = 0;
    state.handOverNotBeforeMs = env.nowMs + HAND_OVER_PAUSE_MS;
    return;
  }
  const peer = state.peers.get(state.handOverTo);
  if (peer === undefined || peer.match !== state.store.lastIndex || state.commit !== state.store.lastIndex) return;
  OUT.type = RAFT.HAND_OVER;
  OUT.shard = state.shard;
  OUT.generation = state.generation;
  OUT.term = state.term;
  OUT.flag = 0;
  OUT.index = state.store.lastIndex;
  env.send(state.handOverTo, OUT);
}

/** The writer of this term asks this replica to take over. */
export function onHandOver(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  // A writer that was deposed while its shard was quiet learns it here, or never.
  if (message.term < state.term) refuse(state, env, from);
  // A member that has lost sight of the writer may be asked all the same: an election is safe whoever asks for it.
  const isOfWriter = state.writer === from || state.writer === 0;
  if (message.term !== state.term || !isOfWriter || message.index !== state.store.lastIndex) return;
  startElection(state, env, true);
}
