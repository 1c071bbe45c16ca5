/** Collecting: when all is over, every copy of every history and what handlers keep of it goes into the journal. */
import { ENTRY } from "../../runtime/storage/mod.ts";
import { shardText } from "../../runtime/topology/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";
import type { Chained } from "./plugins.ts";
import { keptAt } from "./recorder.ts";

const HISTORY_MAX = 100_000;
const BUSY_MS = 20;
const READING_MS_MAX = 120_000;

/** Reads all that there is. */
export function collect(cluster: SimulatedCluster): void {
  const keys = keysIn(cluster);
  const reads: { node: SimulatedNode; key: string }[] = [];
  for (const node of cluster.living()) {
    for (const key of keys) if (collectCopy(cluster, node, key)) reads.push({ node, key });
  }
  readAll(cluster, reads);
}

/** Every actor that some node has a copy of, whoever sent to it. */
function keysIn(cluster: SimulatedCluster): Set<string> {
  const keys = new Set<string>();
  for (const { core } of cluster.living()) {
    // A node that never got in has nothing; that it did not is told elsewhere.
    for (const shard of core.directory.topology?.dataShards() ?? []) {
      const store = core.replication.store(shard);
      for (let row = 0; row < (store?.rowCount ?? 0); row++) keys.add(store!.rowKey(row));
    }
  }
  return keys;
}

/** One copy; false when there is none, or nothing in it. */
function collectCopy({ journal }: SimulatedCluster, node: SimulatedNode, key: string): boolean {
  const { replication } = node.core;
  const shard = node.core.directory.topology?.shardOf(key);
  const store = shard === undefined ? null : replication.store(shard);
  if (shard === undefined || store === null) return false;
  const commit = replication.commitIndex(shard);
  const messages = store.history(key, 0, HISTORY_MAX, commit).map((index) => keptAt(store, index));
  const isVoter = replication.members(shard).includes(node.core.self.incarnation);
  journal.histories.push({ node: node.name, key, shard: shardText(shard), isVoter, messages });
  const ended = journal.retired.findLast((life) => life.key === key)?.seq ?? 0;
  for (const { seq, index } of journal.whole.get(key)?.messages.slice(0, ended) ?? []) {
    if (store.kindAt(index) === ENTRY.MESSAGE) journal.unfreed.push({ node: node.name, key, seq });
  }
  return messages.length > 0;
}

/** Has every copy fold what it has: on each node one after the other. */
function readAll(cluster: SimulatedCluster, reads: { node: SimulatedNode; key: string }[]): void {
  const { journal, time } = cluster;
  let open = reads.length;
  for (const here of cluster.living()) {
    const keys = reads.filter(({ node }) => node === here).map(({ key }) => key);
    const next = () => {
      const key = keys.pop();
      if (key !== undefined) read(key);
    };
    const read = (key: string) => {
      here.core.actors.project(cluster.shardOf(key), key, {}, (answer) => {
        // Readers that have stopped may have left questions behind.
        if (answer.state !== "ok" && answer.code === "actors/busy") return void time.after(BUSY_MS, () => read(key));
        open--;
        if (answer.state !== "ok") journal.unsettled.push(`${here.name} cannot read a projection: ${answer.code}`);
        else {
          const kept = (answer.projections.chain ?? answer.projections.census) as Chained | undefined;
          const { count, chain } = kept ?? { count: 0, chain: 0 };
          journal.folded.push({ node: here.name, key, seq: answer.seq, count, chain });
        }
        time.soon(next);
      });
    };
    next();
  }
  const untilMs = time.nowMs + READING_MS_MAX;
  while (open > 0 && time.nowMs < untilMs) time.runUntil(time.nowMs + 50);
  if (open > 0) journal.unsettled.push(`${open} projections cannot be read`);
}
