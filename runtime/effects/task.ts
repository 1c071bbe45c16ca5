import type { DeliverEffect, Effect } from "./effect.ts";
import type { DoneItem } from "./outcome_entry.ts";
import type { Owed } from "./owed.ts";
import type { SinkTask } from "./sinks.ts";

/** One shard as this room sees it. */
export interface ShardEffects {
  readonly shard: number;
  readonly owed: Owed;
  writing: boolean;
  /** raised when the role is lost: what an earlier life started no longer counts */
  epoch: number;
  /** what stands in entries up to here is in hand, or was */
  cursor: number;
  /** true while it stands in the queue of shards to load from */
  queued: boolean;
  /** of sinks that have enough in hand: what stands in entries from here on is left where it is */
  readonly left: Map<string, number>;
  /** carried out, not yet in a DONE entry */
  done: DoneItem[];
  proposing: boolean;
}

/** One effect in hand; the fields of a delivery's attempts are of no use to others. */
export interface Task extends Omit<SinkTask, "effect"> {
  readonly shard: ShardEffects;
  readonly epoch: number;
  readonly item: DoneItem;
  readonly effect: Effect;
}

/** Effects of one source to one target: one at a time, in order. */
export interface Lane {
  readonly name: string;
  readonly tasks: Task[];
}

/** A delivery that this node has read from the log and not carried out. */
export interface DeliveryInHand {
  /** of the effect */
  id: string;
  /** canonical key of the actor whose handler asked */
  key: string;
  /** the message that was handled */
  seq: number;
  plugin: string;
  sink: string;
  /** of the message that is delivered */
  type: string;
  /** `held`: it waits for an operator, or for another version of the sink */
  state: "waiting" | "trying" | "held" | "lost";
  attempts: number;
  /** why the last attempt failed; "" before the first has ended */
  code: string;
  text: string;
}

/** A delivery before its first attempt. */
export const NOT_TRIED = { code: "", text: "", firstTryMs: 0, state: "waiting", heldBy: "" } as const;

/** True for what a sink carries out. */
export function isDelivery(task: Task): task is Task & { effect: DeliverEffect } {
  return task.effect.type === "deliver";
}

/**
 * The stream in which an effect is posted. Another one each time the role is won: a mailroom keeps a stream stopped until
 * the message that was refused comes again, and that may have become another writer's matter meanwhile.
 */
export function senderOf({ source, epoch }: Task): string {
  return `${source}@${epoch}`;
}

/** True once the role under which it was taken in hand is lost. */
export function isStale(task: Task): boolean {
  return task.epoch !== task.shard.epoch;
}

/** Two lanes with one name would only be slower than need be, so a newline in a hostile effect's key does no harm. */
export function laneOf({ effect, source }: Task): string {
  if (effect.type === "deliver") return `${source}\n\n${effect.sink}`;
  if (effect.type !== "send") return `${source}\n${effect.type}`;
  const { kind = "patient", facility, id } = effect.key ?? {};
  return `${source}\n${kind}\n${facility}\n${id}`;
}
