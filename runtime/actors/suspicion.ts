/**
 * Who killed the host? When a host dies, every call that was open is a suspect. Suspects run one by one with nothing
 * else open; one that ends well is cleared. One that kills the host while alone is guilty, but of which message? It
 * goes on with single messages from the first of the fatal run; a message that kills alone twice is the poison.
 */
export class Suspicion {
  #from = 0;
  #to = 0;
  #guilty = false;
  #deathsAlone = 0;

  /**
   * The host died under a run of messages.
   *
   * @param from first seq of the run
   * @param to last seq of the run
   * @param lonely no other call was open
   * @returns `poison`: `from` is the message; stop. `again`: run it again, alone
   */
  died(from: number, to: number, lonely: boolean): "again" | "poison" {
    if (!lonely) {
      if (!this.#guilty) this.#extend(from, to);
      return "again";
    }
    const sameSingle = this.#guilty && from === to && this.#from === from && this.#to === to;
    this.#deathsAlone = from === to ? (sameSingle ? this.#deathsAlone + 1 : 1) : 0;
    this.#guilty = true;
    this.#from = from;
    this.#to = to;
    return this.#deathsAlone >= 2 ? "poison" : "again";
  }

  /** Last seq of the next run that starts at `next` and would like to go on to `wished`. */
  limit(next: number, wished: number): number {
    if (!this.#guilty || next > this.#to) return wished;
    return next < this.#from ? Math.min(wished, this.#from - 1) : next;
  }

  /** The session has come to `at` without a death; true: past everything suspected. */
  isCleared(at: number): boolean {
    return at >= this.#to;
  }

  #extend(from: number, to: number): void {
    this.#from = this.#to === 0 ? from : Math.min(this.#from, from);
    this.#to = Math.max(this.#to, to);
  }
}
