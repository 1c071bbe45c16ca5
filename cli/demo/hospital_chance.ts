import { SeededRandom } from "../../runtime/world/mod.ts";

/** Chance with the shapes that a hospital has. */
export class Chance {
  readonly #random: SeededRandom;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
  }

  /** True in `share` of the cases. */
  happens(share: number): boolean {
    return this.#random.next() < share;
  }

  /** One of `list`. */
  pick<T>(list: readonly T[]): T {
    return list[this.#random.below(list.length)];
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + this.#random.below(to - from + 1);
  }

  /** Bell-shaped, mean 0, deviation 1, never beyond 6: twelve uniform numbers, no logarithm that platforms round differently. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.#random.next();
    return sum;
  }

  /** Around `meanMs`, from a third of it to three times it: how long things take. */
  duration(meanMs: number): number {
    const u = this.#random.next();
    return Math.round(meanMs * (1 / 3 + u * u * 2));
  }

  /** `length` decimal digits, the first not 0. */
  digits(length: number): string {
    let text = String(this.between(1, 9));
    while (text.length < length) text += this.#random.below(10);
    return text;
  }
}
