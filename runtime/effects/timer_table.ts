/**
 * The open timers of one shard: which message is to be recorded when. A pure function of the committed log, the same on
 * every copy: `open` and `close` are called for committed outcomes, messages and ends of lives, in log order.
 *
 * Think of a drawer of alarm slips, one row a slip, sorted by a heap of row numbers; the slip says where in the log the
 * message stands and holds no text. All of it is columns of numbers outside the V8 heap, 64 bytes a timer: names and
 * ids are known by 64-bit digests, told apart within one actor only.
 */
import { type Digest64, digest64 } from "../base/mod.ts";

/** An open timer. */
export interface OpenTimer {
  /** row of the actor in this copy */
  row: number;
  /** wall time before which it does not fire, ms since 1970 */
  dueMs: number;
  /** of the plugin and the timer's name */
  name: Digest64;
  /** of the effect's id, which the fired message will have */
  id: Digest64;
  /** log index of the OUTCOMES entry */
  outcomeIndex: number;
  /** place of the effect among those of the entry */
  position: number;
}

const ENCODER = new TextEncoder();

/** How a timer is known: by its plugin and name. */
export function timerName(plugin: string, name: string): Digest64 {
  return digest64(ENCODER.encode(`${plugin}\n${name}`));
}

/** How a message is known as a timer's: by its id. */
export function timerId(id: string): Digest64 {
  return digest64(ENCODER.encode(id));
}

/** A column's place in the table of whole numbers. */
const ROW = 0, NAME_HI = 1, NAME_LO = 2, ID_HI = 3, ID_LO = 4, INDEX = 5, POSITION = 6, NEXT = 7, HEAP = 8;
const COLUMNS = 9;
/** What stands in HEAP while a timer is not in the heap: it is on its way into the log. */
const AWAY = 0xffffffff;
const CAPACITY_FIRST = 8;

/** See the file's header. Timers are numbered from 1; a number is used again when its timer has closed. */
export class TimerTable {
  #dues = new Float64Array(0);
  #cells = new Uint32Array(0);
  /** numbers in heap order */
  #heap = new Uint32Array(0);
  #heapSize = 0;
  #size = 0;
  #used = 0;
  /** first of the free numbers, chained by NEXT */
  #free = 0;
  /** row -> number of its latest timer, which leads to the others by NEXT */
  readonly #rows = new Map<number, number>();

  /** how many are open */
  get size(): number {
    return this.#size;
  }

  /** bytes of memory, but for some 40 per actor that has timers */
  get heldBytes(): number {
    return this.#dues.byteLength + this.#cells.byteLength + this.#heap.byteLength;
  }

  /** true while the actor has a timer */
  has(row: number): boolean {
    return this.#size > 0 && this.#rows.has(row);
  }

  /** how many timers the actor has */
  countOf(row: number): number {
    let count = 0;
    for (let number = this.has(row) ? this.#rows.get(row)! : 0; number !== 0; number = this.#get(number, NEXT)) count++;
    return count;
  }

  /** Opens a timer; one of the same name must have been closed before. */
  open(timer: OpenTimer): void {
    const number = this.#take();
    this.#dues[number - 1] = timer.dueMs;
    const cells = [
      timer.row,
      timer.name.hi,
      timer.name.lo,
      timer.id.hi,
      timer.id.lo,
      timer.outcomeIndex,
      timer.position,
    ];
    cells.forEach((value, column) => this.#set(number, column, value));
    this.#set(number, NEXT, this.#rows.get(timer.row) ?? 0);
    this.#rows.set(timer.row, number);
    this.#size++;
    this.#heap[this.#heapSize] = number;
    this.#rise(this.#heapSize++);
  }

  /** The actor's open timer of this name; 0 = none. */
  named(row: number, name: Digest64): number {
    return this.#find(row, NAME_HI, name);
  }

  /** The actor's open timer whose fired message has this id; 0 = none. */
  withId(row: number, id: Digest64): number {
    return this.#find(row, ID_HI, id);
  }

  /** A timer by its number. */
  at(number: number): OpenTimer {
    const get = (column: number) => this.#get(number, column);
    return {
      row: get(ROW),
      dueMs: this.#dues[number - 1],
      name: { hi: get(NAME_HI), lo: get(NAME_LO) },
      id: { hi: get(ID_HI), lo: get(ID_LO) },
      outcomeIndex: get(INDEX),
      position: get(POSITION),
    };
  }

  /** Closes a timer: it was fired, cancelled or replaced. */
  close(number: number): void {
    const row = this.#get(number, ROW);
    const next = this.#get(number, NEXT);
    let at = this.#rows.get(row)!;
    if (at === number) {
      if (next === 0) this.#rows.delete(row);
      else this.#rows.set(row, next);
    } else {
      while (this.#get(at, NEXT) !== number) at = this.#get(at, NEXT);
      this.#set(at, NEXT, next);
    }
    this.#leaveHeap(number);
    this.#set(number, NEXT, this.#free);
    this.#free = number;
    this.#size--;
  }

  /** Closes all timers of an actor. */
  closeAll(row: number): void {
    for (let number = this.#rows.get(row); number !== undefined; number = this.#rows.get(row)) this.close(number);
  }

  /** The timer that is due first of those at hand, and among equals the one that was decided first; 0 = none. */
  first(): number {
    return this.#heapSize === 0 ? 0 : this.#heap[0];
  }

  /** when the first is due, ms since 1970; Infinity = none is at hand */
  get firstDueMs(): number {
    return this.#heapSize === 0 ? Infinity : this.#dues[this.#heap[0] - 1];
  }

  /** Takes a timer in hand: it is open, but `first` passes it over until it is put back or closed. */
  takeInHand(number: number): void {
    this.#leaveHeap(number);
  }

  /** Puts back what was taken in hand; true if it was. */
  putBack(number: number): boolean {
    if (this.#get(number, HEAP) !== AWAY) return false;
    this.#heap[this.#heapSize] = number;
    this.#rise(this.#heapSize++);
    return true;
  }

  #find(row: number, column: number, digest: Digest64): number {
    let number = this.#size === 0 ? 0 : this.#rows.get(row) ?? 0;
    while (number !== 0 && (this.#get(number, column) !== digest.hi || this.#get(number, column + 1) !== digest.lo)) {
      number = this.#get(number, NEXT);
    }
    return number;
  }

  #take(): number {
    const number = this.#free;
    if (number !== 0) {
      this.#free = this.#get(number, NEXT);
      return number;
    }
    if (this.#used === this.#dues.length) this.#grow();
    return ++this.#used;
  }

  #grow(): void {
    const capacity = Math.max(CAPACITY_FIRST, this.#dues.length * 2);
    const dues = new Float64Array(capacity);
    const cells = new Uint32Array(capacity * COLUMNS);
    const heap = new Uint32Array(capacity);
    dues.set(this.#dues);
    cells.set(this.#cells);
    heap.set(this.#heap);
    [this.#dues, this.#cells, this.#heap] = [dues, cells, heap];
  }

  #get(number: number, column: number): number {
    return this.#cells[(number - 1) * COLUMNS + column];
  }

  #set(number: number, column: number, value: number): void {
    this.#cells[(number - 1) * COLUMNS + column] = value;
  }

  #isBefore(a: number, b: number): boolean {
    const [dueA, dueB] = [this.#dues[a - 1], this.#dues[b - 1]];
    if (dueA !== dueB) return dueA < dueB;
    const [indexA, indexB] = [this.#get(a, INDEX), this.#get(b, INDEX)];
    return indexA === indexB ? this.#get(a, POSITION) < this.#get(b, POSITION) : indexA < indexB;
  }

  #leaveHeap(number: number): void {
    const place = this.#get(number, HEAP);
    if (place === AWAY) return;
    this.#set(number, HEAP, AWAY);
    const last = this.#heap[--this.#heapSize];
    if (last === number) return;
    this.#heap[place] = last;
    this.#sink(place);
    this.#rise(this.#get(last, HEAP));
  }

  #rise(place: number): void {
    const number = this.#heap[place];
    while (place > 0) {
      const above = (place - 1) >> 1;
      if (!this.#isBefore(number, this.#heap[above])) break;
      this.#put(place, this.#heap[above]);
      place = above;
    }
    this.#put(place, number);
  }

  #sink(place: number): void {
    const number = this.#heap[place];
    for (;;) {
      let below = 2 * place + 1;
      if (below >= this.#heapSize) break;
      if (below + 1 < this.#heapSize && this.#isBefore(this.#heap[below + 1], this.#heap[below])) below++;
      if (!this.#isBefore(this.#heap[below], number)) break;
      this.#put(place, this.#heap[below]);
      place = below;
    }
    this.#put(place, number);
  }

  #put(place: number, number: number): void {
    this.#heap[place] = number;
    this.#set(number, HEAP, place);
  }
}
