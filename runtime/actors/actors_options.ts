import type { DoneItem, OutcomeItem, StandingOutcome } from "../effects/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import type { World } from "../world/mod.ts";
import type { Fold } from "./fold.ts";
import type { FoldPlaces } from "./fold_pumps.ts";

/** A handler that is live, as the topology has it. */
export interface LivePlugin {
  /** its name; versions of one name continue one another */
  name: string;
  /** SHA-256 of its bundle: the version */
  hash: string;
  /** kind of actor that it handles, as in a key and not percent-encoded; `*` handles all */
  actorKind: string;
  /** a version that decides for a part of the actors in its place */
  canary?: CanaryVersion;
  /** versions that fold along and are compared with the one that decides; newest first */
  dark?: readonly string[];
  /** numbers of the versions that fold, by hash: the lower one of two is the old one */
  numbers?: Readonly<Record<string, number>>;
}

/** A version that decides for a part of the actors. */
export interface CanaryVersion {
  /** SHA-256 of its bundle */
  hash: string;
  /** of the actors by hash of their key, 0 to 100 */
  percent: number;
  /** canonical keys of those that it has beside them */
  actors?: readonly string[];
  /** shards that it decides for beside them, ascending: where a place is meant */
  shards?: readonly number[];
  /** true for an actor of one of these shards */
  covers?(key: string): boolean;
}

/** Where committed effects go: the effects room. */
export interface EffectsRoom {
  /** an outcome with effects stands */
  committed(shard: number, outcome: StandingOutcome): void;
  /** these were carried out */
  done(shard: number, items: readonly DoneItem[]): void;
  /** carries out from now on */
  becameWriter(shard: number): void;
  /** does not any more */
  lostWriter(shard: number): void;
  /** the copy is gone */
  dropped(shard: number): void;
}

/** Where scheduled messages go, and come from when they are due: the effects room's timers. */
export interface TimersRoom {
  /** an outcome with effects stands */
  committed(shard: number, outcome: StandingOutcome): void;
  /** whether the actor has timers */
  hasAny(shard: number, row: number): boolean;
  /** a message was committed, of an actor that has timers: it may be one's */
  recorded(shard: number, row: number, id: string): void;
  /** an actor's life has ended */
  retired(shard: number, row: number): void;
  /** how many timers the actor has */
  countOf(shard: number, row: number): number;
  /** whether the plugin has a timer of this name for the actor */
  isOpen(shard: number, row: number, timer: { plugin: string; name: string }): boolean;
  /** fires from now on */
  becameWriter(shard: number): void;
  /** does not any more */
  lostWriter(shard: number): void;
  /** the copy is gone */
  dropped(shard: number): void;
}

/** How a proposed entry ended; `lost` says nothing about whether it will be committed. */
export type ProposalEnd = "committed" | "lost" | "busy";

/** Limits and times; values and reasons in `runtime/node/config.ts`. */
export interface ActorsConfig {
  /** folds open at a time, per plugin host of this node; usual: 256 */
  openFoldsMax: number;
  /** (actor, plugin) pairs with something to do held in memory; beyond, shards are scanned again later; usual: 65536 */
  handlingsMax: number;
  /** messages in one fold call; usual: 256 */
  foldMessagesMax: number;
  /** payload bytes in one fold call, at least one message; usual: 1 MiB */
  foldBytesMax: number;
  /** messages of a reading in the past, which is one call; usual: 20000 */
  pastMessagesMax: number;
  /** payload bytes of a reading in the past; usual: 12 MiB */
  pastBytesMax: number;
  /** how long outcomes without effects are gathered before they are logged, ms; usual: 5 */
  gatherMs: number;
  /** outcomes in one entry; twice as many may wait per shard before its folding pauses; usual: 4096 */
  outcomesMax: number;
  /** bytes of outcomes in one entry (one outcome may be larger); twice as many may wait; usual: 1 MiB */
  outcomeBytesMax: number;
  /** bytes of one message's effects, packed; more is a fault; usual: 4 MiB */
  effectsBytesMax: number;
  /** open timers of one actor; an outcome that asks for more is parked; usual: 64 */
  timersMax: number;
  /** payload of a timer's message, bytes; usual: 16 KiB */
  timerBytesMax: number;
  /** (actor, plugin) pairs that may be parked on this node's copies before no more are; usual: 10000 */
  parkedMax: number;
  /** first wait after the host or the log said busy, doubled each time, less up to half by chance, ms; usual: 20 */
  pauseMinMs: number;
  /** longest such wait, ms; usual: 1000 */
  pauseMaxMs: number;
  /** projections being read at a time; usual: 1024 */
  readsMax: number;
  /** longest that a reading takes, ms; usual: 10000 */
  readTimeoutMs: number;
  /** requests that wait for handlers at a time; usual: 10000 */
  waitersMax: number;
  /** replies remembered for who asks after the outcome was committed; usual: 1024 */
  repliesMax: number;
  /** folds of shadows open at a time on this node; usual: 2 */
  shadowFoldsOpenMax: number;
  /** actors that shadows fold, or are about to, at a time on this node; beyond, they are not compared; usual: 4096 */
  shadowsMax: number;
  /** actors of a sweep begun in one turn, while so few shadows are at work; usual: 16 */
  sweepActorsMax: number;
  /** pause between two turns of a sweep, ms; usual: 20 */
  sweepPauseMs: number;
  /** rows looked at in one turn when a shard is searched for unhandled messages; usual: 20000 */
  scanRowsMax: number;
}

/** What {@linkcode Actors} is given. */
export interface ActorsOptions {
  /** time and chance */
  world: World;
  /** the plugin host */
  fold: Fold;
  /** which of several hosts it asks for an actor; left out: there is one */
  foldPlaces?: FoldPlaces;
  /** this node's copy of a shard */
  store(shard: number): ShardStore | null;
  /** last index known here to be committed */
  commitIndex(shard: number): number;
  /** appends an OUTCOMES entry on the writer; entries of one shard are proposed one after the other */
  proposeOutcomes(shard: number, body: Uint8Array, done: (end: ProposalEnd) => void): void;
  /** appends the end of an actor's life on the writer; throws `storage/too-large`, then `done` is not called */
  proposeRetire(shard: number, key: string, done: (end: ProposalEnd) => void): void;
  /** true once this node writes the shard and has committed an entry of its own term */
  isSettled(shard: number): boolean;
  /** live handlers by name, ascending; asked anew after `pluginsChanged` */
  plugins(): readonly LivePlugin[];
  /** feature flags */
  switches(): Record<string, boolean>;
  /** version of the topology in which they became so; 0, and left out: none was ever set */
  switchesVersion?(): number;
  /** gets what was decided, once it is committed */
  effects: EffectsRoom;
  /** gets what was scheduled, once it is committed */
  timers: TimersRoom;
  /** something a person should know; holds no data of any actor */
  alert(code: string, text: string): void;
  /** every outcome that stands, on every copy, in log order; for measuring */
  onOutcome?(shard: number, outcome: OutcomeItem): void;
  /** limits and times */
  config: ActorsConfig;
}

/** Where a plugin stands still for an actor, as a reader sees it. */
export interface ParkedView {
  /** the message at which it stands */
  seq: number;
  /** stable name of the fault */
  code: string;
  /** what the host said; may quote data */
  message: string;
  /** of the version that stands still; left out where the log does not say yet, or older code has answered */
  hash?: string;
  /** where in its code, a line a frame */
  stack?: string;
}

/** How a reading ended. */
export type ProjectAnswer =
  | {
    state: "ok";
    /** last committed seq of the actor here, or the one asked for */
    seq: number;
    /** per live plugin of the actor's kind; one that stands still shows what it kept before */
    projections: Record<string, unknown>;
    parked: Record<string, ParkedView>;
  }
  /** `actors/not-here` (no copy), `actors/busy`, `actors/timeout`, `actors/history-too-long`, `actors/cannot-fold`, `actors/retired` */
  | { state: "failed"; code: string };

/** How a plugin that decides about an actor stands to one of its messages. */
export interface Standing {
  /** of the plugin */
  plugin: string;
  /** `through`: it has decided; `parked`: it stands still at it; `waiting`: it has not come so far */
  state: "through" | "parked" | "waiting";
}

/** How waiting for handlers ended. */
export type HandledAnswer =
  /** every live plugin has decided or stands still; `reply` is that of the first by name that gave one */
  | { state: "handled"; reply?: unknown }
  | { state: "timeout" }
  /** no copy of the shard here, or it went away */
  | { state: "not-here" }
  | { state: "busy" };
