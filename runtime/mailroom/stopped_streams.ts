/** Streams that are remembered as stopped; a sender that is forgotten has been silent while so many others stopped. */
const STOPPED_MAX = 10_000;

/**
 * Streams in which a message was refused for now. Were its successors let through, it would stand behind them when its
 * sender posts it again.
 */
export class StoppedStreams {
  readonly #refused = new Map<string, string>();

  /** true as nearly always: then nobody need be looked for */
  get isEmpty(): boolean {
    return this.#refused.size === 0;
  }

  /** Remembers the first message of the stream that was refused. */
  stop(stream: string, id: string): void {
    if (this.#refused.has(stream)) return;
    if (this.#refused.size >= STOPPED_MAX) this.#refused.delete(this.#refused.keys().next().value!);
    this.#refused.set(stream, id);
  }

  /** The id that must come first, or null when `id` may be posted; the one that was refused ends the stop. */
  stoppedBy(stream: string, id: string): string | null {
    const refused = this.#refused.get(stream);
    if (refused === undefined) return null;
    if (refused !== id) return refused;
    this.#refused.delete(stream);
    return null;
  }
}
