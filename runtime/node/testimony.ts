/**
 * Testimony: what nodes that have come back say of their journals, and whether a shard can be revived from that.
 *
 * Of a shard whose every member has died, the most complete copy is the one that would win an election among all of them:
 * the latest term, then the longest log. If **every** member of the last configuration in that copy is there, by the
 * journal that this very incarnation wrote, then no member lives elsewhere, and whatever was ever acknowledged is in a
 * majority of these journals (an acknowledgement follows the sync), so it is in the most complete one. That is Raft's own
 * argument for elections (thesis, 3.6.3), with journals for voters. A majority would do for it; all are asked for so that
 * nobody has gone on without us: by an operator's word a shard may go on from one survivor.
 *
 * A copy that had left (its journal says so) means that the members are others by now, whoever names it. A copy that was
 * damaged counts with what is left of it; but so many must be whole that every majority has one of them.
 */
import type { RememberedFacts } from "../replication/mod.ts";

/** What one node says. */
export interface Testimony {
  name: string;
  /** its present life */
  incarnation: number;
  /** incarnations that have written its journal before */
  lives: number[];
  /** copies that its journal holds and that nobody has asked for yet */
  facts: RememberedFacts[];
  /** shards of which it has a living copy, or has had one that left */
  held: number[];
  /** something in its journal cannot be read, of whatever copy */
  isDamaged: boolean;
}

/** Whether a shard can be revived. */
export type Verdict =
  /** from this node's copy, which is the most complete one; its generation ends */
  | { state: "ready"; survivor: Testimony; generation: number; members: Testimony[] }
  /** not before the journals of these incarnations are there */
  | { state: "waits"; missing: number[] }
  /** not without an operator: members have moved on, or too many copies are damaged */
  | { state: "doubtful" }
  /** some member lives: there is nothing to revive */
  | { state: "lives" }
  /** nobody has a copy */
  | { state: "unknown" };

/** What is asked about. */
export interface Question {
  shard: number;
  /** the shard's first members, for a copy without an entry; [] where that is not known */
  born: number[];
  /** an operator accepts that data may be lost: the most complete copy that is there will do */
  isForced?: boolean;
}

/** Whether, and from whom, the shard can be revived. */
export function verdictOn({ shard, born, isForced }: Question, testimonies: readonly Testimony[]): Verdict {
  const copies = testimonies.flatMap((by) => {
    const facts = by.facts.find((one) => one.shard === shard);
    return facts === undefined ? [] : [{ by, facts }];
  });
  if (copies.length === 0) return neverBegun({ shard, born }, testimonies);
  const generation = Math.max(...copies.map(({ facts }) => facts.generation));
  const present = copies.filter(({ facts }) => facts.generation === generation).sort((a, b) =>
    b.facts.lastTerm - a.facts.lastTerm || b.facts.lastIndex - a.facts.lastIndex || (a.by.name < b.by.name ? -1 : 1)
  );
  const best = present[0];
  const { voters, old } = best.facts.configuration ?? { voters: born, old: null };
  const members = [...new Set([...voters, ...old ?? []])];
  if (testimonies.some(({ incarnation, held }) => members.includes(incarnation) && held.includes(shard))) {
    return { state: "lives" };
  }
  if (isForced === true) return { state: "ready", survivor: best.by, generation, members: [best.by] };
  const holderOf = (incarnation: number) => testimonies.find(({ lives }) => lives.includes(incarnation));
  const missing = members.filter((one) => holderOf(one) === undefined);
  if (missing.length > 0 || members.length === 0) return { state: "waits", missing };
  const holders = [...new Set(members.map((one) => holderOf(one)!))];
  // Who has a copy of an earlier generation only, or one that was never written to, has acknowledged nothing in this one.
  if (holders.some(({ held }) => held.includes(shard))) return { state: "doubtful" };
  const isWhole = (incarnation: number) => {
    const facts = holderOf(incarnation)!.facts.find((one) => one.shard === shard);
    return facts === undefined || !facts.isDamaged;
  };
  for (const side of [voters, old ?? []]) {
    if (side.filter((one) => !isWhole(one)).length > Math.floor(side.length / 2)) return { state: "doubtful" };
  }
  const survivor = present.find(({ by }) => holders.includes(by))?.by;
  if (survivor === undefined) return { state: "doubtful" };
  return { state: "ready", survivor, generation, members: holders };
}

/** Nobody has a copy: where all first members are there and have never noted any, nothing was ever acknowledged. */
function neverBegun({ shard, born }: Question, testimonies: readonly Testimony[]): Verdict {
  const holders = born.map((one) => testimonies.find(({ lives }) => lives.includes(one)));
  const isSure = born.length > 0 && holders.every((one) => one !== undefined && !one.isDamaged);
  if (!isSure || testimonies.some(({ held }) => held.includes(shard))) return { state: "unknown" };
  return { state: "ready", survivor: holders[0]!, generation: 1, members: holders as Testimony[] };
}
