/**
 * Append: how entries get from the writer's log into the others', and how they become committed.
 *
 * The writer sends everything a peer lacks, without waiting for the answer to what it sent before (`next` runs ahead of
 * `match`), up to a bound of bytes under way. A quiet shard sends nothing at all: the writer only stays awake until
 * every reachable peer has the last entry *and* knows that it is committed.
 *
 * Source: Ongaro's thesis, 3.5, 3.6; commit only of the own term: 3.6.2.
 */
import { assert, WaterparkError } from "../base/mod.ts";
import { badPayload } from "../wire/mod.ts";
import { ENTRY, peekKind, peekNext, peekTerm } from "../storage/mod.ts";
import {
  decodeConfiguration,
  encodeConfiguration,
  everyVoter,
  hasMajority,
  isVoter,
  majorityIndex,
} from "./configuration.ts";
import { blankMessage, RAFT, type RaftMessage } from "./raft_message.ts";
import { acknowledge, takeBack } from "./durability.ts";
import { configurationOf, mayStand, type Progress, type ShardEnv, type ShardState } from "./shard_state.ts";

/** Entries under way to one peer for one shard: enough to fill a link of 20 Mbit/s and 100 ms. */
export const FLYING_BYTES_MAX = 1024 * 1024;
/** Entries in one append: a chunk of the catch-up. */
export const APPEND_BYTES_MAX = 256 * 1024;
/** A new copy of a smaller log is one small frame: it needs no lane of its own. */
const BULK_BYTES_MIN = 16 * 1024;
/** Without an answer for so long, what is under way counts as lost and is sent again. */
export const RESEND_AFTER_MS = 250;
/**
 * So often in a row it is sent again after that time, then after twice as long each time: the other may have a full disk,
 * and who was deaf for long may have to wait for a few seconds more.
 */
const RESENDS_AT_ONCE = 4;
const RESEND_AFTER_MS_MAX = 4000;
/** Entries that a copy may lack and still count as up to date: under load nobody ever has the very last one. */
export const CAUGHT_UP_ENTRIES = 64;
/** A refusal like the one before within so long was under way with it, and is not worth sending everything again. */
const REFUSED_AGAIN_MS = 20;
/** How long the writer waits for another append to carry the commit index before it is sent by itself. */
export const COMMIT_TOLD_AFTER_MS = 200;
/** A writer that cannot commit for so long, and has not heard from a majority either, steps down. */
export const STEP_DOWN_AFTER_MS = 300;
/** So many times as long, where pings say that a majority lives. */
const LIVING_PATIENCE = 3;

const OUT = blankMessage();
const NO_BYTES = new Uint8Array(0);
const NO_SESSION = { round: 0, session: 0 };

/** Takes the writer's role in the current term. */
export function becomeWriter(state: ShardState, env: ShardEnv): void {
  assert(mayStand(state), "only a voter becomes writer");
  state.role = "writer";
  state.writer = state.self;
  state.electionRounds = 0;
  state.campaignAtMs = Infinity;
  state.handOverTo = 0;
  state.round = 0;
  state.peers.clear();
  for (const voter of everyVoter(configurationOf(state))) if (voter !== state.self) addPeer(state, env, voter);
  state.progressAtMs = env.nowMs;
  // The first entry of a term restates the configuration: it commits what earlier terms left, and a copy that is fed
  // from index 1 learns who votes.
  appendConfiguration(state, env);
  state.termStart = state.store.lastIndex;
  env.becameWriter(state);
  advanceCommit(state, env);
}

/** Birth: all first members agree, by the topology's entry, that the first of them has won term 1. */
export function bornWithWriter(state: ShardState, env: ShardEnv, writer: number): void {
  assert(state.term === 0 && state.store.lastIndex === 0, "a shard is born once");
  state.term = 1;
  state.votedFor = writer;
  state.writer = writer;
  if (writer === state.self) becomeWriter(state, env);
}

/** Appends the configuration in force again, or a new one. */
export function appendConfiguration(
  state: ShardState,
  env: ShardEnv,
  configuration = configurationOf(state),
): void {
  const wasQuiet = state.store.lastIndex === state.commit;
  const body = encodeConfiguration(configuration, state.self);
  const index = state.store.appendEntry(state.term, ENTRY.CONFIG, body);
  noteConfiguration(state, index, body);
  if (wasQuiet) state.progressAtMs = env.nowMs;
}

/** Takes note of a configuration that stands in the log. */
export function noteConfiguration(state: ShardState, index: number, body: Uint8Array): void {
  const { configuration, writer } = decodeConfiguration(body);
  state.configurations.push({ index, configuration });
  state.writers.set(state.store.termAt(index), writer);
}

/** Starts to keep track of a peer: a voter, or a copy that is to become one. */
export function addPeer(state: ShardState, env: ShardEnv, incarnation: number): Progress {
  let progress = state.peers.get(incarnation);
  if (progress === undefined) {
    progress = {
      incarnation,
      name: "",
      dataCenter: "",
      session: ++state.sessions,
      match: 0,
      next: state.store.lastIndex + 1,
      commit: 0,
      round: 0,
      answeredAtMs: env.nowMs,
      sentAtMs: -Infinity,
      flyingBytes: 0,
      resends: 0,
      refusedIndex: -1,
      refusedAtMs: 0,
      settled: false,
      isKnown: false,
      isBulk: state.store.bytes > BULK_BYTES_MIN && !isVoter(configurationOf(state), incarnation),
    };
    state.peers.add(progress);
  }
  return progress;
}

/** Steps back into the ranks of `term`. */
export function becomeFollower(state: ShardState, env: ShardEnv, options: { term: number; writer: number }): void {
  assert(options.term >= state.term, "terms never go back");
  const wasWriter = state.role === "writer";
  if (options.term > state.term) {
    state.term = options.term;
    state.votedFor = 0;
  }
  state.role = "follower";
  state.writer = options.writer;
  state.campaignAtMs = Infinity;
  state.votes.clear();
  if (wasWriter) {
    state.peers.clear();
    state.handOverTo = 0;
    env.lostWriter(state);
  }
}

/** Sends `peer` what it lacks, as far as the bounds allow; with `force` at least an empty append. */
export function sendAppend(state: ShardState, env: ShardEnv, peer: Progress, force: boolean): void {
  const { store } = state;
  do {
    const previous = peer.next - 1;
    OUT.type = RAFT.APPEND;
    OUT.shard = state.shard;
    OUT.generation = state.generation;
    OUT.term = state.term;
    OUT.index = previous;
    OUT.logTerm = termAt(store, previous);
    OUT.commit = state.commit;
    OUT.round = state.round;
    OUT.session = peer.session;
    OUT.count = 0;
    OUT.entries = NO_BYTES;
    const mayFeed = !peer.isBulk || env.mayFeed(state);
    if (previous < store.lastIndex && peer.flyingBytes < FLYING_BYTES_MAX && mayFeed) {
      const range = rangeFrom(store, peer.next);
      OUT.count = range.last - previous;
      OUT.entries = range.bytes;
      peer.next = range.last + 1;
      peer.flyingBytes += range.bytes.length;
      if (peer.isBulk) env.fed(state, range.bytes.length);
    } else if (!force) {
      return;
    }
    force = false;
    peer.sentAtMs = env.nowMs;
    env.send(peer.incarnation, OUT, peer.isBulk);
    if (!mayFeed) return;
  } while (peer.next <= store.lastIndex && peer.flyingBytes < FLYING_BYTES_MAX);
}

/** What all peers are given in one turn is mostly the same; it is looked up once. Void when the turn's sending ends. */
let shared: { first: number; bytes: Uint8Array; last: number } | null = null;
let isSharing = false;

function rangeFrom(store: ShardState["store"], first: number): { bytes: Uint8Array; last: number } {
  if (shared !== null && shared.first === first) return shared;
  const { bytes, last } = store.viewRange(first, APPEND_BYTES_MAX, store.lastIndex);
  const range = { first, bytes, last };
  if (isSharing) shared = range;
  return range;
}

/** Mostly the last entry is asked for, whose term the store has at hand. */
function termAt(store: ShardState["store"], index: number): number {
  return index === store.lastIndex ? store.lastTerm : store.termAt(index);
}

/** Sends all peers what they lack. */
export function sendAll(state: ShardState, env: ShardEnv): void {
  const { list } = state.peers;
  const { lastIndex } = state.store;
  isSharing = true;
  for (let i = 0; i < list.length; i++) {
    const peer = list[i];
    if (peer.next <= lastIndex) sendAppend(state, env, peer, false);
  }
  isSharing = false;
  shared = null;
}

/** Entries from the writer; the caller has seen to the term. */
export function onAppend(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  const { store } = state;
  if (message.term < state.term) {
    refuse(state, env, from);
    return;
  }
  state.appendsSeen++;
  if (state.role === "writer") throw violated("two writers in one term");
  if (state.writer !== from || state.role !== "follower") {
    becomeFollower(state, env, { term: message.term, writer: from });
  }
  // Whoever takes a writer's entries has no vote left in its term: a copy that left and came back has forgotten whom it
  // voted for.
  if (state.votedFor === 0) state.votedFor = from;
  state.electionRounds = 0;
  if (message.index > store.lastIndex) {
    answerAppend(state, env, from, message, { ok: false, index: store.lastIndex });
    return;
  }
  if (message.index > 0 && message.index > state.commit && termAt(store, message.index) !== message.logTerm) {
    // Step back over the whole conflicting term at once.
    const conflicting = store.termAt(message.index);
    let index = message.index - 1;
    while (index > state.commit && store.termAt(index) === conflicting) index--;
    answerAppend(state, env, from, message, { ok: false, index });
    return;
  }
  if (message.count > 0) takeEntries(state, env, message);
  acknowledge(state, env, from, message);
}

function takeEntries(state: ShardState, env: ShardEnv, message: RaftMessage): void {
  const { store } = state;
  const bytes = message.entries;
  let at = message.entriesAt;
  // of those that are new and no configurations: they are taken together
  let runAt = at;
  let run = 0;
  for (let i = 1; i <= message.count; i++) {
    const index = message.index + i;
    const entryAt = at;
    at = peekNext(bytes, entryAt);
    if (at === 0 || at > message.entriesTo) throw badPayload("an append without its entries");
    if (run === 0 && index <= store.lastIndex) {
      if (store.termAt(index) === peekTerm(bytes, entryAt)) continue;
      if (index <= state.commit) throw violated("a committed entry would be replaced");
      truncate(state, env, index);
    }
    state.inheritedFrom = 0;
    if (peekKind(bytes, entryAt) !== ENTRY.CONFIG) {
      if (run++ === 0) runAt = entryAt;
      continue;
    }
    if (run > 0) store.appendRawMany(bytes, runAt, run);
    run = 0;
    store.appendRaw(bytes, entryAt);
    try {
      noteConfiguration(state, index, store.body(index));
    } catch (error) {
      store.truncateFrom(index);
      throw error;
    }
  }
  if (run > 0) store.appendRawMany(bytes, runAt, run);
}

function truncate(state: ShardState, env: ShardEnv, index: number): void {
  if (state.inheritedFrom > 0) env.forsakes?.(state, index);
  state.store.truncateFrom(index);
  takeBack(state, index);
  const { configurations } = state;
  while (configurations.length > 1 && configurations[configurations.length - 1].index >= index) configurations.pop();
}

/** Answers an append, of whose session and round `about` tells. */
export function answerAppend(
  state: ShardState,
  env: ShardEnv,
  to: number,
  about: { round: number; session: number },
  say: { ok: boolean; index: number },
): void {
  OUT.type = RAFT.APPEND_ANSWER;
  OUT.shard = state.shard;
  OUT.generation = state.generation;
  OUT.term = state.term;
  OUT.flag = say.ok ? 1 : 0;
  OUT.index = say.index;
  OUT.commit = state.commit;
  OUT.round = about.round;
  OUT.session = about.session;
  env.send(to, OUT);
}

/** What the writer has committed is committed here, whether this copy may answer for it or not. */
export function followCommit(state: ShardState, env: ShardEnv, commit: number): void {
  if (commit > state.commit) setCommit(state, env, commit);
}

/** Tells a peer of an earlier term which one it is by now. */
export function refuse(state: ShardState, env: ShardEnv, to: number): void {
  answerAppend(state, env, to, NO_SESSION, { ok: false, index: state.store.lastIndex });
}

/**
 * Asks the writer that is believed in here whether it still is one, where that is doubtful: it has no vote, so it is about
 * to go, and its farewell may have been lost. As long as it lives nobody suspects it, and nobody stands in its place.
 */
export function doubtWriter(state: ShardState, env: ShardEnv): void {
  const { writer, role } = state;
  if (writer === 0 || role === "writer" || !mayStand(state) || isVoter(configurationOf(state), writer)) return;
  if (!env.isSuspect(writer)) refuse(state, env, writer);
}

/** A peer's answer to an append of this writer. */
export function onAppendAnswer(state: ShardState, env: ShardEnv, from: number, message: RaftMessage): void {
  if (message.term < state.term) {
    refuse(state, env, from);
    return;
  }
  if (state.role !== "writer") {
    sayResigned(state, env, from);
    return;
  }
  const peer = state.peers.get(from);
  if (peer === undefined || peer.session !== message.session) return;
  peer.answeredAtMs = env.nowMs;
  peer.isKnown = true;
  if (message.commit > peer.commit) peer.commit = message.commit;
  if (message.round > peer.round) peer.round = message.round;
  if (message.flag === 1) {
    if (message.index > state.store.lastIndex) return;
    const isNews = message.index > peer.match;
    if (isNews) {
      peer.match = message.index;
      peer.resends = 0;
    }
    if (peer.next <= peer.match) peer.next = peer.match + 1;
    // Cumulative: what is under way is what was sent beyond the match. Exact bytes do not matter, the bound does.
    if (peer.match >= peer.next - 1) peer.flyingBytes = 0;
    else peer.flyingBytes = Math.max(0, peer.flyingBytes - APPEND_BYTES_MAX);
    if (peer.match + CAUGHT_UP_ENTRIES >= state.store.lastIndex) peer.settled = true;
    // Earlier, entries in the message lane would overtake those before them, and all would be sent again.
    if (peer.match === state.store.lastIndex) peer.isBulk = false;
    // Of five answers one moves the commit index; the later ones are for what is committed already.
    if (isNews && peer.match > state.commit) advanceCommit(state, env);
    if (peer.next <= state.store.lastIndex) sendAppend(state, env, peer, false);
  } else if (message.index < peer.next - 1) {
    if (message.index === peer.refusedIndex && env.nowMs - peer.refusedAtMs < REFUSED_AGAIN_MS) return;
    peer.refusedIndex = message.index;
    peer.refusedAtMs = env.nowMs;
    // Late refusals are harmless: `next` never falls to `match` or below.
    peer.next = Math.max(peer.match, message.index) + 1;
    peer.flyingBytes = 0;
    sendAppend(state, env, peer, true);
  }
}

/** Commits what a majority holds, if it ends in an entry of the own term. */
export function advanceCommit(state: ShardState, env: ShardEnv): void {
  const own = Math.min(state.store.lastIndex, state.durable);
  const index = majorityIndex(
    configurationOf(state),
    (voter) => voter === state.self ? own : state.peers.get(voter)?.match ?? 0,
  );
  if (index > state.commit && state.store.termAt(index) === state.term) {
    state.progressAtMs = env.nowMs;
    setCommit(state, env, index);
  }
}

function setCommit(state: ShardState, env: ShardEnv, index: number): void {
  const from = state.commit;
  assert(index > from && index <= state.store.lastIndex, "commit moves forward within the log");
  state.commit = index;
  // Configurations before the last committed one can never come back.
  const { configurations } = state;
  while (configurations.length > 1 && configurations[1].index <= index) configurations.shift();
  env.committed(state, from, index);
}

/** True when a majority has answered this writer lately. */
export function hearsMajority(state: ShardState, env: ShardEnv): boolean {
  return hasMajority(
    configurationOf(state),
    (voter) =>
      voter === state.self || env.nowMs - (state.peers.get(voter)?.answeredAtMs ?? -Infinity) < patienceMs(env),
  );
}

/** How long a writer waits for its majority: longer where its own node comes late to everything. */
export function patienceMs(env: ShardEnv): number {
  return STEP_DOWN_AFTER_MS + env.lateMs();
}

/**
 * True for a writer that should step down: it does not get on, and no majority answers. Where pings say that a majority
 * lives, it or the way is merely slow, and another writer would find it no quicker; three times as long is enough then.
 */
function isStuck(state: ShardState, env: ShardEnv): boolean {
  const waitedMs = env.nowMs - state.progressAtMs;
  if (waitedMs <= patienceMs(env) || hearsMajority(state, env)) return false;
  const lives = (voter: number) => voter === state.self || !env.isSuspect(voter);
  return waitedMs > LIVING_PATIENCE * patienceMs(env) || !hasMajority(configurationOf(state), lives);
}

/** What can only come from a peer that is broken: nothing of it is taken, and it must be seen. */
function violated(what: string): WaterparkError {
  return new WaterparkError(`Cannot take entries as the protocol must hold: ${what}`, {
    code: "replication/violation",
    outcome: "not-applied",
  });
}

/**
 * The writer's share of a tick: sends again what got lost, tells the commit index before the shard goes quiet, steps
 * down without progress. False when there is nothing left to do until something happens.
 */
export function tickWriter(state: ShardState, env: ShardEnv): boolean {
  if (state.commit < state.store.lastIndex && isStuck(state, env)) {
    resign(state, env);
    return true;
  }
  let awake = false;
  const { list } = state.peers;
  for (let i = 0; i < list.length; i++) {
    const peer = list[i];
    const lacks = peer.match < state.store.lastIndex;
    if (!lacks && peer.commit >= state.commit) continue;
    if (env.isSuspect(peer.incarnation)) {
      peer.resends = 0;
      continue;
    }
    awake = true;
    // The next append says it as well: only a shard that goes quiet needs a word of its own.
    if (!lacks && env.nowMs - state.progressAtMs < COMMIT_TOLD_AFTER_MS) continue;
    const afterMs = Math.min(RESEND_AFTER_MS * 2 ** Math.max(0, peer.resends - RESENDS_AT_ONCE), RESEND_AFTER_MS_MAX);
    if (env.nowMs - peer.sentAtMs < afterMs && (lacks || peer.sentAtMs > peer.answeredAtMs)) continue;
    // Where there are journals nobody knows how much a newcomer has: it is asked, with the end of the log, before it is
    // given anything. Where there are none that is a round trip for nothing.
    if (lacks && (peer.isKnown || state.journal === null)) {
      if (peer.next > peer.match + 1) peer.resends++;
      peer.next = peer.match + 1;
      peer.flyingBytes = 0;
    }
    sendAppend(state, env, peer, true);
  }
  return awake || state.commit < state.store.lastIndex || state.handOverTo !== 0;
}

/** Gives the writer's role up and says so, so that the others need not find out. */
export function resign(state: ShardState, env: ShardEnv): void {
  const voters = everyVoter(configurationOf(state));
  becomeFollower(state, env, { term: state.term, writer: 0 });
  for (const voter of voters) if (voter !== state.self) sayResigned(state, env, voter);
}

function sayResigned(state: ShardState, env: ShardEnv, to: number): void {
  OUT.type = RAFT.RESIGNED;
  OUT.shard = state.shard;
  OUT.generation = state.generation;
  OUT.term = state.term;
  OUT.flag = 0;
  OUT.index = state.store.lastIndex;
  env.send(to, OUT);
}
