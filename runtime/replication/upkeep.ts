/**
 * Upkeep: what the driver looks after beside single events. Small questions about one replica, asked from time to time.
 */
import { configurationIndexOf, configurationOf, type ShardEnv, type ShardState } from "./shard_state.ts";
import { hasMajority, isVoter, sameVoters } from "./configuration.ts";
import { isCaughtUp } from "./hand_over.ts";
import { SYSTEM_SHARD } from "../topology/mod.ts";
import type { Need } from "./pace.ts";
import type { Replica } from "./replica.ts";

/** True when the writer should look at its members again: placement names another writer, or others than it feeds. */
export function looksAgain({ desired, self, peers }: ShardState): boolean {
  if (desired === null) return false;
  return desired.voters[0] !== self || peers.size !== desired.voters.length + desired.learners.length - 1;
}

/**
 * Why the writer of this shard makes a new copy.
 *
 * @param receiptCopies copies that a receipt needs, as far as placement wants so many
 */
export function needOf({ shard, desired, peers }: ShardState, receiptCopies: number): Need {
  if (shard === SYSTEM_SHARD) return "topology";
  if (desired === null) return "none";
  let held = 1;
  for (const peer of peers.list) if (peer.settled) held++;
  return held < Math.min(receiptCopies, desired.voters.length + desired.learners.length) ? "receipts" : "none";
}

/** A copy that has not answered for so long holds up none but itself. */
const CATCH_UP_STALLED_MS = 2000;

/** Copies that these replicas' writers are bringing up to date, those that have stopped answering left out. */
export function openCatchUps(replicas: Iterable<Replica>, env: ShardEnv): number {
  let open = 0;
  for (const { state } of replicas) {
    if (state.role !== "writer") continue;
    for (const peer of state.peers.list) {
      if (peer.settled) continue;
      if (env.nowMs - peer.answeredAtMs < CATCH_UP_STALLED_MS && !env.isSuspect(peer.incarnation)) open++;
    }
  }
  return open;
}

/** True while the writer has something to wait for: a commit, a change of members, a peer that lacks an entry. */
export function isUnsettled({ peers, store, commit, settling, handOverTo }: ShardState): boolean {
  if (commit < store.lastIndex || settling || handOverTo !== 0) return true;
  for (const peer of peers.list) if (peer.match < store.lastIndex || peer.commit < commit) return true;
  return false;
}

/**
 * Whom a copy that nobody wants may ask to be let go. The writer that it knew may be one no more: each time somebody else
 * is asked.
 *
 * @param hinted the writer by hearsay; 0 none
 */
export function whomToAsk(
  state: ShardState,
  hinted: number,
  isSuspect: (incarnation: number) => boolean,
): number | null {
  const candidates = [state.writer, hinted, ...state.desired?.voters ?? []].filter((one) =>
    one !== 0 && one !== state.self && !isSuspect(one)
  );
  return candidates.length === 0 ? null : candidates[state.leavesAsked++ % candidates.length];
}

/** True when this copy votes, and so many of the others do not answer that the shard stands still. */
export function lacksMajority(state: ShardState, isSuspect: (incarnation: number) => boolean): boolean {
  const configuration = configurationOf(state);
  if (!isVoter(configuration, state.self)) return false;
  return !hasMajority(configuration, (voter) => voter === state.self || !isSuspect(voter));
}

/** Sums for metrics. */
export function countReplicas(
  replicas: readonly (Replica | null | undefined)[],
): { replicas: number; writers: number; bytes: number } {
  const counts = { replicas: 0, writers: 0, bytes: 0 };
  for (const replica of replicas) {
    if (!replica) continue;
    counts.replicas++;
    counts.bytes += replica.state.store.bytes;
    if (replica.state.role === "writer") counts.writers++;
  }
  return counts;
}

/**
 * True when this copy writes, and the shard has all its copies where placement wants them: no change of members is under
 * way, everybody who should hold it answers, has (nearly) the whole log, and they are `copies` at least.
 *
 * @param options.isGoing whose copy is not counted on any more, though placement still gives it one
 */
export function isWhole(
  state: Readonly<ShardState>,
  { copies, isSuspect, isGoing }: {
    copies: number;
    isSuspect: (incarnation: number) => boolean;
    isGoing: (incarnation: number) => boolean;
  },
): boolean {
  const { role, desired, commit, termStart, self } = state;
  if (role !== "writer" || desired === null || commit < termStart) return false;
  const { voters, old } = configurationOf(state);
  if (old !== null || commit < configurationIndexOf(state) || !sameVoters(voters, desired.voters)) return false;
  const wanted = [...desired.voters, ...desired.learners].filter((one) => one === self || !isGoing(one));
  return wanted.length >= copies && wanted.every((one) => one === self || (!isSuspect(one) && isCaughtUp(state, one)));
}
