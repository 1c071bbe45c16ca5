import type { Sending } from "./sending.ts";

/**
 * All messages without a receipt, in the order of sending: a list through the messages themselves. A Set would leave a
 * table behind whenever it is made anew; those grow old, and keep alive what stood in them: with a thousand messages
 * under way that cost 2 us of the collector's time a message, a third of all.
 */
export class OpenSendings {
  #first: Sending | null = null;
  #last: Sending | null = null;
  #size = 0;

  /** how many there are */
  get size(): number {
    return this.#size;
  }

  /** the oldest */
  get first(): Sending | null {
    return this.#first;
  }

  /** Adds one at the end. */
  add(sending: Sending): void {
    sending.isListed = true;
    sending.before = this.#last;
    if (this.#last === null) this.#first = sending;
    else this.#last.after = sending;
    this.#last = sending;
    this.#size++;
  }

  /** Takes one out; false: it was not in. */
  remove(sending: Sending): boolean {
    if (!sending.isListed) return false;
    const { before, after } = sending;
    if (before === null) this.#first = after;
    else before.after = after;
    if (after === null) this.#last = before;
    else after.before = before;
    // Whoever is out must hold nobody: see above.
    sending.before = sending.after = null;
    sending.isListed = false;
    this.#size--;
    return true;
  }
}
