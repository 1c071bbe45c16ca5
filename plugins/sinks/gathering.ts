/**
 * One request at a time, and whatever arrives meanwhile in the next one: nothing waits when there is little to do, and
 * requests grow by themselves when there is much.
 *
 * @module
 */
import type { Delivery, DeliveryEnd } from "@waterpark/waterpark";

/** What fits into one request. */
export interface GatheringLimits {
  readonly deliveriesMax: number;
  readonly bytesMax: number;
}

interface Waiting {
  delivery: Delivery;
  end: (end: DeliveryEnd) => void;
  fail: (error: Error) => void;
}

/** Gathers deliveries; how many wait is bounded by who calls, which waits for the answers. */
export class Gathering {
  readonly #limits: GatheringLimits;
  readonly #carry: (deliveries: Delivery[]) => Promise<readonly DeliveryEnd[]>;
  #waiting: Waiting[] = [];
  #isCarrying = false;

  /** @param carry brings some of them out; it is never called while it is at it */
  constructor(limits: GatheringLimits, carry: (deliveries: Delivery[]) => Promise<readonly DeliveryEnd[]>) {
    this.#limits = limits;
    this.#carry = carry;
  }

  /** Brings them out with others; of each its end. */
  deliver(deliveries: readonly Delivery[]): Promise<readonly DeliveryEnd[]> {
    const ends = deliveries.map((delivery) =>
      new Promise<DeliveryEnd>((end, fail) => this.#waiting.push({ delivery, end, fail }))
    );
    if (!this.#isCarrying) this.#carryAll();
    return Promise.all(ends);
  }

  async #carryAll(): Promise<void> {
    this.#isCarrying = true;
    // of what is called in this turn all goes together
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, this.#fitting());
      try {
        const ends = await this.#carry(some.map(({ delivery }) => delivery));
        some.forEach(({ end }, i) => end(ends[i]));
      } catch (error) {
        some.forEach(({ fail }) => fail(error as Error));
      }
    }
    this.#isCarrying = false;
  }

  /** How many go into one request: one at least, however large. */
  #fitting(): number {
    let count = 0;
    let bytes = 0;
    for (const { delivery } of this.#waiting) {
      bytes += delivery.bytes.length;
      if (count > 0 && (count === this.#limits.deliveriesMax || bytes > this.#limits.bytesMax)) break;
      count++;
    }
    return count;
  }
}
