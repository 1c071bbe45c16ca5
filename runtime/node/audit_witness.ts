/**
 * Witness: what this node says of its own copies when an audit asks it. It looks at its memory and at nothing else: no
 * hint, no table of the writer's, no peer is asked, and digests are computed from the bytes that stand there.
 *
 * Like a storekeeper who counts while the shop is open: a few shelves, then the next customer. An answer that takes long
 * (a digest over all actors) is worked out in slices of about five milliseconds, with everything else in between. What
 * a slice has seen may be truncated before the next one begins, but never what is committed, and an answer is about
 * committed entries only.
 *
 * Costs about 2 us for a message of 300 bytes, 2 us for an actor in a summary. A payload is hashed in one go: the 16 MiB
 * that a log could hold take some 40 ms, the 1 MiB that a gateway lets in 3.
 */
import { chainDigest, type Digest64, digest64, mix32 } from "../base/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import type { World } from "../world/mod.ts";
import {
  type ActorRow,
  type Answer,
  type CopyState,
  type CopySummary,
  type MessageAnswer,
  type Question,
  type Reply,
  ROWS_MAX,
} from "./audit_questions.ts";

/** A copy that this node holds. */
export interface OwnCopy extends CopyState {
  store: ShardStore;
}

/** Limits of a witness. */
export interface WitnessConfig {
  /** work of one slice; a unit is about a microsecond */
  sliceUnits: number;
  /** requests that may wait for their turn; one more is told `busy` */
  requestsMax: number;
}

/** What is worked on: a generator that yields the units it has used, and in the end returns the answer. */
type Work<T> = Generator<number, T>;

interface Job {
  work: Work<Reply[]>;
  done: (replies: Reply[]) => void;
}

/** Work between two looks at the slice's end, units: looking costs something, too. */
const STEP_UNITS = 256;
const NO_CHAIN: Digest64 = { hi: 0, lo: 0 };
const ENCODER = new TextEncoder();

/** Answers for this node's copies. */
export class Witness {
  readonly #world: World;
  readonly #copyOf: (shard: number) => OwnCopy | null;
  readonly #config: WitnessConfig;
  #jobs: Job[] = [];
  #isPlanned = false;

  constructor(options: { world: World; copyOf: (shard: number) => OwnCopy | null; config: WitnessConfig }) {
    this.#world = options.world;
    this.#copyOf = options.copyOf;
    this.#config = options.config;
  }

  /** Works the questions' answers out, one each; false: too many wait already, and `done` will not be called. */
  answer(questions: readonly Question[], done: (replies: Reply[]) => void): boolean {
    if (this.#jobs.length >= this.#config.requestsMax) return false;
    this.#jobs.push({ work: this.#replies(questions), done });
    this.#plan();
    return true;
  }

  #plan(): void {
    if (this.#isPlanned || this.#jobs.length === 0) return;
    this.#isPlanned = true;
    // A timer, not `soon`: whatever else has arrived gets its turn first.
    this.#world.after(0, () => this.#slice());
  }

  #slice(): void {
    this.#isPlanned = false;
    let left = this.#config.sliceUnits;
    while (left > 0 && this.#jobs.length > 0) {
      const job = this.#jobs[0];
      const { done, value } = job.work.next();
      if (done) {
        this.#jobs.shift();
        job.done(value);
      } else left -= value;
    }
    // Who asks for a little does not wait behind him who asks for all.
    if (this.#jobs.length > 1) this.#jobs.push(this.#jobs.shift()!);
    this.#plan();
  }

  *#replies(questions: readonly Question[]): Work<Reply[]> {
    const replies: Reply[] = [];
    for (const question of questions) {
      const own = this.#copyOf(question.shard);
      const answer: Answer = own === null ? null : yield* this.#answerTo(question, own);
      // As it is after the work: an answer that took long must not be counted for a copy that has gone meanwhile.
      const now = this.#copyOf(question.shard);
      replies.push(
        now === null || now.store !== own?.store ? { copy: null, answer: null } : {
          copy: {
            generation: now.generation,
            term: now.term,
            commit: now.commit,
            last: now.store.lastIndex,
            voters: now.voters,
          },
          answer,
        },
      );
      yield 1;
    }
    return replies;
  }

  *#answerTo(question: Question, { store, commit }: OwnCopy): Work<Answer> {
    switch (question.ask) {
      case "copy":
        return { ask: "copy" };
      case "message": {
        const message = lookUp(store, question);
        yield typeof message === "object" ? 4 + store.body(message.index).length / 256 : 2;
        return { ask: "message", message };
      }
      case "summary":
        if (question.upTo > commit) return null;
        return { ask: "summary", summary: yield* this.#summary(question.shard, store, question) };
      case "actors":
        if (question.upTo > commit) return null;
        return { ask: "actors", rows: yield* this.#actors(question, store) };
    }
  }

  *#summary(shard: number, store: ShardStore, { upTo, deep }: { upTo: number; deep: boolean }): Work<CopySummary> {
    const summary: CopySummary = { actors: 0, messages: 0, digest: { hi: 0, lo: 0 }, damaged: null };
    const { digest } = summary;
    for (const row of this.#rows(shard, store, upTo)) {
      if (typeof row === "number") {
        yield row;
        continue;
      }
      summary.actors++;
      summary.messages += row.seq;
      // A sum, so that it does not matter in which order a copy keeps its actors.
      const link = chainDigest(row.name, chainDigest({ hi: row.seq, lo: mix32(row.seq) }, row.chain));
      digest.hi = (digest.hi + link.hi) >>> 0;
      digest.lo = (digest.lo + link.lo) >>> 0;
    }
    if (deep) summary.damaged = yield* this.#damaged(shard, store, upTo);
    return summary;
  }

  *#actors(
    { shard, upTo, bucket, buckets, withKeys }: Question & { ask: "actors" },
    store: ShardStore,
  ): Work<ActorRow[]> {
    const rows: ActorRow[] = [];
    for (const row of this.#rows(shard, store, upTo)) {
      if (typeof row === "number") yield row;
      else if (row.name.hi % buckets === bucket && rows.length < ROWS_MAX) {
        rows.push(withKeys ? row : { ...row, key: null });
      }
    }
    return rows;
  }

  /** The actors as they stood at `upTo`, and between them the units used. */
  *#rows(shard: number, store: ShardStore, upTo: number): Generator<number | ActorRow> {
    let units = 0;
    for (let row = 0; row < store.rowCount; row++) {
      units += 0.2;
      const index = store.rowSeq(row) === 0 ? 0 : store.rowLastIndexUpTo(row, upTo);
      if (index === 0) continue;
      const key = store.keyOf(index);
      const name = digest64(ENCODER.encode(key));
      yield { name, seq: store.seqOf(index), chain: store.chainOf(index), index, key };
      units += 2;
      if (units < STEP_UNITS) continue;
      yield units;
      units = 0;
      if (this.#copyOf(shard)?.store !== store) return;
    }
    yield units;
  }

  /** Counts the messages whose bytes do not give the digests that stand beside them. */
  *#damaged(shard: number, store: ShardStore, upTo: number): Work<number> {
    let damaged = 0;
    let units = 0;
    for (let index = 1; index <= upTo; index++) {
      units += 0.2;
      if (store.kindAt(index) === ENTRY.MESSAGE) {
        const { digest, chain, payload } = store.message(index);
        const own = computed(store, index, payload);
        if (!isSame(own.digest, digest) || !isSame(own.chain, chain)) damaged++;
        units += 2 + payload.length / 256;
      }
      if (units < STEP_UNITS) continue;
      yield units;
      units = 0;
      if (this.#copyOf(shard)?.store !== store) return damaged;
    }
    yield units;
    return damaged;
  }
}

function lookUp(store: ShardStore, { key, id, index }: { key: string; id: string; index: number }): MessageAnswer {
  const isNamed = key !== "" && id !== "";
  const at = isNamed ? store.findMessage(key, id) : index;
  const row = isNamed ? store.actorRow(key) : -1;
  // of a life that has ended nobody holds messages, and after 30 days not even their ids
  const retired = row < 0 ? 0 : store.rowRetiredUpTo(row, store.lastIndex);
  if (retired > 0 && at <= retired) return "retired";
  if (at === 0 || at > store.lastIndex || store.kindAt(at) !== ENTRY.MESSAGE) return "absent";
  const { seq, term, payload } = store.message(at);
  const own = computed(store, at, payload);
  return { index: at, seq, term, ...own, times: isNamed ? store.countMessages(key, id) : 1 };
}

function computed(store: ShardStore, index: number, payload: Uint8Array): { digest: Digest64; chain: Digest64 } {
  const digest = digest64(payload);
  const previous = store.previousOf(index);
  if (previous === 0) return { digest, chain: chainDigest(NO_CHAIN, digest) };
  // What stands before a message need not be one for ever; then its chain is compared as it stands.
  const isThere = store.kindAt(previous) === ENTRY.MESSAGE;
  return { digest, chain: isThere ? chainDigest(store.chainOf(previous), digest) : store.chainOf(index) };
}

function isSame(a: Digest64, b: Digest64): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}
