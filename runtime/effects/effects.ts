import { hashText } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { AlertEffect, Effect } from "./effect.ts";
import type {
  EffectPosting,
  EffectPostResult,
  EffectsConfig,
  EffectsOptions,
  RetireEnd,
  StandingOutcome,
} from "./effects_options.ts";
import { effectId, messageOf } from "./effect_message.ts";
import { decodeOutcomes, type DoneItem, encodeDone } from "./outcome_entry.ts";
import { Owed } from "./owed.ts";

/** One shard as this room sees it. */
interface ShardEffects {
  readonly shard: number;
  readonly owed: Owed;
  writing: boolean;
  /** raised when the role is lost: what an earlier life started no longer counts */
  epoch: number;
  /** what stands in entries up to here is in hand, or was */
  cursor: number;
  /** true while it stands in the queue of shards to load from */
  queued: boolean;
  /** carried out, not yet in a DONE entry */
  done: DoneItem[];
  proposing: boolean;
}

/** One effect in hand. */
interface Task {
  readonly shard: ShardEffects;
  readonly epoch: number;
  readonly item: DoneItem;
  readonly source: string;
  readonly seq: number;
  readonly id: string;
  readonly effect: Effect;
  attempts: number;
}

/** Effects of one source to one target: one at a time, in order. */
interface Lane {
  readonly name: string;
  readonly tasks: Task[];
}

/**
 * Carries out committed effects, on the node that writes the source's shard: at least once, under ids that never
 * change, in order per source and target, again and again until the target has it or refuses it for good.
 *
 * Synchronous: every method returns at once; what it leads to happens in later turns of the world.
 */
export class Effects {
  readonly #options: EffectsOptions;
  readonly #world: World;
  readonly #config: EffectsConfig;
  readonly #shards = new Map<number, ShardEffects>();
  readonly #lanes = new Map<string, Lane>();
  #ready: Lane[] = [];
  #toLoad: ShardEffects[] = [];
  #inHand = 0;
  #inFlight = 0;
  /** wishes to retire that are looked after */
  #wishes = 0;
  #scheduled = false;

  /** Begins with nothing owed. */
  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#config = options.config;
  }

  /**
   * An outcome with effects was committed and stands. Called on every copy, in log order. Timers are not owed: they are
   * for {@linkcode Timers}.
   */
  committed(shard: number, { index, position, key, types }: StandingOutcome): void {
    const state = this.#shardOf(shard);
    const source = sourceOf(key);
    for (let n = 0; n < types.length; n++) {
      const type = types[n];
      // the end of a life waits for all that its actor owes, but not for itself
      if (!NEVER_OWED.includes(type)) state.owed.add(index, position + n, type === "retire" ? 0 : source);
    }
    this.#load(state);
  }

  /** A DONE entry was committed. Called on every copy, in log order. */
  done(shard: number, items: readonly DoneItem[]): void {
    const state = this.#shards.get(shard);
    if (state !== undefined) { for (const item of items) state.owed.done(item); }
  }

  /** From now on this node carries out what the shard owes, beginning with what earlier writers left. */
  becameWriter(shard: number): void {
    const state = this.#shardOf(shard);
    if (state.writing) return;
    state.writing = true;
    state.cursor = 0;
    this.#load(state);
  }

  /** From now on it does not. Posts under way are not called back: their ids make them harmless. */
  lostWriter(shard: number): void {
    const state = this.#shards.get(shard);
    if (state === undefined || !state.writing) return;
    state.writing = false;
    state.epoch++;
    state.done = [];
    state.proposing = false;
  }

  /** This node's copy of the shard is gone. */
  dropped(shard: number): void {
    this.lostWriter(shard);
    this.#shards.delete(shard);
  }

  /** Effects decided and not known to be carried out, of the shards that this node writes. */
  owed(): number {
    let sum = 0;
    for (const state of this.#shards.values()) if (state.writing) sum += state.owed.size;
    return sum;
  }

  #shardOf(shard: number): ShardEffects {
    let state = this.#shards.get(shard);
    if (state === undefined) {
      state = {
        shard,
        owed: new Owed(),
        writing: false,
        epoch: 0,
        cursor: 0,
        queued: false,
        done: [],
        proposing: false,
      };
      this.#shards.set(shard, state);
    }
    return state;
  }

  #load(state: ShardEffects): void {
    if (!state.writing || state.queued || state.owed.size === 0) return;
    state.queued = true;
    this.#toLoad.push(state);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#world.soon(() => {
      this.#scheduled = false;
      this.#fillHand();
      this.#pump();
    });
  }

  /** Takes entries from the log in order, one a shard in turn, while the hand has room. */
  #fillHand(): void {
    while (this.#inHand < this.#config.inHandMax) {
      const state = this.#toLoad.shift();
      if (state === undefined) return;
      state.queued = false;
      // a shard whose done-marks do not get through goes no further: what it did would only have to be remembered
      if (!state.writing || state.done.length >= this.#config.doneItemsMax) continue;
      const index = state.owed.nextAfter(state.cursor);
      if (index === 0) continue;
      state.cursor = index;
      this.#take(state, index);
      this.#load(state);
    }
  }

  #take(state: ShardEffects, index: number): void {
    const owed = new Set(state.owed.positionsOf(index));
    try {
      const body = this.#options.read(state.shard, index);
      let position = 0;
      for (const item of body === null ? [] : decodeOutcomes(body)) {
        item.effects?.forEach((effect, n) => {
          if (owed.delete(position)) {
            const task = {
              shard: state,
              epoch: state.epoch,
              item: [index, position] as DoneItem,
              source: item.key,
              seq: item.seq,
              id: effectId(item.key, item.seq, item.plugin, n),
              effect,
              attempts: 0,
            };
            if (effect.type === "retire") this.#wish(task);
            else this.#enqueue(task);
          }
          position++;
        });
      }
    } catch {
      // our own log is not as we wrote it: say so, carry out the rest
    }
    if (owed.size > 0) {
      this.#options.alert("effects/bad-entry", `${owed.size} effects of a log entry cannot be read`, "");
    }
  }

  #enqueue(task: Task): void {
    this.#inHand++;
    const name = laneOf(task);
    const lane = this.#lanes.get(name);
    if (lane !== undefined) {
      lane.tasks.push(task);
      return;
    }
    const fresh = { name, tasks: [task] };
    this.#lanes.set(name, fresh);
    this.#ready.push(fresh);
  }

  #pump(): void {
    while (this.#inFlight < this.#config.inFlightMax) {
      const lane = this.#ready.shift();
      if (lane === undefined) return;
      const task = lane.tasks[0];
      if (isStale(task)) this.#next(lane);
      else this.#carryOut(lane, task);
    }
  }

  #carryOut(lane: Lane, task: Task): void {
    if (task.effect.type === "alert") {
      const { code, text } = task.effect as AlertEffect;
      this.#options.alert(String(code), String(text), task.source);
      return this.#finish(lane, task);
    }
    let posting: EffectPosting;
    try {
      const message = messageOf(task.effect, task.source);
      // an effect of a type that a later version knows: its node will carry it out or say so; this one cannot
      if (message === null) return this.#refused(lane, task, "effects/unknown-effect");
      posting = { ...message, id: task.id, atMs: this.#world.nowWallMs(), sender: senderOf(task) };
    } catch {
      return this.#refused(lane, task, "effects/bad-effect");
    }
    this.#inFlight++;
    let called = false;
    this.#options.post(posting, (result) => {
      if (called) return;
      called = true;
      this.#inFlight--;
      this.#answered(lane, task, result);
      this.#schedule();
    });
  }

  #answered(lane: Lane, task: Task, result: EffectPostResult): void {
    if (isStale(task)) return this.#next(lane);
    if (result.state === "recorded") return this.#finish(lane, task);
    if (this.#config.finalRefusals.includes(result.code.slice(result.code.indexOf("/") + 1))) {
      return this.#refused(lane, task, result.code);
    }
    this.#world.after(this.#backOffMs(task, result.retryAfterMs), () => {
      this.#ready.push(lane);
      this.#pump();
    });
  }

  #backOffMs(task: Task, leastMs = 0): number {
    const { retryMinMs, retryMaxMs } = this.#config;
    const backOffMs = Math.min(retryMaxMs, Math.max(leastMs, retryMinMs * 2 ** Math.min(task.attempts++, 20)));
    return backOffMs * (0.5 + this.#world.random() / 2);
  }

  /** A wish to retire is not in hand: it waits for what is, perhaps for long. */
  #wish(task: Task): void {
    if (this.#wishes >= this.#config.retiresWaitingMax) {
      this.#options.alert(
        "effects/too-many-retire",
        "more actors want to retire than can be looked after",
        task.source,
      );
      return this.#markDone(task);
    }
    this.#wishes++;
    this.#world.soon(() => this.#retire(task));
  }

  #retire(task: Task): void {
    const { shard, source: key, seq } = task;
    let called = false;
    const ended = (end: RetireEnd) => {
      if (called) return;
      called = true;
      if (end === "wait" && !isStale(task)) {
        this.#world.after(this.#backOffMs(task), () => this.#retire(task));
        return;
      }
      this.#wishes--;
      if (!isStale(task)) this.#markDone(task);
    };
    if (isStale(task)) return ended("wait");
    // the time of a life's end says which ids are forgotten
    const isClockOff = Math.abs(this.#options.clockAheadMs()) > this.#config.clockOffMs;
    this.#options.retire(shard.shard, { key, seq, mayNow: !isClockOff && !shard.owed.owes(sourceOf(key)) }, ended);
  }

  #refused(lane: Lane, task: Task, code: string): void {
    this.#options.alert("effects/refused", `an effect was refused for good: ${code}`, task.source);
    this.#finish(lane, task);
  }

  #finish(lane: Lane, task: Task): void {
    this.#markDone(task);
    this.#next(lane);
  }

  #markDone(task: Task): void {
    const state = task.shard;
    state.done.push(task.item);
    if (!state.proposing) {
      state.proposing = true;
      this.#proposeAfter(state, this.#config.doneGatherMs);
    }
  }

  #next(lane: Lane): void {
    lane.tasks.shift();
    this.#inHand--;
    if (lane.tasks.length === 0) this.#lanes.delete(lane.name);
    else this.#ready.push(lane);
    this.#schedule();
  }

  #proposeAfter(state: ShardEffects, delayMs: number): void {
    const epoch = state.epoch;
    this.#world.after(delayMs, () => {
      if (state.epoch !== epoch) return;
      const items = state.done.slice(0, this.#config.doneItemsMax);
      this.#options.proposeDone(state.shard, encodeDone(items), (answer) => {
        if (state.epoch !== epoch) return;
        if (answer === "committed") {
          state.done.splice(0, items.length);
          this.#load(state);
        }
        // lost without losing the role, or busy: the marks are still true, and marking twice does nothing
        state.proposing = state.done.length > 0;
        const { doneGatherMs, retryMinMs } = this.#config;
        if (state.proposing) this.#proposeAfter(state, answer === "committed" ? doneGatherMs : retryMinMs);
      });
    });
  }
}

/** A reply goes to who waits for it, or to nobody; timers are part of the shard's state. */
const NEVER_OWED: readonly string[] = ["reply", "schedule", "cancel"];

function sourceOf(key: string): number {
  return hashText(key) || 1;
}

/**
 * The stream in which an effect is posted. Another one each time the role is won: a mailroom keeps a stream stopped until
 * the message that was refused comes again, and that may have become another writer's matter meanwhile.
 */
function senderOf({ source, epoch }: Task): string {
  return `${source}@${epoch}`;
}

function isStale(task: Task): boolean {
  return task.epoch !== task.shard.epoch;
}

/** Two lanes with one name would only be slower than need be, so a newline in a hostile effect's key does no harm. */
function laneOf({ effect, source }: Task): string {
  if (effect.type !== "send") return `${source}\n${effect.type}`;
  const { kind = "patient", facility, id } = effect.key ?? {};
  return `${source}\n${kind}\n${facility}\n${id}`;
}
