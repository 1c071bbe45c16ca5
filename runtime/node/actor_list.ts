import { DATA_SHARDS } from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";
import { committedSeq } from "./reading.ts";

/** Actors looked at before others get their turn: some milliseconds. */
const ROWS_A_TURN = 5_000;

/**
 * The first actors by key, after `after`, that this node writes. Every one of them is looked at, a page of them is held:
 * whoever lists a million actors costs a second in small slices, and no memory.
 */
export async function listActors(
  core: NodeCore,
  { after, limit }: { after: string; limit: number },
): Promise<{ actors: { key: string; seq: number }[]; next: string | null }> {
  const { replication, world } = core;
  // one more than asked for tells whether there are more
  const page: { key: string; shard: number }[] = [];
  let rows = 0;
  for (let shard = 0; shard < DATA_SHARDS; shard++) {
    for (let row = 0;; row++) {
      // Looked up anew each time, as the copy may have gone while others had their turn.
      const store = replication.isWriter(shard) ? replication.store(shard) : null;
      if (store === null || row >= store.rowCount) break;
      if (++rows % ROWS_A_TURN === 0) await new Promise<void>((resolve) => void world.after(0, resolve));
      if (store.isRetired(row)) continue;
      const key = store.rowKey(row);
      const last = page.at(-1);
      if (key <= after || (page.length > limit && last !== undefined && key >= last.key)) continue;
      let at = page.length;
      while (at > 0 && page[at - 1].key > key) at--;
      page.splice(at, 0, { key, shard });
      if (page.length > limit + 1) page.pop();
    }
  }
  const actors = page.slice(0, limit).flatMap(({ key, shard }) => {
    const store = replication.store(shard);
    return store === null ? [] : [{ key, seq: committedSeq(store, replication.commitIndex(shard), key) }];
  });
  return { actors, next: page.length > limit ? page[limit - 1].key : null };
}
