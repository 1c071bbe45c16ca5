import type { Journal } from "../journal.ts";
import { endedLives, messagesOf } from "./histories.ts";

/** What the simulated plugins keep. */
export interface Fold {
  count: number;
  chain: number;
}

/** Mersenne's eighth: 2^31 - 1. */
const PRIME = 2147483647n;

/**
 * What the simulated plugins should keep of a history, computed by other means than theirs: at position i, from 0, the
 * count and the chain after i messages.
 */
export function foldOf(ids: readonly string[]): Fold[] {
  const folds = [{ count: 0, chain: 0 }];
  let chain = 0n;
  ids.forEach((id, i) => {
    for (const letter of id) chain = (chain * 31n + BigInt(letter.codePointAt(0)!)) % PRIME;
    chain = (chain * 31n + 7n) % PRIME;
    folds.push({ count: i + 1, chain: Number(chain) });
  });
  return folds;
}

/** Tells what they should keep of an actor at a seq: a fold of the life in which that message stands. */
export function foldsOf(journal: Journal): (key: string, seq: number) => Fold | undefined {
  const ends = endedLives(journal);
  const known = new Map<string, Fold[]>();
  return (key, seq) => {
    const birth = ends.get(key)?.findLast((end) => end < seq) ?? 0;
    const at = `${birth} ${key}`;
    let folds = known.get(at);
    if (folds === undefined) {
      folds = foldOf(messagesOf(journal, key).slice(birth).map((message) => message.id));
      known.set(at, folds);
    }
    return folds[seq - birth];
  };
}
