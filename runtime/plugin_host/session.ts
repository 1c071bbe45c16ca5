/**
 * Sessions: what a host knows of actors, and how a fold request becomes runs of a program. Pure: no clock, no chance,
 * no I/O; the same core stands in the host's process and in the simulator.
 *
 * A session is a bookmark with the pages before it: an actor's messages so far, as one version of one plugin has read
 * them, and the projections at the bookmark. Losing one costs time only, since its actor's writer can send everything
 * again; so they are bounded, the least used going first.
 *
 * @module
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import type { FoldAnswer, FoldRequest, FoldResult } from "../actors/mod.ts";
import { EFFECTS_MAX, problemOfEffect, unpackEffect } from "./effect_check.ts";
import type { Row } from "./history.ts";
import type { RunHeader } from "./program.ts";

/** A loaded version of a plugin, see {@linkcode Program}. */
export interface Runner {
  /** raised whenever the program has lost its memory */
  readonly generation: number;
  /** begins to remember a session; the first message that is folded in it has the seq after `birth` */
  open(session: number, kind: string, facility: string, id: string, birth: number): void;
  /** adds a message that was folded before */
  remember(session: number, row: Row): void;
  /** forgets a session */
  close(session: number): void;
  /**
   * Folds rows.
   *
   * @returns what {@linkcode Program.run} answers; `""` when the program is broken; null when the deadline passed, and
   *   then the generation has changed
   */
  run(session: number, rows: readonly Row[], projections: string, switches: string, deadlineMs: number): string | null;
}

/** Bounds of {@linkcode Sessions}. */
export interface SessionLimits {
  /** sessions kept, over all versions */
  sessionsMax: number;
  /** bytes of history and projections kept, over all sessions; the one in use stays whatever its size */
  sessionBytesMax: number;
  /** how long a run of {@linkcode SessionLimits.sliceMessages} may take */
  deadlineMs: number;
  /** messages of one run: a sign of life comes after each, and the overhead of a run is shared by them */
  sliceMessages: number;
}

/** What the process host and the inline host use. */
export const SESSION_LIMITS: SessionLimits = {
  sessionsMax: 10_000,
  sessionBytesMax: 64 * 1024 * 1024,
  deadlineMs: 200,
  sliceMessages: 32,
};

/** A {@linkcode FoldRequest} whose payloads are rows already. */
export type RowRequest = Omit<FoldRequest, "messages"> & { rows: Row[] };

/** A {@linkcode FoldAnswer} whose projections are still text; undefined when they were not asked for. */
export interface RowAnswer {
  answer: FoldAnswer;
  projections: string | undefined;
}

// A missed deadline is believed only the second time, with this many times the time: a stalled machine looks the same
// as a loop, and parking is for ever.
const PATIENCE = 4;
const ROW_OVERHEAD_BYTES = 200;
const SESSION_OVERHEAD_BYTES = 500;

interface Session {
  readonly name: string;
  readonly number: number;
  readonly hash: string;
  readonly key: { kind: string; facility: string; id: string };
  /** last seq of the actor's former lives: the first row has the next */
  readonly birth: number;
  readonly rows: Row[];
  /** canonical text; `""` at birth */
  projections: string;
  bytes: number;
  generation: number;
}

/** The sessions of all versions in one host. */
export class Sessions {
  readonly #limits: SessionLimits;
  readonly #runners = new Map<string, Runner>();
  /** least recently used first */
  readonly #sessions = new Map<string, Session>();
  #bytes = 0;
  #lastNumber = 0;

  constructor(limits: SessionLimits = SESSION_LIMITS) {
    this.#limits = limits;
  }

  /** how many sessions are kept */
  get size(): number {
    return this.#sessions.size;
  }

  /** bytes that they are counted as */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a version in. */
  load(hash: string, runner: Runner): void {
    this.unload(hash);
    this.#runners.set(hash, runner);
  }

  /** Forgets a version and its sessions. */
  unload(hash: string): void {
    for (const session of this.#sessions.values()) {
      if (session.hash === hash) this.#drop(session);
    }
    this.#runners.delete(hash);
  }

  /**
   * Folds; never throws.
   *
   * @param request as in {@linkcode FoldRequest}
   * @param onProgress called after each run that is not the last: a sign of life for the watchdog
   */
  fold(request: RowRequest, onProgress: () => void = () => {}): RowAnswer {
    const runner = this.#runners.get(request.hash);
    if (runner === undefined) return only({ state: "down", lonely: false, code: "plugin_host/not-loaded" });
    const session = this.#find(request);
    const at = seqOf(session);
    if (at !== request.after) {
      // A session that is ahead cannot go back, and what lies between was asked for: everything from birth.
      if (at > request.after || at === session.birth) this.#drop(session);
      return only({ state: "behind", at: at > request.after ? session.birth : at });
    }
    const answer = this.#foldRows(session, runner, request, onProgress);
    const projections = request.wantProjections && answer.state === "ok"
      ? this.#projectionsOf(session, runner)
      : undefined;
    if (request.fresh && (request.wantProjections || answer.state !== "ok")) this.#drop(session);
    else this.#evict(session);
    return { answer, projections };
  }

  #foldRows(session: Session, runner: Runner, request: RowRequest, onProgress: () => void): FoldAnswer {
    const results: FoldResult[] = [];
    const switches = JSON.stringify(request.switches);
    const { deadlineMs, sliceMessages } = this.#limits;
    const { rows } = request;
    let from = 0;
    /** up to here one by one, to find out which of them is at fault */
    let carefulUntil = 0;
    while (from < rows.length) {
      const count = from < carefulUntil ? 1 : Math.min(sliceMessages, rows.length - from);
      const slice = rows.slice(from, from + count);
      let text = this.#run(session, runner, { rows: slice, switches, deadlineMs });
      onProgress();
      if (text === null && count > 1) {
        carefulUntil = from + count;
        continue;
      }
      if (text === null) {
        text = this.#run(session, runner, { rows: slice, switches, deadlineMs: deadlineMs * PATIENCE });
        onProgress();
      }
      const at = request.after + from + 1;
      if (text === null) {
        const message = `Cannot wait for the handler as it has ${deadlineMs * PATIENCE} ms for a message`;
        return { state: "fault", at, code: "plugin_host/deadline", message, stack: "", results };
      }
      const fault = this.#settle(session, slice, text, results);
      if (fault !== null) return { state: "fault", at: seqOf(session) + 1, ...fault, results };
      from += count;
    }
    return { state: "ok", at: seqOf(session), results };
  }

  #run(
    session: Session,
    runner: Runner,
    run: { rows: readonly Row[]; switches: string; deadlineMs: number },
  ): string | null {
    if (session.generation !== runner.generation) {
      const { kind, facility, id } = session.key;
      runner.open(session.number, kind, facility, id, session.birth);
      for (const row of session.rows) runner.remember(session.number, row);
      session.generation = runner.generation;
    }
    return runner.run(session.number, run.rows, session.projections, run.switches, run.deadlineMs);
  }

  /** Takes over what a run led to; the fault that ended it, or null. */
  #settle(session: Session, rows: readonly Row[], text: string, results: FoldResult[]) {
    const run = readRun(text, rows.length);
    if (run === null) {
      session.generation = -1;
      const message = "Cannot read what the plugin's program answered as it must be of this version's form";
      return { code: "plugin_host/broken-program", message, stack: "" };
    }
    let bytes = 2 * (run.projections.length - session.projections.length);
    for (let i = 0; i < run.results.length; i++) {
      session.rows.push(rows[i]);
      results.push({ seq: seqOf(session), ...run.results[i] });
      bytes += bytesOf(rows[i]);
    }
    session.projections = run.projections;
    session.bytes += bytes;
    this.#bytes += bytes;
    return run.fault;
  }

  #projectionsOf(session: Session, runner: Runner): string {
    if (session.projections !== "") return session.projections;
    const text = this.#run(session, runner, { rows: [], switches: "{}", deadlineMs: this.#limits.deadlineMs });
    return readRun(text ?? "", 0)?.projections ?? "null";
  }

  #find(request: RowRequest): Session {
    const birth = request.birth ?? 0;
    const name = `${request.fresh ? "fresh" : "live"} ${request.hash} ${birth} ${request.key}`;
    let session = this.#sessions.get(name);
    if (session !== undefined && request.after === birth && session.rows.length > 0) {
      this.#drop(session);
      session = undefined;
    }
    if (session === undefined) {
      const number = ++this.#lastNumber;
      const bytes = SESSION_OVERHEAD_BYTES;
      const key = keyOf(request.key);
      session = { name, number, hash: request.hash, key, birth, rows: [], projections: "", bytes, generation: -1 };
      this.#bytes += bytes;
    } else {
      this.#sessions.delete(name);
    }
    this.#sessions.set(name, session);
    return session;
  }

  #evict(inUse: Session): void {
    for (const session of this.#sessions.values()) {
      if (this.#sessions.size <= this.#limits.sessionsMax && this.#bytes <= this.#limits.sessionBytesMax) return;
      if (session !== inUse) this.#drop(session);
    }
  }

  #drop(session: Session): void {
    this.#sessions.delete(session.name);
    this.#bytes -= session.bytes;
    const runner = this.#runners.get(session.hash);
    if (runner !== undefined && runner.generation === session.generation) runner.close(session.number);
  }
}

/** The seq up to which a session has folded. */
function seqOf({ birth, rows }: Session): number {
  return birth + rows.length;
}

interface Run {
  results: { effects: FoldResult["effects"]; digest: string }[];
  fault: RunHeader["fault"];
  projections: string;
}

// A bundle may hold another program than ours: its answer is believed only as far as its form goes.
function readRun(text: string, rowsMax: number): Run | null {
  const end = text.indexOf("\n");
  if (end < 0) return null;
  try {
    const { results, fault } = JSON.parse(text.slice(0, end)) as RunHeader;
    if (results.length > rowsMax || (fault === null && results.length < rowsMax)) return null;
    const run: Run = { results: [], fault: null, projections: text.slice(end + 1) };
    for (const [digest, effectsText] of results) {
      if (!/^[0-9a-f]{16}$/.test(digest)) return null;
      const effects: unknown[] = effectsText === "" ? [] : JSON.parse(effectsText);
      if (effects.length > EFFECTS_MAX || effects.some((effect) => problemOfEffect(effect) !== null)) return null;
      run.results.push({ digest, effects: effects.map(unpackEffect) });
    }
    if (fault !== null) run.fault = { code: `${fault.code}`, message: `${fault.message}`, stack: `${fault.stack}` };
    return run;
  } catch {
    return null;
  }
}

function keyOf(text: string): { kind: string; facility: string; id: string } {
  try {
    return parseKey(text);
  } catch (error) {
    if (!(error instanceof WaterparkError)) throw error;
    return { kind: "patient", facility: text, id: text };
  }
}

function bytesOf(row: Row): number {
  return row.raw.length + row.id.length + row.type.length + row.contentType.length + ROW_OVERHEAD_BYTES;
}

function only(answer: FoldAnswer): RowAnswer {
  return { answer, projections: undefined };
}
