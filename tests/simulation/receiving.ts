/** Receiving: a receipt goes into the journal, with what is true of it at this moment on the nodes themselves. */
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";
import type { Sent } from "./journal.ts";

/** What a node answers when a message is recorded. */
export interface RecordedAnswer {
  receipt: {
    key: string;
    id: string;
    seq: number;
    shard: string;
    generation: number;
    term: number;
    index: number;
    writer: string;
    copies: string[];
    digest: string;
  };
  duplicate: boolean;
}

/** A client has got this receipt. */
export function acknowledged(
  cluster: SimulatedCluster,
  { message, answer, client }: { message: Sent; answer: RecordedAnswer; client: string },
): void {
  const { journal, time } = cluster;
  const { key, id, attempts } = message;
  const shard = cluster.shardOf(key);
  // Lives that have ended since the message was recorded count as well: that it survives them is another check.
  const { receipt, duplicate } = answer;
  const holds = (life: SimulatedNode) =>
    (life.core.replication.store(shard)?.findMessage(key, id) ?? 0) !== 0 ||
    // It may have left since the receipt was written, which was on its way for a while.
    (receipt.copies.includes(life.name) && life.dropped.has(shard));
  const held = cluster.lives.filter(holds).map(({ name, dataCenter }) => ({ node: name, dataCenter }));
  journal.acknowledged.push({ ...receipt, duplicate, attempts, held, atMs: time.nowMs });
  const { seq, term, index } = receipt;
  const details = { id, shard: receipt.shard, term, index, seq, duplicate };
  cluster.trace?.write({ node: client, room: "client", event: "receipt", ...details });
}
