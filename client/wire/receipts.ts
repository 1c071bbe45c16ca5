import type { Sent } from "../../client.ts";
import { shardText } from "../../runtime/topology/shard.ts";
import type { AnswerBatchReader } from "../../runtime/wire/answer_batch.ts";

/** Lists of copies that are remembered: a cluster of 5 has 10 of three. */
const LISTS_MAX = 4096;
const SHARDS: string[] = [];

/**
 * Makes receipts. What many of them have in common is one value: a list of copies, frozen, serves all whose copies are the
 * same, which spares three quarters of a receipt's memory.
 */
export class Receipts {
  readonly #lists = new Map<number, string[]>();

  /** The receipt in the reader's fields, for the message `id` to `key`. */
  of(reader: AnswerBatchReader, { key, id }: { key: string; id: string }, names: readonly string[]): Sent {
    const { shard } = reader;
    const sent: Sent = {
      key,
      id,
      seq: reader.seq,
      shard: SHARDS[shard] ??= shardText(shard),
      generation: reader.generation,
      term: reader.term,
      index: reader.index,
      writer: names[reader.writer] ?? "",
      copies: this.#copiesOf(reader, names),
      digest: reader.digest,
    };
    if (reader.duplicate) sent.duplicate = true;
    if (reader.handled === "") return sent;
    return { ...sent, ...JSON.parse(reader.handled) as Pick<Sent, "projections" | "reply"> };
  }

  #copiesOf(reader: AnswerBatchReader, names: readonly string[]): string[] {
    const { copies } = reader;
    // five numbers below 1024, and how many there are, are a whole number that a double holds
    let mark = copies > 5 ? -1 : copies;
    for (let i = 0; i < copies && mark >= 0; i++) {
      const number = reader.copy(i);
      mark = number < 512 ? mark * 512 + number : -1;
    }
    const known = mark < 0 ? undefined : this.#lists.get(mark);
    if (known !== undefined) return known;
    const list: string[] = [];
    for (let i = 0; i < copies; i++) list.push(names[reader.copy(i)] ?? "");
    if (mark < 0) return list;
    if (this.#lists.size >= LISTS_MAX) this.#lists.clear();
    this.#lists.set(mark, Object.freeze(list) as string[]);
    return list;
  }
}
