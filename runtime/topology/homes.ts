import { compareText } from "./node_name.ts";
import { SHARD_SETS } from "./shard.ts";

/**
 * Gives every shard set a home data center: as evenly as 16 sets go, moving as few as possible.
 *
 * Does not depend on the order of `dataCenters`; a balanced assignment is given back as it is. Beyond 16 data centers the
 * latecomers have no home set.
 *
 * @param dataCenters names of the data centers, at least one for an answer of 16
 * @param previous the homes until now; `[]` at birth, when the sets go round-robin over the sorted names
 * @returns 16 names, by set; `[]` without any data center
 *
 * @example
 * ```ts
 * import { assignHomes } from "./homes.ts";
 * const two = assignHomes(["TX", "TN"], []);
 * const three = assignHomes(["FL", "TN", "TX"], two);
 * if (three.filter((home, set) => home !== two[set]).length !== 5) throw new Error("unreachable");
 * ```
 */
export function assignHomes(dataCenters: readonly string[], previous: readonly string[]): string[] {
  const names = [...new Set(dataCenters)].sort(compareText);
  if (names.length === 0) return [];
  if (previous.length === 0) return Array.from({ length: SHARD_SETS }, (_, set) => names[set % names.length]);

  const had = new Map(names.map((name) => [name, 0]));
  for (const home of previous) if (had.has(home)) had.set(home, had.get(home)! + 1);
  // Those that have most keep the odd ones: that is what moves fewest.
  const ranked = [...names].sort((a, b) => had.get(b)! - had.get(a)! || compareText(a, b));
  const quota = new Map(ranked.map((name, rank) => [
    name,
    Math.floor(SHARD_SETS / names.length) + (rank < SHARD_SETS % names.length ? 1 : 0),
  ]));

  const homes: (string | null)[] = Array.from({ length: SHARD_SETS }, (_, set) => {
    const left = quota.get(previous[set]) ?? 0;
    if (left === 0) return null;
    quota.set(previous[set], left - 1);
    return previous[set];
  });
  let next = 0;
  return homes.map((home) => {
    if (home !== null) return home;
    while (quota.get(ranked[next]) === 0) next++;
    quota.set(ranked[next], quota.get(ranked[next])! - 1);
    return ranked[next];
  });
}
