import type { WriterHint } from "../wire/mod.ts";
import { termBefore } from "./generations.ts";
import type { ShardState } from "./shard_state.ts";

/** Who writes which shard, by hearsay; what this node's own copy knows is better where it is newer. */
export class WriterHints {
  readonly #learned: (WriterHint | undefined)[] = [];
  /** what the own copies said when they were asked last: every posting asks, and nearly always it is the same */
  readonly #own: (WriterHint | undefined)[] = [];

  /** The best knowledge of the generation that counts; `own` is this node's copy, if it has one. */
  best(shard: number, own: ShardState | undefined, generation: number): WriterHint | null {
    const heard = this.#learned[shard];
    const learned = heard !== undefined && heard.generation < generation ? undefined : heard;
    if (own !== undefined && own.writer !== 0 && (learned === undefined || own.term >= learned.term)) {
      const last = this.#own[shard];
      const isSame = last !== undefined && last.term === own.term && last.writer === own.writer &&
        last.generation === own.generation;
      if (isSame) return last;
      return this.#own[shard] = { shard, generation: own.generation, term: own.term, writer: own.writer };
    }
    if (learned !== undefined) return learned;
    // Who wrote an ended generation may still believe that it does: nobody is to be sent there.
    return generation > 1 ? { shard, generation, term: termBefore(generation), writer: 0 } : null;
  }

  /** Takes over a hint of another node if it is newer. */
  learn(hint: WriterHint): void {
    // A term that no record could carry would outlive every true hint.
    if (!(hint.term <= 0xffffffff && hint.generation <= 0xffffffff)) return;
    const known = this.#learned[hint.shard];
    const isNewer = known === undefined || hint.generation > known.generation ||
      (hint.generation === known.generation &&
        (hint.term > known.term || (hint.term === known.term && known.writer === 0)));
    if (isNewer) this.#learned[hint.shard] = hint;
  }
}
