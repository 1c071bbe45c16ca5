import type { CommittedMessage, Journal } from "../journal.ts";

/** The times of a shard's messages, in the order of its log, never go back, whatever clocks do. */
export function timeGoesOn(journal: Journal): string[] {
  const wrong: string[] = [];
  const shards = new Map<number, CommittedMessage[]>();
  for (const { shard, messages } of journal.whole.values()) {
    const known = shards.get(shard);
    if (known === undefined) shards.set(shard, [...messages]);
    else known.push(...messages);
  }
  for (const [shard, messages] of shards) {
    messages.sort((a, b) => a.index - b.index);
    messages.forEach(({ id, atMs }, i) => {
      const before = messages[i - 1];
      if (before !== undefined && atMs < before.atMs) {
        wrong.push(`time: ${id} in shard ${shard} is ${before.atMs - atMs} ms before ${before.id}, which it follows`);
      }
    });
  }
  return wrong;
}
