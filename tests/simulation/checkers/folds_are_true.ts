import type { Journal } from "../journal.ts";
import { foldOf } from "./folding.ts";
import { longestHistories } from "./histories.ts";

/**
 * Projections: what handlers keep of an actor is what its history gives when it is folded from birth, in its order, on
 * every copy, whatever versions, hosts and writers it has had.
 */
export function foldsAreTrue(journal: Journal): string[] {
  const wrong: string[] = [];
  const longest = longestHistories(journal);
  const folds = new Map<string, { count: number; chain: number }[]>();
  for (const { node, key, seq, count, chain } of journal.folded) {
    if (!folds.has(key)) folds.set(key, foldOf((longest.get(key)?.messages ?? []).map((message) => message.id)));
    const expected = folds.get(key)![seq];
    if (expected === undefined) {
      wrong.push(`projections: ${node} has folded ${seq} messages of ${key}, more than there are`);
    } else if (expected.count !== count) {
      wrong.push(`projections: handlers have seen ${count} of ${expected.count} messages of ${key} on ${node}`);
    } else if (expected.chain !== chain) {
      wrong.push(`projections: handlers have seen other messages of ${key}, or in another order, on ${node}`);
    }
  }
  return wrong;
}
