import type { FoldAnswer } from "../actors/mod.ts";

/** How loading a version ended. */
export type LoadAnswer =
  | { state: "loaded"; name: string; actorKind: string }
  | { state: "failed"; code: string; message: string };

/** A version that a host is to have. */
export interface ShelvedVersion {
  hash: string;
  name: string;
  bundle: Uint8Array;
  /** told once how its first loading ended */
  done: (answer: LoadAnswer) => void;
}

interface Entry extends ShelvedVersion {
  state: "new" | "loading" | "loaded" | "broken";
  /** processes that died while they loaded it, one after the other */
  strikes: number;
  /** how its loading ended the first time */
  answer: LoadAnswer | null;
}

// A version at whose loading two processes died is not tried a third time: the first may have been chance.
const STRIKES_MAX = 2;

/**
 * The versions that a host is to have, whatever becomes of its processes: each new process loads them all again, one at
 * a time, so that one which kills at loading is known.
 */
export class VersionShelf {
  readonly #versionsMax: number;
  readonly #entries = new Map<string, Entry>();
  #loading: Entry | null = null;

  constructor(versionsMax: number) {
    this.#versionsMax = versionsMax;
  }

  /** one is being loaded */
  get isLoading(): boolean {
    return this.#loading !== null;
  }

  has(hash: string): boolean {
    return this.#entries.has(hash);
  }

  /** Puts a version there to be loaded; what to answer when it is there already or there is no room, else null. */
  put(version: ShelvedVersion): LoadAnswer | null {
    const known = this.#entries.get(version.hash);
    if (known?.answer?.state === "loaded") return known.answer;
    if (known !== undefined && known.state !== "broken") {
      const { done } = known;
      known.done = (answer) => {
        done(answer);
        version.done(answer);
      };
      return null;
    }
    if (known === undefined && this.#entries.size >= this.#versionsMax) {
      const message = `Cannot load another version as there may be ${this.#versionsMax}: unload one`;
      return { state: "failed", code: "plugin_host/too-many-versions", message };
    }
    this.#entries.set(version.hash, { ...version, state: "new", strikes: 0, answer: null });
    return null;
  }

  remove(hash: string): boolean {
    return this.#entries.delete(hash);
  }

  /** The next to be loaded, or null. */
  next(): ShelvedVersion | null {
    for (const entry of this.#entries.values()) {
      if (entry.state === "new") return entry;
    }
    return null;
  }

  /** Loading has begun. */
  begin({ hash }: ShelvedVersion): void {
    this.#loading = this.#entries.get(hash)!;
    this.#loading.state = "loading";
  }

  /** Loading has ended. */
  settle(hash: string, answer: LoadAnswer): void {
    const entry = this.#loading;
    if (entry === null || entry.hash !== hash) return;
    this.#loading = null;
    entry.strikes = 0;
    entry.state = answer.state === "loaded" ? "loaded" : "broken";
    tell(entry, answer);
  }

  /** The process has died, and with it all that it had loaded. */
  died(reason: string): void {
    const entry = this.#loading;
    this.#loading = null;
    for (const each of this.#entries.values()) {
      if (each.state !== "broken") each.state = "new";
    }
    if (entry === null || ++entry.strikes < STRIKES_MAX) return;
    entry.state = "broken";
    const message = `Cannot load the plugin as it ended ${STRIKES_MAX} processes while it was loaded: ${reason}`;
    tell(entry, { state: "failed", code: "plugin_host/does-not-load", message });
  }

  /** What to answer a call for a version that cannot run; null when it can. */
  verdictOn(call: { hash: string; after: number; count: number }): FoldAnswer | null {
    const entry = this.#entries.get(call.hash);
    if (entry === undefined) return { state: "down", lonely: false, code: "plugin_host/not-loaded" };
    const { answer } = entry;
    if (entry.state !== "broken" || answer?.state !== "failed") return null;
    const { code, message } = answer;
    if (call.count === 0) return { state: "down", lonely: false, code };
    return { state: "fault", at: call.after + 1, code, message, stack: "", results: [] };
  }
}

function tell(entry: Entry, answer: LoadAnswer): void {
  const { done } = entry;
  entry.done = () => {};
  entry.answer = answer;
  done(answer);
}
