import type { EffectsOptions, RetireEnd } from "./effects_options.ts";
import type { Task } from "./task.ts";

/** What {@linkcode RetireWishes} are given. */
export interface RetireWishesOptions
  extends Pick<EffectsOptions, "world" | "config" | "alert" | "retire" | "clockAheadMs"> {
  /** the actor owes other effects */
  owes(task: Task): boolean;
  /** it is another writer's matter now */
  isStale(task: Task): boolean;
  backOffMs(task: Task): number;
  /** the wish is done with */
  done(task: Task): void;
}

/** Actors that want to retire. They are not in hand: each waits for what is, perhaps for long. */
export class RetireWishes {
  readonly #options: RetireWishesOptions;
  #count = 0;

  constructor(options: RetireWishesOptions) {
    this.#options = options;
  }

  /** Looks after one more. */
  add(task: Task): void {
    if (this.#count >= this.#options.config.retiresWaitingMax) {
      this.#options.alert(
        "effects/too-many-retire",
        "more actors want to retire than can be looked after",
        task.source,
      );
      return this.#options.done(task);
    }
    this.#count++;
    this.#options.world.soon(() => this.#retire(task));
  }

  #retire(task: Task): void {
    const { shard, source: key, seq } = task;
    let called = false;
    const ended = (end: RetireEnd) => {
      if (called) return;
      called = true;
      if (end === "wait" && !this.#options.isStale(task)) {
        this.#options.world.after(this.#options.backOffMs(task), () => this.#retire(task));
        return;
      }
      this.#count--;
      if (!this.#options.isStale(task)) this.#options.done(task);
    };
    if (this.#options.isStale(task)) return ended("wait");
    // the time of a life's end says which ids are forgotten
    const isClockOff = Math.abs(this.#options.clockAheadMs()) > this.#options.config.clockOffMs;
    this.#options.retire(shard.shard, { key, seq, mayNow: !isClockOff && !this.#options.owes(task) }, ended);
  }
}
