/**
 * Waiting: who is owed an answer by a writer.
 */
import { holds, isVoter, VOTERS_MAX } from "./configuration.ts";
import { configurationOf, type Progress, type ShardState } from "./shard_state.ts";

/** One answer owed. */
export interface Waiter {
  /** log index of the entry */
  index: number;
  /** true: answer when the copies meet the acknowledgement rule; false: when committed */
  byRule: boolean;
  /** true when the message stood in the log before */
  duplicate: boolean;
  done: (result: "done" | "lost") => void;
}

/** Answers owed, by index; first in, first out, as indexes only grow. */
export class WaitingList {
  #waiters: Waiter[] = [];
  #head = 0;

  get length(): number {
    return this.#waiters.length - this.#head;
  }

  /** the least index that is waited for; Infinity: none is */
  get first(): number {
    return this.#head < this.#waiters.length ? this.#waiters[this.#head].index : Infinity;
  }

  add(waiter: Waiter): void {
    // A duplicate waits for an index that others wait for already: it goes before the later ones.
    let at = this.#waiters.length;
    while (at > this.#head && this.#waiters[at - 1].index > waiter.index) at--;
    if (at === this.#waiters.length) this.#waiters.push(waiter);
    else this.#waiters.splice(at, 0, waiter);
  }

  /** Takes out, in order, everything that is due at these indexes. */
  settle(committed: number, acknowledged: number): Waiter[] {
    const due: Waiter[] = [];
    let i = this.#head;
    for (; i < this.#waiters.length; i++) {
      const waiter = this.#waiters[i];
      if (waiter.index > (waiter.byRule ? acknowledged : committed)) {
        if (waiter.index > committed) break;
        // Committed, but not yet where the rule wants it: later entries of the other sort may still be due.
        const rest = this.#waiters.slice(i);
        const later = rest.filter((w) => !w.byRule && w.index <= committed);
        if (later.length > 0) {
          this.#waiters = rest.filter((w) => w.byRule || w.index > committed);
          this.#head = 0;
          due.push(...later);
          return due;
        }
        break;
      }
      due.push(waiter);
    }
    this.#head = i;
    // Nobody who is served may be kept: a thousand shards with a thousand each were 250 MB, and most of the collector's work.
    if (this.#head === this.#waiters.length) this.#head = this.#waiters.length = 0;
    else if (this.#head > 16 && this.#head * 2 > this.#waiters.length) {
      this.#waiters.splice(0, this.#head);
      this.#head = 0;
    }
    return due;
  }

  /** Takes out everything. */
  takeAll(): Waiter[] {
    const all = this.#waiters.slice(this.#head);
    this.#waiters = [];
    this.#head = 0;
    return all;
  }
}

/** Copies that a receipt needs, as the topology caps them. */
export interface AckRule {
  copies: number;
  dataCenters: number;
}

/** What the rule asks of whoever knows the nodes. */
export interface CopyKnowledge {
  nameOf(incarnation: number): string;
  /** "" for who is not known here yet */
  dataCenterOf(incarnation: number): string;
  isSuspect(incarnation: number): boolean;
}

/**
 * The greatest committed index that the copies of the acknowledgement rule hold, standing learners that are up
 * included.
 */
export function acknowledgedIndex(state: ShardState, rule: AckRule, about: CopyKnowledge): number {
  // Nearly always: the copies that made it committed meet the rule.
  if (meetsRule(state, rule, about, state.commit)) return state.commit;
  const candidates: number[] = [];
  if (state.durable < state.commit) candidates.push(state.durable);
  for (const peer of state.peers.list) if (peer.match < state.commit) candidates.push(peer.match);
  candidates.sort((a, b) => b - a);
  for (const index of candidates) if (meetsRule(state, rule, about, index)) return index;
  return 0;
}

/** Used again for every question: one is asked for every message. */
const NAMES: string[] = new Array(2 * VOTERS_MAX).fill("");
const DATA_CENTERS: string[] = new Array(2 * VOTERS_MAX).fill("");

function meetsRule(state: ShardState, rule: AckRule, about: CopyKnowledge, index: number): boolean {
  const { self, durable, desired, peers } = state;
  const configuration = configurationOf(state);
  // By name: of two lives of one node, both members while they are swapped, one at most still has anything.
  let names = 0;
  let dataCenters = 0;
  // A writer that a swap has left out is a copy that goes, like any other.
  if (isVoter(configuration, self) && index <= durable) {
    NAMES[names++] = about.nameOf(self);
    DATA_CENTERS[dataCenters++] = about.dataCenterOf(self);
  }
  for (const peer of peers.list) {
    const { incarnation } = peer;
    const isLearner = desired !== null && desired.learners.length > 0 && holds(desired.learners, incarnation);
    // Copies that come or go are none to rely on.
    if (peer.match >= index && (isLearner || isVoter(configuration, incarnation))) {
      // Of whom the topology here has not heard yet a receipt cannot say where it is.
      if (!isNamed(peer, about)) continue;
      if (!isAmong(NAMES, names, peer.name)) NAMES[names++] = peer.name;
      if (!isAmong(DATA_CENTERS, dataCenters, peer.dataCenter)) DATA_CENTERS[dataCenters++] = peer.dataCenter;
    } else if (peer.settled && isLearner && !about.isSuspect(incarnation)) return false;
  }
  return names >= rule.copies && dataCenters >= rule.dataCenters;
}

function isAmong(texts: readonly string[], count: number, text: string): boolean {
  for (let i = 0; i < count; i++) if (texts[i] === text) return true;
  return false;
}

/** True once it is known which node the peer is; an incarnation never changes that, so it is asked for once. */
export function isNamed(peer: Progress, about: Pick<CopyKnowledge, "nameOf" | "dataCenterOf">): boolean {
  if (peer.dataCenter !== "") return true;
  peer.dataCenter = about.dataCenterOf(peer.incarnation);
  if (peer.dataCenter === "") return false;
  peer.name = about.nameOf(peer.incarnation);
  return true;
}
