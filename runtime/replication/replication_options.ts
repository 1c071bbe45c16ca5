import type { Lane } from "../wire/mod.ts";
import type { World } from "../world/mod.ts";
import type { JournalOption } from "./journaling.ts";
import type { PaceConfig } from "./pace.ts";
import type { AckRule } from "./waiting.ts";

/** Settings of `Replication`; node's config.ts has the defaults. */
export interface ReplicationConfig extends PaceConfig {
  /** how often awake replicas look around, ms */
  tickMs: number;
  /** least step of the election's stagger, ms */
  staggerMsMin: number;
  /** greatest step: a storm of late frames must not put an election off for minutes, ms */
  staggerMsMax: number;
  /** how long a node must have been alive before it is handed writers, ms */
  stableAfterMs: number;
  /** answers owed by one node before it says busy */
  waitersMax: number;
}

/** What `Replication` is made of. */
export interface ReplicationOptions {
  world: World;
  self: { name: string; incarnation: number };
  /** sends a raft frame's payload, which is void afterwards; false when it could not be queued */
  send(to: number, lane: Lane, payload: Uint8Array): boolean;
  /** nothing waits in the message lane to this peer; left out: something may */
  isClear?(to: number): boolean;
  isSuspect(incarnation: number): boolean;
  /** how long the peer has been alive without a suspicion, ms */
  aliveForMs(incarnation: number): number;
  /** the peer has said that it is about to end; left out: nobody has */
  isLeaving?(incarnation: number): boolean;
  rttP99Ms(): number;
  nameOf(incarnation: number): string;
  dataCenterOf(incarnation: number): string;
  shardText(shard: number): string;
  ackRule(): AckRule;
  /** latest time that a message may bring along, ms since 1970; left out: any */
  atMsMax?(): number;
  /** entries [first, last] of the shard are committed on this node */
  onCommitted(shard: number, first: number, last: number): void;
  onWriter(shard: number, isWriter: boolean): void;
  /** this node stands for writer of `term`, in an election or (`isReal` false) in the vote before it; to look on */
  onCampaign?(shard: number, term: number, isReal: boolean): void;
  /** the replica has left this node and its memory is freed */
  onDropped(shard: number): void;
  config: ReplicationConfig;
  /** where entries are kept beside memory; left out: nowhere */
  journal?: JournalOption;
}
