import type { RetireEnd, RetireWish } from "../effects/mod.ts";
import type { World } from "../world/mod.ts";
import type { ActorsConfig, ActorsOptions, HandledAnswer, ProjectAnswer, Standing } from "./actors_options.ts";
import { FoldTimes } from "./fold_times.ts";
import { FoldPumps } from "./fold_pumps.ts";
import { HandledWaiters } from "./handled_waiters.ts";
import { Readings } from "./readings.ts";
import { RestingVersions } from "./resting_versions.ts";
import { Shadows } from "./shadows.ts";
import { ShardActors, type ShardEnv } from "./shard_actors.ts";
import { deciderFor, type Handler, handlerOf } from "./versions.ts";

/**
 * The actors of a node: one instance. On every copy it keeps account of what is handled, from committed entries; on the
 * writer it also has messages handled, one at a time and in log order for each actor and plugin, and hands what was
 * decided to the effects room once it is committed. Recording never waits for any of this.
 *
 * Synchronous: every method returns at once. Whoever calls hands committed entries over in order, each index once,
 * and not so many in one call that the thread stalls.
 */
export class Actors {
  /** what folds have taken here, by version */
  readonly times: FoldTimes;
  readonly #options: ActorsOptions;
  readonly #world: World;
  readonly #config: ActorsConfig;
  readonly #pump: FoldPumps;
  readonly #waiters: HandledWaiters;
  readonly #resting: RestingVersions;
  readonly #readings: Readings;
  readonly #shadows: Shadows;
  readonly #env: ShardEnv;
  readonly #shards = new Map<number, ShardActors>();
  #handlers: Handler[] = [];
  /** by plugin, per shard: commit index when this node learnt of it; missing: 0 */
  readonly #learntAt = new Map<string, Map<number, number>>();
  #handlings = 0;
  #isParkedFull = false;
  #toScan: ShardActors[] = [];
  readonly #toTidy = new Set<ShardActors>();
  #tidyPlanned = false;
  #scanPlanned = false;

  /** Begins with no copies: they are told of by `committed` and `becameWriter`. */
  constructor(options: ActorsOptions) {
    this.#options = options;
    this.#world = options.world;
    const config = this.#config = options.config;
    const { openFoldsMax: openMax, pauseMinMs, pauseMaxMs, waitersMax, repliesMax } = config;
    const { world, foldPlaces: places } = options;
    this.times = new FoldTimes(world);
    const fold = this.times.timed(options.fold);
    this.#pump = new FoldPumps({ world, fold, places, openMax, pauseMinMs, pauseMaxMs });
    this.#waiters = new HandledWaiters({ world: options.world, waitersMax, repliesMax });
    const resting = this.#resting = new RestingVersions({ world: options.world, pauseMinMs, pauseMaxMs });
    this.#readings = new Readings({ world: options.world, pump: this.#pump, resting, config });
    this.#shadows = new Shadows({
      world: options.world,
      fold,
      places,
      resting,
      config,
      handlers: () => this.#handlers,
      writing: () => this.#writing(),
    });
    this.#env = this.#shardEnv();
    this.pluginsChanged();
  }

  /** Entries `first` to `last` of the shard's log are committed here; on writer and followers alike. */
  committed(shard: number, first: number, last: number): void {
    const state = this.#shardOf(shard);
    if (state === null) return;
    for (let index = first; index <= last; index++) state.committed(index);
  }

  /** This node is the shard's writer from now on. */
  becameWriter(shard: number): void {
    this.#shardOf(shard)?.becameWriter();
    this.#options.effects.becameWriter(shard);
    this.#options.timers.becameWriter(shard);
  }

  /** This node is not the shard's writer any more. */
  lostWriter(shard: number): void {
    this.#shards.get(shard)?.lostWriter();
    this.#options.effects.lostWriter(shard);
    this.#options.timers.lostWriter(shard);
  }

  /** This node's copy of the shard is gone, or was replaced: the next one is applied from its first entry. */
  dropped(shard: number): void {
    const state = this.#shards.get(shard);
    this.#shards.delete(shard);
    state?.dropped();
    this.#waiters.dropped(shard);
    this.#options.effects.dropped(shard);
    this.#options.timers.dropped(shard);
  }

  /** The switches are others now: handlers see them from a place of each shard's log on. */
  switchesChanged(): void {
    for (const state of this.#shards.values()) state.logSwitches();
  }

  /** The live plugins, or their versions, are others now. */
  pluginsChanged(): void {
    this.#handlers = this.#options.plugins().map(handlerOf);
    for (const { name } of this.#handlers) {
      if (this.#learntAt.has(name)) continue;
      const learnt = new Map<number, number>();
      for (const shard of this.#shards.keys()) learnt.set(shard, this.#options.commitIndex(shard));
      this.#learntAt.set(name, learnt);
    }
    this.#resting.clear();
    for (const state of this.#shards.values()) {
      if (!state.writing) continue;
      for (const handling of state.handlings()) handling.wake();
      this.#env.scanLater(state);
    }
    this.#shadows.pluginsChanged();
    this.#waiters.checkAll();
  }

  /**
   * Reads what the live plugins keep of an actor, from this node's copy, as of the last message committed here; or, with
   * `at`, as of that seq; or, with `version`, what that version of a plugin would keep, whether it decides or not. May be
   * done on any copy; on the writer the present goes in step with the handling.
   *
   * @param key canonical
   * @param done called once, within `readTimeoutMs`
   */
  project(
    shard: number,
    key: string,
    options: { at?: number; version?: { name: string; hash: string } },
    done: (answer: ProjectAnswer) => void,
  ): void {
    const state = this.#shardOf(shard);
    if (state === null) return done({ state: "failed", code: "actors/not-here" });
    const row = rowOf(state, key);
    const { at, version } = options;
    if (version !== undefined) {
      const under = handlerOf({ ...version, actorKind: "*" });
      const head = row < 0 ? 0 : state.marks.head(row);
      return this.#readings.read({ state, key, row, at: at ?? head, handlers: [under] }, done);
    }
    this.#readings.read({ state, key, row, at, handlers: row < 0 ? [] : this.#handlersOf(key) }, done);
  }

  /** Ends an actor's life if that holds; see the retire effect. `done` is called once, perhaps at once. */
  retire(shard: number, wish: RetireWish, done: (end: RetireEnd) => void): void {
    const state = this.#shards.get(shard);
    if (state === undefined || !this.#options.isSettled(shard)) return done("wait");
    state.retire(wish, done);
  }

  /** Seq up to which every live plugin is through with the actor, by outcomes committed here; 0 for an unknown one. */
  handledSeq(shard: number, key: string): number {
    const state = this.#shards.get(shard);
    const row = state === undefined ? -1 : rowOf(state, key);
    if (state === undefined || row < 0) return 0;
    const marks = this.#handlersOf(key).map(({ name }) => state.marks.mark(state.marks.slotOf(name), row));
    return Math.min(state.marks.head(row), ...marks);
  }

  /**
   * How plugins stand to a committed message, by the log. One that was deployed later is not told of.
   *
   * @param index of the message's log entry
   * @param plugins names of those that decide about its actor, also of those that an operator has stopped
   */
  standings(
    shard: number,
    { key, seq, index }: { key: string; seq: number; index: number },
    plugins: readonly string[],
  ): Standing[] {
    const state = this.#shards.get(shard);
    const row = state === undefined ? -1 : rowOf(state, key);
    if (state === undefined || row < 0) return [];
    const { marks } = state;
    const standings: Standing[] = [];
    for (const plugin of plugins) {
      const slot = marks.slotOf(plugin);
      if (index <= marks.startOf(slot) && marks.isStarted(slot)) continue;
      const isThrough = marks.mark(slot, row) >= seq;
      const isParked = !isThrough && marks.parkedAt(slot, row)?.seq === seq;
      standings.push({ plugin, state: isThrough ? "through" : isParked ? "parked" : "waiting" });
    }
    return standings;
  }

  /**
   * Waits until every live plugin has a committed outcome for the message, or stands still for the actor at it or
   * before. Works on every copy; is quickest on the writer.
   *
   * @param key canonical
   * @param done called once, perhaps at once
   */
  whenHandled(
    shard: number,
    key: string,
    seq: number,
    timeoutMs: number,
    done: (answer: HandledAnswer) => void,
  ): void {
    if (this.#shardOf(shard) === null) return done({ state: "not-here" });
    this.#waiters.wait({ shard, key, seq, timeoutMs }, () => this.#isHandled(shard, key, seq), done);
  }

  /** Code of the fault at which a plugin stands still, at this message of the actor or before it; "" where none does. */
  standstill(shard: number, key: string, seq: number): string {
    const state = this.#shards.get(shard);
    const row = state === undefined ? -1 : rowOf(state, key);
    if (state === undefined || row < 0) return "";
    for (const { name } of this.#handlersOf(key)) {
      const parked = state.marks.parkedAt(state.marks.slotOf(name), row);
      if (parked !== undefined && parked.seq <= seq) return parked.error.code;
    }
    return "";
  }

  /** How many (actor, plugin) pairs have unhandled messages on the shards written here; those parked not counted. */
  backlog(): number {
    let count = 0;
    for (const state of this.#writing()) {
      for (const handling of state.handlings()) if (handling.isBacklog) count++;
    }
    return count;
  }

  /** How long the one that has waited longest for an outcome has, in ms; 0 when nothing waits. */
  backlogMs(): number {
    let sinceMs = Infinity;
    for (const state of this.#writing()) {
      for (const handling of state.handlings()) {
        if (handling.isBacklog) sinceMs = Math.min(sinceMs, handling.sinceMs);
      }
    }
    return sinceMs === Infinity ? 0 : this.#world.nowMonoMs() - sinceMs;
  }

  /** For how many actors a plugin stands still, on the shards written here. */
  parkedCount(plugin: string): number {
    let count = 0;
    for (const state of this.#writing()) {
      const slot = state.marks.slotOf(plugin);
      for (const parked of state.marks.parked()) if (parked.slot === slot) count++;
    }
    return count;
  }

  /** What the versions that do not decide would have done, and how far they are, on the shards written here. */
  get shadows(): Shadows {
    return this.#shadows;
  }

  /** By hash of the version: for how many actors it stands still, on the shards written here. */
  parkedBy(plugin: string): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const state of this.#writing()) {
      const slot = state.marks.slotOf(plugin);
      for (const parked of state.marks.parked()) {
        if (parked.slot === slot) counts[parked.hash] = (counts[parked.hash] ?? 0) + 1;
      }
    }
    return counts;
  }

  *#writing(): Iterable<ShardActors> {
    for (const state of this.#shards.values()) if (state.writing) yield state;
  }

  #shardOf(shard: number): ShardActors | null {
    const known = this.#shards.get(shard);
    if (known !== undefined) return known;
    const store = this.#options.store(shard);
    if (store === null) return null;
    const state = new ShardActors(this.#env, shard, store);
    this.#shards.set(shard, state);
    return state;
  }

  /** Those that decide about an actor, each with the hash of the version that does. */
  #handlersOf(key: string): Handler[] {
    const mine: Handler[] = [];
    for (const handler of this.#handlers) {
      const hash = deciderFor(handler, key);
      if (hash !== null) mine.push(hash === handler.hash ? handler : { ...handler, hash });
    }
    return mine;
  }

  #isHandled(shard: number, key: string, seq: number): boolean {
    const state = this.#shards.get(shard);
    const row = state === undefined ? -1 : rowOf(state, key);
    if (state === undefined || row < 0 || state.marks.head(row) < seq) return false;
    return this.#handlersOf(key).every(({ name, hash }) => {
      const slot = state.marks.slotOf(name);
      if (state.marks.mark(slot, row) >= seq) return true;
      const parked = state.marks.parkedAt(slot, row);
      return parked !== undefined && parked.seq <= seq && parked.hash === hash;
    });
  }

  #mayPark(): boolean {
    let count = 0;
    for (const state of this.#shards.values()) count += state.marks.parkedCount;
    const isFull = count >= this.#config.parkedMax;
    if (isFull && !this.#isParkedFull) {
      this.#options.alert(
        "actors/parked-full",
        `${count} actors are parked here: no more are, plugins stand still unseen`,
      );
    }
    this.#isParkedFull = isFull;
    return !isFull;
  }

  /** Searches queued shards, so many rows a turn, and only while what is found has room. */
  #planScan(): void {
    if (this.#scanPlanned || this.#toScan.length === 0) return;
    this.#scanPlanned = true;
    this.#world.after(0, () => {
      this.#scanPlanned = false;
      let rows = 0;
      while (this.#toScan.length > 0 && rows < this.#config.scanRowsMax) {
        // it goes on when handlings have settled
        if (this.#handlings * 2 > this.#config.handlingsMax) return;
        const state = this.#toScan.shift()!;
        state.scanQueued = false;
        rows += state.store.rowCount + 1;
        state.scan();
      }
      this.#planScan();
    });
  }

  /** Gives memory of ended lives back, a slice a turn. */
  #planTidy(): void {
    if (this.#tidyPlanned || this.#toTidy.size === 0) return;
    this.#tidyPlanned = true;
    this.#world.after(1, () => {
      this.#tidyPlanned = false;
      const [state] = this.#toTidy;
      this.#toTidy.delete(state);
      const isHeld = this.#shards.get(state.shard) === state;
      if (isHeld && state.store.tidy()) this.#toTidy.add(state);
      this.#planTidy();
    });
  }

  #shardEnv(): ShardEnv {
    const { world, effects, timers, alert, onOutcome, switches } = this.#options;
    return {
      world,
      config: this.#config,
      pump: this.#pump,
      resting: this.#resting,
      effects,
      timers,
      nowMonoMs: () => world.nowMonoMs(),
      deciderFor: (name, key) => {
        const handler = this.#handlers.find((handler) => handler.name === name);
        const hash = handler === undefined ? null : deciderFor(handler, key);
        return hash === null ? undefined : { hash };
      },
      shadows: this.#shadows,
      switches: () => ({ version: this.#options.switchesVersion?.() ?? 0, on: switches() }),
      mayPark: () => this.#mayPark(),
      handlers: () => this.#handlers,
      propose: (shard, body, done) => this.#options.proposeOutcomes(shard, body, done),
      proposeRetire: (shard, key, done) => this.#options.proposeRetire(shard, key, done),
      tidyLater: (state) => {
        this.#toTidy.add(state);
        this.#planTidy();
      },
      learntAt: (plugin, shard) => this.#learntAt.get(plugin)?.get(shard) ?? 0,
      alert: (code, text) => alert(code, text),
      takeRoom: () => {
        if (this.#handlings >= this.#config.handlingsMax) return false;
        this.#handlings++;
        return true;
      },
      giveRoom: () => {
        this.#handlings--;
        this.#planScan();
      },
      scanLater: (state) => {
        if (state.scanQueued) return;
        state.scanQueued = true;
        this.#toScan.push(state);
        this.#planScan();
      },
      isAwaited: (shard, key) => this.#waiters.isAwaited(shard, key),
      hasWaiters: () => this.#waiters.count > 0,
      progressed: (state, key) => this.#waiters.check(state.shard, key),
      lifted: (state) => this.#waiters.checkAll(state.shard),
      outcome: (state, item) => {
        this.#waiters.outcome(state.shard, item);
        this.#waiters.check(state.shard, item.key);
        onOutcome?.(state.shard, item);
      },
    };
  }
}

/** Row of an actor; -1 also for a text that cannot be a key. */
function rowOf(state: ShardActors, key: string): number {
  try {
    return state.store.actorRow(key);
  } catch {
    return -1;
  }
}
