/**
 * Admission: says "busy" at the door, before the rooms inside are so full that what was let in comes out too late to be
 * of use. Like a ferry that takes on no more cars than it carries over within the hour.
 *
 * By Little's law, what is under way is what comes out a second times the seconds that it stays inside. So the bound
 * follows what this node has finished of late: it needs no setting that fits the machine, and falls by itself when the
 * machine is shared. A bound that never falls below `openMin` lets a quiet node, or one that waits for a new writer,
 * take in what comes.
 *
 * Source: Nichols, Jacobson, "Controlling Queue Delay" (ACM Queue, 2012), for what to measure: time spent waiting, not
 * the length of the queue.
 */
import type { World } from "../world/mod.ts";

/** How much is let in. */
export interface AdmissionLimits {
  /** messages under way at a time that are always let in */
  openMin: number;
  /** and never more than these */
  openMax: number;
  /** what is let in should be done within so much time, ms */
  stayMs: number;
}

/** The limits where nothing else is said. 512 under way are a second's work of a node on a very busy machine. */
export const ADMISSION_LIMITS: Readonly<AdmissionLimits> = { openMin: 512, openMax: 16_384, stayMs: 1000 };

/** Counts what is under way from clients at this node. */
export class Admission {
  readonly #world: World;
  readonly #limits: AdmissionLimits;
  #open = 0;
  #windowFromMs: number;
  /** finished in this window, and in the one before */
  #done = 0;
  #doneBefore = 0;
  #refused = 0;

  constructor(world: World, limits: AdmissionLimits = ADMISSION_LIMITS) {
    this.#world = world;
    this.#limits = limits;
    this.#windowFromMs = world.nowMonoMs();
  }

  /** messages under way */
  get open(): number {
    return this.#open;
  }

  /** messages turned away since the start */
  get refused(): number {
    return this.#refused;
  }

  /** How many may be under way now. */
  get limit(): number {
    this.#roll();
    const { openMin, openMax } = this.#limits;
    return Math.min(openMax, Math.max(openMin, this.#done, this.#doneBefore));
  }

  /** Lets a message in, or not. Who is let in must {@linkcode leave}. */
  enter(): boolean {
    if (this.#open >= this.limit) {
      this.#refused++;
      return false;
    }
    this.#open++;
    return true;
  }

  /** A message that was let in is done. Only what was recorded says how much the node can do. */
  leave(isRecorded: boolean): void {
    this.#open--;
    this.#roll();
    if (isRecorded) this.#done++;
  }

  #roll(): void {
    const { stayMs } = this.#limits;
    const passedMs = this.#world.nowMonoMs() - this.#windowFromMs;
    if (passedMs < stayMs) return;
    // windows in which nothing happened at all have left nothing to go by
    this.#doneBefore = passedMs < 2 * stayMs ? this.#done : 0;
    this.#done = 0;
    this.#windowFromMs = this.#world.nowMonoMs();
  }
}
