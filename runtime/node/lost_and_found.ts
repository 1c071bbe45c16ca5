/**
 * Lost and found: copies of generations that have ended, on the nodes that came back with them. They can be looked
 * through, what is not in the present history can be sent into it under the same ids, and they are kept until somebody
 * says that they may go.
 */
import { digestText } from "../base/mod.ts";
import type { LostCopy } from "../replication/mod.ts";
import { ENTRY } from "../storage/mod.ts";
import { DATA_SHARDS, shardText } from "../topology/mod.ts";
import { badPayload } from "../wire/mod.ts";
import type { NodeCore } from "./core.ts";
import { failed, type RequestResult } from "./requests.ts";

/** A copy of an ended generation. */
export interface LostCopySummary {
  shard: string;
  generation: number;
  term: number;
  /** messages in it, those of the common past included */
  messages: number;
}

/** A message of such a copy; its body is not told, `resend` has it. */
export interface LostMessage {
  index: number;
  key: string;
  id: string;
  seq: number;
  type: string;
  /** wall clock of when it was taken in, ms */
  at: number;
  digest: string;
}

/** What sending again led to. */
export interface Resent {
  /** recorded anew */
  sent: number;
  /** stood in the present history already */
  already: number;
  /** was not taken, and why */
  refused: { key: string; id: string; code: string }[];
  /** where to go on; null at the end */
  next: number | null;
}

/** Messages told, found or sent again in one request. */
const PAGE_MAX = 500;

/** Answers for the lost copies of this node. */
export class LostAndFound {
  readonly #core: NodeCore;

  constructor(options: { core: NodeCore }) {
    const core = this.#core = options.core;
    core.requests.handle("lost", (_body, done) => done({ ok: true, value: this.#list() }));
    core.requests.handle("lost-messages", (body, done) => done(this.#messages(body)));
    core.requests.handle("lost-resend", (body, done) => this.#resend(body, done));
    core.requests.handle("lost-discard", (body, done) => {
      const { shard, generation } = pageIn(body);
      const ok = core.replication.generations.discard(shard, generation);
      done(ok ? { ok: true, value: true } : noCopy(shard, generation));
    });
    core.requests.handle("find", (body, done) => done(this.#find(body)));
  }

  #list(): LostCopySummary[] {
    return this.#core.replication.generations.lost.map(({ shard, generation, term, store }) => {
      let messages = 0;
      for (let index = 1; index <= store.lastIndex; index++) if (store.kindAt(index) === ENTRY.MESSAGE) messages++;
      return { shard: shardText(shard), generation, term, messages };
    });
  }

  #copy(shard: number, generation: number): LostCopy | undefined {
    return this.#core.replication.generations.lost.find((one) => one.shard === shard && one.generation === generation);
  }

  #messages(body: unknown): RequestResult {
    const { shard, generation, after, limit } = pageIn(body);
    const copy = this.#copy(shard, generation);
    if (copy === undefined) return noCopy(shard, generation);
    const { indexes, next } = pageOf(copy, after, limit);
    const messages = indexes.map((index): LostMessage => {
      const { key, id, seq, type, atMs } = copy.store.message(index);
      return { index, key, id, seq, type, at: atMs, digest: digestText(copy.store.digestOf(index)) };
    });
    return { ok: true, value: { messages, next } };
  }

  /** Which of these messages stand in the present history here; for the writer. */
  #find(body: unknown): RequestResult {
    const { shard, items } = body as { shard: number; items: [string, string][] };
    const { replication } = this.#core;
    if (!Array.isArray(items) || items.length > PAGE_MAX) throw badPayload("a question about too many messages");
    const store = replication.store(whole(shard, DATA_SHARDS - 1));
    if (store === null || !replication.isWriter(shard)) {
      return failed("replication/not-writer", "not-applied", "Cannot look here as another node writes the shard");
    }
    const commit = replication.commitIndex(shard);
    const found = items.map(([key, id]) => {
      const index = store.findMessage(String(key), String(id));
      return index > 0 && index <= commit;
    });
    return { ok: true, value: found };
  }

  #resend(body: unknown, done: (result: RequestResult) => void): void {
    const { shard, generation, after, limit, ids } = pageIn(body);
    const copy = this.#copy(shard, generation);
    if (copy === undefined) return done(noCopy(shard, generation));
    const { indexes, next } = pageOf(copy, after, limit);
    const messages = indexes.map((index) => copy.store.message(index)).filter(({ id }) => ids === null || ids.has(id));
    const value: Resent = { sent: 0, already: 0, refused: [], next };
    let open = messages.length;
    if (open === 0) return done({ ok: true, value });
    // One sender for the whole copy: what it sends stands in the order in which it once stood.
    const sender = `lost:${this.#core.self.incarnation}:${shard}:${generation}`;
    for (const { key, id, type, contentType, atMs, payload } of messages) {
      this.#core.post({ key, id, type, contentType, atMs, payload: payload.slice(), sender }, (answer) => {
        if (answer.state === "refused") value.refused.push({ key, id, code: answer.code });
        else if (answer.duplicate) value.already++;
        else value.sent++;
        if (--open === 0) done({ ok: true, value });
      });
    }
  }
}

function pageOf(copy: LostCopy, after: number, limit: number): { indexes: number[]; next: number | null } {
  const indexes: number[] = [];
  const { lastIndex } = copy.store;
  for (let index = after + 1; index <= lastIndex; index++) {
    if (copy.store.kindAt(index) !== ENTRY.MESSAGE) continue;
    if (indexes.length === limit) return { indexes, next: indexes[indexes.length - 1] };
    indexes.push(index);
  }
  return { indexes, next: null };
}

function noCopy(shard: number, generation: number): RequestResult {
  const message = `Cannot find a lost copy of ${shardText(shard)} in generation ${generation} as this node has none`;
  return failed("replication/no-such-copy", "not-applied", message);
}

function pageIn(
  body: unknown,
): { shard: number; generation: number; after: number; limit: number; ids: Set<string> | null } {
  if (typeof body !== "object" || body === null) throw badPayload("a question without fields");
  const from = body as Record<string, unknown>;
  const ids = Array.isArray(from.ids) ? new Set(from.ids.slice(0, PAGE_MAX).map(String)) : null;
  return {
    shard: whole(from.shard, DATA_SHARDS),
    generation: whole(from.generation, 0xffffffff),
    after: whole(from.after ?? 0, 0xffffffff),
    limit: Math.max(1, whole(from.limit ?? PAGE_MAX, PAGE_MAX)),
    ids,
  };
}

function whole(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw badPayload("a number out of its bounds");
  }
  return value;
}
