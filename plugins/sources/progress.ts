/**
 * Which of many messages under way are behind us: those of one key go one after the other, those of different keys side by
 * side, and a place in a stream is passed only when all before it are.
 *
 * @module
 */

/** Passed places of one stream: the lowest that is still under way bounds it. */
export class Passed {
  /** places begun, in order, and whether they are done */
  readonly #begun: { place: bigint; isDone: boolean }[] = [];
  #next: bigint | null = null;

  /** A message begins; places come in order. @returns to be called when it is done */
  begin(place: bigint): () => void {
    const entry = { place, isDone: false };
    this.#begun.push(entry);
    return () => {
      entry.isDone = true;
      while (this.#begun[0]?.isDone) this.#next = this.#begun.shift()!.place + 1n;
    };
  }

  /** How many have begun and are not passed: the first of them is not done. */
  get ahead(): number {
    return this.#begun.length;
  }

  /** The first place that is not passed; null while none is. */
  get next(): bigint | null {
    return this.#next;
  }
}

/** Runs tasks of one key one after the other, of different keys side by side, so many at a time. */
export class KeyedQueue {
  readonly #openMax: number;
  readonly #last = new Map<string, Promise<void>>();
  #open = 0;
  #failure: { error: unknown } | null = null;
  #wake: (() => void) | null = null;

  constructor(openMax: number) {
    this.#openMax = openMax;
  }

  /**
   * Adds a task; resolves when there is room for a further one.
   *
   * @throws what a task has thrown: nothing more is begun then
   */
  async add(key: string, task: () => Promise<void>): Promise<void> {
    this.#throwFailure();
    this.#open++;
    const run = async () => {
      try {
        if (this.#failure === null) await task();
      } catch (error) {
        this.#failure ??= { error };
      } finally {
        this.#open--;
        if (this.#last.get(key) === mine) this.#last.delete(key);
        this.#wake?.();
      }
    };
    const mine: Promise<void> = (this.#last.get(key) ?? Promise.resolve()).then(run);
    this.#last.set(key, mine);
    while (this.#open >= this.#openMax && this.#failure === null) await this.#change();
    this.#throwFailure();
  }

  /** Resolves when nothing is under way; throws as `add` does. */
  async end(): Promise<void> {
    while (this.#open > 0) await this.#change();
    this.#throwFailure();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake = resolve);
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
