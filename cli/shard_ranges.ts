/**
 * Shards as people read them: hundreds of names that follow each other are a few ranges. On the worst day half of all
 * shards stand still at once, and a screen full of names hides what is in it.
 */

const SHARD = /^(.+)\/(\d{3})$/;

/**
 * Names of shards, those that follow each other as `S02/000-063`.
 *
 * @param shards names as the cluster gives them, in order: `S02/000`, `SYS/000`
 * @returns the names and ranges in the same order, with a space between them; `""` for none
 *
 * @example
 * ```ts
 * import { shardRanges } from "./shard_ranges.ts";
 * if (shardRanges(["S02/000", "S02/001", "SYS/000"]) !== "S02/000-001 SYS/000") throw new Error("unreachable");
 * ```
 */
export function shardRanges(shards: readonly string[]): string {
  const ranges: { set: string; first: number; last: number }[] = [];
  for (const shard of shards) {
    const [, set = shard, number = "0"] = SHARD.exec(shard) ?? [];
    const range = ranges.at(-1);
    if (range !== undefined && range.set === set && range.last + 1 === Number(number)) range.last++;
    else ranges.push({ set, first: Number(number), last: Number(number) });
  }
  return ranges.map(({ set, first, last }) => `${set}/${three(first)}${first === last ? "" : `-${three(last)}`}`).join(
    " ",
  );
}

function three(number: number): string {
  return String(number).padStart(3, "0");
}
