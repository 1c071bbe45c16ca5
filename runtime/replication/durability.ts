/**
 * Durability: what a copy may answer for when its node keeps a journal that is synced before anything is acknowledged.
 *
 * Entries are in memory at once, and are sent on at once; but a follower answers for no more of them than are synced, and a
 * writer counts its own copy no further. So a majority of journals has whatever was committed: that, and not the votes of
 * processes that are no more, is what a cluster is revived from. Without such a journal `durable` is infinite, and all
 * of this is nothing.
 */
import { advanceCommit, answerAppend, followCommit } from "./append.ts";
import type { RaftMessage } from "./raft_message.ts";
import type { ShardEnv, ShardState } from "./shard_state.ts";

/** An answer that waits for the journal. */
export interface OwedAnswer {
  to: number;
  term: number;
  session: number;
  round: number;
  /** last index that is known to be equal to the writer's */
  index: number;
  sinceMs: number;
}

/** What a replica has given to its journal. */
export interface JournalMark {
  /** entries that the journal has been given, as they stand */
  given: number;
  /** last entry that it has of this copy, taken back meanwhile or not */
  end: number;
  /** given, and not safe yet; oldest first */
  open: { upTo: number }[];
  /** it stands in the driver's list of those with something to give */
  isListed: boolean;
}

/** A writer takes a silent peer for lost, so who waits for a slow disk says that it lives, ms. */
const SAY_AFTER_MS = 100;

/** Answers the writer's append up to `index`, or as soon as that is durable. */
export function acknowledge(
  state: ShardState,
  env: ShardEnv,
  to: number,
  append: RaftMessage,
): void {
  const { round, session } = append;
  const index = append.index + append.count;
  followCommit(state, env, Math.min(append.commit, index));
  const { owed, durable, term } = state;
  if (index <= durable) return answerAppend(state, env, to, append, { ok: true, index });
  const isSame = owed !== null && owed.to === to && owed.term === term && owed.session === session;
  if (!isSame) state.owed = { to, term, session, round, index, sinceMs: env.nowMs };
  else {
    owed.index = Math.max(owed.index, index);
    owed.round = Math.max(owed.round, round);
  }
  if (env.nowMs - state.owed!.sinceMs < SAY_AFTER_MS) return;
  state.owed!.sinceMs = env.nowMs;
  answerAppend(state, env, to, append, { ok: true, index: durable });
}

/** Says to who waits for an answer that the disk is what keeps it; true: it does. */
export function sayWaiting(state: ShardState, env: ShardEnv): boolean {
  const { owed } = state;
  if (owed === null || owed.term !== state.term || owed.to !== state.writer) return false;
  if (env.nowMs - owed.sinceMs < SAY_AFTER_MS) return true;
  owed.sinceMs = env.nowMs;
  answerAppend(state, env, owed.to, owed, { ok: true, index: Math.min(owed.index, state.durable) });
  return true;
}

/** The journal has synced entries up to `index`. */
export function becameDurable(state: ShardState, env: ShardEnv, index: number): void {
  if (index <= state.durable) return;
  state.durable = index;
  if (state.role === "writer") return advanceCommit(state, env);
  const { owed } = state;
  if (owed === null) return;
  const isVoid = owed.term !== state.term || owed.to !== state.writer;
  if (isVoid || index >= owed.index) state.owed = null;
  if (isVoid) return;
  answerAppend(state, env, owed.to, owed, { ok: true, index: Math.min(index, owed.index) });
}

/** Entries from `index` on have been taken back: what was given of them, and is under way, counts no more. */
export function takeBack(state: ShardState, index: number): void {
  const { journal } = state;
  if (journal === null) return;
  journal.given = Math.min(journal.given, index - 1);
  for (const one of journal.open) one.upTo = Math.min(one.upTo, index - 1);
  if (state.durable !== Infinity) state.durable = Math.min(state.durable, index - 1);
  state.owed = null;
}
