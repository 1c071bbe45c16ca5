/**
 * Raft's messages as bytes. All shards' messages to one peer share frames: a frame is these records one after another.
 * Append and its answer are the hot ones; nothing here makes an object per entry.
 */
import { badPayload, type ByteWriter } from "../wire/mod.ts";

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
 * One record, decoded. One object serves all records of a frame, so keep nothing of it but numbers.
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
  /** append: the entries as they stand in the log; one that was read: the frame that has them, from `entriesAt` on */
  entries: Uint8Array;
  /** append that was read: where its entries start and end */
  entriesAt: number;
  entriesTo: number;
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
    entriesAt: 0,
    entriesTo: 0,
  };
}

/** Bytes of a record of each kind, an append's entries left out. */
const SIZE = { head: 11, append: 39, appendAnswer: 28, vote: 20, other: 16 } as const;

/** Lays `message` out behind what `out` holds. */
export function writeMessage(out: ByteWriter, message: RaftMessage): void {
  const { type, entries } = message;
  // Room is made once for the whole record: a dozen fields that each ask for theirs cost three times as much.
  const at = out.reserve(
    type === RAFT.APPEND
      ? SIZE.append + entries.length
      : type === RAFT.APPEND_ANSWER
      ? SIZE.appendAnswer
      : type === RAFT.PRE_VOTE || type === RAFT.VOTE
      ? SIZE.vote
      : SIZE.other,
  );
  const { buffer, view } = out;
  buffer[at] = type;
  view.setUint16(at + 1, message.shard, true);
  view.setUint32(at + 3, message.generation, true);
  view.setUint32(at + 7, message.term, true);
  switch (type) {
    case RAFT.APPEND:
      view.setUint32(at + 11, message.index, true);
      view.setUint32(at + 15, message.logTerm, true);
      view.setUint32(at + 19, message.commit, true);
      view.setUint32(at + 23, message.round, true);
      view.setUint32(at + 27, message.session, true);
      view.setUint32(at + 31, message.count, true);
      view.setUint32(at + 35, entries.length, true);
      buffer.set(entries, at + SIZE.append);
      return;
    case RAFT.APPEND_ANSWER:
      buffer[at + 11] = message.flag;
      view.setUint32(at + 12, message.index, true);
      view.setUint32(at + 16, message.commit, true);
      view.setUint32(at + 20, message.round, true);
      view.setUint32(at + 24, message.session, true);
      return;
    case RAFT.PRE_VOTE:
    case RAFT.VOTE:
      view.setUint32(at + 16, message.logTerm, true);
  }
  buffer[at + 11] = message.flag;
  view.setUint32(at + 12, message.index, true);
}

/** Reads the records of one frame, one after another. */
export class RaftReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(frame: Uint8Array) {
    this.#bytes = frame;
  }

  /** Reads the next record into `into`; false when there is none. Throws `wire/bad-payload`. */
  next(into: RaftMessage): boolean {
    const at = this.#at;
    if (at === this.#bytes.length) return false;
    this.#need(SIZE.head);
    const type = into.type = this.#bytes[at];
    into.shard = this.#bytes[at + 1] | (this.#bytes[at + 2] << 8);
    into.generation = this.#u32(at + 3);
    into.term = this.#u32(at + 7);
    into.entries = NO_BYTES;
    into.entriesAt = into.entriesTo = 0;
    switch (type) {
      case RAFT.APPEND:
        this.#append(at, into);
        return true;
      case RAFT.APPEND_ANSWER:
        this.#need(SIZE.appendAnswer);
        into.flag = this.#bytes[at + 11];
        into.index = this.#u32(at + 12);
        into.commit = this.#u32(at + 16);
        into.round = this.#u32(at + 20);
        into.session = this.#u32(at + 24);
        this.#at = at + SIZE.appendAnswer;
        return true;
      case RAFT.PRE_VOTE:
      case RAFT.VOTE:
        this.#need(SIZE.vote);
        into.logTerm = this.#u32(at + 16);
        this.#at = at + SIZE.vote;
        break;
      case RAFT.PRE_VOTE_ANSWER:
      case RAFT.VOTE_ANSWER:
      case RAFT.HAND_OVER:
      case RAFT.RESIGNED:
      case RAFT.LEAVING:
      case RAFT.GONE:
        this.#need(SIZE.other);
        this.#at = at + SIZE.other;
        break;
      default:
        throw badPayload(`raft record of type ${type}`);
    }
    into.flag = this.#bytes[at + 11];
    into.index = this.#u32(at + 12);
    return true;
  }

  #append(at: number, into: RaftMessage): void {
    this.#need(SIZE.append);
    into.index = this.#u32(at + 11);
    into.logTerm = this.#u32(at + 15);
    into.commit = this.#u32(at + 19);
    into.round = this.#u32(at + 23);
    into.session = this.#u32(at + 27);
    into.count = this.#u32(at + 31);
    const bytes = this.#u32(at + 35);
    this.#need(SIZE.append + bytes);
    into.entriesAt = at + SIZE.append;
    this.#at = into.entriesTo = into.entriesAt + bytes;
    if (bytes > 0) into.entries = this.#bytes;
  }

  /** What follows is as long as that, or it is no frame. */
  #need(bytes: number): void {
    if (this.#at + bytes > this.#bytes.length) throw badPayload("a raft record that is cut off");
  }

  #u32(at: number): number {
    const bytes = this.#bytes;
    return (bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)) >>> 0;
  }
}
