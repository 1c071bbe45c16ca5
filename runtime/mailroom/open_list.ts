import type { OpenPosting } from "./open_posting.ts";

/**
 * The open postings in order of `post`, each with a hand on its neighbours. Putting in and taking out touch nothing else:
 * a `Map` or `Set` that many go through leaves a trail of dead entries, which the collector walks (measured: with two of
 * them it took a fifth of the mailroom's time).
 */
export class OpenList {
  #first: OpenPosting | null = null;
  #last: OpenPosting | null = null;
  #size = 0;

  /** how many there are */
  get size(): number {
    return this.#size;
  }

  /** Puts one at the end that is in no list. */
  add(posting: OpenPosting): void {
    posting.before = this.#last;
    if (this.#last === null) this.#first = posting;
    else this.#last.behind = posting;
    this.#last = posting;
    this.#size++;
  }

  /** Takes one out that is in here. */
  remove(posting: OpenPosting): void {
    const { before, behind } = posting;
    if (before === null) this.#first = behind;
    else before.behind = behind;
    if (behind === null) this.#last = before;
    else behind.before = before;
    posting.before = posting.behind = null;
    this.#size--;
  }

  /** All of them, as they are now. */
  all(): OpenPosting[] {
    return this.#those(() => true);
  }

  /** Those that are due by `nowMs`. One look at each, 40 times a second: less than putting each on a clock's face. */
  due(nowMs: number): OpenPosting[] {
    return this.#those((posting) => posting.dueMs <= nowMs);
  }

  #those(wanted: (posting: OpenPosting) => boolean): OpenPosting[] {
    const those: OpenPosting[] = [];
    for (let posting = this.#first; posting !== null; posting = posting.behind) {
      if (wanted(posting)) those.push(posting);
    }
    return those;
  }
}
