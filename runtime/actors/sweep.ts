import type { World } from "../world/mod.ts";
import type { ActorsConfig } from "./actors_options.ts";
import type { ShardActors } from "./shard_actors.ts";
import { type Handler, shadowsFor } from "./versions.ts";

/** How far a version is with the histories of the shards written by one node. */
export interface SweepProgress {
  /** the version */
  hash: string;
  /** actors that it is through with */
  actors: number;
  actorsAll: number;
  /** shards all of whose actors it is through with */
  shards: number;
  shardsAll: number;
  /** actors at which it stands still */
  parked: number;
}

/** What a {@linkcode Sweep} is given. */
export interface SweepOptions {
  world: World;
  config: ActorsConfig;
  writing(): Iterable<ShardActors>;
  followed(): ReadonlyMap<string, Handler>;
  /** Has the version fold the actor; false: there is nothing to fold. `done` is called when it is through. */
  begin(shard: ShardActors, row: number, handler: Handler, hash: string, done: () => void): boolean;
}

interface Course {
  /** rows below it were begun */
  next: number;
  open: number;
}

/**
 * Takes the versions that fold along through the actors' whole histories, so many actors at a time and with pauses: a
 * night watchman's round, shard by shard, who is in no hurry. Where it is, is volatile: a new writer begins anew, and is
 * quickly through where sessions are warm.
 */
export class Sweep {
  readonly #options: SweepOptions;
  /** by shard, then by plugin and hash */
  readonly #courses = new Map<ShardActors, Map<string, Course>>();
  #open = 0;
  #isPlanned = false;

  constructor(options: SweepOptions) {
    this.#options = options;
  }

  /**
   * Versions or shards are others now.
   *
   * @param hasDecided true for versions that decided until now: their sessions are as warm as can be, and are not gone through
   */
  changed(hasDecided: (plugin: string, hash: string) => boolean = () => false): void {
    for (const [{ name }, hash] of this.#versions()) {
      if (!hasDecided(name, hash)) continue;
      for (const shard of this.#options.writing()) this.#course(shard, `${name} ${hash}`).next = shard.store.rowCount;
    }
    const wanted = new Set<string>();
    for (const [handler, hash] of this.#versions()) wanted.add(`${handler.name} ${hash}`);
    for (const byName of this.#courses.values()) {
      for (const name of [...byName.keys()]) if (!wanted.has(name)) byName.delete(name);
    }
    if (wanted.size > 0) this.#plan();
  }

  /** The shard is not written here any more. */
  forget(shard: ShardActors): void {
    this.#courses.delete(shard);
  }

  /** How far the versions of a plugin are. */
  progress(plugin: string): SweepProgress[] {
    const all: SweepProgress[] = [];
    for (const [handler, hash] of this.#versions()) {
      if (handler.name !== plugin) continue;
      const sum = { hash, actors: 0, actorsAll: 0, shards: 0, shardsAll: 0, parked: 0 };
      for (const shard of this.#options.writing()) {
        const { next, open } = this.#courses.get(shard)?.get(`${plugin} ${hash}`) ?? { next: 0, open: 0 };
        const rows = shard.store.rowCount;
        sum.actorsAll += rows;
        sum.actors += Math.max(0, Math.min(next, rows) - open);
        sum.shardsAll++;
        if (next >= rows && open === 0) sum.shards++;
        // Actors that were born since; they were followed from their first message on.
        if (next < rows) this.#plan();
      }
      all.push(sum);
    }
    return all;
  }

  /** Whatever does not decide for all; a canary is swept, too, so that it may be raised at any time. */
  *#versions(): Iterable<[Handler, string]> {
    for (const handler of this.#options.followed().values()) {
      for (const hash of shadowsFor(handler, handler.hash)) yield [handler, hash];
    }
  }

  #plan(): void {
    if (this.#isPlanned) return;
    this.#isPlanned = true;
    this.#options.world.after(this.#options.config.sweepPauseMs, () => {
      this.#isPlanned = false;
      if (this.#turn()) this.#plan();
    });
  }

  /** True while rows are left that were not begun. */
  #turn(): boolean {
    const { sweepActorsMax, scanRowsMax } = this.#options.config;
    let looked = 0;
    for (const [handler, hash] of this.#versions()) {
      for (const shard of this.#options.writing()) {
        const course = this.#course(shard, `${handler.name} ${hash}`);
        while (course.next < shard.store.rowCount) {
          if (this.#open >= sweepActorsMax || looked++ >= scanRowsMax) return true;
          const row = course.next++;
          let isOver = false;
          const begun = this.#options.begin(shard, row, handler, hash, () => {
            if (isOver) return;
            isOver = true;
            course.open--;
            this.#open--;
          });
          if (!begun) continue;
          course.open++;
          this.#open++;
        }
      }
    }
    return false;
  }

  #course(shard: ShardActors, name: string): Course {
    let byName = this.#courses.get(shard);
    if (byName === undefined) this.#courses.set(shard, byName = new Map());
    let course = byName.get(name);
    if (course === undefined) byName.set(name, course = { next: 0, open: 0 });
    return course;
  }
}
