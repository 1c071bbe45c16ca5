/**
 * Questions that an audit puts to a node about its own copies, and the answers, as they travel. Both ends are checked
 * field by field: a peer may be of another version, or broken, and an auditor believes nobody's form.
 */
import type { Digest64 } from "../base/mod.ts";
import { TEXT_BYTES_MAX } from "../storage/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import { badPayload } from "../wire/mod.ts";

/** One question about one shard's copy. */
export type Question =
  /** nothing but what the copy is */
  | { ask: "copy"; shard: number }
  /** where a message stands: by key and id, or where both are `""` by `index` */
  | { ask: "message"; shard: number; key: string; id: string; index: number }
  /** all actors in one digest, at `upTo`; `deep`: every payload is read anew */
  | { ask: "summary"; shard: number; upTo: number; deep: boolean }
  /** the actors whose key falls into one of so many `buckets` */
  | { ask: "actors"; shard: number; upTo: number; bucket: number; buckets: number; withKeys: boolean };

/** What a copy is, by its own word. */
export interface CopyState {
  generation: number;
  term: number;
  commit: number;
  /** last index */
  last: number;
  /** incarnations with a vote, as its log has it */
  voters: number[];
}

/** A message as a copy has it; digests are computed anew from its bytes. */
export interface HeldMessage {
  index: number;
  seq: number;
  term: number;
  digest: Digest64;
  /** link of the actor's chain: from the link before, as it stands there, and `digest` */
  chain: Digest64;
  /** how often its id stands there */
  times: number;
}

/** All actors of a copy at an index. */
export interface CopySummary {
  actors: number;
  messages: number;
  /** the same whatever the order of the actors */
  digest: Digest64;
  /** messages whose bytes do not give the digests beside them; null: not read */
  damaged: number | null;
}

/** One actor of a copy at an index. */
export interface ActorRow {
  /** digest of the key */
  name: Digest64;
  seq: number;
  chain: Digest64;
  /** log index of its newest message */
  index: number;
  key: string | null;
}

/** `absent`: it does not stand there; `retired`: its actor has a tombstone. */
export type MessageAnswer = HeldMessage | "absent" | "retired";

/** The answer to a question; null: this copy cannot say (not there, or not so far). */
export type Answer =
  | { ask: "copy" }
  | { ask: "message"; message: MessageAnswer }
  | { ask: "summary"; summary: CopySummary }
  | { ask: "actors"; rows: ActorRow[] }
  | null;

/** What a node says to one question: its copy, null where it has none, and the answer. */
export interface Reply {
  copy: CopyState | null;
  answer: Answer;
}

/** Questions of one request at most: what a reply brings is judged in one turn, some three milliseconds of it. */
export const QUESTIONS_MAX = 128;
/** Actors of one answer at most; who needs more asks for smaller buckets. */
export const ROWS_MAX = 8192;

const U32_MAX = 0xffffffff;
const BUCKETS_MAX = 65_536;
const VOTERS_MAX = 64;

/** The questions of a peer; throws `wire/bad-payload`. */
export function readQuestions(body: unknown): Question[] {
  return list(body, QUESTIONS_MAX).map((value) => {
    const from = fieldsOf(value);
    const shard = whole(from.shard, DATA_SHARDS - 1);
    switch (from.ask) {
      case "copy":
        return { ask: "copy", shard };
      case "message": {
        const { key, id } = { key: text(from.key, TEXT_BYTES_MAX.key), id: text(from.id, TEXT_BYTES_MAX.id) };
        return { ask: "message", shard, key, id, index: whole(from.index, U32_MAX) };
      }
      case "summary":
        return { ask: "summary", shard, upTo: whole(from.upTo, U32_MAX), deep: from.deep === true };
      case "actors": {
        const buckets = whole(from.buckets, BUCKETS_MAX);
        const bucket = whole(from.bucket, buckets - 1);
        const upTo = whole(from.upTo, U32_MAX);
        return { ask: "actors", shard, upTo, bucket, buckets, withKeys: from.withKeys === true };
      }
      default:
        throw badPayload("a question of no known kind");
    }
  });
}

/** The replies of a peer to `questions`, one each; throws `wire/bad-payload`. */
export function readReplies(body: unknown, questions: readonly Question[]): Reply[] {
  const replies = list(body, questions.length);
  if (replies.length !== questions.length) throw badPayload("another number of answers than of questions");
  return replies.map((value, i) => {
    const { copy, answer } = fieldsOf(value);
    if (copy === null) return { copy: null, answer: null };
    return { copy: readCopy(fieldsOf(copy)), answer: answer === null ? null : readAnswer(questions[i], answer) };
  });
}

function readCopy(from: Fields): CopyState {
  const [generation, term] = [whole(from.generation, U32_MAX), whole(from.term, U32_MAX)];
  const voters = list(from.voters, VOTERS_MAX).map((voter) => whole(voter, Number.MAX_SAFE_INTEGER));
  return { generation, term, commit: whole(from.commit, U32_MAX), last: whole(from.last, U32_MAX), voters };
}

function readAnswer({ ask }: Question, value: unknown): Answer {
  const from = fieldsOf(value);
  if (from.ask !== ask) throw badPayload("an answer to another question");
  if (ask === "copy") return { ask };
  if (ask === "message") {
    const { message } = from;
    if (message === "absent" || message === "retired") return { ask, message };
    const held = fieldsOf(message);
    const [index, seq, term] = [held.index, held.seq, held.term].map((number) => whole(number, U32_MAX));
    const times = whole(held.times, U32_MAX);
    return { ask, message: { index, seq, term, digest: digest(held.digest), chain: digest(held.chain), times } };
  }
  if (ask === "summary") {
    const summary = fieldsOf(from.summary);
    const [actors, messages] = [whole(summary.actors, U32_MAX), whole(summary.messages, U32_MAX)];
    const damaged = summary.damaged === null ? null : whole(summary.damaged, U32_MAX);
    return { ask, summary: { actors, messages, digest: digest(summary.digest), damaged } };
  }
  const rows = list(from.rows, ROWS_MAX).map((value): ActorRow => {
    const row = fieldsOf(value);
    const key = row.key === null ? null : text(row.key, TEXT_BYTES_MAX.key);
    const [seq, index] = [whole(row.seq, U32_MAX), whole(row.index, U32_MAX)];
    return { name: digest(row.name), seq, chain: digest(row.chain), index, key };
  });
  return { ask, rows };
}

type Fields = Record<string, unknown>;

function fieldsOf(value: unknown): Fields {
  if (typeof value !== "object" || value === null) throw badPayload("fields are missing");
  return value as Fields;
}

function list(value: unknown, max: number): unknown[] {
  if (!Array.isArray(value) || value.length > max) throw badPayload("no list, or a list over its limit");
  return value;
}

function text(value: unknown, unitsMax: number): string {
  if (typeof value !== "string" || value.length > unitsMax) throw badPayload("no text, or a text over its limit");
  return value;
}

function digest(value: unknown): Digest64 {
  const { hi, lo } = fieldsOf(value);
  return { hi: whole(hi, U32_MAX), lo: whole(lo, U32_MAX) };
}

function whole(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw badPayload("a number out of its bounds");
  }
  return value;
}
