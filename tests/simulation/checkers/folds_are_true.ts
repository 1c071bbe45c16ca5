import type { Journal } from "../journal.ts";
import { foldsOf } from "./folding.ts";

/**
 * Projections: what handlers keep of an actor is what its history gives when it is folded from birth, in its order, on
 * every copy, whatever versions, hosts and writers it has had.
 */
export function foldsAreTrue(journal: Journal): string[] {
  const wrong: string[] = [];
  const foldAt = foldsOf(journal);
  for (const { node, key, seq, count, chain } of journal.folded) {
    const expected = foldAt(key, seq);
    const say = (what: string) => wrong.push(`projections: ${node} has ${what} of ${key}`);
    if (expected === undefined) say(`folded ${seq} messages, more than there are,`);
    else if (expected.count !== count) say(`seen ${count} of ${expected.count} messages`);
    else if (expected.chain !== chain) say("seen other messages, or in another order,");
  }
  return wrong;
}
