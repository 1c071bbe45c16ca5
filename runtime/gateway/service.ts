import type { PlannedService } from "./planned.ts";
import type { FollowingService } from "./following.ts";
import type { OutsideService } from "./outside.ts";
import type { RetentionService } from "./retention_routes.ts";
import type { StagesService } from "./stages.ts";
import type { RecoveryService } from "./recovery.ts";
import type { ActorKey, FullKey, Outcome } from "../base/mod.ts";
import type { Receipt } from "../wire/mod.ts";
import type { AuditReceipt, AuditVerdict, CopiesVerdict } from "./audit_views.ts";

export type { Receipt };

/** A message to be recorded. */
export interface PostRequest {
  /** the actor it is about */
  key: ActorKey;
  /** message id; made up where left out */
  id?: string;
  /** what happened: `admit`, `ADT^A01`; default `""` */
  type?: string;
  /** media type of `payload` */
  contentType: string;
  /** the raw bytes, kept as they are */
  payload: Uint8Array;
  /** the stream (connection, session) whose messages to one actor stay in order; left out: no order */
  sender?: string;
  /** record only if the actor's last seq is this */
  ifMatch?: number;
  /** answer when recorded, or only when the handlers are through too; default `"recorded"` */
  wait?: "recorded" | "handled";
}

/** How a request to record ended. */
export type PostAnswer =
  | { state: "recorded"; receipt: Receipt; duplicate: boolean; projections?: Record<string, unknown>; reply?: unknown }
  | { state: "refused"; code: string; outcome: Outcome; message: string; retryAfterMs?: number; seq?: number };

/** A message whose texts have been checked already: what the fast ways in hand over. */
export interface CheckedPost {
  /** canonical key, `kind/facility/id` */
  key: string;
  /** message id */
  id: string;
  /** what happened */
  type: string;
  /** media type of `payload` */
  contentType: string;
  /** the raw bytes; must not change until the post has ended */
  payload: Uint8Array;
  /** wall time in ms at which it was taken in */
  atMs: number;
  /** the stream whose messages to one actor stay in order; `""`: no order */
  sender: string;
  /** record only if the actor's last seq is this */
  ifMatch: number | undefined;
}

/** Linearizable; at the writer, which may be deposed without knowing; or from any copy. */
export type ReadMode = "fresh" | "writer" | "nearest";

/** One message of a history. */
export interface HistoryEvent {
  /** place in the history, from 1 */
  seq: number;
  /** message id */
  id: string;
  /** wall time in ms at which a gateway took it in */
  at: number;
  /** what happened */
  type: string;
  /** media type */
  contentType: string;
  /** raw bytes */
  payload: Uint8Array;
}

/** How it stands with the handling of a message. */
export interface HandledView {
  /** false: some handler was not through in time */
  isHandled: boolean;
  /** code of the fault at which a handler stands still, at this message or before it; "" where none does */
  standstill: string;
  /** what a handler has replied, if one has, and it is still known */
  reply?: unknown;
}

/** Why a plugin stands still for an actor. */
export interface ParkedFault {
  /** the message that it could not handle; those behind it wait */
  seq: number;
  /** stable name of the fault */
  code: string;
  /** what it said; may quote the message */
  message: string;
  /** number of the version; left out where it is not kept any more, or not known yet */
  version?: number;
  /** the version's hash */
  hash?: string;
  /** where in its code, a line a frame */
  stack?: string;
}

/** An actor as one copy sees it. */
export interface ActorView {
  /** canonical key */
  key: string;
  /** last seq that this view includes */
  seq: number;
  /** per plugin, what it keeps of this actor */
  projections: Record<string, unknown>;
  /** plugins that stand still for this actor: at which message, and why */
  parked: Record<string, ParkedFault>;
  /** name of the writer, `""` where there is none now */
  writer: string;
  /** names of the followers */
  followers: string[];
  /** how many committed messages the copy asked is known to be behind the writer */
  behind: number;
}

/** Where an actor lives: the fact (members) and the target (placement). */
export interface ActorPlace {
  /** canonical key */
  key: string;
  /** `S05/017` */
  shard: string;
  /** the shard's generation */
  generation: number;
  /** the term known here */
  term: number;
  /** name of the writer, `""` when unknown */
  writer: string;
  /** names of the other members */
  followers: string[];
  /** names of the nodes on which placement wants it, writer first */
  target: string[];
  /** topology version */
  version: number;
}

/** One node as another sees it. */
export interface NodeView {
  /** `TN-B-2` */
  name: string;
  /** `TN` */
  dataCenter: string;
  /** `B` */
  zone: string;
  /** the life of the process */
  incarnation: number;
  /** `host:port` of the mesh */
  address: string;
  /** URL of its gateway, null when it has none */
  http: string | null;
  /** `host:port` of its MLLP listener, null when it has none */
  mllp: string | null;
  /** from the topology */
  status: "up" | "draining" | "absent";
  /** this node's own opinion of it now */
  alive: boolean;
  /** shards whose writer it is, as placement wants it */
  shards: number;
  /** copies, as placement wants it */
  copies: number;
}

/** The topology as `GET /v1/topology` and `topology inspect` show it. */
export interface TopologyView {
  /** given at creation, for ever */
  clusterId: string;
  /** of the topology */
  version: number;
  /** of each shard, as wanted */
  copies: number;
  /** node that answers */
  node: string;
  /** false until the shards are born */
  born: boolean;
  /** what a receipt needs, as far as there is so much */
  ack: { copies: number; dataCenters: number };
  /** home data center of each shard set */
  homes: string[];
  /** sorted by name */
  nodes: NodeView[];
}

/** A plugin as the cluster knows it. */
export interface PluginView {
  /** of the plugin */
  name: string;
  /** `handler`, `function`, `source` or `sink` */
  kind: string;
  /** version that is live, by hash */
  hash: string;
  /** where the source came from */
  url: string;
  /** counted from 1 */
  version: number;
  /** `live`, `dark` or `canary` */
  stage: string;
  /** size of the bundle */
  bytes: number;
  /** wall time in ms */
  deployedAt: number;
  /** nodes on which it is loaded, as far as the answering node knows: itself */
  loaded: boolean;
  /** actors for which it is parked on shards written by the answering node */
  parked: number;
}

/** A bundle to be deployed. */
export interface DeployRequest {
  /** of the plugin */
  name: string;
  /** `handler`, `function`, `source` or `sink` */
  kind: string;
  /** kind of actor that it handles */
  actorKind: string;
  /** where the source came from */
  url: string;
  /** SHA-256 of `bundle`, hexadecimal */
  hash: string;
  /** one CommonJS module */
  bundle: Uint8Array;
  /** how it begins; default `"live"` */
  stage?: "live" | "dark" | "canary";
  /** of a canary: of the actors by hash of their key; default 10, or 0 where actors are listed */
  percent?: number;
  /** of a canary: canonical keys of actors that it decides for beside them */
  actors?: string[];
  /** of a canary: a node, zone or data center (`TN-A-1`, `TN-A`, `TN`); it decides for what is to be written there */
  where?: string;
  /** of a canary: it goes from ring to ring by itself; JSON, see `docs/plugins-stages.md` */
  rings?: string;
  /** who deploys it; default `"unknown"` */
  by?: string;
}

/**
 * What a node does for its gateway: functions handed up by `node`. Every promise either resolves or rejects with a
 * `WaterparkError` that has a code and an outcome, within its deadline (10 s where none is given).
 */
export interface NodeService {
  /** this node's name */
  readonly name: string;
  /** the operator's way out when copies are gone for good */
  readonly recovery: RecoveryService;
  /** what an operator does to a cluster that is well */
  readonly planned: PlannedService;
  /** stages of plugins, and switches */
  readonly stages: StagesService;
  /** for how long histories are kept */
  readonly retention: RetentionService;
  /** what became of messages, and finding them */
  readonly following: FollowingService;
  /** functions, sinks, sources */
  readonly outside: OutsideService;
  /** a fresh random id */
  newId(): string;
  /** Wall time in ms. */
  nowWallMs(): number;
  /** Records a message. */
  post(request: PostRequest): Promise<PostAnswer>;
  /**
   * Records a message without a promise: `done` is called exactly once, within this call or later, and within the
   * mailroom's deadline (10 s). Nothing is thrown.
   */
  postNow(request: CheckedPost, done: (answer: PostAnswer) => void): void;
  /**
   * Waits until all handlers are through with a message, or stand still; at most the 10 s that a request has.
   *
   * @throws {WaterparkError} when nobody could say so in time
   */
  whenHandled(key: ActorKey, seq: number): Promise<HandledView>;
  /** URL of the gateway of the node of this name; null: it has none, or is not known. */
  httpOf(name: string): string | null;
  /** What an actor is now, or was. */
  read(
    key: ActorKey,
    options?: {
      at?: number;
      read?: "fresh" | "writer" | "nearest";
      after?: number;
      /** what this version of this plugin would keep, and nothing of others */
      version?: { plugin: string; version: number };
    },
  ): Promise<ActorView>;
  /**
   * Events after `after` (default 0), at most `limit` (default 100, at most 1000); with `waitMs` waits so long for the
   * first. `read: "nearest"` answers from this node's own copy where it has one: how copies are compared.
   */
  history(
    key: ActorKey,
    options?: { after?: number; limit?: number; waitMs?: number; read?: ReadMode },
  ): Promise<{ events: HistoryEvent[]; next: number | null }>;
  /** Where an actor lives. */
  place(key: ActorKey): ActorPlace;
  /** The topology in force here. */
  topology(): TopologyView;
  /** All plugins, by name. */
  plugins(): PluginView[];
  /** Puts a plugin, or a new version of it, in its place. */
  deploy(request: DeployRequest): Promise<PluginView>;
  /** An operator's word that a node is lost: its copies are replaced. Being heard of again takes the word back. */
  declareAbsent(name: string): Promise<void>;
  /** Takes a plugin away; what it kept goes with it. */
  removePlugin(name: string): Promise<void>;
  /** Takes a node out of the topology, for good. */
  removeNode(name: string, options?: { force?: boolean }): Promise<void>;
  /** actors written by this node, at most `limit`, keys after `after` in key order */
  actors(
    options?: { after?: string; limit?: number },
  ): Promise<{ actors: { key: string; seq: number }[]; next: string | null }>;
  /**
   * What the copies themselves say of the message of a receipt.
   *
   * @throws {WaterparkError} `topology/bad-shard`, `base/bad-key`, `node/busy`
   */
  audit(receipt: AuditReceipt): Promise<AuditVerdict>;
  /**
   * Compares the copies of at most `limit` (default 32) shards after the shard `after` with each other; `deep` has every
   * copy read all its bytes anew, `withKeys` names actors that differ.
   */
  auditCopies(
    options?: { after?: string; limit?: number; deep?: boolean; withKeys?: boolean },
  ): Promise<{ shards: CopiesVerdict[]; next: string | null }>;
  /** whether it takes requests, and why not */
  readiness(): { ready: boolean; reason: string };
  /** Prometheus text */
  metrics(): Promise<string>;
}

export type { ActorKey, FullKey };
