/**
 * The audit's words: what is asked about a receipt or a shard, and what the copies' answers prove.
 *
 * Like a stocktaking with several storekeepers: each counts his own shelf, none is asked about another's.
 */

/** What a receipt has to say to be audited. Other fields of it may be there and are not looked at. */
export interface AuditReceipt {
  /** canonical key; with `id` the message is looked up by its name, without by its place */
  key?: string;
  /** message id */
  id?: string;
  /** `S05/017` */
  shard: string;
  /** place in the actor's history, from 1 */
  seq: number;
  /** Raft log index */
  index: number;
  /** of the raw bytes, 16 lower-case hexadecimal digits */
  digest: string;
  /** the cluster that gave it; left out: taken for this one */
  clusterId?: string;
}

/**
 * What a message's copies prove.
 *
 * - `proven`: it stands as its receipt says on as many copies, in as many data centers, as the rule wants, and all copies
 *   asked agree;
 * - `retired`: its actor is retired, and copies enough have the tombstone;
 * - `differs`: some copy has it otherwise than the receipt says, or than the other copies;
 * - `lost`: no copy has it;
 * - `thin`: fewer copies have it than the rule wants, however those answer that could not be asked;
 * - `unproven`: too few copies could be asked to tell;
 * - `foreign`: another cluster gave the receipt.
 */
export type AuditState = "proven" | "retired" | "differs" | "lost" | "thin" | "unproven" | "foreign";

/** How a copy differs; the values are the copy's own. */
export interface CopyDifference {
  /** node that has the copy; `""`: the receipt contradicts itself */
  node: string;
  /** the first of these that is another; `twice`: the id stands there more than once */
  what: "shard" | "index" | "seq" | "digest" | "chain" | "term" | "twice";
  /** log index there */
  index: number;
  /** place in the actor's history there */
  seq: number;
  /** of the payload there, computed anew from its bytes */
  digest: string;
}

/** Copies that an acknowledged message must be on, as the topology caps the rule. */
export interface CopiesNeeded {
  /** on so many nodes */
  copies: number;
  /** in so many data centers */
  dataCenters: number;
}

/** What the copies say of one message. Names no patient. */
export interface AuditVerdict {
  /** what is proven */
  state: AuditState;
  /** as the receipt has it */
  shard: string;
  /** as the receipt has it */
  index: number;
  /** as the receipt has it */
  seq: number;
  /** what `proven` takes now */
  needed: CopiesNeeded;
  /** nodes that hold it, each by its own word */
  copies: string[];
  /** nodes that hold a copy of the shard, but not this message */
  missing: string[];
  /** copies that have it otherwise */
  differing: CopyDifference[];
  /** nodes that should hold it and could not be asked */
  unreachable: string[];
}

/** One copy of a shard, by its own word. */
export interface CopyAudit {
  /** node that has it */
  node: string;
  /** raised when an operator recovers the shard */
  generation: number;
  /** Raft's */
  term: number;
  /** its commit index */
  commit: number;
  /** its last index */
  last: number;
  /** true: it counts for acknowledgements; false: it comes, or goes */
  stands: boolean;
  /** over all actors (key, seq, chained digest) at the index compared; `""`: not compared */
  digest: string;
  /** messages whose bytes do not give the digests that stand beside them; null: not read */
  damaged: number | null;
}

/** An actor whose copies differ. */
export interface ActorDifference {
  /** log index of its newest message on the first copy that has it, as `S05/017#42` */
  at: string;
  /** only where asked for */
  key?: string;
  /** per node: its last seq, 0 = the actor is not there, and its chained digest */
  copies: { node: string; seq: number; chain: string }[];
}

/** What comparing a shard's copies shows; states as for a message, `agree` in place of `proven`. */
export interface CopiesVerdict {
  /** `S05/017` */
  shard: string;
  /** what is proven; `lost`: no node has a copy */
  state: "agree" | "differs" | "lost" | "thin" | "unproven";
  /** what `agree` takes now */
  needed: CopiesNeeded;
  /** log index up to which the copies were compared: the lowest commit index among them */
  upTo: number;
  /** actors with a message up to there */
  actors: number;
  /** messages up to there */
  messages: number;
  /** every copy that was found */
  copies: CopyAudit[];
  /** nodes that should have a copy and could not be asked */
  unreachable: string[];
  /** actors that differ, at most 100 */
  differing: ActorDifference[];
  /** how many differ in all */
  differingCount: number;
}
