import { assert } from "../base/mod.ts";

/** What can be put on a {@linkcode TimeoutWheel}. */
export interface OnWheel {
  /** the wheel's own note; -1 when it is on no wheel */
  wheelSlot: number;
}

const SLOTS = 512;

/**
 * Due times of very many things, of which nearly all end before they are due: a clock face with 512 boxes. Putting in and
 * taking out cost the same however many there are, and the world sees one timer, not one each.
 *
 * Things may be found due up to one tick late, never early. What lies further ahead than the face goes into the farthest
 * box: the owner is asked then and puts it in again. Hashed timing wheel, scheme 6: Varghese and Lauck, 1987.
 */
export class TimeoutWheel<T extends OnWheel> {
  readonly #boxes: Set<T>[] = Array.from({ length: SLOTS }, () => new Set<T>());
  readonly #tickMs: number;
  /** the tick up to which everything has been taken out */
  #tick: number;

  constructor(options: { tickMs: number; nowMs: number }) {
    this.#tickMs = options.tickMs;
    this.#tick = Math.floor(options.nowMs / options.tickMs);
  }

  /** Puts `item` in, to be found at `dueMs` or up to a tick later. */
  add(item: T, dueMs: number): void {
    assert(item.wheelSlot === -1, "a thing is on the wheel once");
    const ticks = Math.ceil(dueMs / this.#tickMs) - this.#tick;
    item.wheelSlot = (this.#tick + Math.max(1, Math.min(SLOTS - 1, ticks))) % SLOTS;
    this.#boxes[item.wheelSlot].add(item);
  }

  /** Takes `item` out. */
  remove(item: T): void {
    if (item.wheelSlot === -1) return;
    this.#boxes[item.wheelSlot].delete(item);
    item.wheelSlot = -1;
  }

  /** Takes out all that is due at `nowMs`, in order of ticks, then of putting in. */
  due(nowMs: number): T[] {
    const tick = Math.floor(nowMs / this.#tickMs);
    const due: T[] = [];
    // After a long stall one turn of the face is enough.
    if (tick - this.#tick > SLOTS) this.#tick = tick - SLOTS;
    while (this.#tick < tick) {
      this.#tick++;
      const box = this.#boxes[this.#tick % SLOTS];
      for (const item of box) {
        item.wheelSlot = -1;
        due.push(item);
      }
      box.clear();
    }
    return due;
  }
}
