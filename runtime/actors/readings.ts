import type { World } from "../world/mod.ts";
import type { ActorsConfig, ParkedView, ProjectAnswer } from "./actors_options.ts";
import type { FoldPumps } from "./fold_pumps.ts";
import type { Reader } from "./handling.ts";
import { PastReading } from "./past_reading.ts";
import type { RestingVersions } from "./resting_versions.ts";
import type { ShardActors } from "./shard_actors.ts";
import type { Handler } from "./versions.ts";

/** What is to be read. */
export interface Wanted {
  state: ShardActors;
  /** canonical key of the actor */
  key: string;
  /** its row, -1 = none */
  row: number;
  /** seq in the past; left out: the last committed one */
  at: number | undefined;
  /** the plugins to ask */
  handlers: readonly Handler[];
}

/** What is said of a plugin that cannot go on before the log says why. */
const HALTED = { code: "actors/cannot-fold", message: "it cannot handle this message; why is not recorded yet" };

/** What {@linkcode Readings} is given. */
export interface ReadingsOptions {
  world: World;
  pump: FoldPumps;
  resting: RestingVersions;
  config: ActorsConfig;
}

/**
 * Puts together what the plugins keep of an actor. The present is read through each plugin's own session, in step with
 * its handling; the past in sessions that are thrown away. At most `readsMax` at a time, none longer than
 * `readTimeoutMs`.
 */
export class Readings {
  readonly #options: ReadingsOptions;
  #open = 0;

  constructor(options: ReadingsOptions) {
    this.#options = options;
  }

  /** Calls `done` once; perhaps at once. */
  read(wanted: Wanted, done: (answer: ProjectAnswer) => void): void {
    const { state, row, handlers } = wanted;
    const { world, config } = this.#options;
    const head = row < 0 ? 0 : state.marks.head(row);
    const at = Math.max(0, Math.min(wanted.at ?? head, head));
    const projections: Record<string, unknown> = {};
    const halted: Record<string, ParkedView> = {};
    // A session that handles messages may have gone on while the reader waited: the answer says up to where all are.
    let reached = Infinity;
    const ok = (seq: number): ProjectAnswer => ({
      state: "ok",
      seq,
      projections,
      parked: { ...halted, ...parkedOf(wanted) },
    });
    if (row >= 0 && head > 0 && at <= state.marks.birth(row)) return done({ state: "failed", code: "actors/retired" });
    if (head === 0 || handlers.length === 0) return done(ok(at));
    if (this.#open >= config.readsMax) return done({ state: "failed", code: "actors/busy" });

    this.#open++;
    let isOver = false;
    let left = handlers.length;
    const takeBack: (() => void)[] = [];
    const end = (answer: ProjectAnswer) => {
      if (isOver) return;
      isOver = true;
      this.#open--;
      timer.cancel();
      for (const back of takeBack) back();
      done(answer);
    };
    const timer = world.after(config.readTimeoutMs, () => end({ state: "failed", code: "actors/timeout" }));
    for (const handler of handlers) {
      const part = this.#part(wanted, handler, at, (answer) => {
        if ("code" in answer) return end({ state: "failed", code: answer.code });
        projections[handler.name] = answer.projections;
        // Found out a moment ago: the log does not say yet that the plugin stands still here.
        if (answer.at < at) halted[handler.name] = { seq: answer.at + 1, ...HALTED };
        reached = Math.min(reached, answer.at);
        if (--left === 0) end(ok(Math.max(at, reached)));
      });
      if (part === null) return end({ state: "failed", code: "actors/busy" });
      takeBack.push(part);
    }
  }

  /** Asks one plugin; answers how to take the question back, or null when there is no room for it. */
  #part(
    { state, key, row, at: past }: Wanted,
    plugin: Handler,
    at: number,
    done: Reader["done"],
  ): (() => void) | null {
    // Of one seq and no other, be it the last one: the session that handles messages may go on meanwhile.
    if (past !== undefined) {
      const { pump, resting, config } = this.#options;
      const reading = new PastReading({
        pump,
        resting,
        config,
        store: state.store,
        birth: state.marks.birth(row),
        upTo: state.applied,
        key,
        plugin,
        at,
        switchesAt: (after, to) => state.switchesAt(key, after, to),
        done,
      });
      return () => reading.abandon();
    }
    const handling = state.handling(row, key, plugin.name);
    if (handling === undefined) return null;
    const reader: Reader = { target: at, done };
    handling.read(reader);
    return () => {
      handling.unread(reader);
      handling.wake();
    };
  }
}

function parkedOf({ state, row, handlers }: Wanted): Record<string, ParkedView> {
  const views: Record<string, ParkedView> = {};
  for (const { name } of row < 0 ? [] : handlers) {
    const parked = state.marks.parkedAt(state.marks.slotOf(name), row);
    if (parked !== undefined) views[name] = { seq: parked.seq, hash: parked.hash, ...parked.error };
  }
  return views;
}
