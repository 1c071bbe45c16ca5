/**
 * Reading: an actor as a copy sees it. The copy is here (`nearest`), or at the writer, asked over a request; `fresh`
 * has the writer confirm its role with a majority first.
 */
import type { Actors, ParkedView } from "../actors/mod.ts";
import type { Replication } from "../replication/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { World } from "../world/mod.ts";
import {
  type HandledRequest,
  type HistoryRequest,
  readHandledRequest,
  readHistoryRequest,
  readReadRequest,
  type ReadRequest,
} from "./read_requests.ts";
import { failed, type RequestResult, type Requests } from "./requests.ts";

/** What a read leads to. */
export interface ReadValue {
  seq: number;
  projections: Record<string, unknown>;
  parked: Record<string, ParkedView>;
  behind: number;
  /** incarnation of the writer as the copy knows it, 0 none */
  writer: number;
  /** incarnations with a vote in the shard */
  members: number[];
  /** hash of the version asked for; left out: none was, or the node that answered has not understood that one was */
  under?: string;
}

/** What reading needs of the rooms. */
export interface ReadingOptions {
  world: World;
  self: number;
  requests: Requests;
  replication: Replication;
  actors: Actors;
  isSuspect(incarnation: number): boolean;
  /** incarnations on which placement wants the shard, writer first */
  targets(shard: number): number[];
  /** Has the plugin host keep a version for a while, though it does not fold; false: it is not kept any more. */
  lend(plugin: string, hash: string): boolean;
  /** false while this node knows the topology only as its host gave it, without the plugins */
  knowsPlugins(): boolean;
  requestMs: number;
}

/** Readers that wait for the next commit of one shard. */
const WATCHERS_MAX = 10_000;
/** Between two looks for a working writer, ms. */
const RETRY_MS = 25;
/** One answer of a history at most, bytes; the next page starts where it ends. */
const HISTORY_BYTES_MAX = 4 * 1024 * 1024;

/** Reads of all kinds. */
export class Reading {
  readonly #options: ReadingOptions;
  /** who waits for the next commit of a shard */
  readonly #watchers = new Map<number, Set<() => void>>();

  constructor(options: ReadingOptions) {
    this.#options = options;
    options.requests.handle("read", (body, done) => this.#readHere(readReadRequest(body), done));
    options.requests.handle("history", (body, done) => this.#historyHere(readHistoryRequest(body), done));
    options.requests.handle("handled", (body, done) => this.#handledHere(readHandledRequest(body), done));
  }

  /** An actor's projections; see {@linkcode ReadRequest}. */
  read(request: ReadRequest, done: (result: RequestResult) => void): void {
    if (request.mode === "nearest" && this.#readable(request.shard) !== null && this.#options.knowsPlugins()) {
      this.#readHere(request, done);
      return;
    }
    this.#atWriter("read", request, { timeoutMs: this.#options.requestMs }, done);
  }

  /** A page of an actor's messages. */
  history(request: HistoryRequest, done: (result: RequestResult) => void): void {
    if (request.mode === "nearest" && this.#readable(request.shard) !== null) {
      this.#historyHere(request, done);
      return;
    }
    this.#atWriter("history", request, { timeoutMs: this.#options.requestMs + request.waitMs }, done);
  }

  /** Waits until the handlers are through with a message. */
  handled(request: HandledRequest, done: (result: RequestResult) => void): void {
    this.#atWriter("handled", request, { timeoutMs: this.#options.requestMs }, done);
  }

  /** Entries of the shard have been committed here. */
  committed(shard: number): void {
    const watchers = this.#watchers.get(shard);
    if (watchers === undefined) return;
    this.#watchers.delete(shard);
    for (const wake of watchers) wake();
  }

  #atWriter(
    method: "read" | "history" | "handled",
    request: ReadRequest | HistoryRequest | HandledRequest,
    options: { timeoutMs: number },
    done: (result: RequestResult) => void,
  ): void {
    const { world, self, replication, requests } = this.#options;
    const untilMs = world.nowMonoMs() + options.timeoutMs;
    let attempts = 0;
    const attempt = () => {
      const leftMs = untilMs - world.nowMonoMs();
      if (leftMs <= 0) {
        done(failed("replication/no-writer", "not-applied", "Cannot read as the shard has no working writer"));
        return;
      }
      const again = () => void world.after(RETRY_MS, attempt);
      const judge = (result: RequestResult) => {
        if (result.ok || !PASSING.has(result.code)) done(result);
        else again();
      };
      const hint = replication.hint(request.shard);
      const targets = this.#options.targets(request.shard);
      const hinted = hint !== null && hint.writer !== 0 && !this.#options.isSuspect(hint.writer) && attempts % 3 !== 2;
      const to = hinted ? hint!.writer : targets[Math.floor(attempts / 3) % Math.max(1, targets.length)];
      attempts++;
      if (to === undefined) return again();
      if (to === self) {
        if (method === "read") this.#readHere(request as ReadRequest, judge);
        else if (method === "history") this.#historyHere(request as HistoryRequest, judge);
        else this.#handledHere(request as HandledRequest, judge);
        return;
      }
      if (this.#options.isSuspect(to)) return again();
      requests.ask(to, method, request, { timeoutMs: leftMs, done: judge });
    };
    attempt();
  }

  #readHere(
    request: ReadRequest,
    done: (result: RequestResult) => void,
    untilMs = this.#options.world.nowMonoMs() + this.#options.requestMs - ANSWER_MS,
  ): void {
    const { replication } = this.#options;
    const { shard, key, mode } = request;
    if (!this.#options.knowsPlugins()) return done(NOT_YET);
    const answer = () => {
      const store = this.#readable(shard);
      if (store === null) return done(NOT_HERE);
      const commit = replication.commitIndex(shard);
      const seq = committedSeq(store, commit, key);
      if (seq < request.after) {
        const leftMs = Math.max(0, untilMs - this.#options.world.nowMonoMs());
        const timer = this.#options.world.after(leftMs, () => {
          forget();
          done(
            failed("actors/not-reached", "not-applied", "Cannot read as the actor has not reached the seq asked for"),
          );
        });
        const forget = this.#onNextCommit(shard, () => {
          timer.cancel();
          this.#readHere(request, done, untilMs);
        });
        return;
      }
      if (seq === 0) return done(failed("actors/unknown", "not-applied", "Cannot read the actor as it has no history"));
      const row = store.actorRow(key);
      if (store.isRetired(row, commit)) return done(RETIRED);
      const behind = Math.max(0, store.rowSeq(row) - seq);
      const { version } = request;
      if (version !== undefined && !this.#options.lend(version.name, version.hash)) return done(NO_VERSION);
      const how = { ...request.at > 0 ? { at: request.at } : {}, ...version === undefined ? {} : { version } };
      this.#options.actors.project(shard, key, how, (answer) => {
        if (answer.state === "failed") {
          return done(failed(answer.code, "not-applied", "Cannot read the actor here now"));
        }
        const { seq, projections, parked } = answer;
        const value: ReadValue = {
          seq,
          projections,
          parked,
          behind,
          writer: replication.hint(shard)?.writer ?? 0,
          members: replication.members(shard),
          ...version === undefined ? {} : { under: version.hash },
        };
        done({ ok: true, value });
      });
    };
    if (mode === "nearest") return answer();
    if (!replication.isWriter(shard)) {
      replication.ask(shard);
      return done(NOT_HERE);
    }
    if (mode === "writer") return answer();
    replication.readFresh(shard, (index) => index === null ? done(NOT_HERE) : answer());
  }

  #historyHere(request: HistoryRequest, done: (result: RequestResult) => void): void {
    const { replication, world } = this.#options;
    const { shard, key, after } = request;
    if (request.mode !== "nearest" && !replication.isWriter(shard)) {
      replication.ask(shard);
      return done(NOT_HERE);
    }
    const store = this.#readable(shard);
    if (store === null) return done(NOT_HERE);
    const commit = replication.commitIndex(shard);
    const seq = committedSeq(store, commit, key);
    const indexes = store.history(key, after, request.limit, commit);
    if (indexes.length === 0 && request.waitMs > 0) {
      const untilMs = world.nowMonoMs() + request.waitMs;
      const timer = world.after(request.waitMs, () => {
        forget();
        done({ ok: true, value: { events: [], next: null } });
      });
      const forget = this.#onNextCommit(shard, () => {
        timer.cancel();
        this.#historyHere({ ...request, waitMs: Math.max(0, untilMs - world.nowMonoMs()) }, done);
      });
      return;
    }
    const events: unknown[] = [];
    let bytes = 0;
    let last = seq;
    for (const index of indexes) {
      const message = store.message(index);
      bytes += message.payload.length;
      if (bytes > HISTORY_BYTES_MAX && events.length > 0) break;
      events.push({
        seq: message.seq,
        id: message.id,
        at: message.atMs,
        type: message.type,
        contentType: message.contentType,
        payload: message.payload,
      });
      last = message.seq;
    }
    done({ ok: true, value: { events, next: last < seq ? last : null } });
  }

  /** The copy here, if it is one to read: not while it lacks what was freed where it is fed from. */
  #readable(shard: number): ShardStore | null {
    const { replication } = this.#options;
    const store = replication.store(shard);
    return store !== null && store.wholeFrom <= replication.commitIndex(shard) ? store : null;
  }

  #handledHere(request: HandledRequest, done: (result: RequestResult) => void): void {
    const { replication, actors } = this.#options;
    if (!replication.isWriter(request.shard)) return done(NOT_HERE);
    if (!this.#options.knowsPlugins()) return done(NOT_YET);
    actors.whenHandled(request.shard, request.key, request.seq, request.timeoutMs, (result) => {
      const standstill = actors.standstill(request.shard, request.key, request.seq);
      done({ ok: true, value: standstill === "" ? result : { ...result, standstill } });
    });
  }

  #onNextCommit(shard: number, wake: () => void): () => void {
    let watchers = this.#watchers.get(shard);
    if (watchers === undefined) this.#watchers.set(shard, watchers = new Set());
    // Beyond the bound nobody is woken early: the timer that each of them has will do.
    if (watchers.size < WATCHERS_MAX) watchers.add(wake);
    return () => void watchers.delete(wake);
  }
}

/** Who waits for a seq is told in time that it has not come: before the node that asks gives up. */
const ANSWER_MS = 500;
const NOT_HERE = failed("replication/not-writer", "not-applied", "Cannot read here as another node writes the shard");
const NO_VERSION = failed(
  "topology/no-such-version",
  "not-applied",
  "Cannot read under that version as it is not kept",
);
const RETIRED = failed("actors/retired", "not-applied", "Cannot read the actor as its life has ended");
/** Who does not know the plugins yet would call everything handled, and say that nothing is kept. */
const NOT_YET = failed("node/not-ready", "not-applied", "Cannot answer for handlers as they are not known here yet");
/** Answers after which another node is asked. */
const PASSING = new Set([
  "replication/not-writer",
  "node/no-answer",
  "node/unreachable",
  "node/busy",
  "node/not-ready",
]);

/** The actor's last seq among the entries up to `commit`, former lives included; 0 when it has none. */
export function committedSeq(store: ShardStore, commit: number, key: string): number {
  const row = store.actorRow(key);
  if (row < 0) return 0;
  const index = store.rowLastIndexUpTo(row, commit);
  return index === 0 ? 0 : store.seqOf(index);
}
