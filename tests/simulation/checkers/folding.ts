/**
 * What the simulated plugins should keep of a history, computed by other means than theirs: by position i from 0, the
 * count and the chain after i messages.
 */
export function foldOf(ids: readonly string[]): { count: number; chain: number }[] {
  const folds = [{ count: 0, chain: 0 }];
  let chain = 0n;
  ids.forEach((id, i) => {
    for (const code of [...id].map((letter) => BigInt(letter.codePointAt(0)!))) chain = (chain * 31n + code) % PRIME;
    chain = (chain * 31n + 7n) % PRIME;
    folds.push({ count: i + 1, chain: Number(chain) });
  });
  return folds;
}

/** Mersenne's eighth: 2^31 - 1. */
const PRIME = 2147483647n;
