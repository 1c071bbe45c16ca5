import type { Journal } from "../journal.ts";

const TERMS = 2 ** 32;

/** P3: in one term one node commits as writer for a shard. */
export function oneWriter(journal: Journal): string[] {
  const wrong: string[] = [];
  const writers = new Map<number, string>();
  for (const { node, shard, isWriter, term } of journal.committed) {
    if (!isWriter) continue;
    const at = shard * TERMS + term;
    const writer = writers.get(at);
    if (writer === undefined) writers.set(at, node);
    else if (writer !== node) wrong.push(`P3: ${writer} and ${node} both committed in term ${term} of shard ${shard}`);
  }
  return wrong;
}
