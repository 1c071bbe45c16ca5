import { type FoldJob, FoldPump, type FoldPumpOptions } from "./fold_pump.ts";

/** Where folds run, when that is in several hosts: each has its own actors. */
export interface FoldPlaces {
  /** how many hosts there are */
  readonly count: number;
  /** which of them has the actor, from 0; always the same */
  placeOf(key: string): number;
}

/** One host for all. */
export const ONE_PLACE: FoldPlaces = { count: 1, placeOf: () => 0 };

/** A {@linkcode FoldJob} of an actor. */
export interface ActorFoldJob extends FoldJob {
  /** the actor's key */
  readonly key: string;
}

/** A {@linkcode FoldPump} for each host: when one is gone, those of the others go on. */
export class FoldPumps {
  readonly #places: FoldPlaces;
  readonly #pumps: readonly FoldPump[];

  /** @param options `openMax` holds for each host */
  constructor({ places = ONE_PLACE, ...options }: FoldPumpOptions & { places?: FoldPlaces }) {
    this.#places = places;
    this.#pumps = Array.from({ length: places.count }, () => new FoldPump(options));
  }

  /** Queues a job unless it is queued. */
  enqueue(job: ActorFoldJob, urgent = false): void {
    this.#of(job.key).enqueue(job, urgent);
  }

  /** The actor's host has no room, or is gone, see {@linkcode FoldPump.pause}. */
  pause(key: string): void {
    this.#of(key).pause();
  }

  #of(key: string): FoldPump {
    return this.#pumps.length === 1 ? this.#pumps[0] : this.#pumps[this.#places.placeOf(key)];
  }
}
