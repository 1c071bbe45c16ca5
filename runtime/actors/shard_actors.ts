import { decodeDone, type OutcomeRecord, readOutcomes, type RetireEnd, type RetireWish } from "../effects/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";
import type { ActorsConfig, EffectsRoom, ProposalEnd, TimersRoom } from "./actors_options.ts";
import type { World } from "../world/mod.ts";
import { Handling, type HandlingEnv, type HandlingShard } from "./handling.ts";
import { OutcomeBox } from "./outcome_box.ts";
import { ShardMarks } from "./shard_marks.ts";
import type { Shadows } from "./shadows.ts";
import { isOfSwitches, type Switches, switchesItem, SwitchLog } from "./switch_log.ts";
import type { OpenTimers } from "./timer_wishes.ts";
import { deciderFor, type Handler } from "./versions.ts";

const NOBODY: readonly Handler[] = [];

/** What all shards of a node share. */
export interface ShardEnv extends HandlingEnv {
  readonly world: World;
  readonly config: ActorsConfig;
  readonly effects: EffectsRoom;
  readonly timers: TimersRoom;
  handlers(): readonly Handler[];
  propose(shard: number, body: Uint8Array, done: (end: ProposalEnd) => void): void;
  proposeRetire(shard: number, key: string, done: (end: ProposalEnd) => void): void;
  /** the shard's commit index when this node learnt of the plugin */
  learntAt(plugin: string, shard: number): number;
  alert(code: string, text: string): void;
  /** what the switches are in the topology that this node has, and in which version of it they became so; 0: never */
  switches(): { version: number; on: Switches };
  /** versions that fold along */
  readonly shadows: Shadows;
  /** room for one more handling; takes it */
  takeRoom(): boolean;
  giveRoom(): void;
  /** memory of the shard is to be given back, soon */
  tidyLater(shard: ShardActors): void;
  /** the shard is to be searched for unhandled messages, soon */
  scanLater(shard: ShardActors): void;
  isAwaited(shard: number, key: string): boolean;
  /** true while anybody waits for any actor */
  hasWaiters(): boolean;
  /** a message was committed, or outcomes were: those who wait may have what they wait for */
  progressed(shard: ShardActors, key: string): void;
  /** as `progressed`, for every actor of the shard */
  lifted(shard: ShardActors): void;
  outcome(shard: ShardActors, item: OutcomeRecord): void;
}

/** The actors of one shard's copy: what is committed about them, and on the writer those with something to do. */
export class ShardActors implements HandlingShard {
  readonly shard: number;
  readonly store: ShardStore;
  readonly marks: ShardMarks;
  readonly box: OutcomeBox;
  /** true while it stands in the queue of shards to be searched; owned by who has the queue */
  scanQueued = false;
  readonly #env: ShardEnv;
  /** by plugin, then by row */
  readonly #handlings = new Map<string, Map<number, Handling>>();
  readonly #startsProposed = new Set<string>();
  readonly #switches = new SwitchLog();
  #switchesProposed = 0;
  readonly #awaitingRoom = new Set<Handling>();
  #hasRole = false;
  /** after a lost proposal: the word that the role is lost, too, is probably on its way */
  #isResting = false;
  /** last index that was applied */
  #applied = 0;

  constructor(env: ShardEnv, shard: number, store: ShardStore) {
    this.#env = env;
    this.shard = shard;
    this.store = store;
    this.marks = new ShardMarks(store);
    const { gatherMs, outcomesMax, outcomeBytesMax, pauseMinMs, pauseMaxMs } = env.config;
    this.box = new OutcomeBox({
      world: env.world,
      propose: (body, done) => env.propose(shard, body, done),
      onLost: () => this.#rest(),
      onRoom: () => this.#wakeAwaitingRoom(),
      gatherMs,
      itemsMax: outcomesMax,
      bytesMax: outcomeBytesMax,
      pauseMinMs,
      pauseMaxMs,
    });
  }

  /** Applies a committed entry; indexes in order, each once. */
  committed(index: number): void {
    this.#applied = index;
    switch (this.store.kindAt(index)) {
      case ENTRY.MESSAGE:
        this.#recorded(index);
        break;
      case ENTRY.OUTCOMES:
        this.#outcomes(index);
        break;
      case ENTRY.DONE:
        this.#done(index);
        break;
      case ENTRY.RETIRE:
        this.#retired(index);
    }
    if (index === this.store.wholeFrom) this.#becameWhole();
  }

  /** last index that was applied */
  get applied(): number {
    return this.#applied;
  }

  /** false: this copy was fed a history parts of which were freed, and has not applied all that accounts for them */
  get isWhole(): boolean {
    return this.store.wholeFrom <= this.#applied;
  }

  timersOf(row: number, plugin: string): OpenTimers {
    const { shard, timers } = { shard: this.shard, timers: this.#env.timers };
    return { count: () => timers.countOf(shard, row), has: (name) => timers.isOpen(shard, row, { plugin, name }) };
  }

  /** What an actor's messages behind `after` see, and up to where, at most `to`, all of them see the same. */
  switchesAt(key: string, after: number, to: number): { switches: Switches; to: number } {
    const log = this.#switches;
    if (log.version === 0) return { switches: log.at(0), to };
    const indexes = this.store.history(key, after, Math.max(0, to - after), this.#applied);
    if (indexes.length === 0) return { switches: log.at(this.#applied + 1), to };
    const next = log.nextAfter(indexes[0]);
    const count = next === Infinity ? indexes.length : indexes.findIndex((index) => index > next);
    return { switches: log.at(indexes[0]), to: after + (count < 0 ? indexes.length : count) };
  }

  /** Logs what the switches are, where they are others than the log says. */
  logSwitches(): void {
    const { version, on } = this.#env.switches();
    if (!this.writing || version <= Math.max(this.#switches.version, this.#switchesProposed)) return;
    this.#switchesProposed = version;
    const item = switchesItem(version, on);
    this.box.add(item, item.digest.length, true);
  }

  /** true: this node folds, and says what is to be logged */
  get writing(): boolean {
    return this.#hasRole && !this.#isResting;
  }

  /** This node writes from now on. */
  becameWriter(): void {
    this.#hasRole = true;
    this.#forget();
    this.#env.scanLater(this);
    this.#env.shadows.becameWriter(this);
    this.logSwitches();
  }

  /** It does not any more: everything volatile is forgotten. */
  lostWriter(): void {
    this.#hasRole = false;
    this.#forget();
    this.#env.shadows.lostWriter(this);
  }

  /** The copy is gone. */
  dropped(): void {
    this.lostWriter();
    for (const handling of this.handlings()) {
      handling.abandon("actors/not-here");
      this.settled(handling);
    }
  }

  /** Finds what is to be handled, by comparing two numbers a row and plugin; only on the writer. */
  scan(): void {
    const { store, marks } = this;
    const handlers = this.#env.handlers();
    if (!this.writing || handlers.length === 0) return;
    const slots = handlers.map((handler) => marks.slotOf(handler.name));
    for (let row = 0; row < store.rowCount; row++) {
      let key = "";
      const head = marks.head(row);
      for (let i = 0; i < handlers.length; i++) {
        if (head === 0 || (marks.isStarted(slots[i]) && marks.mark(slots[i], row) >= head)) continue;
        if (key === "") key = store.rowKey(row);
        this.#touch(row, key, handlers[i]);
      }
    }
  }

  /** The handling of an actor by a plugin, made where there is none; undefined: no room. */
  handling(row: number, key: string, plugin: string): Handling | undefined {
    const known = this.#handlings.get(plugin)?.get(row);
    if (known !== undefined || !this.#env.takeRoom()) return known;
    const handling = new Handling(this.#env, this, { row, key, plugin });
    const byRow = this.#handlings.get(plugin);
    if (byRow === undefined) this.#handlings.set(plugin, new Map([[row, handling]]));
    else byRow.set(row, handling);
    return handling;
  }

  /** all that have something to do */
  *handlings(): Iterable<Handling> {
    for (const byRow of [...this.#handlings.values()]) yield* [...byRow.values()];
  }

  settled(handling: Handling): void {
    const byRow = this.#handlings.get(handling.plugin);
    if (byRow?.get(handling.row) !== handling) return;
    byRow.delete(handling.row);
    if (byRow.size === 0) this.#handlings.delete(handling.plugin);
    this.#env.giveRoom();
  }

  awaitRoom(handling: Handling): void {
    this.#awaitingRoom.add(handling);
  }

  isAwaited(key: string): boolean {
    return this.#env.isAwaited(this.shard, key);
  }

  /**
   * Ends an actor's life at `seq`, decided when that was its last message, if that is so still and every live plugin is
   * through with it.
   */
  retire({ key, seq, mayNow }: RetireWish, done: (end: RetireEnd) => void): void {
    const { store, marks } = this;
    if (!this.writing || !this.isWhole) return done("wait");
    const row = store.actorRow(key);
    if (row < 0) return done("void");
    if (marks.birth(row) >= seq) return done("done");
    // a message behind it, committed or not, ends the wish
    if (store.rowSeq(row) !== seq) return done("void");
    if (store.isRetired(row)) return done("wait");
    for (const handler of this.#env.handlers()) {
      const hash = deciderFor(handler, key);
      if (hash === null) continue;
      const slot = marks.slotOf(handler.name);
      // a plugin that stands still may stand for good, and then somebody has to look at this actor anyway
      if (marks.parkedAt(slot, row)?.hash === hash) return done("void");
      if (!marks.isStarted(slot) || marks.mark(slot, row) < seq) return done("wait");
    }
    if (!mayNow) return done("wait");
    try {
      this.#env.proposeRetire(this.shard, key, (end) => done(end === "committed" ? "done" : "wait"));
    } catch (error) {
      if ((error as { code?: string }).code !== "storage/too-large") throw error;
      this.#env.alert("actors/too-young", "an actor cannot retire as it has too many messages of the last 30 days");
      done("void");
    }
  }

  #retired(index: number): void {
    const { store, marks } = this;
    const row = store.rowOf(index);
    marks.retired(row, store.seqOf(index));
    this.#env.timers.retired(this.shard, row);
    for (const byRow of [...this.#handlings.values()]) {
      const handling = byRow.get(row);
      if (handling === undefined) continue;
      handling.end();
      this.settled(handling);
    }
    this.#env.shadows.retired(this, row);
    if (this.#env.hasWaiters()) this.#env.progressed(this, store.keyOf(index));
    store.free(index);
    this.#env.tidyLater(this);
  }

  #becameWhole(): void {
    for (const handling of this.handlings()) handling.wake();
    if (this.writing) this.#env.scanLater(this);
  }

  #recorded(index: number): void {
    const row = this.store.rowOf(index);
    this.marks.recorded(row, this.store.seqOf(index));
    const { timers } = this.#env;
    if (timers.hasAny(this.shard, row)) timers.recorded(this.shard, row, this.store.idOf(index));
    const isAwaited = this.#env.hasWaiters();
    // a follower mostly ends here: no text is made of the key
    const handlers = this.writing ? this.#env.handlers() : NOBODY;
    if (handlers.length === 0 && !isAwaited) return;
    const key = this.store.keyOf(index);
    for (const handler of handlers) this.#touch(row, key, handler);
    if (isAwaited) this.#env.progressed(this, key);
  }

  #touch(row: number, key: string, handler: Handler): void {
    const hash = deciderFor(handler, key);
    if (hash === null) return;
    const slot = this.marks.slotOf(handler.name);
    if (!this.marks.isStarted(slot)) return this.#proposeStart(handler.name, hash);
    if (this.marks.parkedAt(slot, row)?.hash === hash) return;
    const handling = this.handling(row, key, handler.name);
    // no room: it is found again by a search, once others have settled
    if (handling === undefined) this.#env.scanLater(this);
    else handling.wake();
  }

  /**
   * Says in the log from where on the plugin handles this shard. Only when there is something to handle: a deploy must
   * not cost an entry in every empty shard. Should this node lose its role before the start is committed, the next
   * writer proposes the index at which it learnt of the plugin; which is 0, from birth, when it had no copy then.
   */
  #proposeStart(name: string, hash: string): void {
    if (this.#startsProposed.has(name)) return;
    this.#startsProposed.add(name);
    const seq = Math.min(this.#env.learntAt(name, this.shard), this.#applied);
    this.box.add({ key: "", plugin: name, hash, seq, state: "ok", effects: null, digest: "", error: null }, 0, true);
  }

  #outcomes(index: number): void {
    let items: OutcomeRecord[];
    try {
      items = readOutcomes(this.store.body(index));
    } catch {
      return this.#env.alert("actors/bad-entry", "an outcomes entry of the log cannot be read");
    }
    let position = 0;
    for (const item of items) {
      this.#outcome(index, position, item);
      position += item.types.length;
    }
  }

  #outcome(index: number, position: number, item: OutcomeRecord): void {
    if (isOfSwitches(item)) {
      if (this.#switches.apply(index, item)) return;
      return this.#env.alert("actors/bad-entry", "an entry of the log about switches cannot be read");
    }
    const { shadows } = this.#env;
    const isCompared = item.key !== "" && this.writing && shadows.follow(item.plugin);
    const before = isCompared ? this.#markOf(item) : 0;
    const verdict = this.marks.apply(item);
    switch (verdict.state) {
      case "late":
        return;
      case "unrecorded":
        // of a life that was freed where this copy comes from: its end is in the log, and says all that counts
        if (!this.isWhole) return;
        return this.#env.alert("actors/bad-entry", "an outcome of the log is about no message");
      case "malformed":
        return this.#env.alert("actors/bad-entry", `an outcome of the log is not as it must be: ${verdict.reason}`);
      case "started":
        this.#startsProposed.delete(item.plugin);
        if (this.writing) this.#env.scanLater(this);
        return this.#env.lifted(this);
    }
    if (item.state === "ok" && item.hasEffects) {
      const { key, seq, plugin, types } = item;
      const { row } = verdict;
      const standing = {
        index,
        position,
        row,
        key,
        seq,
        plugin,
        types,
        get effects() {
          return item.effects!;
        },
      };
      this.#env.effects.committed(this.shard, standing);
      this.#env.timers.committed(this.shard, standing);
    }
    this.#handlings.get(item.plugin)?.get(verdict.row)?.applied();
    if (isCompared) shadows.decided(this, verdict.row, { item, from: before + 1 });
    this.#env.outcome(this, item);
  }

  #markOf({ key, plugin }: OutcomeRecord): number {
    const row = this.store.actorRow(key);
    return row < 0 ? 0 : this.marks.mark(this.marks.slotOf(plugin), row);
  }

  #done(index: number): void {
    try {
      this.#env.effects.done(this.shard, decodeDone(this.store.body(index)));
    } catch {
      this.#env.alert("actors/bad-entry", "a done entry of the log cannot be read");
    }
  }

  /** A proposal was lost: from the marks again, as a new writer does, if this node still is the writer in a moment. */
  #rest(): void {
    this.#isResting = true;
    this.#forget();
    const { world, config } = this.#env;
    world.after(config.pauseMinMs * (0.5 + world.random() / 2), () => {
      this.#isResting = false;
      if (!this.#hasRole) return;
      this.#env.scanLater(this);
      this.logSwitches();
    });
  }

  #forget(): void {
    this.box.clear();
    this.#startsProposed.clear();
    this.#switchesProposed = 0;
    this.#awaitingRoom.clear();
    for (const handling of this.handlings()) handling.reset();
  }

  #wakeAwaitingRoom(): void {
    const handlings = [...this.#awaitingRoom];
    this.#awaitingRoom.clear();
    for (const handling of handlings) handling.wake();
  }
}
