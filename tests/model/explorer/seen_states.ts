/**
 * The set of states that were seen, each as 64 bits of hash and how it was reached. Two states with the same hash would
 * be taken for one: at ten million states that is a chance of 1 in 300,000.
 */
import { mix32 } from "../../../runtime/base/mod.ts";

const SIZE_FIRST = 1 << 16;

/** Numbers of states are given in the order in which they are added. */
export class SeenStates {
  #size = SIZE_FIRST;
  #places = new Int32Array(SIZE_FIRST).fill(-1);
  #a = new Int32Array(SIZE_FIRST);
  #b = new Int32Array(SIZE_FIRST);
  #before = new Int32Array(SIZE_FIRST);
  #code = new Float64Array(SIZE_FIRST);
  #count = 0;

  /** False when it was there. */
  add(state: Int32Array, { before, code }: { before: number; code: number }): boolean {
    let a = 0x9747b28c, b = 0x3c6ef372;
    for (let i = 0; i < state.length; i++) {
      a = Math.imul(a ^ state[i], 0x85ebca6b);
      a = (a << 13) | (a >>> 19);
      b = Math.imul(b + state[i] + 1, 0xc2b2ae35);
      b = (b << 17) | (b >>> 15);
      b ^= a;
    }
    a = mix32(a) | 0;
    b = mix32(b) | 0;
    const mask = this.#places.length - 1;
    let at = a & mask;
    for (; this.#places[at] >= 0; at = (at + 1) & mask) {
      const number = this.#places[at];
      if (this.#a[number] === a && this.#b[number] === b) return false;
    }
    if (this.#count === this.#size) this.#grow();
    const number = this.#count++;
    this.#a[number] = a;
    this.#b[number] = b;
    this.#before[number] = before;
    this.#code[number] = code;
    this.#places[at] = number;
    if (this.#count * 2 > this.#places.length) this.#rehash();
    return true;
  }

  /** The state from which this one was reached, and by which step. */
  before(number: number): number {
    return this.#before[number];
  }

  code(number: number): number {
    return this.#code[number];
  }

  #grow(): void {
    this.#size *= 2;
    this.#a = larger(this.#a, new Int32Array(this.#size));
    this.#b = larger(this.#b, new Int32Array(this.#size));
    this.#before = larger(this.#before, new Int32Array(this.#size));
    const code = new Float64Array(this.#size);
    code.set(this.#code);
    this.#code = code;
  }

  #rehash(): void {
    this.#places = new Int32Array(this.#places.length * 2).fill(-1);
    const mask = this.#places.length - 1;
    for (let number = 0; number < this.#count; number++) {
      let at = this.#a[number] & mask;
      while (this.#places[at] >= 0) at = (at + 1) & mask;
      this.#places[at] = number;
    }
  }
}

function larger(from: Int32Array, to: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  to.set(from);
  return to;
}
