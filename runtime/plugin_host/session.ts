/**
 * Sessions: what a host knows of actors, and how fold requests become runs of a program. Pure: no clock, no chance, no
 * I/O; the same core stands in the host's process and in the simulator.
 *
 * Requests come by the batch, and short ones of one version go through its program together, like guests who share a
 * taxi: the watchdog that stands beside each run costs 10 to 20 us, more than most messages do. When a shared run misses
 * its deadline nobody is blamed: all of them go again, each alone.
 *
 * @module
 */
import type { FoldAnswer, FoldRequest, FoldResult } from "../actors/mod.ts";
import type { Row } from "./history.ts";
import { NEEDS_HISTORY } from "./program.ts";
import { readRun, type Run } from "./run_answer.ts";
import type { Runner } from "./runner.ts";
import { differenceOfTrials, fickle } from "./trial.ts";
import { seqOf, type Session, SessionShelf, type Version } from "./session_shelf.ts";

/** Bounds of {@linkcode Sessions}. */
export interface SessionLimits {
  /** sessions kept, over all versions */
  sessionsMax: number;
  /** bytes of history and projections kept, over all sessions; the one in use stays whatever its size */
  sessionBytesMax: number;
  /** how long a run of {@linkcode SessionLimits.sliceMessages} may take */
  deadlineMs: number;
  /** messages of one run, of one actor or of many: a sign of life comes after each, and they share its overhead */
  sliceMessages: number;
  /** first calls of a version that are folded more than once, see `trial.ts` */
  callsTried: number;
}

/** What the process host and the inline host use. */
export const SESSION_LIMITS: SessionLimits = {
  // What bounds it is bytes: some 90,000 of a small handler that never looks at the history.
  sessionsMax: 100_000,
  sessionBytesMax: 64 * 1024 * 1024,
  deadlineMs: 200,
  sliceMessages: 32,
  callsTried: 64,
};

/** A {@linkcode FoldRequest} whose payloads are rows already, and whose switches are JSON. */
export type RowRequest = Omit<FoldRequest, "messages" | "switches" | "changes"> & {
  rows: Row[];
  switches: string;
  changes?: readonly { after: number; switches: string }[];
};

/** A {@linkcode FoldAnswer} whose projections are still text; undefined when they were not asked for. */
export interface RowAnswer {
  answer: FoldAnswer;
  projections: string | undefined;
  /** of each result the effects as JSON, `""` for none, where they were that before */
  effects?: readonly string[];
}

// A missed deadline is believed only the second time, with this many times the time: a stalled machine looks the same
// as a loop, and parking is for ever.
const PATIENCE = 4;

/** Longest history that is given to a trial's session. */
const TRIAL_HISTORY_MAX = 256;

/** What messages came to, behind the seq `after`, and their effects once more as text. */
interface Results {
  readonly after: number;
  readonly list: FoldResult[];
  readonly effects: string[];
}

/** Requests of one version that are about to be run together. */
interface Batch {
  readonly version: Version;
  parts: { place: number; request: RowRequest; session: Session }[];
  messages: number;
}

/** The sessions of all versions in one host. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #versions = new Map<string, Version>();
  readonly #shelf: SessionShelf;
  #lastVersion = 0;

  constructor(limits: SessionLimits = SESSION_LIMITS) {
    this.#limits = limits;
    this.#shelf = new SessionShelf(limits);
  }

  /** how many sessions are kept */
  get size(): number {
    return this.#shelf.size;
  }

  /** bytes that they are counted as */
  get bytes(): number {
    return this.#shelf.bytes;
  }

  /**
   * Takes a version in.
   *
   * @param readsHistory whether histories are kept from the start, rather than from when a handler first looks at one
   */
  load(hash: string, runner: Runner, readsHistory = false): void {
    this.unload(hash);
    const together = this.#limits.sliceMessages;
    this.#versions.set(hash, { number: ++this.#lastVersion, runner, together, readsHistory, tried: 0 });
  }

  /** Forgets a version and its sessions. */
  unload(hash: string): void {
    const version = this.#versions.get(hash);
    if (version !== undefined) this.#shelf.dropAll(version);
    this.#versions.delete(hash);
  }

  /**
   * Folds; never throws.
   *
   * @param request as in {@linkcode FoldRequest}
   * @param onProgress called after each run: a sign of life for the watchdog
   */
  fold(request: RowRequest, onProgress: () => void = () => {}): RowAnswer {
    const version = this.#versions.get(request.hash);
    if (version === undefined) return only({ state: "down", lonely: false, code: "plugin_host/not-loaded" });
    const session = this.#shelf.find(version, request)!;
    const behind = this.#behind(session, request.after);
    if (behind !== null) return only(behind);
    const results = resultsOf(request);
    const answer = request.changes === undefined && this.#isTried(version, request.rows.length)
      ? this.#foldTried(session, { request, results, onProgress })
      : this.#foldRows(session, { request, results, onProgress });
    if (isMissing(session, answer)) return this.#withHistory(session, request, onProgress);
    return this.#answered(session, request, answer, results);
  }

  /**
   * Folds many, those of one actor and version in order; never throws.
   *
   * @param done called once for each, with its place in `requests`; in any order
   * @param onProgress as for {@linkcode Sessions.fold}
   */
  foldAll(
    requests: readonly RowRequest[],
    done: (place: number, answer: RowAnswer) => void,
    onProgress: () => void = () => {},
  ): void {
    const batches = new Map<Version, Batch>();
    const flush = (batch: Batch) => {
      if (batch.parts.length > 0) this.#runTogether(batch, done, onProgress);
      batch.parts = [];
      batch.messages = 0;
    };
    for (let place = 0; place < requests.length; place++) {
      const request = requests[place];
      const version = this.#versions.get(request.hash);
      const batch = version === undefined ? undefined : batches.get(version);
      const count = request.rows.length;
      const mayShare = count > 0 && !request.fresh && version?.runner.runAll !== undefined &&
        !this.#isTried(version, count);
      if (version === undefined || !mayShare || count > version.together) {
        if (batch !== undefined) flush(batch);
        done(place, this.fold(request, onProgress));
        continue;
      }
      const mine = batch ?? { version, parts: [], messages: 0 };
      if (batch === undefined) batches.set(version, mine);
      if (mine.messages + count > version.together) flush(mine);
      let session = this.#shelf.find(version, request);
      if (session === null) {
        // the same actor once more: what comes before goes first
        flush(mine);
        session = this.#shelf.find(version, request)!;
      }
      const behind = this.#behind(session, request.after);
      if (behind !== null) {
        done(place, only(behind));
        continue;
      }
      session.inHand = true;
      mine.parts.push({ place, request, session });
      mine.messages += count;
    }
    for (const batch of batches.values()) flush(batch);
  }

  /** What to answer when the session stands elsewhere; null when it does not. */
  #behind(session: Session, after: number): FoldAnswer | null {
    const at = seqOf(session);
    if (at === after) return null;
    // A session that is ahead cannot go back, and what lies between was asked for: everything from birth.
    if (at > after || at === session.birth) this.#shelf.drop(session);
    return { state: "behind", at: at > after ? session.birth : at };
  }

  #runTogether(
    { version, parts }: Batch,
    done: (place: number, answer: RowAnswer) => void,
    onProgress: () => void,
  ): void {
    for (const { session } of parts) {
      session.inHand = false;
      remind(session);
    }
    const turns = parts.map(({ session: { number, projections }, request: { rows, switches } }) => ({
      session: number,
      rows,
      projections,
      switches,
    }));
    const texts = version.runner.runAll!(turns, this.#limits.deadlineMs);
    // Slow handlers miss it together though each alone would not: they find the number that goes.
    if (texts === null) version.together = Math.max(1, version.together >> 1);
    else if (version.together < this.#limits.sliceMessages) version.together++;
    for (let i = 0; i < parts.length; i++) {
      const { place, request, session } = parts[i];
      if (texts === null) {
        done(place, this.fold(request, onProgress));
        continue;
      }
      const results = resultsOf(request);
      const fault = this.#settle(session, request.rows, texts[i], results);
      const answer: FoldAnswer = fault === null
        ? { state: "ok", at: seqOf(session), results: results.list }
        : { state: "fault", at: seqOf(session) + 1, ...fault, results: results.list };
      if (isMissing(session, answer)) done(place, this.#withHistory(session, request, onProgress));
      else done(place, this.#answered(session, request, answer, results));
    }
    onProgress();
  }

  /** A handler has looked at a history that was not kept: nothing of the call counts, and it is made again with it. */
  #withHistory(session: Session, request: RowRequest, onProgress: () => void): RowAnswer {
    session.version.readsHistory = true;
    this.#shelf.drop(session);
    if (request.after === session.birth) return this.fold(request, onProgress);
    return only({ state: "behind", at: session.birth });
  }

  #isTried({ tried }: Version, messages: number): boolean {
    return tried < this.#limits.callsTried && messages > 0;
  }

  /** Folds up to the message at which trials differ. */
  #foldTried(
    session: Session,
    work: { request: RowRequest; results: Results; onProgress: () => void },
  ): FoldAnswer {
    const { request, results, onProgress } = work;
    session.version.tried++;
    const count = differenceOfTrials(() => this.#tryOut(session, request, onProgress));
    if (count < 0) return this.#foldRows(session, work);
    const answer = this.#foldRows(session, { ...work, request: { ...request, rows: request.rows.slice(0, count) } });
    return answer.state === "ok" ? fickle(answer.at + 1, results.list) : answer;
  }

  /** Folds the first messages by a session that is thrown away; null when that cannot be, or costs too much. */
  #tryOut(session: Session, { rows, switches }: RowRequest, onProgress: () => void): Run | null {
    const { deadlineMs, sliceMessages } = this.#limits;
    if (session.rows !== null && session.rows.length > TRIAL_HISTORY_MAX) return null;
    const slice = rows.slice(0, sliceMessages);
    const trial = this.#shelf.trial(session);
    const text = run(trial, { rows: slice, switches, deadlineMs });
    onProgress();
    this.#shelf.close(trial);
    return text === null ? null : readRun(text, slice.length);
  }

  #answered(session: Session, request: RowRequest, answer: FoldAnswer, { effects }: Results): RowAnswer {
    const projections = request.wantProjections && answer.state === "ok" ? this.#projectionsOf(session) : undefined;
    if (request.fresh && (request.wantProjections || answer.state !== "ok")) this.#shelf.drop(session);
    else this.#shelf.evict(session);
    return { answer, projections, effects };
  }

  #foldRows(
    session: Session,
    { request, results, onProgress }: { request: RowRequest; results: Results; onProgress: () => void },
  ): FoldAnswer {
    const { deadlineMs, sliceMessages } = this.#limits;
    const { rows, changes = [] } = request;
    const { list } = results;
    let from = 0;
    /** up to here one by one, to find out which of them is at fault */
    let carefulUntil = 0;
    while (from < rows.length) {
      const { switches, left } = switchesFor(request, changes, from);
      const count = from < carefulUntil ? 1 : Math.min(sliceMessages, left);
      const slice = rows.slice(from, from + count);
      let text = run(session, { rows: slice, switches, deadlineMs });
      onProgress();
      if (text === null && count > 1) {
        carefulUntil = from + count;
        continue;
      }
      if (text === null) {
        text = run(session, { rows: slice, switches, deadlineMs: deadlineMs * PATIENCE });
        onProgress();
      }
      const at = request.after + from + 1;
      if (text === null) {
        const message = `Cannot wait for the handler as it has ${deadlineMs * PATIENCE} ms for a message`;
        return { state: "fault", at, code: "plugin_host/deadline", message, stack: "", results: list };
      }
      const fault = this.#settle(session, slice, text, results);
      if (fault !== null) return { state: "fault", at: seqOf(session) + 1, ...fault, results: list };
      from += count;
    }
    return { state: "ok", at: seqOf(session), results: list };
  }

  /** Takes over what a run led to; the fault that ended it, or null. */
  #settle(session: Session, rows: readonly Row[], text: string, results: Results) {
    const unwanted = results.after - seqOf(session);
    const run = readRun(text, rows.length, unwanted);
    if (run === null) {
      session.generation = -1;
      const message = "Cannot read what the plugin's program answered as it must be of this version's form";
      return { code: "plugin_host/broken-program", message, stack: "" };
    }
    for (let i = 0; i < run.results.length; i++) {
      this.#shelf.push(session, rows[i]);
      if (i < unwanted) continue;
      const { effects, digest } = run.results[i];
      results.list.push({ seq: seqOf(session), effects, digest });
      results.effects.push(run.effects[i]);
    }
    this.#shelf.keep(session, run.projections);
    return run.fault;
  }

  #projectionsOf(session: Session): string {
    if (session.projections !== "") return session.projections;
    const text = run(session, { rows: [], switches: "{}", deadlineMs: this.#limits.deadlineMs });
    return readRun(text ?? "", 0)?.projections ?? "null";
  }
}

function run(session: Session, run: { rows: readonly Row[]; switches: string; deadlineMs: number }): string | null {
  remind(session);
  const { number, projections, version: { runner } } = session;
  return runner.run(number, run.rows, projections, run.switches, run.deadlineMs);
}

/** Gives a program that has lost its memory what it must know of a session. */
function remind(session: Session): void {
  const { number, birth, version: { runner }, key: { kind, facility, id } } = session;
  if (session.generation === runner.generation) return;
  runner.open(number, kind, facility, id, birth);
  if (session.rows === null) runner.lean!(number, session.count);
  else for (const row of session.rows) runner.remember(number, row);
  session.generation = runner.generation;
}

/** In a session that keeps its history the same code can only be the plugin's own invention. */
function isMissing(session: Session, answer: FoldAnswer): boolean {
  return session.rows === null && answer.state === "fault" && answer.code === NEEDS_HISTORY;
}

function resultsOf({ resultsAfter = 0 }: RowRequest): Results {
  return { after: resultsAfter, list: [], effects: [] };
}

function only(answer: FoldAnswer): RowAnswer {
  return { answer, projections: undefined };
}

/** What the message at this place of a request sees, and how many from there on see the same. */
function switchesFor(
  { after, rows, switches }: RowRequest,
  changes: NonNullable<RowRequest["changes"]>,
  from: number,
): { switches: string; left: number } {
  const at = after + from;
  const next = changes.findIndex((change) => change.after > at);
  const until = next < 0 ? rows.length : Math.min(rows.length, changes[next].after - after);
  const last = changes.at(next < 0 ? changes.length - 1 : next - 1);
  return { switches: next === 0 || last === undefined ? switches : last.switches, left: until - from };
}
