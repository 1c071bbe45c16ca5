import { runPacker } from "./packing.ts";
import type { Timer, World } from "./world.ts";

/** A seeded source of chance: sfc32 (Doty-Humphrey's PractRand), 128 bits of state, passes BigCrush. */
export class SeededRandom {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** `seed`: any whole number up to 2^53; all of it counts. */
  constructor(seed: number) {
    this.#a = seed | 0;
    this.#b = Math.floor(seed / 0x100000000) | 0;
    this.#c = 0x9e3779b9 | 0;
    for (let i = 0; i < 15; i++) this.next32();
  }

  /** An unsigned 32-bit integer. */
  next32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }

  /** A number in [0, 1). */
  next(): number {
    return this.next32() / 0x100000000;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    return Math.floor(this.next() * below);
  }
}

/** A call that time will come to; made once for each timer, and nothing beside it. */
class Due implements Timer {
  readonly atMs: number;
  readonly order: number;
  fn: (() => void) | null;
  readonly isAlive: (() => boolean) | null;

  constructor(options: { atMs: number; order: number; fn: () => void; isAlive: (() => boolean) | null }) {
    this.atMs = options.atMs;
    this.order = options.order;
    this.fn = options.fn;
    this.isAlive = options.isAlive;
  }

  cancel(): void {
    this.fn = null;
  }
}

/**
 * Virtual time: nothing sleeps, time jumps to the next timer. Timers due at the same moment run in the order in which
 * they were set, so one seed is one history.
 */
export class SimulatedTime {
  /** Milliseconds since the simulation began. */
  nowMs = 0;
  #order = 0;
  #heap: Due[] = [];
  /** calls put off, and whether who put them off lives: in turns */
  #soon: (() => unknown)[] = [];

  /** Calls `fn` `delayMs` from now, if `isAlive` then. */
  after(delayMs: number, fn: () => void, isAlive: (() => boolean) | null = null): Timer {
    const due = new Due({ atMs: this.nowMs + Math.max(0, delayMs), order: this.#order++, fn, isAlive });
    this.#push(due);
    return due;
  }

  /** Calls `fn` after what is running now, if `isAlive` then. */
  soon(fn: () => void, isAlive: () => boolean = always): void {
    this.#soon.push(fn, isAlive);
  }

  /** Runs the next due timer and all that it put off with `soon`; false when nothing is left. */
  step(): boolean {
    this.#drain();
    for (;;) {
      const due = this.#pop();
      if (due === undefined) return false;
      const { fn } = due;
      if (fn === null) continue;
      this.nowMs = due.atMs;
      due.fn = null;
      if (due.isAlive === null || due.isAlive()) fn();
      this.#drain();
      return true;
    }
  }

  /** Runs everything due until `untilMs`, then stands at `untilMs`. */
  runUntil(untilMs: number): void {
    this.#drain();
    while (this.#heap.length > 0 && this.#heap[0].atMs <= untilMs) {
      // A cancelled one must not stand for the next, which may be due later.
      if (this.#heap[0].fn === null) this.#pop();
      else this.step();
    }
    this.nowMs = Math.max(this.nowMs, untilMs);
  }

  #drain(): void {
    const soon = this.#soon;
    if (soon.length === 0) return;
    for (let i = 0; i < soon.length; i += 2) if (soon[i + 1]()) soon[i]();
    soon.length = 0;
  }

  #push(due: Due): void {
    const heap = this.#heap;
    let i = heap.push(due) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (!before(due, heap[parent])) break;
      heap[i] = heap[parent];
      i = parent;
    }
    heap[i] = due;
  }

  #pop(): Due | undefined {
    const heap = this.#heap;
    const top = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1], heap[child])) child++;
      if (!before(heap[child], last)) break;
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = last;
    return top;
  }
}

function always(): boolean {
  return true;
}

function before(a: Due, b: Due): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}

/** What distinguishes one simulated node's world from another's in the same simulation. */
export interface SimulatedWorldOptions {
  /** the time that all nodes of a simulation share */
  time: SimulatedTime;
  /** this node's own chance */
  random: SeededRandom;
  /** how fast this node's clocks go: 1 is right, 1.01 gains 10 ms a second; default 1 */
  clockRate?: number;
  /** how far this node's wall clock is off now, in whole ms; it may jump; default never */
  wallOffsetMs?: () => number;
  /** false once the node has crashed: what it had planned never happens; default always true */
  isAlive?: () => boolean;
  /**
   * Runs what is due, now or later: a node's event loop that may be slow, or stand still. Calls must run one by one in
   * the order in which they came; default at once.
   */
  turn?: (fn: () => void) => void;
}

/** Wall time at which every simulation begins: 2026-01-01T00:00:00Z. */
export const SIMULATION_EPOCH_MS = 1767225600000;

/** So much later than computed is a timer of a clock with a rate of its own, ms: rounding must not make it early. */
const ROUNDING_MS = 1e-6;

/** A world driven by {@linkcode SimulatedTime}. */
export function simulatedWorld(options: SimulatedWorldOptions): World {
  const { time, random, clockRate = 1, wallOffsetMs, isAlive = always, turn } = options;
  const isRight = clockRate === 1;
  const realMs = (delayMs: number) => isRight ? delayMs : delayMs / clockRate + ROUNDING_MS;
  return {
    nowMonoMs: isRight ? () => time.nowMs : () => time.nowMs * clockRate,
    nowWallMs: () => SIMULATION_EPOCH_MS + Math.floor(time.nowMs * clockRate) + (wallOffsetMs?.() ?? 0),
    after: turn === undefined
      ? (delayMs, fn) => time.after(realMs(delayMs), fn, isAlive)
      : (delayMs, fn) => new TurnTimer(fn, turn, (due) => time.after(realMs(delayMs), due, isAlive)),
    soon: (fn) => time.soon(fn, isAlive),
    later: turn === undefined
      ? (fn) => void time.after(0, fn, isAlive)
      : (fn) => void time.after(0, () => turn(fn), isAlive),
    random: () => random.next(),
    randomBytes(length) {
      const bytes = new Uint8Array(length);
      for (let i = 0; i < length; i++) bytes[i] = random.next32() & 0xff;
      return bytes;
    },
    packer: runPacker,
  };
}

/** A timer whose call has to wait for its turn when it is due, and can be cancelled until then. */
class TurnTimer implements Timer {
  #fn: (() => void) | null;
  readonly #due: Timer;

  constructor(fn: () => void, turn: (fn: () => void) => void, plan: (due: () => void) => Timer) {
    this.#fn = fn;
    this.#due = plan(() => turn(() => this.#fn?.()));
  }

  cancel(): void {
    this.#fn = null;
    this.#due.cancel();
  }
}
