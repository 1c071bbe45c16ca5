/**
 * What a core is made of: who it is, what it stands on, who watches it.
 */
import type { Fold, FoldPlaces } from "../actors/mod.ts";
import type { SinkDoor } from "../effects/mod.ts";
import type { Disk, JournalContents, SyncMode } from "../journal/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { TopologyState } from "../topology/mod.ts";
import type { Carrier, LayTripwire } from "../transport/mod.ts";
import type { World } from "../world/mod.ts";
import type { NodeConfig } from "./config.ts";
import type { DepartureReason } from "./departing.ts";

/** What distinguishes this node from every other. */
export interface NodeIdentity {
  /** `TN-A-1`: data center, zone, number */
  name: string;
  /** fresh at every start */
  incarnation: number;
  /** where peers reach it, `host:port` */
  address: string;
  /** URL of its HTTP gateway, or null */
  http: string | null;
  /** `host:port` of its MLLP listener, or null */
  mllp: string | null;
}

/** What a core is made of. */
export interface NodeCoreOptions {
  world: World;
  config: NodeConfig;
  self: NodeIdentity;
  carriers: Carrier[];
  secret: Uint8Array | null;
  /** how tripwires are laid beside QUIC links; left out: none are */
  layTripwire?: LayTripwire;
  /** the plugin host */
  fold: Fold;
  /** which of several plugin hosts `fold` asks for an actor */
  foldPlaces?: FoldPlaces;
  /** the live handlers have changed: the host must have these bundles */
  onPlugins(plugins: { name: string; hash: string; bytes: Uint8Array }[]): void;
  /** who carries deliveries to the outside; left out: nobody, and they wait */
  sinks?: SinkDoor;
  /** a newer topology is in force: what touches the outside may have to be another */
  onOutside?(state: TopologyState): void;
  /** where to keep a journal, when to sync it, and what it held; left out: nowhere */
  journal?: { disk: Disk; sync: SyncMode; contents: JournalContents<ShardStore> };
  /** this node should go, see `departing.ts`; left out: it stays, and answers for nothing once it is removed */
  onDue?(reason: DepartureReason): void;
  /** sees what replication does; for the simulator's checkers */
  observer?: CoreObserver;
}

/** Sees what a core does, and changes nothing. */
export interface CoreObserver {
  /** entries [first, last] are committed on this node, which `isWriter` of `term` */
  committed(shard: number, first: number, last: number, as: { isWriter: boolean; term: number }): void;
  /** a link to this peer is there, or is gone */
  linked?(incarnation: number, up: boolean): void;
  /** this node's opinion about a peer has changed */
  suspects?(incarnation: number, isSuspect: boolean): void;
  /** this node stands for writer: `isReal` in an election, else in the vote before it, for the same `term` */
  campaigns?(shard: number, term: number, isReal: boolean): void;
  /** this node has become the shard's writer, or is it no more */
  writes?(shard: number, isWriter: boolean, term: number): void;
  /** a newer topology is in force here */
  published?(version: number, nodes: number): void;
}
