/**
 * The versions that do not decide, on the shards that this node writes: who folds along with whom, how far they are, and
 * in what they differ. Everything in here is volatile: evidence about versions, and warm sessions for the day on which one of
 * them takes over. With no such version nothing is done and nothing is kept.
 *
 * They have a pump of their own with few calls open, so that they take a bounded part of the plugin host, and are dropped
 * when too many wait, which is counted.
 */
import type { OutcomeRecord } from "../effects/mod.ts";
import type { World } from "../world/mod.ts";
import type { ActorsConfig } from "./actors_options.ts";
import { type VersionDiff } from "./diff_book.ts";
import { DiffBooks } from "./diff_books.ts";
import type { Fold } from "./fold.ts";
import { type FoldPlaces, FoldPumps } from "./fold_pumps.ts";
import { sliceOf } from "./fold_slice.ts";
import { PastReading } from "./past_reading.ts";
import type { RestingVersions } from "./resting_versions.ts";
import { type Compared, type Decision, Shadow } from "./shadow.ts";
import type { ShardActors } from "./shard_actors.ts";
import { Sweep, type SweepProgress } from "./sweep.ts";
import { deciderFor, type Handler, hasShadows, shadowsFor } from "./versions.ts";

/** What {@linkcode Shadows} is given. */
export interface ShadowsOptions {
  world: World;
  fold: Fold;
  places?: FoldPlaces;
  resting: RestingVersions;
  config: ActorsConfig;
  handlers(): readonly Handler[];
  /** shards written here */
  writing(): Iterable<ShardActors>;
}

/** From so many messages on a call goes through a history, rather than along with what comes in. */
const HISTORY_MESSAGES = 8;
/** Such a call is followed by a rest this many times as long. */
const REST_FACTOR = 2;
const REST_MS_MAX = 500;

// Whoever waits for a message competes with this for the host and for the cores. On a machine with nothing to spare calls
// take longer, and so do the rests.
function restMs(messages: number, tookMs: number): number {
  return messages < HISTORY_MESSAGES ? 0 : Math.min(REST_MS_MAX, tookMs * REST_FACTOR);
}

/** Shadows of one shard: by plugin and hash, then by row. */
type ByRow = Map<number, Shadow>;

/** See the module's header. */
export class Shadows {
  readonly #options: ShadowsOptions;
  readonly #pump: FoldPumps;
  readonly #books = new DiffBooks();
  readonly #sweep: Sweep;
  readonly #jobs = new Map<ShardActors, Map<string, ByRow>>();
  /** by shard, then by plugin and hash: rows at which the version stands still */
  readonly #stuck = new Map<ShardActors, Map<string, Set<number>>>();
  #count = 0;
  /** plugins with versions that fold along */
  #followed = new Map<string, Handler>();
  /** of each plugin, the version that decides for most */
  #deciders = new Map<string, string>();

  constructor(options: ShadowsOptions) {
    this.#options = options;
    const { world, fold, places, config: { shadowFoldsOpenMax: openMax, pauseMinMs, pauseMaxMs } } = options;
    this.#pump = new FoldPumps({ world, fold, places, openMax, pauseMinMs, pauseMaxMs, restMs });
    this.#sweep = new Sweep({
      world,
      config: options.config,
      writing: options.writing,
      followed: () => this.#followed,
      begin: (shard, row, handler, hash, done) => this.#sweepRow(shard, row, handler, hash, done),
    });
  }

  /** True while versions of the plugin fold along. */
  follow(plugin: string): boolean {
    return this.#followed.size > 0 && this.#followed.has(plugin);
  }

  /** The versions are others now. */
  pluginsChanged(): void {
    this.#followed = new Map(this.#options.handlers().filter(hasShadows).map((handler) => [handler.name, handler]));
    const wanted = new Set<string>();
    for (const { name, hash, canary, dark = [] } of this.#followed.values()) {
      for (const one of [hash, canary?.hash ?? "", ...dark]) wanted.add(nameOf(name, one));
    }
    for (const [shard, byName] of this.#jobs) {
      for (const [name, byRow] of [...byName]) {
        const isWanted = wanted.has(name);
        for (const [row, shadow] of [...byRow]) {
          if (isWanted && !this.#decides(shadow.options)) continue;
          this.#forget(shadow);
          byRow.delete(row);
        }
        if (!isWanted) byName.delete(name);
      }
      if (byName.size === 0) this.#jobs.delete(shard);
    }
    for (const byName of this.#stuck.values()) {
      for (const name of byName.keys()) if (!wanted.has(name)) byName.delete(name);
    }
    this.#books.keep((plugin, hash) => wanted.has(nameOf(plugin, hash)));
    const was = this.#deciders;
    this.#deciders = new Map(this.#options.handlers().map(({ name, hash }) => [name, hash]));
    this.#sweep.changed((plugin, hash) => was.get(plugin) === hash);
  }

  /** This node writes the shard from now on. */
  becameWriter(_shard: ShardActors): void {
    if (this.#followed.size > 0) this.#sweep.changed();
  }

  /** It does not any more. */
  lostWriter(shard: ShardActors): void {
    for (const byRow of this.#jobs.get(shard)?.values() ?? []) {
      for (const shadow of byRow.values()) this.#forget(shadow);
    }
    this.#jobs.delete(shard);
    this.#stuck.delete(shard);
    this.#sweep.forget(shard);
  }

  /** An actor's life has ended. */
  retired(shard: ShardActors, row: number): void {
    for (const byRow of this.#jobs.get(shard)?.values() ?? []) {
      const shadow = byRow.get(row);
      if (shadow === undefined) continue;
      this.#forget(shadow);
      byRow.delete(row);
    }
    for (const rows of this.#stuck.get(shard)?.values() ?? []) rows.delete(row);
  }

  /** An outcome stands: those who fold along are asked what they would have said. */
  decided(shard: ShardActors, row: number, { item, from }: { item: OutcomeRecord; from: number }): void {
    const handler = this.#followed.get(item.plugin);
    if (handler === undefined) return;
    const { seq, hash, digest } = item;
    const parked = item.state === "parked" ? item.error?.code ?? "actors/parked" : null;
    const decision: Decision = {
      from: parked === null ? from : seq,
      seq,
      hash,
      effects: item.effects ?? [],
      digest,
      parked,
    };
    for (const one of shadowsFor(handler, hash)) {
      if (this.#stuck.get(shard)?.get(nameOf(handler.name, one))?.has(row)) continue;
      if (this.#decides({ plugin: handler.name, key: item.key, hash: one })) continue;
      const book = this.#books.of(handler, hash, one);
      const shadow = this.#shadow(shard, row, handler, { key: item.key, hash: one, goal: 0 });
      book.diff.skipped += shadow === null ? seq - decision.from + 1 : shadow.decided(decision);
    }
  }

  /** Differences seen here, of one plugin. */
  diffs(plugin: string): VersionDiff[] {
    return this.#books.diffs(plugin);
  }

  /** How far each version that folds along is, on the shards written here. */
  progress(plugin: string): SweepProgress[] {
    return this.#sweep.progress(plugin).map((one) => {
      let stuck = 0;
      for (const byName of this.#stuck.values()) stuck += byName.get(nameOf(plugin, one.hash))?.size ?? 0;
      return { ...one, parked: stuck };
    });
  }

  #sweepRow(shard: ShardActors, row: number, handler: Handler, hash: string, done: () => void): boolean {
    const key = shard.store.rowKey(row);
    if (!key.startsWith(handler.prefix) || shard.store.isRetired(row)) return false;
    const goal = shard.marks.mark(shard.marks.slotOf(handler.name), row);
    if (goal <= shard.marks.birth(row) || this.#stuck.get(shard)?.get(nameOf(handler.name, hash))?.has(row)) {
      return false;
    }
    if (this.#decides({ plugin: handler.name, key, hash })) return false;
    // One that is at work already goes through the whole history, too.
    if (this.#jobs.get(shard)?.get(nameOf(handler.name, hash))?.has(row)) return false;
    return this.#shadow(shard, row, handler, { key, hash, goal, done }) !== null;
  }

  #shadow(
    shard: ShardActors,
    row: number,
    handler: Handler,
    { key, hash, goal, done = () => {} }: { key: string; hash: string; goal: number; done?: () => void },
  ): Shadow | null {
    const name = nameOf(handler.name, hash);
    const known = this.#jobs.get(shard)?.get(name)?.get(row);
    if (known !== undefined) return known;
    if (this.#count >= this.#options.config.shadowsMax) return null;
    const { foldMessagesMax, foldBytesMax: bytesMax } = this.#options.config;
    const shadow: Shadow = new Shadow({
      plugin: handler.name,
      hash,
      key,
      row,
      birth: shard.marks.birth(row),
      pump: this.#pump,
      resting: this.#options.resting,
      slice: (after, goal) => {
        const { switches, to } = shard.switchesAt(key, after, Math.min(goal, after + foldMessagesMax));
        return { messages: sliceOf(shard.store, { key, after, to, bytesMax, upTo: shard.applied }), switches };
      },
      compared: (result) => this.#compared(shard, shadow, result),
      stuck: () => {
        const byName = this.#stuck.get(shard) ?? new Map<string, Set<number>>();
        this.#stuck.set(shard, byName);
        byName.set(name, (byName.get(name) ?? new Set()).add(row));
      },
      settled: () => {
        const byName = this.#jobs.get(shard);
        if (byName?.get(name)?.get(row) === shadow) byName.get(name)!.delete(row);
        this.#count--;
        done();
      },
    }, goal);
    const byName = this.#jobs.get(shard) ?? new Map<string, ByRow>();
    this.#jobs.set(shard, byName);
    const byRow = byName.get(name) ?? new Map<number, Shadow>();
    byName.set(name, byRow.set(row, shadow));
    this.#count++;
    shadow.wake();
    return shadow;
  }

  /**
   * True when the version decides about the actor now, though an older one has decided so far. It folds the history on
   * its own then, and who folded along would have the host's session go back and forth between the two for ever.
   */
  #decides({ plugin, key, hash }: { plugin: string; key: string; hash: string }): boolean {
    const handler = this.#followed.get(plugin);
    return handler !== undefined && deciderFor(handler, key) === hash;
  }

  #forget(shadow: Shadow): void {
    shadow.end();
    shadow.options.settled();
  }

  #compared(shard: ShardActors, { options: { plugin, hash, key, row } }: Shadow, result: Compared): void {
    const handler = this.#followed.get(plugin);
    if (handler === undefined) return;
    const { decision } = result;
    const book = this.#books.of(handler, decision.hash, hash);
    const actor = `${shard.shard} ${row}`;
    const shown = book.add(actor, result, decision.hash === book.diff.old);
    for (const example of shown) {
      if (example.kind !== "projection") continue;
      const read = (of: string, done: (projections: unknown) => void) =>
        new PastReading({
          pump: this.#pump,
          resting: this.#options.resting,
          config: this.#options.config,
          store: shard.store,
          key,
          plugin: { ...handler, hash: of },
          birth: shard.marks.birth(row),
          upTo: shard.applied,
          at: example.seq,
          switchesAt: (after, to) => shard.switchesAt(key, after, to),
          done: (answer) => "code" in answer ? undefined : done(answer.projections),
        });
      read(book.diff.old, (before) => read(book.diff.new, (after) => book.look(example, before, after)));
    }
  }
}

function nameOf(plugin: string, hash: string): string {
  return `${plugin} ${hash}`;
}
