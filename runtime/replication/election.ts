/**
 * Elections: placement says who should be writer, logs say who may.
 *
 * They start on suspicion, never on a clock alone, and always with a pre-vote: a voter says yes only if the candidate's
 * log is complete enough *and* it has no working writer itself, so a node that merely lost sight of the writer disturbs
 * nobody. Voters campaign in placement order, a stagger apart; a pre-vote refused because the candidate's log is behind
 * makes the refusing voter campaign at once: its log may win.
 *
 * Source: Ongaro, "Consensus: Bridging Theory and Practice", 3.4, 4.2.3, 9.6.
 */
import { everyVoter, hasMajority } from "./configuration.ts";
import { becomeWriter, doubtWriter, sendAppend } from "./append.ts";
import { blankMessage, RAFT, type RaftMessage } from "./raft_message.ts";
import {
  configurationOf,
  endOfLog,
  hasWorkingWriter,
  mayStand,
  type ShardEnv,
  type ShardState,
} from "./shard_state.ts";

const OUT = blankMessage();

/**
 * Plans an election where there is no working writer: in placement order, by the stagger; from the second round on
 * with chance, so that two candidates who split the votes do not do so again.
 */
export function planElection(state: ShardState, env: ShardEnv): void {
  // asked after every record: what is so nearly always is looked at first
  if (state.role === "writer") {
    state.campaignAtMs = Infinity;
    return;
  }
  if (hasWorkingWriter(state, env)) {
    state.campaignAtMs = Infinity;
    state.electionRounds = 0;
    return;
  }
  if (!mayStand(state)) {
    state.campaignAtMs = Infinity;
    return;
  }
  if (state.campaignAtMs !== Infinity) return;
  let rank = 0;
  for (const voter of everyVoter(configurationOf(state))) {
    if (voter === state.self) break;
    if (!env.isSuspect(voter)) rank++;
  }
  const staggerMs = env.staggerMs();
  // Later rounds wait longer, so that a shard without a majority does not fill the wires; but not much longer, or it
  // sleeps on when its majority is back.
  const chanceMs = state.electionRounds === 0 ? 0 : env.random() * staggerMs * Math.min(8, 2 ** state.electionRounds);
  state.campaignAtMs = env.nowMs + rank * staggerMs + chanceMs;
}

/** Starts the planned election when its time has come. */
export function campaignIfDue(state: ShardState, env: ShardEnv): void {
  if (env.nowMs < state.campaignAtMs) return;
  state.campaignAtMs = Infinity;
  if (state.role === "writer" || hasWorkingWriter(state, env)) return;
  state.electionRounds++;
  startPreVote(state, env);
  planElection(state, env);
}

function startPreVote(state: ShardState, env: ShardEnv): void {
  if (!mayStand(state) || endOfLog(state).index > state.store.lastIndex) return;
  state.role = "pre-candidate";
  state.writer = 0;
  askForVotes(state, env, { type: RAFT.PRE_VOTE, term: state.term + 1, handedOver: false });
}

/** Starts a real election: after a won pre-vote, or at once when the writer hands over. */
export function startElection(state: ShardState, env: ShardEnv, handedOver: boolean): void {
  if (!mayStand(state) || state.role === "writer") return;
  state.role = "candidate";
  state.term++;
  state.votedFor = state.self;
  state.writer = 0;
  askForVotes(state, env, { type: RAFT.VOTE, term: state.term, handedOver });
}

function askForVotes(
  state: ShardState,
  env: ShardEnv,
  ask: { type: number; term: number; handedOver: boolean },
): void {
  env.campaigns?.(state, ask.term, ask.type === RAFT.VOTE);
  state.votes.clear();
  state.votes.add(state.self);
  if (countVotes(state, env)) return;
  for (const voter of everyVoter(configurationOf(state))) {
    if (voter === state.self) continue;
    OUT.type = ask.type;
    OUT.shard = state.shard;
    OUT.generation = state.generation;
    OUT.term = ask.term;
    OUT.flag = ask.handedOver ? 1 : 0;
    OUT.index = state.store.lastIndex;
    OUT.logTerm = state.store.lastTerm;
    env.send(voter, OUT);
  }
}

function countVotes(state: ShardState, env: ShardEnv): boolean {
  if (!hasMajority(configurationOf(state), (voter) => state.votes.has(voter))) return false;
  if (state.role === "pre-candidate") startElection(state, env, false);
  else becomeWriter(state, env);
  return true;
}

function isComplete(state: ShardState, message: RaftMessage): boolean {
  const { term, index } = endOfLog(state);
  return message.logTerm > term || (message.logTerm === term && message.index >= index);
}

/** A peer asks whether it would be elected; nothing of this replica changes but its own plans. */
export function onPreVote(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  // A writer that asks has stepped down; and where a later term has been reached, which takes a won pre-vote, the writer
  // of an earlier one is none. Without these two a voter that slept through an election blocks the next for ever.
  const { role, term } = state;
  if (role !== "writer" && (state.writer === from || message.term > term + 1)) state.writer = 0;
  const working = hasWorkingWriter(state, env);
  const complete = isComplete(state, message);
  const granted = message.term > state.term && complete && !working;
  // Who asks a working writer has lost sight of it, and a quiet shard would never let it know.
  const peer = role === "writer" ? state.peers.get(from) : undefined;
  if (peer !== undefined) sendAppend(state, env, peer, true);
  else doubtWriter(state, env);
  answer(state, env, from, {
    type: RAFT.PRE_VOTE_ANSWER,
    term: granted ? message.term : state.term,
    flag: granted ? 1 : complete || working ? 0 : 2,
  });
  if (!working && !complete && state.role !== "writer" && state.campaignAtMs > env.nowMs) {
    state.campaignAtMs = env.nowMs;
  }
}

/** The answer to a pre-vote. */
export function onPreVoteAnswer(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  if (state.role !== "pre-candidate") return;
  if (message.flag === 1 && message.term === state.term + 1) {
    state.votes.add(from);
    countVotes(state, env);
  }
}

/** A peer asks for this replica's vote in `message.term`; the caller has taken over a higher term already. */
export function onVote(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  const granted = message.term === state.term && (state.votedFor === 0 || state.votedFor === from) &&
    state.role !== "writer" && isComplete(state, message);
  if (granted) {
    state.votedFor = from;
    // Give the candidate time to win before standing against it.
    state.campaignAtMs = Infinity;
    planElection(state, env);
    if (state.campaignAtMs !== Infinity) state.campaignAtMs += 4 * env.staggerMs();
  }
  answer(state, env, from, { type: RAFT.VOTE_ANSWER, term: state.term, flag: granted ? 1 : 0 });
}

/** The answer to a request for a vote. */
export function onVoteAnswer(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  if (state.role !== "candidate" || message.term !== state.term || message.flag !== 1) return;
  state.votes.add(from);
  countVotes(state, env);
}

function answer(state: ShardState, env: ShardEnv, to: number, say: { type: number; term: number; flag: number }): void {
  OUT.type = say.type;
  OUT.shard = state.shard;
  OUT.generation = state.generation;
  OUT.term = say.term;
  OUT.flag = say.flag;
  OUT.index = state.store.lastIndex;
  env.send(to, OUT);
}
