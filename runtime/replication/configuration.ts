/**
 * Configuration: who has a vote in a shard, as an entry of the shard's own log.
 *
 * A change is one joint configuration (Ongaro's thesis, 4.3): from the moment the joint entry is in a log, entries and
 * votes need a majority of the old *and* of the new voters, until the entry with the new voters alone is committed.
 * Members are incarnations, so a restarted node is nobody's member.
 */
import { badPayload, pack, unpack } from "../wire/mod.ts";

/** The voters of a shard, in placement order; `old` while a swap is under way. */
export interface Configuration {
  /** incarnations that vote, an odd number of them */
  voters: number[];
  /** the voters before the swap, or null when no swap is under way */
  old: number[] | null;
}

/** More voters than any shard has: 7 of the system shard. */
export const VOTERS_MAX = 15;

/** The log entry's body: the configuration, and who writes in the entry's term (receipts name it). */
export function encodeConfiguration(configuration: Configuration, writer: number): Uint8Array {
  return pack([configuration.voters, configuration.old, writer]);
}

/** The configuration and the writer of a log entry's body; throws `wire/bad-payload`. */
export function decodeConfiguration(body: Uint8Array): { configuration: Configuration; writer: number } {
  const value = unpack(body);
  if (
    !Array.isArray(value) || !isVoters(value[0]) || !(value[1] === null || isVoters(value[1])) ||
    !Number.isSafeInteger(value[2])
  ) {
    throw badPayload("not a configuration");
  }
  return { configuration: { voters: value[0], old: value[1] }, writer: value[2] };
}

function isVoters(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.length <= VOTERS_MAX &&
    value.every((v) => Number.isSafeInteger(v) && v > 0) && new Set(value).size === value.length;
}

/** True when a majority of the voters, and of the old ones too during a swap, satisfy `holds`. */
export function hasMajority(configuration: Configuration, holds: (incarnation: number) => boolean): boolean {
  return majorityOf(configuration.voters, holds) &&
    (configuration.old === null || majorityOf(configuration.old, holds));
}

function majorityOf(voters: number[], holds: (incarnation: number) => boolean): boolean {
  let count = 0;
  for (const voter of voters) if (holds(voter)) count++;
  return count * 2 > voters.length;
}

/** The greatest index that a majority (of both sides during a swap) has reached. */
export function majorityIndex(configuration: Configuration, indexOf: (incarnation: number) => number): number {
  const index = majorityIndexOf(configuration.voters, indexOf);
  return configuration.old === null ? index : Math.min(index, majorityIndexOf(configuration.old, indexOf));
}

const SCRATCH = new Float64Array(VOTERS_MAX + 1);

function majorityIndexOf(voters: number[], indexOf: (incarnation: number) => number): number {
  // Insertion sort into a scratch array, greatest first: five elements, no allocation.
  for (let count = 0; count < voters.length; count++) {
    const index = indexOf(voters[count]);
    let i = count;
    while (i > 0 && SCRATCH[i - 1] < index) {
      SCRATCH[i] = SCRATCH[i - 1];
      i--;
    }
    SCRATCH[i] = index;
  }
  return SCRATCH[voters.length >> 1];
}

/** True when `incarnation` has a vote on either side. */
export function isVoter(configuration: Configuration, incarnation: number): boolean {
  const { voters, old } = configuration;
  return holds(voters, incarnation) || (old !== null && holds(old, incarnation));
}

/** As `includes`, which is a call out of compiled code; this is asked some times for every record. */
export function holds(incarnations: readonly number[], incarnation: number): boolean {
  for (let i = 0; i < incarnations.length; i++) if (incarnations[i] === incarnation) return true;
  return false;
}

/** Everybody who has a vote on either side, each once. */
export function everyVoter(configuration: Configuration): number[] {
  if (configuration.old === null) return configuration.voters;
  return [...configuration.voters, ...configuration.old.filter((v) => !configuration.voters.includes(v))];
}

/** Equal as sets. */
export function sameVoters(a: number[], b: number[]): boolean {
  return a.length === b.length && a.every((v) => b.includes(v));
}
