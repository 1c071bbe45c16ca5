import type { DoneItem } from "./outcome_entry.ts";

/**
 * Which effects of one shard are decided and not yet carried out: only places in the log, never the effects. Kept on
 * every copy, from committed entries alone, so that any of them can go on as writer.
 *
 * It costs some 100 bytes per entry that owes something and 8 per effect. What bounds it is the log itself; what keeps
 * it short is that an unreachable target holds up its own lane only.
 */
export class Owed {
  /** log index of the OUTCOMES entry, ascending -> positions therein, ascending */
  readonly #entries = new Map<number, number[]>();
  #size = 0;

  /** effects owed */
  get size(): number {
    return this.#size;
  }

  /** Owes the effect at `position` of the entry at `outcomeIndex`; both never go back. */
  add(outcomeIndex: number, position: number): void {
    const positions = this.#entries.get(outcomeIndex);
    if (positions === undefined) this.#entries.set(outcomeIndex, [position]);
    else positions.push(position);
    this.#size++;
  }

  /** Owes it no longer. Done twice is done once: a writer that lost its role may have marked it as well. */
  done([outcomeIndex, position]: DoneItem): void {
    const positions = this.#entries.get(outcomeIndex);
    const at = positions?.indexOf(position) ?? -1;
    if (positions === undefined || at < 0) return;
    positions.splice(at, 1);
    if (positions.length === 0) this.#entries.delete(outcomeIndex);
    this.#size--;
  }

  /** The first entry after `outcomeIndex` that owes something; 0 when none does. */
  nextAfter(outcomeIndex: number): number {
    for (const index of this.#entries.keys()) if (index > outcomeIndex) return index;
    return 0;
  }

  /** What the entry at `outcomeIndex` owes. */
  positionsOf(outcomeIndex: number): readonly number[] {
    return this.#entries.get(outcomeIndex) ?? [];
  }
}
