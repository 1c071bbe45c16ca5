import type { Journal } from "../journal.ts";
import { longestHistories } from "./histories.ts";

const INDEXES = 2 ** 32;

/**
 * P2, P3: what is committed at an index of a shard is the same wherever and whenever; every copy of a history is a prefix
 * of every longer one, and the digests chained along it are the same.
 */
export function copiesAgree(journal: Journal): string[] {
  const wrong: string[] = [];
  const prints = new Map<number, number>();
  for (const { node, shard, index, print } of journal.committed) {
    const at = shard * INDEXES + index;
    const known = prints.get(at);
    if (known === undefined) prints.set(at, print);
    else if (known !== print) wrong.push(`P3: shard ${shard} index ${index} was committed with two contents (${node})`);
  }
  const longest = longestHistories(journal);
  for (const { node, key, messages } of journal.histories) {
    const reference = longest.get(key)!.messages;
    messages.forEach(({ id, index, chain, digest }, i) => {
      const other = reference[i];
      if (other.id !== id || other.index !== index) {
        wrong.push(`P2: ${node} and another copy differ at seq ${i + 1}: ${id}, ${other.id}`);
      } else if (other.chain !== chain || other.digest !== digest) {
        wrong.push(`P2: ${node} and another copy have other digests at seq ${i + 1}: ${id}`);
      }
    });
  }
  return wrong;
}
