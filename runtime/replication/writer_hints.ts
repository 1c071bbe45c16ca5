import type { WriterHint } from "../wire/mod.ts";
import type { ShardState } from "./shard_state.ts";

/** Who writes which shard, by hearsay; what this node's own copy knows is better where it is newer. */
export class WriterHints {
  readonly #learned: (WriterHint | undefined)[] = [];

  /** The best knowledge; `own` is this node's copy, if it has one. */
  best(shard: number, own: ShardState | undefined): WriterHint | null {
    const learned = this.#learned[shard];
    if (own !== undefined && own.writer !== 0 && (learned === undefined || own.term >= learned.term)) {
      return { shard, generation: own.generation, term: own.term, writer: own.writer };
    }
    return learned ?? null;
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
