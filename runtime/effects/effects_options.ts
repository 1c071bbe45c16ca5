import type { Outcome } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { Effect } from "./effect.ts";
import type { SinkDoor } from "./sinks.ts";

/** A message that an effect posts; what the mailroom takes. */
export interface EffectPosting {
  /** canonical key of the target */
  key: string;
  /** the effect's id: the same at every attempt */
  id: string;
  /** what happened */
  type: string;
  /** media type of `payload` */
  contentType: string;
  /** raw bytes */
  payload: Uint8Array;
  /** wall time of this attempt, ms since 1970 */
  atMs: number;
  /** canonical key of the source actor: keeps the order */
  sender: string;
}

/** How a post ended; what the mailroom answers has this form. */
export type EffectPostResult =
  | { state: "recorded" }
  | { state: "refused"; code: string; outcome: Outcome; retryAfterMs?: number };

/** Limits and times; values and reasons in `runtime/node/config.ts`. */
export interface EffectsConfig {
  /** posts under way at a time; usual: 1024 */
  inFlightMax: number;
  /** effects read from the log and not carried out yet; one entry's worth may be on top; usual: 4096 */
  inHandMax: number;
  /** deliveries to one sink read from the log and not carried out; the rest waits in the log; usual: 4096 */
  sinkInHandMax: number;
  /** how long done-marks are gathered before they are logged, ms; usual: 20 */
  doneGatherMs: number;
  /** done-marks in one entry, and waiting to be logged per shard before it stops carrying out; usual: 4096 */
  doneItemsMax: number;
  /** wait before the second attempt, doubled with each, less up to half by chance, ms; usual: 50 */
  retryMinMs: number;
  /** longest wait between attempts, ms; usual: 5000 */
  retryMaxMs: number;
  /** wishes to retire that wait for others to be through; more are void; usual: 65536 */
  retiresWaitingMax: number;
  /** timers being recorded at a time on this node; the rest waits, so an outage's worth is no flood; usual: 256 */
  firesMax: number;
  /** a wall clock so far from the median of the peers' is off, ms; usual: 2000 */
  clockOffMs: number;
  /** refusals that no repetition mends, by what follows the room in their code; usual: conflict, too-large, bad-key */
  finalRefusals: readonly string[];
}

/** A decision that stands, as the log has it. */
export interface StandingOutcome {
  /** log index of its OUTCOMES entry */
  index: number;
  /** place of its first effect among all effects of that entry */
  position: number;
  /** row of the actor in this node's copy */
  row: number;
  /** canonical key of the actor */
  key: string;
  /** the message that was handled */
  seq: number;
  /** who decided */
  plugin: string;
  /** of each effect its type */
  types: readonly string[];
  /** the effects; may be read from the log anew each time, so whoever does with their types asks for those */
  readonly effects: readonly Effect[];
}

/** A life that a handler wants to end. */
export interface RetireWish {
  /** canonical key */
  key: string;
  /** the message that was handled: the actor's last one, or the wish is void */
  seq: number;
  /** false: the actor owes effects, or this node's clock is off; then it is only looked whether the wish is void */
  mayNow: boolean;
}

/**
 * How a wish to retire ended: `done`, the life has ended; `void`, it does not hold and never will; `wait`, it may hold
 * later.
 */
export type RetireEnd = "done" | "void" | "wait";

/** What {@linkcode Effects} is given. */
export interface EffectsOptions {
  /** time and chance */
  world: World;
  /** the mailroom: `done` is called once, recorded or refused */
  post(posting: EffectPosting, done: (result: EffectPostResult) => void): void;
  /** appends a DONE entry; `lost` says nothing about whether it will be committed */
  proposeDone(shard: number, body: Uint8Array, done: (state: "committed" | "lost" | "busy") => void): void;
  /** ends the actor's life if it holds, and tells how that went, once */
  retire(shard: number, wish: RetireWish, done: (end: RetireEnd) => void): void;
  /** how far this node's wall clock is ahead of its peers', ms; with one that is off no life ends and no timer fires */
  clockAheadMs(): number;
  /** body of the OUTCOMES entry at a committed log index; null when this node has no copy */
  read(shard: number, outcomeIndex: number): Uint8Array | null;
  /** something a person should know; `key` is "" when it is about the shard, and does not belong into a log line */
  alert(code: string, text: string, key: string): void;
  /** who carries deliveries to the outside; left out: nobody, and they wait */
  sinks?: SinkDoor;
  /** limits and times */
  config: EffectsConfig;
}
