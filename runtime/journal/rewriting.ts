/**
 * Rewriting: how old files go. When the files hold far more than what is alive, the copies that still need the oldest of
 * them are written once more, a chunk a turn, and it is removed. So every byte that is alive is rewritten at most once
 * for every byte that has died, and the files together stay within twice what is alive and some slack.
 *
 * A copy that is rewritten counts only from its last chunk on, which takes in everything that was added meanwhile. Until
 * then, and until that is synced, the old records stand.
 */
import type { Journal } from "./journal.ts";

/** A copy that can be rewritten: all of it is in memory. */
export interface RewritableLog {
  generation: number;
  /** entries that the journal has been given */
  lastIndex: number;
  commit: number;
  isDamaged: boolean;
  viewRange(first: number, bytesMax: number): { bytes: Uint8Array; last: number };
}

/** What {@linkcode Rewriting} works on. */
export interface RewritingOptions {
  journal: Journal;
  logOf(shard: number): RewritableLog | null;
  /** bytes of all copies */
  liveBytes(): number;
  slackBytes: number;
}

const CHUNK_BYTES = 256 * 1024;

/** See the file's header. */
export class Rewriting {
  readonly #options: RewritingOptions;
  /** the file that is to go; 0 none */
  #target = 0;
  #queue: number[] = [];
  /** the next entry of the first in the queue, and where its rewriting began */
  #next = 1;
  #baseFile = 0;

  constructor(options: RewritingOptions) {
    this.#options = options;
  }

  /** Entries from `index` on have been taken back: what was rewritten of the shard is void. */
  truncated(shard: number, index: number): void {
    if (this.#queue[0] === shard && index < this.#next) this.#next = 1;
  }

  /** At the end of a turn, after everything was added to the journal: writes a chunk; true, there is more. */
  step(): boolean {
    const { journal } = this.#options;
    if (this.#target === 0 && !this.#begin()) return false;
    if (this.#queue.length > 0) {
      if (!journal.isFull && journal.fault === null) this.#rewrite(this.#queue[0]);
      return true;
    }
    // Whoever has begun anew meanwhile did so in a later file.
    if (journal.basedUpTo(this.#target).length === 0) journal.removeUpTo(this.#target);
    this.#target = 0;
    return true;
  }

  /** Writes a whole copy at once: of what was lost of it, nothing may follow. */
  rewriteAll(shard: number): void {
    this.#next = 1;
    while (!this.#chunk(shard));
  }

  #begin(): boolean {
    const { journal, liveBytes, slackBytes } = this.#options;
    const [oldest, ...others] = journal.files;
    if (others.length === 0) return false;
    const isNeeded = journal.basedUpTo(oldest).length > 0;
    if (isNeeded && journal.diskBytes <= 2 * liveBytes() + slackBytes) return false;
    this.#target = oldest;
    this.#queue = journal.basedUpTo(oldest);
    this.#next = 1;
    return true;
  }

  #rewrite(shard: number): void {
    const isBased = this.#options.journal.basedUpTo(this.#target).includes(shard);
    if (isBased && !this.#chunk(shard)) return;
    this.#queue.shift();
    this.#next = 1;
  }

  /** True: the copy is done with. */
  #chunk(shard: number): boolean {
    const { journal, logOf } = this.#options;
    const log = logOf(shard);
    if (log === null) return true;
    const { generation, commit, isDamaged, lastIndex } = log;
    const range = this.#next <= lastIndex
      ? log.viewRange(this.#next, CHUNK_BYTES)
      : { bytes: new Uint8Array(0), last: lastIndex };
    const file = journal.rewrite(shard, { generation, first: this.#next, commit, bytes: range.bytes });
    if (this.#next === 1) this.#baseFile = file;
    this.#next = range.last + 1;
    if (range.last < lastIndex) return false;
    journal.rewritten(shard, { generation, last: lastIndex, commit, baseFile: this.#baseFile, isDamaged });
    return true;
  }
}
