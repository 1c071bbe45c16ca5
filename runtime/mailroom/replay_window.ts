const WINDOW = 8192;

/**
 * Lets every frame of one sender through once: the anti-replay window of IPsec (RFC 4303, 3.4.3).
 *
 * Without it a frame that the network has doubled could be answered "not appended" by its first copy and be appended by
 * its second; "not-applied" would then be a lie. A frame that is more than 8,192 behind the newest is dropped as lost:
 * its sender sends again.
 */
export class ReplayWindow {
  #highest = 0;
  readonly #seen = new Uint8Array(WINDOW);

  /** True the first time that frame `number` (from 1, growing) is shown. */
  accept(number: number): boolean {
    if (number <= this.#highest - WINDOW) return false;
    if (number > this.#highest) {
      const clear = Math.min(WINDOW, number - this.#highest);
      for (let i = 0; i < clear; i++) this.#seen[(number - i) % WINDOW] = 0;
      this.#highest = number;
    }
    const at = number % WINDOW;
    if (this.#seen[at] === 1) return false;
    this.#seen[at] = 1;
    return true;
  }
}
