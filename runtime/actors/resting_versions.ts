import type { World } from "../world/mod.ts";

/** Whoever is woken when a version may be tried again. */
export interface Sleeper {
  /** try again */
  wake(): void;
}

interface Rest {
  sleepers: Set<Sleeper>;
  isOver: boolean;
  /** how long the last rest was, ms */
  pauseMs: number;
}

/**
 * Versions that the host does not have yet. Those who need one sleep for a while, longer each time, and no other version
 * suffers. Bounded by those who may sleep, and by the versions that were live since `clear`.
 */
export class RestingVersions {
  readonly #options: { world: World; pauseMinMs: number; pauseMaxMs: number };
  readonly #rests = new Map<string, Rest>();

  constructor(options: { world: World; pauseMinMs: number; pauseMaxMs: number }) {
    this.#options = options;
  }

  /** True, and `sleeper` will be woken, while the version rests. */
  sleepIfResting(hash: string, sleeper: Sleeper): boolean {
    const rest = this.#rests.get(hash);
    if (rest === undefined || rest.isOver) return false;
    rest.sleepers.add(sleeper);
    return true;
  }

  /** The host does not have it: it rests, and `sleeper` with it. */
  rest(hash: string, sleeper: Sleeper): void {
    if (this.sleepIfResting(hash, sleeper)) return;
    const { world, pauseMinMs, pauseMaxMs } = this.#options;
    const pauseMs = Math.min(pauseMaxMs, 2 * (this.#rests.get(hash)?.pauseMs ?? pauseMinMs / 2));
    const rest: Rest = { sleepers: new Set([sleeper]), isOver: false, pauseMs };
    this.#rests.set(hash, rest);
    world.after(pauseMs * (0.5 + world.random() / 2), () => this.#end(rest));
  }

  /** The host has it. */
  isThere(hash: string): void {
    if (this.#rests.size > 0) this.#end(this.#rests.get(hash));
    this.#rests.delete(hash);
  }

  /** Other versions are live now: all are tried again. */
  clear(): void {
    for (const rest of [...this.#rests.values()]) this.#end(rest);
    this.#rests.clear();
  }

  #end(rest: Rest | undefined): void {
    if (rest === undefined || rest.isOver) return;
    rest.isOver = true;
    const sleepers = [...rest.sleepers];
    rest.sleepers.clear();
    for (const sleeper of sleepers) sleeper.wake();
  }
}
