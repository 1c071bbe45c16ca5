/** Deliberate faults, put into what a node hears: the explorer must find what each of them breaks. */
import { RAFT, type RaftMessage } from "../../../runtime/replication/raft_message.ts";
import type { ShardState } from "../../../runtime/replication/shard_state.ts";

/** How a group is broken; none of them: the product as it is. */
export interface Fault {
  name: string;
  /** changes a record, or the state that it is about to meet */
  rewrite?(record: RaftMessage, about: { state: ShardState | null; from: number }): void;
  /** a process that has died comes back under its incarnation, and is born again */
  keepsIncarnation?: boolean;
  /** a copy that has left remembers nothing */
  departedForgets?: boolean;
}

/** The product as it is. */
export const NO_FAULT: Fault = { name: "none" };

/** Each a line of the product that might be wrong. */
export const FAULTS = {
  twoVotes: {
    name: "two votes in a term",
    rewrite: ({ type }, { state }) => {
      if (type === RAFT.VOTE && state !== null) state.votedFor = 0;
    },
  },
  voteWithoutLog: {
    name: "a vote without a look at the log",
    rewrite: (record) => {
      if (record.type !== RAFT.VOTE && record.type !== RAFT.PRE_VOTE) return;
      record.index = 1000;
      record.logTerm = record.term;
    },
  },
  noTermCheck: {
    name: "entries of an earlier term accepted",
    rewrite: (record, { state }) => {
      if (record.type === RAFT.APPEND && state !== null) record.term = Math.max(record.term, state.term);
    },
  },
  truncatesAlways: {
    name: "an append cuts off what is behind it, even where nothing differs",
    rewrite: ({ type, term, index, count }, { state }) => {
      if (type !== RAFT.APPEND || state === null || term < state.term) return;
      const end = index + count;
      if (end < state.commit || end >= state.store.lastIndex) return;
      state.store.truncateFrom(end + 1);
      while (state.configurations.length > 1 && state.configurations.at(-1)!.index > end) state.configurations.pop();
    },
  },
  noLogCheck: {
    name: "an append taken without a look at the entry before it",
    rewrite: (record, { state }) => {
      if (record.type !== RAFT.APPEND || state === null || record.index > state.store.lastIndex) return;
      record.logTerm = record.index === 0 ? 0 : state.store.termAt(record.index);
    },
  },
  refusedVotesCount: {
    name: "a vote refused counts as given",
    rewrite: (record) => {
      if (record.type === RAFT.VOTE_ANSWER) record.flag = 1;
    },
  },
  noJoint: {
    name: "a joint configuration counts only its new members",
    rewrite: (_record, { state }) => {
      for (const one of state?.configurations ?? []) one.configuration = { ...one.configuration, old: null };
    },
  },
  floorForgotten: {
    name: "a departed copy forgets the end of its log",
    rewrite: (_record, { state }) => {
      if (state !== null) state.floor = { term: 0, index: 0 };
    },
  },
  keepsIncarnation: { name: "a restarted process keeps its incarnation", keepsIncarnation: true },
  departedForgets: { name: "a departed copy forgets its term and the end of its log", departedForgets: true },
} satisfies Record<string, Fault>;
