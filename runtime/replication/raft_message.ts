/**
 * Raft's messages as bytes. All shards' messages to one peer share frames: a frame is these records one after another.
 * Append and its answer are the hot ones; nothing here makes an object per entry.
 */
import { badPayload, ByteReader, ByteWriter } from "../wire/mod.ts";

/** What a record is; the numbers never change their meaning. */
export const RAFT = {
  APPEND: 1,
  APPEND_ANSWER: 2,
  PRE_VOTE: 3,
  PRE_VOTE_ANSWER: 4,
  VOTE: 5,
  VOTE_ANSWER: 6,
  HAND_OVER: 7,
  RESIGNED: 8,
  LEAVING: 9,
  GONE: 10,
} as const;

/**
 * One record, decoded. One object serves all records of a frame, so keep nothing of it but numbers; `entries` is a
 * view of the frame.
 */
export interface RaftMessage {
  type: number;
  shard: number;
  generation: number;
  term: number;
  /** append: index before the first entry; votes: the candidate's last index; answers: the match or where to go on */
  index: number;
  /** append: term at `index`; votes: the candidate's last term */
  logTerm: number;
  /** append: the writer's commit index; append answer: the follower's */
  commit: number;
  /** append and its answer: the round that a fresh read waits for */
  round: number;
  /** append and its answer: under which session the writer keeps track of the peer, see `Progress.session` */
  session: number;
  /** answers: 1 yes, 0 no; vote: 1 when handed over; pre-vote answer: 2 no, as the candidate's log is not complete */
  flag: number;
  /** append: number of entries */
  count: number;
  /** append: the entries as they stand in the log */
  entries: Uint8Array;
}

const NO_BYTES = new Uint8Array(0);

/** A record to be filled again and again. */
export function blankMessage(): RaftMessage {
  return {
    type: 0,
    shard: 0,
    generation: 0,
    term: 0,
    index: 0,
    logTerm: 0,
    commit: 0,
    round: 0,
    session: 0,
    flag: 0,
    count: 0,
    entries: NO_BYTES,
  };
}

/** Lays `message` out behind what `out` holds. */
export function writeMessage(out: ByteWriter, message: RaftMessage): void {
  out.u8(message.type).u16(message.shard).u32(message.generation).u32(message.term);
  switch (message.type) {
    case RAFT.APPEND:
      out.u32(message.index).u32(message.logTerm).u32(message.commit).u32(message.round).u32(message.session).u32(
        message.count,
      )
        .bytes(message.entries);
      return;
    case RAFT.APPEND_ANSWER:
      out.u8(message.flag).u32(message.index).u32(message.commit).u32(message.round).u32(message.session);
      return;
    case RAFT.PRE_VOTE:
    case RAFT.VOTE:
      out.u8(message.flag).u32(message.index).u32(message.logTerm);
      return;
    default:
      out.u8(message.flag).u32(message.index);
  }
}

/** Reads the next record into `into`; throws `wire/bad-payload`. */
export function readMessage(from: ByteReader, into: RaftMessage): void {
  into.type = from.u8();
  into.shard = from.u16();
  into.generation = from.u32();
  into.term = from.u32();
  into.entries = NO_BYTES;
  switch (into.type) {
    case RAFT.APPEND:
      into.index = from.u32();
      into.logTerm = from.u32();
      into.commit = from.u32();
      into.round = from.u32();
      into.session = from.u32();
      into.count = from.u32();
      into.entries = from.bytes();
      return;
    case RAFT.APPEND_ANSWER:
      into.flag = from.u8();
      into.index = from.u32();
      into.commit = from.u32();
      into.round = from.u32();
      into.session = from.u32();
      return;
    case RAFT.PRE_VOTE:
    case RAFT.VOTE:
      into.flag = from.u8();
      into.index = from.u32();
      into.logTerm = from.u32();
      return;
    case RAFT.PRE_VOTE_ANSWER:
    case RAFT.VOTE_ANSWER:
    case RAFT.HAND_OVER:
    case RAFT.RESIGNED:
    case RAFT.LEAVING:
    case RAFT.GONE:
      into.flag = from.u8();
      into.index = from.u32();
      return;
    default:
      throw badPayload(`raft record of type ${into.type}`);
  }
}
