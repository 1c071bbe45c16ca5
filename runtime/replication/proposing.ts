/**
 * Proposing: a message in front of the writer's log. The checks stand in this order and must: a message that is in the
 * log already, uncommitted tail included, gets its receipt again before its sender's order or `If-Match` is looked at,
 * because a client that repeats itself has usually moved on in both. The rule for senders' numbers is written down in
 * `wire/proposal.ts`, which both sides share.
 */
import { type Digest64, digest64, digestText, WaterparkError } from "../base/mod.ts";
import type { Recorded, ShardStore } from "../storage/mod.ts";
import type { MessageProposal, ProposeAnswer } from "../wire/mod.ts";
import type { Replica } from "./replica.ts";
import type { ShardState } from "./shard_state.ts";
import { isNamed, type Waiter } from "./waiting.ts";

/** What proposing needs of the driver. */
export interface ProposingContext {
  nowMs: number;
  /**
   * Latest time that a message may bring along: a gateway whose clock is ahead must not take the shard's time with it,
   * from which it cannot come back.
   */
  atMsMax(): number;
  nameOf(incarnation: number): string;
  /** "" for who is not known here yet */
  dataCenterOf(incarnation: number): string;
  shardText(shard: number): string;
  wait(waiter: Waiter): void;
}

/** Appends the message, or says why not; `done` is called exactly once. */
export function proposeMessage(
  replica: Replica,
  proposal: MessageProposal,
  context: ProposingContext,
  done: (answer: ProposeAnswer) => void,
): void {
  const { state, order } = replica;
  const { store } = state;
  const isOrdered = proposal.sender !== "";
  const isMeantForThisTerm = proposal.term === state.term;
  const found = store.findRecorded(proposal.key, proposal.id);
  if (found !== null) {
    if (!sameDigest(found.digest, digest64(proposal.payload))) {
      answerConflict(state, context, found.index, done);
      return;
    }
    if (isOrdered && isMeantForThisTerm) {
      order.seek(proposal.sender, proposal.key);
      if (order.check(proposal.n, proposal.oldest) === null) order.appended(proposal.n);
    }
    context.wait(waiterFor(state, context, { proposal, recorded: found, duplicate: true }, done));
    return;
  }
  if (isOrdered) {
    if (!isMeantForThisTerm) {
      const { shard, generation, term, self } = state;
      done({ state: "moved", hint: { shard, generation, term, writer: self } });
      return;
    }
    order.seek(proposal.sender, proposal.key);
    const expected = order.check(proposal.n, proposal.oldest);
    if (expected !== null) {
      done({ state: "gap", expected });
      return;
    }
  }
  if (proposal.ifMatch >= 0) {
    const row = store.actorRow(proposal.key);
    const seq = row < 0 ? 0 : store.rowSeq(row);
    if (seq !== proposal.ifMatch) {
      done({ state: "mismatch", seq });
      return;
    }
  }
  const wasQuiet = state.commit === store.lastIndex;
  let recorded: Recorded;
  try {
    const atMs = Math.min(proposal.atMs, context.atMsMax());
    recorded = store.appendMessage(state.term, atMs === proposal.atMs ? proposal : { ...proposal, atMs });
  } catch (error) {
    // Nothing was appended. Full passes; anything else was refused at its own node's door, unless that node is broken.
    if (!(error instanceof WaterparkError)) throw error;
    done(error.code === "storage/full" ? { state: "busy", retryAfterMs: 1000 } : { state: "conflict" });
    return;
  }
  if (wasQuiet) state.progressAtMs = context.nowMs;
  if (isOrdered) order.appended(proposal.n);
  context.wait(waiterFor(state, context, { proposal, recorded, duplicate: false }, done));
}

/** Other bytes under this id refuse the message for good only once they are committed; until then they may vanish. */
function answerConflict(
  state: ShardState,
  context: ProposingContext,
  index: number,
  done: (answer: ProposeAnswer) => void,
): void {
  if (index <= state.commit) {
    done({ state: "conflict" });
    return;
  }
  context.wait({
    index,
    byRule: false,
    duplicate: true,
    done: (result) => done(result === "done" ? { state: "conflict" } : { state: "unknown" }),
  });
}

/** How appending an entry ended, and at which log index; `lost` says nothing about whether it will be committed. */
export type EntryDone = (state: "committed" | "lost" | "busy", index: number) => void;

/** Writes an entry that is no message; answers its log index. */
export type Append = (store: ShardStore, term: number) => number;

/** Appends what is no message; what is answered waits until it is committed. */
export function appendOther(
  { state }: Replica,
  { append, nowMs }: { append: Append; nowMs: number },
  done: EntryDone,
): Waiter {
  const wasQuiet = state.commit === state.store.lastIndex;
  const index = append(state.store, state.term);
  if (wasQuiet) state.progressAtMs = nowMs;
  const end: Waiter["done"] = (result) => done(result === "done" ? "committed" : "lost", index);
  return { index, byRule: false, duplicate: false, done: end };
}

function waiterFor(
  state: ShardState,
  context: ProposingContext,
  about: { proposal: MessageProposal; recorded: Recorded; duplicate: boolean },
  done: (answer: ProposeAnswer) => void,
): Waiter {
  const { duplicate } = about;
  // what the receipt says is noted now: while it waits for its copies, the actor's life may end and free the message
  const { index, seq, digest } = about.recorded;
  const { key, id } = about.proposal;
  return {
    index,
    byRule: true,
    duplicate,
    done(result) {
      if (result === "lost") {
        done({ state: "unknown" });
        return;
      }
      const term = state.store.termAt(index);
      const copies = index <= state.durable ? [context.nameOf(state.self)] : [];
      for (const peer of state.peers.list) {
        // The log may name a member of whom the topology here has not heard: it was not counted, so it is not shown.
        if (peer.match >= index && isNamed(peer, context) && !copies.includes(peer.name)) copies.push(peer.name);
      }
      done({
        state: "recorded",
        duplicate,
        receipt: {
          key,
          id,
          seq,
          shard: context.shardText(state.shard),
          generation: state.generation,
          term,
          index,
          writer: context.nameOf(state.writers.get(term) ?? state.self),
          copies,
          digest: digestText(digest),
        },
      });
    },
  };
}

function sameDigest(a: Digest64, b: Digest64): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}
