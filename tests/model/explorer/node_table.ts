/**
 * Every state that a node was ever seen in, each once. What a node does depends on its state and the event alone, so each
 * pair of them is carried out once by the real code, and looked up from then on: the search itself moves numbers.
 *
 * A state is kept as the event that led to it from another one, and made again from the first when it is needed.
 */
import { configurationOf, type ShardState } from "../../../runtime/replication/shard_state.ts";
import type { Fault } from "./faults.ts";
import { RAFT } from "../../../runtime/replication/raft_message.ts";
import { LoneNode, type NodeEvent, recordsOf } from "./lone_node.ts";

/** What the search and its checks want to know of a node's state. */
export interface NodeView {
  readonly incarnation: number;
  readonly hasCopy: boolean;
  readonly isWriter: boolean;
  readonly isAwake: boolean;
  readonly takesProposals: boolean;
  readonly term: number;
  readonly writer: number;
  /** numbers of its entries; equal entries have equal numbers */
  readonly log: readonly number[];
  readonly commit: number;
  /** the configuration in force, and the log index that it stands at */
  readonly voters: readonly number[];
  readonly old: readonly number[] | null;
  readonly configurationIndex: number;
  readonly suspects: ReadonlySet<number>;
}

/** A step: where it leads, and the frames that were sent. */
export interface NodeStep {
  readonly to: number;
  readonly frames: readonly number[];
  /** the product threw: what it said */
  readonly threw: string;
}

/** A frame under way. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly payload: Uint8Array;
  /** the greatest term in which it still means something to who gets it; Infinity for what may always be answered */
  readonly termMax: number;
}

interface Row {
  readonly view: NodeView;
  readonly before: number;
  readonly event: number;
  readonly steps: Map<number, NodeStep>;
}

/** Ages are told apart as far as the code does. */
const AGES_MS = [20, 100, 250, 300, 1000, 2000, 5000];
const HOT_MAX = 4000;
const ANSWERS = new Set<number>([RAFT.APPEND_ANSWER, RAFT.VOTE_ANSWER, RAFT.PRE_VOTE_ANSWER, RAFT.RESIGNED]);
const BYTES = new TextDecoder("latin1");

/** The states of all nodes, the frames and the events. Numbers are given in order of first sight. */
export class NodeTable {
  readonly frames: Frame[] = [];
  readonly events: NodeEvent[] = [];
  readonly #rows: Row[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #frameNumbers = new Map<string, number>();
  readonly #eventNumbers = new Map<string, number>();
  readonly #entryNumbers = new Map<string, number>();
  /** nodes that have just come into a state, to go on from once; the oldest is let go of */
  readonly #hot = new Map<number, LoneNode>();
  readonly #fault: Fault;
  /** events carried out by the real code */
  executed = 0;

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  /** A node that has just started. */
  started(incarnation: number): number {
    return this.#numberOf(new LoneNode(incarnation, this.#fault), { incarnation, before: -1, event: -1 });
  }

  view(state: number): NodeView {
    return this.#rows[state].view;
  }

  get size(): number {
    return this.#rows.length;
  }

  /** The number of an event. */
  event(event: NodeEvent): number {
    const key = event.type === "frame" ? `${event.from} ${BYTES.decode(event.payload)}` : JSON.stringify(event);
    return numberIn(this.#eventNumbers, key, () => this.events.push(event));
  }

  /** What the event does to a node in this state. */
  step(state: number, event: number): NodeStep {
    const row = this.#rows[state];
    let step = row.steps.get(event);
    if (step === undefined) {
      step = this.#carryOut(state, event);
      row.steps.set(event, step);
    }
    return step;
  }

  #carryOut(state: number, event: number): NodeStep {
    this.executed++;
    const { incarnation } = this.#rows[state].view;
    const node = this.#again(state);
    try {
      node.apply(this.events[event]);
    } catch (error) {
      return { to: state, frames: [], threw: (error as Error).message };
    }
    const frames = node.sent.map(({ to, payload }) => {
      const key = `${incarnation}>${to} ${BYTES.decode(payload)}`;
      return numberIn(
        this.#frameNumbers,
        key,
        () => this.frames.push({ from: incarnation, to, payload, termMax: termMaxOf(payload) }),
      );
    });
    const to = this.#numberOf(node, { incarnation, before: state, event });
    this.#hot.set(to, node);
    if (this.#hot.size > HOT_MAX) this.#hot.delete(this.#hot.keys().next().value!);
    return { to, frames, threw: "" };
  }

  #again(state: number): LoneNode {
    const hot = this.#hot.get(state);
    if (hot !== undefined) {
      this.#hot.delete(state);
      return hot;
    }
    const events: number[] = [];
    let first = state;
    for (; this.#rows[first].before >= 0; first = this.#rows[first].before) events.push(this.#rows[first].event);
    const node = new LoneNode(this.#rows[first].view.incarnation, this.#fault);
    for (const event of events.reverse()) {
      node.apply(this.events[event]);
    }
    return node;
  }

  #numberOf(node: LoneNode, about: { incarnation: number; before: number; event: number }): number {
    const log = this.#entriesOf(node);
    const key = keyOf(node, { incarnation: about.incarnation, log });
    return numberIn(this.#numbers, key, () => {
      const { before, event } = about;
      return this.#rows.push({
        view: viewOf(node, { incarnation: about.incarnation, log }),
        before,
        event,
        steps: new Map(),
      });
    });
  }

  #entriesOf({ state }: LoneNode): number[] {
    if (state === null) return [];
    const { store } = state;
    return Array.from({ length: store.lastIndex }, (_, i) => {
      const key = BYTES.decode(store.copyRange(i + 1, 1, i + 1).bytes);
      return numberIn(this.#entryNumbers, key, () => this.#entryNumbers.size + 1);
    });
  }
}

/** Answers are for the term that was asked in: whoever is past that does nothing with them, for ever. */
function termMaxOf(payload: Uint8Array): number {
  return Math.max(...recordsOf(payload).map(({ type, term }) => ANSWERS.has(type) ? term : Infinity));
}

/** The number of `key`; a new one is one less than what `add` answers, the new length of a list. */
function numberIn(numbers: Map<string, number>, key: string, add: () => number): number {
  let number = numbers.get(key);
  if (number === undefined) {
    number = add() - 1;
    numbers.set(key, number);
  }
  return number;
}

function viewOf(node: LoneNode, { incarnation, log }: { incarnation: number; log: number[] }): NodeView {
  const { state, isAwake, suspects } = node;
  const configuration = state === null ? { voters: [], old: null } : configurationOf(state);
  return {
    incarnation,
    hasCopy: state !== null,
    isWriter: state?.role === "writer",
    isAwake,
    takesProposals: state?.role === "writer" && state.handOverTo === 0,
    term: state?.term ?? 0,
    writer: state?.writer ?? 0,
    log,
    commit: state?.commit ?? 0,
    voters: configuration.voters,
    old: configuration.old,
    configurationIndex: state?.configurations.at(-1)?.index ?? 0,
    suspects: new Set(suspects),
  };
}

/** Everything that decides what the node will do, and no more: times as ages, counters as far as they are compared. */
function keyOf(node: LoneNode, { incarnation, log }: { incarnation: number; log: number[] }): string {
  const { state, nowMs, left, suspects, isAwake, hasAskedToLeave } = node;
  const about = [incarnation, isAwake, [...suspects].sort(), left];
  if (state === null) return JSON.stringify(about);
  return JSON.stringify([
    about,
    log,
    [state.term, state.votedFor, state.role, state.writer, state.commit, state.sessions],
    [...state.votes].sort(),
    Math.min(state.electionRounds, 1),
    state.campaignAtMs === Infinity ? -1 : state.campaignAtMs <= nowMs ? 0 : 1,
    hasAskedToLeave ? [state.leavesAsked, state.appendsSeen] : 0,
    Math.max(0, state.handOverNotBeforeMs - nowMs),
    [state.desired, state.settling, state.floor],
    state.configurations,
    state.role === "writer" ? writerKeyOf(state, nowMs) : 0,
  ]);
}

function writerKeyOf(state: ShardState, nowMs: number): unknown[] {
  const ageOf = (ms: number) => ms === -Infinity ? -1 : AGES_MS.filter((age) => nowMs - ms >= age).length;
  return [
    [state.termStart, state.round, ageOf(state.progressAtMs)],
    state.handOverTo === 0 ? 0 : [state.handOverTo, state.handOverUntilMs - nowMs],
    [...state.peers.list].sort((a, b) => a.incarnation - b.incarnation).map(({ incarnation: peer, ...p }) => [
      [peer, p.session, p.match, p.next, p.commit, p.round, p.flyingBytes, p.refusedIndex, p.settled],
      [ageOf(p.answeredAtMs), ageOf(p.sentAtMs), ageOf(p.refusedAtMs)],
    ]),
  ];
}
