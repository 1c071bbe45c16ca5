import type { World } from "../world/mod.ts";
import type { Fold } from "./fold.ts";

/** What a version's folds have taken, from question to answer. */
export interface FoldTime {
  ms: number;
  messages: number;
}

/** Versions that are remembered; of more, the oldest are not. */
const VERSIONS_MAX = 100;

/** Takes the time of folds, by version. */
export class FoldTimes {
  readonly #world: World;
  readonly #byHash = new Map<string, FoldTime>();

  constructor(world: World) {
    this.#world = world;
  }

  /** The same fold, its time taken. */
  timed(fold: Fold): Fold {
    return (request, done) => {
      const startMs = this.#world.nowMonoMs();
      fold(request, (answer) => {
        if (answer.state === "ok" && request.messages.length > 0) {
          this.#add(request.hash, startMs, request.messages.length);
        }
        done(answer);
      });
    };
  }

  /** By version, what folds have taken here so far. */
  list(): Record<string, FoldTime> {
    return Object.fromEntries(this.#byHash);
  }

  #add(hash: string, startMs: number, messages: number): void {
    let time = this.#byHash.get(hash);
    if (time === undefined) {
      if (this.#byHash.size >= VERSIONS_MAX) this.#byHash.delete(this.#byHash.keys().next().value!);
      this.#byHash.set(hash, time = { ms: 0, messages: 0 });
    }
    time.ms += this.#world.nowMonoMs() - startMs;
    time.messages += messages;
  }
}
