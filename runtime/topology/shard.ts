/**
 * Shard numbers. A cluster has 16 shard sets of 64 shards each, fixed for ever: shard `set * 64 + i`, written `S05/017`,
 * and one shard more for the topology itself, `SYS/000`.
 *
 * The two hashes below are part of the data: an actor's history lies where they say. They must never change; the test
 * pins some values.
 */
import { assert, hashText, mix32, WaterparkError } from "../base/mod.ts";

/** Shard sets of a cluster; a facility belongs to one of them, a set has one home data center. */
export const SHARD_SETS = 16;

/** Shards of one set. */
export const SHARDS_PER_SET = 64;

/** Shards that hold actors: 0 to 1023. */
export const DATA_SHARDS: number = SHARD_SETS * SHARDS_PER_SET;

/** The shard whose history is the topology. */
export const SYSTEM_SHARD: number = DATA_SHARDS;

const FACILITY_SEED = 0x5e7f00d1;
const ACTOR_SEED = 0x0ac70125;
// 1,024 shards are a sample of the ring's points, and the busiest of 32 nodes would write for 1.3 times the mean, as in any
// fair draw. This seed is the best of 150,000 for data centers FL, TN, TX, UT with zones A and B of 1, 2 or 4 nodes each:
// at most 1.13. Other names get a fair draw. Another seed would move copies, but no histories.
const POINT_SEED = 0xbdd9c06a;

/**
 * A shard as people read it.
 *
 * @example
 * ```ts
 * import { shardText } from "./shard.ts";
 * if (shardText(5 * 64 + 17) !== "S05/017") throw new Error("unreachable");
 * ```
 */
export function shardText(shard: number): string {
  assert(Number.isInteger(shard) && shard >= 0 && shard <= SYSTEM_SHARD, "a shard number is 0 to 1024");
  return TEXTS[shard];
}

/** Every receipt has one, so they are kept. */
const TEXTS: readonly string[] = Array.from({ length: SYSTEM_SHARD + 1 }, (_, shard) => {
  if (shard === SYSTEM_SHARD) return "SYS/000";
  const set = Math.floor(shard / SHARDS_PER_SET);
  return `S${String(set).padStart(2, "0")}/${String(shard % SHARDS_PER_SET).padStart(3, "0")}`;
});

/**
 * The number of a shard's text; the reverse of {@linkcode shardText}.
 *
 * @throws {WaterparkError} `topology/bad-shard` for any other text
 */
export function parseShard(text: string): number {
  if (text === "SYS/000") return SYSTEM_SHARD;
  const parts = typeof text === "string" ? /^S([0-9]{2})\/([0-9]{3})$/.exec(text) : null;
  if (parts && Number(parts[1]) < SHARD_SETS && Number(parts[2]) < SHARDS_PER_SET) {
    return Number(parts[1]) * SHARDS_PER_SET + Number(parts[2]);
  }
  throw new WaterparkError(
    `Cannot use ${JSON.stringify(String(text).slice(0, 60))} as a shard as it must be S00/000 to S15/063 or SYS/000`,
    { code: "topology/bad-shard", outcome: "not-applied" },
  );
}

/** The set of a facility for which the topology has no entry. */
export function setOfFacility(facility: string): number {
  return hashText(facility, FACILITY_SEED) % SHARD_SETS;
}

/** An actor's place within its facility's set, by its canonical key; a smaller cluster takes the rest of it. */
export function indexInSet(keyText: string): number {
  return hashText(keyText, ACTOR_SEED) % SHARDS_PER_SET;
}

/** Whether a cluster that uses the first `shardsPerSet` shards of each set has this data shard. */
export function isUsed(shard: number, shardsPerSet: number): boolean {
  return shard % SHARDS_PER_SET < shardsPerSet;
}

/** Where a shard stands on every ring: u32. */
export function pointOfShard(shard: number): number {
  return mix32(mix32(shard + 1) ^ POINT_SEED);
}
