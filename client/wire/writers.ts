import type { AnswerBatchReader } from "../../runtime/wire/answer_batch.ts";

interface Writer {
  name: string;
  generation: number;
  term: number;
}

/** Which node wrote each shard last, as far as receipts have told. Of two receipts that of the later term is right. */
export class Writers {
  readonly #byShard: (Writer | undefined)[] = [];

  /** The writer's name; `""`: not known. */
  of(shard: number): string {
    return this.#byShard[shard]?.name ?? "";
  }

  /** Takes in what a receipt says. */
  learn({ shard, writer, generation, term }: AnswerBatchReader, names: readonly string[]): void {
    const name = names[writer];
    const known = this.#byShard[shard];
    if (known?.name === name || name === undefined) return;
    // Receipts overtake each other; one of an earlier term tells of the past.
    const isLater = known === undefined || generation > known.generation ||
      generation === known.generation && term > known.term;
    if (isLater) this.#byShard[shard] = { name, generation, term };
  }

  /** The connection to this node is lost: whoever writes now, it may be another. */
  forget(name: string): void {
    for (let shard = 0; shard < this.#byShard.length; shard++) {
      if (this.#byShard[shard]?.name === name) this.#byShard[shard] = undefined;
    }
  }
}
