/**
 * Where sessions are kept: a shelf with room for so many, and so many bytes, the least used going first.
 *
 * A session is a bookmark: how far one version of one plugin has read an actor's messages, and the projections there.
 * The pages before it are kept only for those who turn back: most handlers never look at the history, and ten times as
 * many of their bookmarks find room. Losing one costs time only, since its actor's writer can send everything again.
 */
import { parseKey, WaterparkError } from "../base/mod.ts";
import type { Row } from "./history.ts";
import type { Runner } from "./runner.ts";

/** A loaded version. */
export interface Version {
  readonly number: number;
  readonly runner: Runner;
  /** messages that are run together now: less after a missed deadline, more with each run that keeps it */
  together: number;
  /** a handler has looked at a history: from then on new sessions keep theirs */
  readsHistory: boolean;
  /** calls at which it was tried out */
  tried: number;
}

/** See the file's header. */
export interface Session {
  readonly name: string;
  readonly number: number;
  readonly version: Version;
  readonly key: { kind: string; facility: string; id: string };
  /** last seq of the actor's former lives: the first row has the next */
  readonly birth: number;
  /** how many messages were folded */
  count: number;
  /** all of them; null: not kept, as no handler of this version has looked at a history so far */
  readonly rows: Row[] | null;
  /** canonical text; `""` at birth */
  projections: string;
  bytes: number;
  generation: number;
  /** it is about to be run: stays whatever the room */
  inHand: boolean;
}

/** Which session. */
export interface Bookmark {
  key: string;
  birth?: number;
  /** it must stand here; at `birth`, it is begun anew */
  after: number;
  fresh: boolean;
}

const ROW_OVERHEAD_BYTES = 200;
const SESSION_OVERHEAD_BYTES = 500;

/** See the file's header. */
export class SessionShelf {
  readonly #limits: { sessionsMax: number; sessionBytesMax: number };
  /** least recently used first */
  readonly #sessions = new Map<string, Session>();
  #bytes = 0;
  #lastNumber = 0;

  constructor(limits: { sessionsMax: number; sessionBytesMax: number }) {
    this.#limits = limits;
  }

  /** how many are kept */
  get size(): number {
    return this.#sessions.size;
  }

  /** bytes that they are counted as */
  get bytes(): number {
    return this.#bytes;
  }

  /** The session, made where there is none, and used most lately from now on; null while it is in hand. */
  find(version: Version, { key, birth = 0, after, fresh }: Bookmark): Session | null {
    const name = `${version.number} ${fresh ? "fresh" : "live"} ${birth} ${key}`;
    let session = this.#sessions.get(name);
    if (session?.inHand) return null;
    if (session !== undefined && after === birth && session.count > 0) {
      this.drop(session);
      session = undefined;
    }
    if (session === undefined) {
      session = {
        name,
        number: ++this.#lastNumber,
        version,
        key: keyOf(key),
        birth,
        count: 0,
        rows: version.readsHistory || version.runner.lean === undefined ? [] : null,
        projections: "",
        bytes: SESSION_OVERHEAD_BYTES,
        generation: -1,
        inHand: false,
      };
      this.#bytes += session.bytes;
    } else {
      this.#sessions.delete(name);
    }
    this.#sessions.set(name, session);
    return session;
  }

  /** A session that stands where this one does, and on no shelf. */
  trial(session: Session): Session {
    return { ...session, number: ++this.#lastNumber, generation: -1 };
  }

  /** Has the program forget it. */
  close({ number, generation, version: { runner } }: Session): void {
    if (runner.generation === generation) runner.close(number);
  }

  /** A row was folded. */
  push(session: Session, row: Row): void {
    session.count++;
    if (session.rows === null) return;
    session.rows.push(row);
    this.#grow(session, bytesOf(row));
  }

  /** What the session keeps now. */
  keep(session: Session, projections: string): void {
    this.#grow(session, 2 * (projections.length - session.projections.length));
    session.projections = projections;
  }

  /** Makes room; `inUse` stays, whatever its size. */
  evict(inUse: Session): void {
    // The check before the loop: a map from which much was deleted at the front is slow to begin on.
    if (!this.#isFull()) return;
    for (const session of this.#sessions.values()) {
      if (!this.#isFull()) return;
      if (session !== inUse && !session.inHand) this.drop(session);
    }
  }

  /** Forgets a session, in its program too. */
  drop(session: Session): void {
    this.#sessions.delete(session.name);
    this.#bytes -= session.bytes;
    this.close(session);
  }

  /** Forgets all sessions of a version that is gone itself: its program, whose memory goes with it, is told nothing. */
  dropAll(version: Version): void {
    for (const session of this.#sessions.values()) {
      if (session.version !== version) continue;
      this.#sessions.delete(session.name);
      this.#bytes -= session.bytes;
    }
  }

  #isFull(): boolean {
    return this.#sessions.size > this.#limits.sessionsMax || this.#bytes > this.#limits.sessionBytesMax;
  }

  #grow(session: Session, bytes: number): void {
    session.bytes += bytes;
    this.#bytes += bytes;
  }
}

/** The seq up to which a session has folded. */
export function seqOf({ birth, count }: Session): number {
  return birth + count;
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
