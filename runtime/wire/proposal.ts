/**
 * What the mailroom hands to a shard's writer and what it gets back. Both rooms stand on one floor and may not import
 * each other, so their common words live here.
 *
 * The order of a sender's messages rests on four fields of {@linkcode MessageProposal}: `sender`, `n`, `oldest`, `term`.
 * For each (sender, key) a writer remembers, for its present term only, `last`: the highest n that it has taken. Its rule:
 *
 * 1. The id is in the log: it is a duplicate (or a conflict), whatever else it says. If it would also be taken by 3, it
 *    counts as taken: `last = n`.
 * 2. `term` is not the writer's present term: `moved`, with the hint that names the present one. A frame that was late
 *    cannot so slip in behind its successors under a new writer that does not know them.
 * 3. It is taken when `n === last + 1`, or when `n === oldest` and (nothing was taken yet or `n > last`). Else `gap`.
 * 4. What is refused (`mismatch`, `conflict`, `busy`) is not taken: `last` stays, its successors get `gap` until the
 *    mailroom has seen the refusal and says so by a higher `oldest`.
 */

/** What the sender gets when the quorum has the message. */
export interface Receipt {
  /** canonical key, `kind/facility/id` */
  key: string;
  /** message id */
  id: string;
  /** the message's place in the actor's history, from 1 */
  seq: number;
  /** the shard's name, `S05/017` */
  shard: string;
  /** raised when an operator recovers the shard from data loss; 1 at birth */
  generation: number;
  /** Raft term in which it was appended */
  term: number;
  /** Raft log index */
  index: number;
  /** name of the node that wrote it */
  writer: string;
  /** names of the nodes known to hold it when the receipt was made */
  copies: string[];
  /** digest of the raw bytes, 16 lower-case hexadecimal digits */
  digest: string;
}

/** Who writes a shard, as far as a node knows. Of two hints the one of higher (generation, term) is right. */
export interface WriterHint {
  /** 0..1023, or 1024 for the system shard */
  shard: number;
  /** from 1 */
  generation: number;
  /** Raft term */
  term: number;
  /** incarnation of the writer; 0 = the term is known, its writer is not */
  writer: number;
}

/** A message on its way into a shard's log; valid only until `propose` returns, payload and all. */
export interface MessageProposal {
  /** canonical key of the actor */
  key: string;
  /** message id, unique for the actor */
  id: string;
  /** what happened */
  type: string;
  /** media type of `payload` */
  contentType: string;
  /** wall time in ms at which a gateway took it in */
  atMs: number;
  /** the raw bytes, a view */
  payload: Uint8Array;
  /** the stream whose messages to one actor stay in order, unique in the cluster; `""` = no order */
  sender: string;
  /** number in the stream, dense while the stream lives, never used again; 0 where `sender` is `""` */
  n: number;
  /** lowest number of the stream that had no final result when this was sent; 0 where `sender` is `""` */
  oldest: number;
  /** the term of the writer that this was meant for; 0 = not known, or no order */
  term: number;
  /** record only if the actor's last seq is this; -1 = whatever it is */
  ifMatch: number;
}

/** A writer's answer to one proposal; given exactly once. */
export type ProposeAnswer =
  /** committed, and held by as many copies as the rule asks for */
  | { state: "recorded"; receipt: Receipt; duplicate: boolean }
  /** not appended: this node is not the writer (or not in the term asked for) */
  | { state: "moved"; hint: WriterHint | null }
  /** not appended: it is not this one's turn in its stream; `expected` comes first */
  | { state: "gap"; expected: number }
  /** not appended, ever: another message under this id is *committed* */
  | { state: "conflict" }
  /** not appended: the actor's last seq is `seq` (as the writer's log has it) */
  | { state: "mismatch"; seq: number }
  /** not appended: queues are full or there is no majority */
  | { state: "busy"; retryAfterMs: number }
  /** was appended, then the writer lost its role: send it again under the same id */
  | { state: "unknown" };
