import type { MessageProposal } from "../wire/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import { effectId, messageOf } from "./effect_message.ts";
import type { EffectsConfig, StandingOutcome } from "./effects_options.ts";
import { decodeOutcomes, type OutcomeItem } from "./outcome_entry.ts";
import { timerId, timerName, TimerTable } from "./timer_table.ts";

/** What {@linkcode Timers} is given. */
export interface TimersOptions {
  world: World;
  /** this node's copy of a shard */
  store(shard: number): ShardStore | null;
  /** last index known here to be committed */
  commitIndex(shard: number): number;
  /** true once this node writes the shard and has committed an entry of its own term */
  isSettled(shard: number): boolean;
  /** how far this node's wall clock is ahead of its peers', ms */
  clockAheadMs(): number;
  /** records a message on this node, the writer, at once or not at all; `done` once */
  record(shard: number, message: MessageProposal, done: (answer: { state: string }) => void): void;
  /** something a person should know */
  alert(code: string, text: string): void;
  config: EffectsConfig;
}

/** One shard with timers. */
interface ShardTimers {
  readonly shard: number;
  readonly table: TimerTable;
  writing: boolean;
  /** raised when the role is lost */
  epoch: number;
  /** numbers in hand: on their way into the log, or held back */
  readonly inHand: Set<number>;
  alarm: Timer | null;
  /** wall time for which the alarm is set */
  alarmAtMs: number;
  queued: boolean;
  /** what OUTCOMES entries of the uncommitted tail say about timers: name -> log index */
  readonly touched: Map<string, number>;
  /** the tail has been looked at up to here */
  scannedTo: number;
}

/** The wall clock may jump, and the machine may sleep: due times are looked at so often, ms. */
const LOOK_AGAIN_MS = 30_000;
/** What is held back by the tail, or refused for now, is looked at again after so long, ms. */
const HELD_BACK_MS = 20;
/** While the clock is off it is looked at so often, and told at most once a minute, ms. */
const CLOCK_LOOK_MS = 1000;
const CLOCK_TOLD_MS = 60_000;

/**
 * Timers: records the messages that handlers have scheduled, on the node that writes their shard, when their time has
 * come and not before; late is possible. Which timers are open follows from the log alone, on every copy, so the next
 * writer goes on from there. A timer's message has the id of the effect that scheduled it: recorded twice it would be a
 * duplicate, and applying it closes the timer. Fire and cancel are both entries, the first in the log wins.
 *
 * Where it is not exact: a cancel that is decided but not in the log yet comes too late.
 */
export class Timers {
  readonly #options: TimersOptions;
  readonly #world: World;
  /** shards that have, or had, timers */
  readonly #shards = new Map<number, ShardTimers>();
  readonly #written = new Set<number>();
  #ready: ShardTimers[] = [];
  #inFlight = 0;
  #scheduled = false;
  #clockToldAtMs = -Infinity;
  /** the entry that was read last: many timers of one tick stand in one */
  #read: { shard: number; index: number; items: OutcomeItem[] } | null = null;

  /** Begins with no timers. */
  constructor(options: TimersOptions) {
    this.#options = options;
    this.#world = options.world;
  }

  /** An outcome was committed and stands: opens and closes what it says. Called on every copy, in log order. */
  committed(shard: number, outcome: StandingOutcome): void {
    const { types } = outcome;
    if (!types.includes("schedule") && !types.includes("cancel")) return;
    outcome.effects.forEach((effect, n) => {
      if (effect.type !== "schedule" && effect.type !== "cancel") return;
      const state = this.#shardOf(shard);
      const name = timerName(outcome.plugin, effect.name);
      const open = state.table.named(outcome.row, name);
      if (open !== 0) this.#close(state, open);
      if (effect.type === "schedule") this.#open(state, outcome, { n, name, dueMs: effect.at });
    });
  }

  /** A message was committed; if it is a timer's, that one has fired. Called on every copy, in log order. */
  recorded(shard: number, row: number, id: string): void {
    const state = this.#shards.get(shard);
    const number = state?.table.withId(row, timerId(id)) ?? 0;
    if (state !== undefined && number !== 0) this.#close(state, number);
  }

  /** True while a timer of the actor of this row runs. */
  has(shard: number, row: number): boolean {
    return this.#shards.get(shard)?.table.has(row) ?? false;
  }

  /** The actor's life has ended, and its timers with it. Called on every copy, in log order. */
  retired(shard: number, row: number): void {
    const state = this.#shards.get(shard);
    if (state === undefined) return;
    for (const number of state.inHand) if (state.table.at(number).row === row) state.inHand.delete(number);
    state.table.closeAll(row);
  }

  /** From now on this node fires the shard's timers. */
  becameWriter(shard: number): void {
    this.#written.add(shard);
    const state = this.#shards.get(shard);
    if (state === undefined) return;
    state.writing = true;
    state.scannedTo = 0;
    this.#arm(state);
  }

  /** From now on it does not. */
  lostWriter(shard: number): void {
    this.#written.delete(shard);
    const state = this.#shards.get(shard);
    if (state === undefined) return;
    state.writing = false;
    state.epoch++;
    state.touched.clear();
    state.alarm?.cancel();
    state.alarm = null;
    for (const number of state.inHand) state.table.putBack(number);
    state.inHand.clear();
  }

  /** This node's copy of the shard is gone. */
  dropped(shard: number): void {
    this.lostWriter(shard);
    this.#shards.delete(shard);
    if (this.#read?.shard === shard) this.#read = null;
  }

  /** whether the actor has timers, by what is committed; cheap, as it is asked for every message */
  hasAny(shard: number, row: number): boolean {
    return this.#shards.size > 0 && (this.#shards.get(shard)?.table.has(row) ?? false);
  }

  /** how many timers the actor has, by what is committed */
  countOf(shard: number, row: number): number {
    return this.#shards.get(shard)?.table.countOf(row) ?? 0;
  }

  /** true while the plugin's timer of this name is open, by what is committed */
  isOpen(shard: number, row: number, timer: { plugin: string; name: string }): boolean {
    const table = this.#shards.get(shard)?.table;
    return table !== undefined && table.has(row) && table.named(row, timerName(timer.plugin, timer.name)) !== 0;
  }

  /** open timers of the shards that this node writes, and by how much the latest of them is late, ms */
  counts(): { open: number; lateMs: number } {
    let open = 0, lateMs = 0;
    const nowMs = this.#world.nowWallMs();
    for (const { writing, table } of this.#shards.values()) {
      if (!writing) continue;
      open += table.size;
      lateMs = Math.max(lateMs, nowMs - table.firstDueMs);
    }
    return { open, lateMs };
  }

  #shardOf(shard: number): ShardTimers {
    let state = this.#shards.get(shard);
    if (state === undefined) {
      state = {
        shard,
        table: new TimerTable(),
        writing: this.#written.has(shard),
        epoch: 0,
        inHand: new Set(),
        alarm: null,
        alarmAtMs: Infinity,
        queued: false,
        touched: new Map(),
        scannedTo: 0,
      };
      this.#shards.set(shard, state);
    }
    return state;
  }

  #open(
    state: ShardTimers,
    { index, position, row, key, seq, plugin }: StandingOutcome,
    { n, name, dueMs }: { n: number; name: ReturnType<typeof timerName>; dueMs: number | undefined },
  ): void {
    const id = effectId(key, seq, plugin, n);
    const recordedAt = this.#options.store(state.shard)!.findMessage(key, id);
    const isTaken = recordedAt !== 0 && recordedAt < index;
    if (isTaken || typeof dueMs !== "number" || !Number.isFinite(dueMs)) {
      return this.#options.alert(
        "effects/bad-timer",
        "a timer of the log has no time, or its message stood there before",
      );
    }
    state.table.open({ row, dueMs, name, id: timerId(id), outcomeIndex: index, position: position + n });
    this.#arm(state);
  }

  #close(state: ShardTimers, number: number): void {
    state.inHand.delete(number);
    state.table.close(number);
  }

  /** Sets the alarm for the first that is due. */
  #arm(state: ShardTimers): void {
    const { firstDueMs } = state.table;
    if (!state.writing || state.queued || firstDueMs === Infinity) return;
    if (state.alarm !== null && state.alarmAtMs <= firstDueMs) return;
    this.#armIn(state, Math.ceil(firstDueMs - this.#world.nowWallMs()));
  }

  #armIn(state: ShardTimers, delayMs: number): void {
    state.alarm?.cancel();
    const waitMs = Math.min(LOOK_AGAIN_MS, Math.max(1, delayMs));
    state.alarmAtMs = this.#world.nowWallMs() + waitMs;
    state.alarm = this.#world.after(waitMs, () => {
      state.alarm = null;
      this.#queue(state);
    });
  }

  #queue(state: ShardTimers): void {
    if (!state.queued && state.writing) {
      state.queued = true;
      this.#ready.push(state);
    }
    this.#pump();
  }

  /** One timer a shard in turn, as long as there is room. */
  #pump(): void {
    const { firesMax, clockOffMs } = this.#options.config;
    if (this.#ready.length > 0 && Math.abs(this.#options.clockAheadMs()) > clockOffMs) return this.#waitForClock();
    while (this.#inFlight < firesMax) {
      const state = this.#ready.shift();
      if (state === undefined) return;
      state.queued = false;
      if (!state.writing) continue;
      if (state.table.firstDueMs > this.#world.nowWallMs()) this.#arm(state);
      else if (!this.#options.isSettled(state.shard)) this.#armIn(state, HELD_BACK_MS);
      else {
        this.#fire(state, state.table.first());
        state.queued = true;
        this.#ready.push(state);
      }
    }
  }

  #waitForClock(): void {
    const nowMs = this.#world.nowMonoMs();
    if (nowMs - this.#clockToldAtMs >= CLOCK_TOLD_MS) {
      this.#clockToldAtMs = nowMs;
      const aheadMs = Math.round(this.#options.clockAheadMs());
      this.#options.alert(
        "effects/clock-off",
        `this node's clock is ${aheadMs} ms ahead of its peers': no timer fires`,
      );
    }
    for (const state of this.#ready.splice(0)) {
      state.queued = false;
      this.#armIn(state, CLOCK_LOOK_MS);
    }
  }

  #fire(state: ShardTimers, number: number): void {
    const { table, epoch, shard } = state;
    const timer = table.at(number);
    const message = this.#messageOf(state, timer.outcomeIndex, timer.position);
    table.takeInHand(number);
    state.inHand.add(number);
    if (message === null) {
      // our own log is not as we wrote it: it stays in hand until it is closed, or another node tries
      return this.#options.alert("effects/bad-timer", "a timer of the log cannot be read");
    }
    this.#inFlight++;
    const end = () => {
      this.#inFlight--;
      this.#schedule();
    };
    // what is not taken now counts as under way until it is tried again: so no queue of refusals grows
    const later = () =>
      void this.#world.after(HELD_BACK_MS, () => {
        // its number may be another's by now
        if (state.epoch === epoch && table.withId(timer.row, timer.id) === number) {
          state.inHand.delete(number);
          if (table.putBack(number)) this.#queue(state);
        }
        end();
      });
    if (this.#isHeldBack(state, { row: timer.row, ...message })) return later();
    let called = false;
    this.#options.record(shard, message.proposal, (answer) => {
      if (called) return;
      called = true;
      if (answer.state === "recorded") end();
      else later();
    });
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#world.soon(() => {
      this.#scheduled = false;
      this.#pump();
    });
  }

  /** True while the uncommitted tail of the log decides about it: its message, a cancel or a new time, the life's end. */
  #isHeldBack(state: ShardTimers, timer: { row: number; name: string; proposal: MessageProposal }): boolean {
    const store = this.#options.store(state.shard)!;
    const { key, id } = timer.proposal;
    const commit = this.#options.commitIndex(state.shard);
    if (store.findMessage(key, id) !== 0 || store.rowRetiredUpTo(timer.row, store.lastIndex) > commit) return true;
    for (const [name, index] of state.touched) if (index <= commit) state.touched.delete(name);
    for (let index = Math.max(commit, state.scannedTo) + 1; index <= store.lastIndex; index++) {
      if (store.kindAt(index) !== ENTRY.OUTCOMES) continue;
      for (const item of decodeOutcomes(store.body(index))) {
        for (const effect of item.effects ?? []) {
          if (effect.type === "schedule" || effect.type === "cancel") {
            state.touched.set(`${item.key}\n${item.plugin}\n${effect.name}`, index);
          }
        }
      }
    }
    state.scannedTo = store.lastIndex;
    return state.touched.has(timer.name);
  }

  #messageOf(
    { shard }: ShardTimers,
    index: number,
    position: number,
  ): { name: string; proposal: MessageProposal } | null {
    try {
      if (this.#read?.shard !== shard || this.#read.index !== index) {
        this.#read = { shard, index, items: decodeOutcomes(this.#options.store(shard)!.body(index)) };
      }
      let n = position;
      for (const { key, seq, plugin, effects } of this.#read.items) {
        const effect = effects?.[n];
        if (effect?.type === "schedule") {
          const proposal: MessageProposal = {
            ...messageOf(effect, key)!,
            id: effectId(key, seq, plugin, n),
            atMs: this.#world.nowWallMs(),
            // the log's writer is its own sender
            sender: "",
            n: 0,
            oldest: 0,
            term: 0,
            ifMatch: -1,
          };
          return { name: `${key}\n${plugin}\n${effect.name}`, proposal };
        }
        n -= effects?.length ?? 0;
      }
    } catch {
      // told by who asked
    }
    return null;
  }
}
