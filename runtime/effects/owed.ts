import type { DoneItem } from "./outcome_entry.ts";

/**
 * Which effects of one shard are decided and not yet carried out: only places in the log, never the effects. Kept on
 * every copy, from committed entries alone, so that any of them can go on as writer.
 *
 * It costs some 100 bytes per entry that owes something and 16 per effect. What bounds it is the log itself; what keeps
 * it short is that an unreachable target holds up its own lane only.
 */
export class Owed {
  /** log index of the OUTCOMES entry -> what it owes, positions ascending */
  readonly #entries = new Map<number, Debt[]>();
  /** the same indexes, ascending, and some that owe nothing any more */
  #indexes: number[] = [];
  /** hash of a source -> how many effects it owes */
  readonly #bySource = new Map<number, number>();
  #size = 0;

  /** effects owed */
  get size(): number {
    return this.#size;
  }

  /**
   * Owes the effect at `position` of the entry at `outcomeIndex`; both never go back.
   *
   * @param source hash of the actor that asked; 0: it does not count for `owes`
   */
  add(outcomeIndex: number, position: number, source = 0): void {
    const debts = this.#entries.get(outcomeIndex);
    if (debts === undefined) {
      this.#entries.set(outcomeIndex, [[position, source]]);
      // An entry that had been paid off is still listed when more of it comes to be owed.
      if (outcomeIndex > (this.#indexes.at(-1) ?? 0)) this.#indexes.push(outcomeIndex);
    } else debts.push([position, source]);
    this.#count(source, 1);
    this.#size++;
  }

  /** Owes it no longer. Done twice is done once: a writer that lost its role may have marked it as well. */
  done([outcomeIndex, position]: DoneItem): void {
    const debts = this.#entries.get(outcomeIndex);
    const at = debts?.findIndex((debt) => debt[0] === position) ?? -1;
    if (debts === undefined || at < 0) return;
    const [[, source]] = debts.splice(at, 1);
    if (debts.length === 0) {
      this.#entries.delete(outcomeIndex);
      if (this.#indexes.length > 2 * this.#entries.size + 64) {
        this.#indexes = this.#indexes.filter((index) => this.#entries.has(index));
      }
    }
    this.#count(source, -1);
    this.#size--;
  }

  /** True while an actor of this hash owes effects; another of the same hash may be meant. */
  owes(source: number): boolean {
    return this.#bySource.has(source);
  }

  /** The first entry after `outcomeIndex` that owes something; 0 when none does. */
  nextAfter(outcomeIndex: number): number {
    let [low, high] = [0, this.#indexes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#indexes[middle] > outcomeIndex) high = middle;
      else low = middle + 1;
    }
    for (; low < this.#indexes.length; low++) if (this.#entries.has(this.#indexes[low])) return this.#indexes[low];
    return 0;
  }

  /** What the entry at `outcomeIndex` owes. */
  positionsOf(outcomeIndex: number): readonly number[] {
    return (this.#entries.get(outcomeIndex) ?? []).map(([position]) => position);
  }

  #count(source: number, by: number): void {
    if (source === 0) return;
    const count = (this.#bySource.get(source) ?? 0) + by;
    if (count === 0) this.#bySource.delete(source);
    else this.#bySource.set(source, count);
  }
}

type Debt = [position: number, source: number];
