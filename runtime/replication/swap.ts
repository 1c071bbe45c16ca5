/**
 * Swap: from the members that a shard has to those that placement wants, in one joint step.
 *
 * A newcomer first catches up as a learner; only when all newcomers hold (nearly) the whole log is the joint
 * configuration appended. Add-then-remove would have a moment in which four of six voters are needed and losing one
 * data center stops the shard. A writer never swaps itself out: it hands over first, and where none of the wanted
 * members has a vote yet, it swaps to the wanted set with itself in place of the last, and hands over then.
 *
 * Pitfalls closed (thesis, 4.3 and the 2015 erratum): one change at a time; none before an entry of the own term is
 * committed; leavers are served until they know that the change is committed, and free their memory only then.
 */
import { addPeer, advanceCommit, appendConfiguration, resign } from "./append.ts";
import { holds, isVoter, sameVoters } from "./configuration.ts";
import { handOverToAny, isCaughtUp, startHandOver } from "./hand_over.ts";
import { configurationIndexOf, configurationOf, type Desired, type ShardEnv, type ShardState } from "./shard_state.ts";

/** The writer's next step towards placement; true while there is something to wait for. */
export function manageMembers(state: ShardState, env: ShardEnv): boolean {
  const { desired } = state;
  if (state.role !== "writer" || desired === null || desired.voters.length === 0) return false;
  if (state.commit < state.termStart || state.handOverTo !== 0) return true;
  const configuration = configurationOf(state);
  if (configuration.old !== null) {
    if (state.commit < configurationIndexOf(state)) return true;
    appendConfiguration(state, env, { voters: configuration.voters, old: null });
    advanceCommit(state, env);
    return true;
  }
  if (state.commit < configurationIndexOf(state)) return true;
  if (!isVoter(configuration, state.self)) {
    // Elected while a swap was under way that leaves it out: it has brought that to its end, and goes.
    handOverToAny(state, env);
    if (state.handOverTo === 0) resign(state, env);
    return true;
  }
  const wantsLearners = keepLearners(state, env, desired.learners);
  const leaving = dismissLeavers(state, env);
  if (!sameVoters(configuration.voters, desired.voters)) {
    swapTo(state, env, desired.voters);
    return true;
  }
  const named = desired.voters[0];
  const mayTakeOver = named !== state.self && !env.isSuspect(named) && env.isStable(named) && isCaughtUp(state, named);
  if (mayTakeOver) startHandOver(state, env, named);
  return wantsLearners || leaving || state.handOverTo !== 0;
}

function swapTo(state: ShardState, env: ShardEnv, wanted: number[]): void {
  const { voters } = configurationOf(state);
  let target = wanted;
  if (!wanted.includes(state.self)) {
    const successor = wanted.find((v) =>
      voters.includes(v) && !env.isSuspect(v) && !env.isLeaving(v) && isCaughtUp(state, v)
    );
    if (successor !== undefined) {
      startHandOver(state, env, successor);
      return;
    }
    // Two voters for a moment: the majority of two is both.
    target = wanted.length === 1 ? [wanted[0], state.self] : [...wanted.slice(0, -1), state.self];
    if (sameVoters(voters, target)) return;
  }
  target = asManyAsAnswer(state, env, target);
  let ready = true;
  for (const newcomer of target) {
    if (newcomer === state.self || voters.includes(newcomer)) continue;
    if (!state.peers.has(newcomer)) {
      if (env.isSuspect(newcomer) || !env.mayCatchUp(state, newcomer)) {
        ready = false;
        continue;
      }
      addPeer(state, env, newcomer);
    }
    if (!isCaughtUp(state, newcomer) || env.isSuspect(newcomer)) ready = false;
  }
  if (!ready) return;
  appendConfiguration(state, env, { voters: target, old: voters });
  advanceCommit(state, env);
}

/**
 * Short of voters, as a survivor is that goes on alone, some more are better than none: the most of the target that
 * answer, in odd number. Once nobody is short, all of the target or nothing.
 */
function asManyAsAnswer(state: ShardState, env: ShardEnv, target: number[]): number[] {
  const { voters } = configurationOf(state);
  if (voters.length >= target.length) return target;
  const there = target.filter((one) => one === state.self || !env.isSuspect(one));
  const count = there.length - (there.length % 2 === 0 ? 1 : 0);
  if (there.length === target.length || count <= voters.length) return target;
  const others = there.filter((one) => one !== state.self);
  return [state.self, ...others].slice(0, count);
}

function keepLearners(state: ShardState, env: ShardEnv, learners: number[]): boolean {
  let waiting = false;
  for (const learner of learners) {
    if (learner === state.self || state.peers.has(learner) || env.isSuspect(learner)) continue;
    if (env.mayCatchUp(state, learner)) addPeer(state, env, learner);
    waiting = true;
  }
  return waiting;
}

/** Forgets peers that are neither wanted nor voters, once they know that they are out. */
function dismissLeavers(state: ShardState, env: ShardEnv): boolean {
  const configuration = configurationOf(state);
  let waiting = false;
  for (const peer of [...state.peers.list]) {
    const { incarnation } = peer;
    if (isVoter(configuration, incarnation) || isWanted(state, incarnation)) continue;
    if (peer.commit >= configurationIndexOf(state) || env.isSuspect(incarnation)) state.peers.delete(incarnation);
    else waiting = true;
  }
  return waiting;
}

/**
 * True when a committed configuration leaves this replica out, and placement does not want it either: it asks to go. It
 * may not simply go: the writer might still count what it has.
 */
export function isDismissed(state: ShardState): boolean {
  if (state.role === "writer" || state.configurations.length !== 1) return false;
  const { voters, old } = configurationOf(state);
  if (voters.length === 0 || old !== null || holds(voters, state.self)) return false;
  return state.commit >= configurationIndexOf(state) && !isWanted(state, state.self);
}

/** True when this writer lets `incarnation` go: it neither votes nor is wanted, by a committed configuration. */
export function letsGo(state: ShardState, incarnation: number): boolean {
  const configuration = configurationOf(state);
  return state.role === "writer" && state.commit >= state.termStart && state.commit >= configurationIndexOf(state) &&
    !isVoter(configuration, incarnation) && !isWanted(state, incarnation);
}

/** True when placement is known, and wants a copy there. */
export function isDesired(desired: Desired | undefined, incarnation: number): boolean {
  return desired !== undefined && (holds(desired.voters, incarnation) || holds(desired.learners, incarnation));
}

/** True when placement wants a copy there; while it is not known, everybody is. */
export function isWanted(state: ShardState, incarnation: number): boolean {
  const { desired } = state;
  return desired === null || holds(desired.voters, incarnation) || holds(desired.learners, incarnation);
}
