import { assert } from "../base/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { OpenPosting } from "./open_posting.ts";

/** Most streams are one posting, and live as long as it does. */
const NOBODY: OpenPosting[] = [];

/**
 * The open postings of one sender to one actor, in order: like people in a queue with numbered tickets.
 *
 * Tickets are dense and never used again. Who has a final result drops out, whatever it is; `oldest` is the lowest ticket
 * still in the queue and travels with each of them, so that a writer knows that nobody below it will come any more.
 * A writer that misses somebody answers `gap`; all that it misses is then sent again, in order. That costs one round trip
 * per lost or refused message, however many follow it, because answers to tries of the same round trigger nothing.
 *
 * A queue that is empty is thrown away. Its successor begins at a higher number than was ever used (the mailroom's count
 * of postings), so a writer that remembers the old queue takes the new one for its continuation.
 */
export class Stream {
  /** waiting for their turn; sent again by {@linkcode release} */
  held: OpenPosting[] = NOBODY;
  /** runs out when `held` is to be sent again */
  timer: Timer | null = null;
  #items: (OpenPosting | null)[];
  #head = 0;
  /** number of `#items[0]` */
  #base: number;
  #rounds = 0;
  #roundMark = 0;

  /**
   * @param name which stream this is, in its mailroom
   * @param wireSender the sender's name, unique in the cluster
   * @param posting the first in it
   * @param n its number
   */
  constructor(readonly name: string, readonly wireSender: string, posting: OpenPosting, n: number) {
    this.#base = n;
    this.#items = [posting];
    posting.stream = this;
    posting.n = n;
  }

  /** lowest number without a final result */
  get oldest(): number {
    return this.#base + this.#head;
  }

  /** true when everything has ended */
  get isEmpty(): boolean {
    return this.#head === this.#items.length;
  }

  /** Puts `posting` behind the others and gives it the next number. */
  add(posting: OpenPosting): void {
    posting.stream = this;
    posting.n = this.#base + this.#items.push(posting) - 1;
  }

  /** The open postings behind `posting`, in order. */
  after(posting: OpenPosting): OpenPosting[] {
    return this.#items.slice(posting.n - this.#base + 1).filter((item) => item !== null);
  }

  /** Takes out what has ended; true when `oldest` has grown, so that who waits may have his turn now. */
  end(posting: OpenPosting): boolean {
    const at = posting.n - this.#base;
    assert(this.#items[at] === posting, "a posting ends once, in its own stream");
    this.#items[at] = null;
    this.#rounds = 0;
    const wasLowest = at === this.#head;
    while (this.#head < this.#items.length && this.#items[this.#head] === null) this.#head++;
    if (this.#head >= 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#base += this.#head;
      this.#head = 0;
    }
    return wasLowest;
  }

  /**
   * A writer answered `gap` to the latest try of `posting`, which from now on is held.
   *
   * @param lastTry number of the latest try of the whole mailroom
   * @param base first wait in ms
   * @param max longest wait in ms
   * @return how long to hold: 0 at first, doubling from `base` for as long as nothing of this stream ends
   */
  gap(posting: OpenPosting, { lastTry, base, max }: { lastTry: number; base: number; max: number }): number {
    posting.place = "held";
    if (this.held === NOBODY) this.held = [];
    this.held.push(posting);
    // A try from before this round's re-sending says nothing about it.
    if (posting.current <= this.#roundMark) return 0;
    this.#roundMark = lastTry;
    this.#rounds++;
    return this.#rounds === 1 ? 0 : Math.min(max, base * 2 ** (this.#rounds - 2));
  }

  /**
   * Everything that has to be sent again: who is held, and who stands before them in the queue and was sent before them,
   * so was either missed by the writer or is still under way (in which case sending again does no harm).
   */
  release(): OpenPosting[] {
    this.timer?.cancel();
    this.timer = null;
    const held = this.held.filter((posting) => posting.place === "held");
    this.held = NOBODY;
    let lastN = 0;
    let lastTry = 0;
    for (const posting of held) {
      lastN = Math.max(lastN, posting.n);
      lastTry = Math.max(lastTry, posting.current);
    }
    const missed: OpenPosting[] = [];
    for (let at = this.#head; at < this.#items.length && this.#base + at < lastN; at++) {
      const posting = this.#items[at];
      if (posting?.place === "flying" && posting.current < lastTry) missed.push(posting);
    }
    return missed.concat(held);
  }
}
