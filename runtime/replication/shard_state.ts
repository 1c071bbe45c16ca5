/**
 * What one replica of one shard knows: Raft's state, and the writer's view of its peers. Only data; what moves it is
 * in `election.ts`, `append.ts`, `swap.ts` and `hand_over.ts`, one mechanism a file.
 */
import type { ShardStore } from "../storage/mod.ts";
import { type Configuration, isVoter } from "./configuration.ts";
import type { JournalMark, OwedAnswer } from "./durability.ts";
import { PeerTable } from "./peer_table.ts";
import type { RaftMessage } from "./raft_message.ts";

/** Raft's roles, with "writer" for leader. A learner is a follower without a vote. */
export type Role = "follower" | "pre-candidate" | "candidate" | "writer";

/** Where placement wants the shard to be, as incarnations in slot order. */
export interface Desired {
  voters: number[];
  learners: number[];
}

/** What the writer knows of one peer. */
export interface Progress {
  readonly incarnation: number;
  /** its name and data center, once the topology here has told; `""` before */
  name: string;
  dataCenter: string;
  /**
   * Tells this acquaintance from earlier ones in the same term: a copy that left, forgot everything and comes back must
   * not be taken at the word of its former life. Answers of other sessions are ignored.
   */
  readonly session: number;
  /** the greatest index known to be equal in the peer's log */
  match: number;
  /** the index sent next; runs ahead of `match` while answers are under way */
  next: number;
  /** the peer's commit index as it last told */
  commit: number;
  /** the last round that the peer confirmed */
  round: number;
  /** when it last answered, ms of the monotonic clock */
  answeredAtMs: number;
  /** when something was last sent to it */
  sentAtMs: number;
  /** bytes of entries under way */
  flyingBytes: number;
  /** how often in a row it was sent the same again and took nothing of it */
  resends: number;
  /** the index of its latest refusal, and when that came */
  refusedIndex: number;
  refusedAtMs: number;
  /** true once it has had the whole log: from then on receipts wait for it if it is a standing learner */
  settled: boolean;
  /** true once it has answered: only then is it known what it has */
  isKnown: boolean;
  /** true while it is brought up to date in the bulk lane; false for good once it lacks nothing */
  isBulk: boolean;
}

/** One replica's state. */
export interface ShardState {
  readonly shard: number;
  readonly self: number;
  readonly store: ShardStore;
  generation: number;
  term: number;
  /** who got this replica's vote in `term`; accepting entries of a writer spends the vote as well */
  votedFor: number;
  role: Role;
  /** the writer of `term` as far as known; 0 none */
  writer: number;
  commit: number;
  /** effective configuration last; earlier ones for undoing a truncated change */
  configurations: { index: number; configuration: Configuration }[];
  /** those that said yes in the current round of votes */
  votes: Set<number>;
  /** fruitless rounds since there was a writer */
  electionRounds: number;
  /** when to start an election unless a writer shows up; Infinity: nothing planned */
  campaignAtMs: number;
  readonly peers: PeerTable;
  /** sessions with peers begun in this term */
  sessions: number;
  /** how often this copy has asked to be let go */
  leavesAsked: number;
  /** appends received: a leave that was granted before the last of them is void */
  appendsSeen: number;
  /** first index of the own term: nothing is swapped and nothing read fresh before it is committed */
  termStart: number;
  round: number;
  /** the peer that is to become writer, 0 none; while set, proposals wait elsewhere */
  handOverTo: number;
  handOverUntilMs: number;
  handOverNotBeforeMs: number;
  /** when the oldest uncommitted entry was appended or the last commit happened */
  progressAtMs: number;
  desired: Desired | null;
  /** true while the members may differ from the desired ones: only then is a swap looked into */
  settling: boolean;
  /** the end of the log of an earlier life of this copy: nobody who lacks it gets a vote */
  floor: { term: number; index: number };
  /** incarnation that wrote in a term, for receipts given again */
  writers: Map<number, number>;
  /** what this copy may answer for: the last index that is synced; infinite where that is not waited for */
  durable: number;
  /** an answer that waits for it */
  owed: OwedAnswer | null;
  /** null: there is no journal */
  journal: JournalMark | null;
  /** the generation before this one in which this copy's log was remembered; 0: in this one, or it is none */
  inheritedFrom: number;
}

/** What a replica may ask and do while it handles an event; the driver implements it. */
export interface ShardEnv {
  readonly nowMs: number;
  /** a number in [0, 1) */
  random(): number;
  isSuspect(incarnation: number): boolean;
  /** how late this node's own ticks come, ms: what it waits for may lie in its own queues */
  lateMs(): number;
  /** one step of the election's stagger, ms */
  staggerMs(): number;
  /**
   * Lays the message out at once: it is used again, and its entries are a view of the log. What is `bulk` goes a way of its
   * own, and may be overtaken.
   */
  send(to: number, message: RaftMessage, bulk?: boolean): void;
  /** votes are asked for, for `term`; to look on */
  campaigns?(state: ShardState, term: number, isReal: boolean): void;
  becameWriter(state: ShardState): void;
  lostWriter(state: ShardState): void;
  /** entries (from, to] have been committed here */
  committed(state: ShardState, from: number, to: number): void;
  /** true when the incarnation has been alive long enough to be handed the writer's role back */
  isStable(incarnation: number): boolean;
  /** entries from `index` on, of a generation before, are about to be replaced */
  forsakes?(state: ShardState, index: number): void;
  /** true when the incarnation has said that it is about to end: it is handed nothing more */
  isLeaving(incarnation: number): boolean;
  /** true when one more copy may be brought up to date now */
  mayCatchUp(state: ShardState, incarnation: number): boolean;
  /** true while a copy that is being brought up to date may be sent something */
  mayFeed(state: ShardState): boolean;
  /** it was sent so many bytes */
  fed(state: ShardState, bytes: number): void;
}

/** The configuration in force: the last one in the log, committed or not. */
export function configurationOf(state: ShardState): Configuration {
  return state.configurations[state.configurations.length - 1].configuration;
}

/** Index of the entry that brought the configuration in force; 0 from birth. */
export function configurationIndexOf(state: ShardState): number {
  return state.configurations[state.configurations.length - 1].index;
}

/**
 * True when this replica may stand for writer: it votes, or it did before a change that is not known to be committed. Its
 * log may be the only one left that has the change, and then nobody else can be elected (thesis, 4.2.2).
 */
export function mayStand({ configurations, self }: ShardState): boolean {
  return configurations.some(({ configuration }) => isVoter(configuration, self));
}

/** The end of the log, or that of an earlier life's where it was further. */
export function endOfLog({ store, floor }: ShardState): { term: number; index: number } {
  const isBehind = floor.term > store.lastTerm || (floor.term === store.lastTerm && floor.index > store.lastIndex);
  return isBehind ? floor : { term: store.lastTerm, index: store.lastIndex };
}

/** True when this replica has, or believes in, a writer that is not suspected. */
export function hasWorkingWriter(state: ShardState, env: ShardEnv): boolean {
  return state.role === "writer" || (state.writer !== 0 && !env.isSuspect(state.writer));
}

/** A replica with an empty log. */
export function newShardState(
  options: { shard: number; self: number; store: ShardStore; configuration: Configuration; generation: number },
): ShardState {
  return {
    shard: options.shard,
    self: options.self,
    store: options.store,
    generation: options.generation,
    term: 0,
    votedFor: 0,
    role: "follower",
    writer: 0,
    commit: 0,
    configurations: [{ index: 0, configuration: options.configuration }],
    votes: new Set(),
    electionRounds: 0,
    campaignAtMs: Infinity,
    peers: new PeerTable(),
    sessions: 0,
    leavesAsked: 0,
    appendsSeen: 0,
    termStart: 0,
    round: 0,
    handOverTo: 0,
    handOverUntilMs: 0,
    handOverNotBeforeMs: 0,
    progressAtMs: 0,
    desired: null,
    settling: false,
    floor: { term: 0, index: 0 },
    writers: new Map(),
    durable: Infinity,
    owed: null,
    journal: null,
    inheritedFrom: 0,
  };
}
