/**
 * Fresh reads: linearizable without a log entry and without a lease. The writer notes its commit index and asks a
 * majority to confirm that it still is the writer; all reads that came meanwhile share the round.
 *
 * Source: Ongaro's thesis, 6.4 (read index).
 */
import { sendAppend } from "./append.ts";
import { everyVoter, hasMajority } from "./configuration.ts";
import { configurationOf, type ShardEnv, type ShardState } from "./shard_state.ts";

/** Reads that wait at one shard; beyond, they are told to ask again. */
const WAITING_MAX = 65_536;

interface FreshRead {
  round: number;
  /** commit index when the round was opened; -1 before */
  index: number;
  openedAtMs: number;
  done: (index: number | null) => void;
}

/** The fresh reads that wait at one shard's writer. */
export class FreshReads {
  #reads: FreshRead[] = [];

  get waiting(): number {
    return this.#reads.length;
  }

  /** Waits for a round; false when too many do. */
  add(done: (index: number | null) => void): boolean {
    if (this.#reads.length >= WAITING_MAX) return false;
    this.#reads.push({ round: 0, index: -1, openedAtMs: Infinity, done });
    return true;
  }

  /** Opens a round for those that came since the last one, once an entry of the own term is committed. */
  open(state: ShardState, env: ShardEnv): void {
    if (state.commit < state.termStart || this.#reads.every((read) => read.index >= 0)) return;
    state.round++;
    for (const read of this.#reads) {
      if (read.index >= 0) continue;
      read.round = state.round;
      read.index = state.commit;
      read.openedAtMs = env.nowMs;
    }
    for (const voter of everyVoter(configurationOf(state))) {
      const peer = state.peers.get(voter);
      if (peer !== undefined) sendAppend(state, env, peer, true);
    }
  }

  /** Opens what waits, asks again after `againMs`; true when the oldest round has waited for longer than `overdueMs`. */
  tick(state: ShardState, env: ShardEnv, againMs: number, overdueMs: number): boolean {
    if (this.#reads.length === 0) return false;
    this.open(state, env);
    this.#again(state, env, againMs);
    return env.nowMs - this.#reads[0].openedAtMs > overdueMs;
  }

  /** Asks again those that have not confirmed the latest round: the question, or its answer, may be lost. */
  #again(state: ShardState, env: ShardEnv, afterMs: number): void {
    if (this.#reads.length === 0 || this.#reads[0].index < 0) return;
    for (const peer of state.peers.list) {
      if (peer.round < state.round && env.nowMs - peer.sentAtMs >= afterMs && !env.isSuspect(peer.incarnation)) {
        sendAppend(state, env, peer, true);
      }
    }
  }

  /** Answers those whose round a majority has confirmed. */
  settle(state: ShardState): void {
    while (this.#reads.length > 0 && this.#reads[0].index >= 0) {
      const { round, index, done } = this.#reads[0];
      const isConfirmed = hasMajority(
        configurationOf(state),
        (voter) => voter === state.self || (state.peers.get(voter)?.round ?? 0) >= round,
      );
      if (!isConfirmed) return;
      this.#reads.shift();
      done(index);
    }
  }

  /** This node is not the writer any more. */
  refuseAll(): void {
    for (const read of this.#reads.splice(0)) read.done(null);
  }
}
