import type { Outcome } from "../base/mod.ts";
import type { Lane, MessageProposal, ProposeAnswer, Receipt, WriterHint } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import type { MailroomConfig } from "./config.ts";

/** A message handed in at this node, to be recorded in its actor's history wherever that is written. */
export interface Posting {
  /** canonical key, `kind/facility/id` */
  key: string;
  /** message id, unique for the actor; sending again under the same id is always safe */
  id: string;
  /** what happened */
  type: string;
  /** media type of `payload` */
  contentType: string;
  /** the raw bytes; must not change until the posting has ended */
  payload: Uint8Array;
  /** wall time in ms at which it was taken in */
  atMs: number;
  /** connection, stream or session whose messages to one actor stay in order; `""` = no order */
  sender: string;
  /** record only if the actor's last seq is this */
  ifMatch?: number;
  /** how long to try, in ms; default {@linkcode MailroomConfig.deadlineMs} */
  deadlineMs?: number;
  /** not the mailroom's matter: it always answers when recorded, `node` waits for the handlers */
  wait?: "recorded" | "handled";
}

/**
 * How a posting ended. `duplicate`: the message had been posted before, by somebody; the mailroom's own repetitions do
 * not count. `outcome` says what may be concluded: see {@linkcode Outcome}. */
export type PostResult =
  | { state: "recorded"; receipt: Receipt; duplicate: boolean }
  | { state: "refused"; code: string; outcome: Outcome; message: string; retryAfterMs?: number; seq?: number };

/** What the mailroom reads of a topology; the topology room's `Topology` has this shape. */
export interface MailroomTopology {
  /** grows with every change */
  readonly version: number;
  /** the shard of a canonical key: 0..1023 */
  shardOf(key: string): number;
  /** the nodes that should hold a shard, in slots, the writer's first; empty before birth */
  placementOf(shard: number): readonly { readonly incarnation: number }[];
  /** the node of this incarnation, nothing where it is not known */
  nodeByIncarnation(incarnation: number): { readonly dataCenter: string } | null | undefined;
}

/** What `node` hands to the mailroom. All functions are synchronous. */
export interface MailroomOptions {
  /** time and chance */
  world: World;
  /** this node */
  self: { name: string; incarnation: number };
  /** queues one frame's payload for a peer; false: it was not queued and never will be */
  send: (to: number, lane: Lane, type: number, payload: Uint8Array) => boolean;
  /** true while there is a link to this peer */
  isLinked: (incarnation: number) => boolean;
  /** the topology as this node knows it now */
  topology: () => MailroomTopology;
  /** the best known writer of a shard */
  hint: (shard: number) => WriterHint | null;
  /** takes in a hint; one that is older than what is known must be ignored by it */
  learn: (hint: WriterHint) => void;
  /** proposes on this node's own copy; `done` is called once, at once or later, with `moved` where it is not the writer */
  proposeHere: (shard: number, proposal: MessageProposal, done: (answer: ProposeAnswer) => void) => void;
  /** true when a majority of the shard's copies is gone, as far as this node sees; left out: never */
  standsStill?: (shard: number) => boolean;
  /** this node's opinion of an incarnation */
  isSuspect: (incarnation: number) => boolean;
  /** bounds and times that differ from {@linkcode MAILROOM_CONFIG} */
  config?: Partial<MailroomConfig>;
}
