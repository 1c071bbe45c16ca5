import { hashText } from "../base/mod.ts";
import type { World } from "../world/mod.ts";
import type { AlertEffect } from "./effect.ts";
import type {
  EffectPosting,
  EffectPostResult,
  EffectsConfig,
  EffectsOptions,
  StandingOutcome,
} from "./effects_options.ts";
import { effectId, messageOf } from "./effect_message.ts";
import { decodeOutcomes, type DoneItem, encodeDone } from "./outcome_entry.ts";
import { Owed } from "./owed.ts";
import { RetireWishes } from "./retire_wishes.ts";
import { type SinkCounts, Sinks, type SinkTask } from "./sinks.ts";
import {
  type DeliveryInHand,
  isDelivery,
  isStale,
  type Lane,
  laneOf,
  NOT_TRIED,
  senderOf,
  type ShardEffects,
  type Task,
} from "./task.ts";

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
  readonly #sinks: Sinks;
  #ready: Lane[] = [];
  #toLoad: ShardEffects[] = [];
  #inHand = 0;
  #inFlight = 0;
  readonly #wishes: RetireWishes;
  #scheduled = false;

  /** Begins with nothing owed. */
  constructor(options: EffectsOptions) {
    this.#options = options;
    this.#world = options.world;
    this.#config = options.config;
    this.#wishes = new RetireWishes({
      ...options,
      owes: (task) => task.shard.owed.owes(sourceOf(task.source)),
      isStale,
      backOffMs: (task) => this.#backOffMs(task),
      done: (task) => this.#markDone(task),
    });
    this.#sinks = new Sinks({ world: options.world, door: options.sinks ?? NO_SINKS });
  }

  /** True while the actor owes effects; now and then although it does not. */
  owes(shard: number, key: string): boolean {
    return this.#shardOf(shard).owed.owes(sourceOf(key));
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
    state.left.clear();
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
    // Whoever is tried finds out by itself; who is held would be waited for by those behind it.
    for (const lane of this.#lanes.values()) {
      if (lane.tasks[0].shard === state && lane.tasks[0].state === "held") this.#ready.push(lane);
    }
    this.#schedule();
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

  /** What has become of deliveries, by sink; `in hand` is what this node has read from the log, not all that is owed. */
  sinkCounts(): SinkCounts[] {
    return this.#sinks.counts();
  }

  /** Deliveries in hand, those of one sink or of all, at most `limit`; held ones first. */
  deliveries({ sink, limit }: { sink?: string; limit: number }): DeliveryInHand[] {
    const found: DeliveryInHand[] = [];
    for (const { tasks } of this.#lanes.values()) {
      for (const task of tasks) {
        if (!isDelivery(task) || isStale(task) || (sink !== undefined && task.effect.sink !== sink)) continue;
        const { id, source: key, seq, plugin, state, attempts, code, text, effect } = task;
        found.push({ id, key, seq, plugin, sink: effect.sink, type: effect.message.type, state, attempts, code, text });
      }
    }
    return found.sort((a, b) => Number(b.state === "held") - Number(a.state === "held")).slice(0, limit);
  }

  /** Sinks have come, gone, been changed, stopped or set going: what waits for that is looked at again. */
  sinksChanged(): void {
    for (const lane of this.#lanes.values()) {
      const task = lane.tasks[0];
      if (task.state === "held" && isDelivery(task) && !isStale(task) && this.#sinks.mayGoOn(task)) {
        this.#letGo(lane, task);
      }
    }
  }

  /**
   * An operator's word about a delivery that is held, or waits to be tried again: try it now, or be done with it.
   *
   * @returns false when no such delivery is in hand here
   */
  release(id: string, word: "retry" | "discard"): boolean {
    for (const lane of this.#lanes.values()) {
      const task = lane.tasks[0];
      if (task.id !== id || !isDelivery(task) || isStale(task)) continue;
      if (task.state === "trying") return false;
      if (word === "retry") {
        if (task.state === "held") this.#letGo(lane, task);
        return true;
      }
      if (task.state === "held") this.#sinks.released(task);
      task.state = "lost";
      task.item[2] = null;
      task.item[3] = task.code || "effects/discarded";
      this.#finish(lane, task);
      return true;
    }
    return false;
  }

  #letGo(lane: Lane, task: Task & SinkTask): void {
    this.#sinks.released(task);
    this.#ready.push(lane);
    this.#schedule();
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
        left: new Map(),
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
    for (const { sink, inHand } of this.#sinks.counts()) {
      if (inHand * 2 <= this.#config.sinkInHandMax) this.#catchUp(sink);
    }
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

  /** Takes what was left of a sink that had enough in hand, in the order of the log. */
  #catchUp(sink: string): void {
    for (const state of this.#shards.values()) {
      for (let from = state.left.get(sink); from !== undefined; from = state.left.get(sink)) {
        if (this.#sinks.inHand(sink) >= this.#config.sinkInHandMax) return;
        const index = state.owed.nextAfter(from - 1);
        if (!state.writing || index === 0 || index > state.cursor) {
          state.left.delete(sink);
          break;
        }
        state.left.set(sink, index + 1);
        this.#take(state, index, sink);
      }
    }
  }

  /** True when this entry's deliveries to the sink are left for later: all of them, and all that come after. */
  #isLeft(state: ShardEffects, sink: string, index: number): boolean {
    const from = state.left.get(sink);
    if (from !== undefined) return index >= from;
    if (this.#sinks.inHand(sink) < this.#config.sinkInHandMax) return false;
    state.left.set(sink, index);
    return true;
  }

  /** @param only deliveries to this sink; null: everything but what is left */
  #take(state: ShardEffects, index: number, only: string | null = null): void {
    const owed = new Set(state.owed.positionsOf(index));
    /** by sink: all of an entry or nothing, so that it is known later what was taken */
    const leaves = new Map<string, boolean>();
    try {
      const body = this.#options.read(state.shard, index);
      let position = 0;
      for (const item of body === null ? [] : decodeOutcomes(body)) {
        item.effects?.forEach((effect, n) => {
          const sink = effect.type === "deliver" ? effect.sink : null;
          if (sink !== null && only === null && !leaves.has(sink)) leaves.set(sink, this.#isLeft(state, sink, index));
          const isMeant = only === null ? sink === null || !leaves.get(sink) : sink === only;
          if (owed.delete(position) && isMeant) {
            const task: Task = {
              shard: state,
              epoch: state.epoch,
              item: [index, position] as DoneItem,
              source: item.key,
              seq: item.seq,
              id: effectId(item.key, item.seq, item.plugin, n),
              effect,
              plugin: item.plugin,
              attempts: 0,
              ...NOT_TRIED,
            };
            if (effect.type === "retire") this.#wishes.add(task);
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
    if (isDelivery(task)) this.#sinks.taken(task.effect.sink);
    else this.#inHand++;
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
    if (isDelivery(task)) return this.#deliver(lane, task);
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

  /** Deliveries are not counted as in flight: a sink has its own bounds, and may be silent for long. */
  #deliver(lane: Lane, task: Task & SinkTask): void {
    this.#sinks.attempt(task, (verdict) => {
      if (isStale(task) || verdict.state === "finish") {
        if (isStale(task)) this.#next(lane);
        else if (verdict.state === "finish") this.#delivered(lane, task, verdict.answer);
        return this.#schedule();
      }
      if (verdict.state === "again") {
        this.#world.after(verdict.afterMs, () => {
          this.#ready.push(lane);
          this.#pump();
        });
      } else if (verdict.state === "letter") {
        task.item[2] = verdict.answer?.slice(0, ANSWER_UNITS_MAX) ?? null;
        task.item[3] = task.code;
        this.#lay(lane, task, verdict.posting);
      }
    });
  }

  #delivered(lane: Lane, task: Task & SinkTask, answer: string | undefined): void {
    if (answer !== undefined) task.item[2] = answer.slice(0, ANSWER_UNITS_MAX);
    const { answerAs } = task.effect;
    if (answerAs === undefined || answer === undefined) return this.#finish(lane, task);
    const payload = new TextEncoder().encode(answer);
    const { source: key, id } = task;
    this.#lay(lane, task, { key, id: `${id}#answer`, type: answerAs, contentType: "text/plain", payload });
  }

  /** The delivery is done with once what it led to, its dead letter or its answer, is recorded. */
  #lay(lane: Lane, task: Task & SinkTask, letter: Omit<EffectPosting, "atMs" | "sender">): void {
    const posting = { ...letter, atMs: this.#world.nowWallMs(), sender: `${senderOf(task)}#laid` };
    this.#options.post(posting, (result) => {
      if (!isStale(task) && result.state === "refused" && !this.#isFinal(result.code)) {
        this.#world.after(
          this.#backOffMs(task),
          () => isStale(task) ? this.#next(lane) : this.#lay(lane, task, letter),
        );
        return;
      }
      if (isStale(task)) this.#next(lane);
      else this.#finish(lane, task);
      this.#schedule();
    });
  }

  #isFinal(code: string): boolean {
    return this.#config.finalRefusals.includes(code.slice(code.indexOf("/") + 1));
  }

  #answered(lane: Lane, task: Task, result: EffectPostResult): void {
    if (isStale(task)) return this.#next(lane);
    if (result.state === "recorded") return this.#finish(lane, task);
    if (this.#isFinal(result.code)) return this.#refused(lane, task, result.code);
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
    const task = lane.tasks.shift()!;
    if (isDelivery(task)) this.#sinks.left(task.effect.sink, task.state === "held");
    else this.#inHand--;
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

/** What a target answers is kept so far, for who looks. */
const ANSWER_UNITS_MAX = 500;

const NO_SINKS: NonNullable<EffectsOptions["sinks"]> = {
  policyOf: () => null,
  deliver: (_sink, _delivery, done) => done({ state: "retry", code: "effects/no-such-sink", text: "there is none" }),
};

/** A reply goes to who waits for it, or to nobody; timers are part of the shard's state. */
const NEVER_OWED: readonly string[] = ["reply", "schedule", "cancel"];

function sourceOf(key: string): number {
  return hashText(key) || 1;
}
