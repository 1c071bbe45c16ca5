import type { OutcomeRecord } from "../effects/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import type { HandledAnswer } from "./actors_options.ts";

interface Waiter {
  readonly place: string;
  readonly seq: number;
  readonly isHandled: () => boolean;
  readonly done: (answer: HandledAnswer) => void;
  timer: Timer | null;
}

/** Limits of {@linkcode HandledWaiters}. */
export interface HandledWaitersOptions {
  world: World;
  waitersMax: number;
  repliesMax: number;
}

/**
 * Those who want to know when a message is handled, and what its handlers replied. An outcome may be committed before
 * anybody asks, since the asker has to hear of the recording first: so the latest replies are kept for a while.
 */
export class HandledWaiters {
  readonly #options: HandledWaitersOptions;
  readonly #waiters = new Map<string, Set<Waiter>>();
  #count = 0;
  /** (shard, key, seq) -> reply by plugin; the oldest goes first */
  readonly #replies = new Map<string, Map<string, unknown>>();

  constructor(options: HandledWaitersOptions) {
    this.#options = options;
  }

  /** how many wait */
  get count(): number {
    return this.#count;
  }

  /** true while somebody waits for the actor */
  isAwaited(shard: number, key: string): boolean {
    return this.#count > 0 && this.#waiters.has(placeOf(shard, key));
  }

  /** Calls `done` once: when `isHandled`, or after the time-out; perhaps at once. */
  wait(
    at: { shard: number; key: string; seq: number; timeoutMs: number },
    isHandled: () => boolean,
    done: (answer: HandledAnswer) => void,
  ): void {
    const place = placeOf(at.shard, at.key);
    const waiter: Waiter = { place, seq: at.seq, isHandled, done, timer: null };
    if (isHandled()) return this.#end(waiter, this.#answer(waiter));
    if (this.#count >= this.#options.waitersMax) return this.#end(waiter, { state: "busy" });
    const waiters = this.#waiters.get(place);
    if (waiters === undefined) this.#waiters.set(place, new Set([waiter]));
    else waiters.add(waiter);
    this.#count++;
    waiter.timer = this.#options.world.after(at.timeoutMs, () => this.#end(waiter, { state: "timeout" }));
  }

  /** An outcome stands: keeps its reply, if it has one. */
  outcome(shard: number, item: OutcomeRecord): void {
    if (!item.types.includes("reply")) return;
    for (const effect of item.effects ?? []) {
      if (effect.type !== "reply") continue;
      const place = `${placeOf(shard, item.key)}\n${item.seq}`;
      const replies = this.#replies.get(place) ?? new Map<string, unknown>();
      this.#replies.delete(place);
      this.#replies.set(place, replies.set(item.plugin, effect.body));
      if (this.#replies.size > this.#options.repliesMax) this.#replies.delete(this.#replies.keys().next().value!);
      return;
    }
  }

  /** Something came forward for an actor. */
  check(shard: number, key: string): void {
    if (this.#count > 0) this.#check(this.#waiters.get(placeOf(shard, key)));
  }

  /** Something came forward for any actor of a shard, or of all. */
  checkAll(shard?: number): void {
    const prefix = shard === undefined ? "" : placeOf(shard, "");
    for (const [place, waiters] of [...this.#waiters]) if (place.startsWith(prefix)) this.#check(waiters);
  }

  /** The copy is gone. */
  dropped(shard: number): void {
    for (const [place, waiters] of [...this.#waiters]) {
      if (!place.startsWith(placeOf(shard, ""))) continue;
      for (const waiter of [...waiters]) this.#end(waiter, { state: "not-here" });
    }
  }

  #check(waiters: Set<Waiter> | undefined): void {
    for (const waiter of [...(waiters ?? [])]) if (waiter.isHandled()) this.#end(waiter, this.#answer(waiter));
  }

  #answer({ place, seq }: Waiter): HandledAnswer {
    const replies = this.#replies.get(`${place}\n${seq}`);
    if (replies === undefined) return { state: "handled" };
    const first = [...replies.keys()].sort()[0];
    return { state: "handled", reply: replies.get(first) };
  }

  #end(waiter: Waiter, answer: HandledAnswer): void {
    waiter.timer?.cancel();
    const waiters = this.#waiters.get(waiter.place);
    if (waiters?.delete(waiter)) {
      this.#count--;
      if (waiters.size === 0) this.#waiters.delete(waiter.place);
    }
    waiter.done(answer);
  }
}

function placeOf(shard: number, key: string): string {
  return `${shard}\n${key}`;
}
