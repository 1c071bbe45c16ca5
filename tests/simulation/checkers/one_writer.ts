import type { Journal } from "../journal.ts";

/** P3: in one term one node commits as writer, and what is committed at an index is the same wherever and whenever. */
export function oneWriter(journal: Journal): string[] {
  const wrong: string[] = [];
  const writers = new Map<string, string>();
  const prints = new Map<string, number>();
  for (const { node, shard, index, print, isWriter, term } of journal.committed) {
    const at = `${shard}/${index}`;
    const known = prints.get(at);
    if (known === undefined) prints.set(at, print);
    else if (known !== print) wrong.push(`P3: shard ${shard} index ${index} was committed with two contents (${node})`);
    if (!isWriter) continue;
    const writer = writers.get(`${shard}/${term}`);
    if (writer !== undefined && writer !== node) {
      wrong.push(`P3: ${writer} and ${node} both committed in term ${term} of shard ${shard}`);
    }
    writers.set(`${shard}/${term}`, node);
  }
  return wrong;
}
