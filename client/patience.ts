/**
 * How long a silent node is waited for before another one is asked as well. A frozen process keeps its connections and
 * says nothing; a busy one takes its time. From outside only experience tells them apart: who is usually answered in
 * 20 ms need not wait for seconds, and who is usually answered in two seconds must not ask twice each time, as a cluster
 * that is slow because it has much to do would then have twice as much.
 *
 * Source: the estimate of a round trip of TCP (RFC 6298), one for each kind of question; hedged requests as in Dean and
 * Barroso, "The Tail at Scale" (2013).
 */

/** A kind of question, by what its answer waits for. */
export type QuestionKind = "send" | "send-handled" | "send-many" | "read" | "read-after" | "history" | "look" | "audit";

interface Usual {
  meanMs: number;
  spreadMs: number;
}

/** What is usual, by kind. */
export class Patience {
  readonly #leastMs: number;
  readonly #usual = new Map<QuestionKind, Usual>();

  /** @param leastMs a node is waited for at least so long */
  constructor(leastMs: number) {
    this.#leastMs = leastMs;
  }

  /**
   * An answer came after `tookMs`. Only answers count: a silent node's silence is what is looked for, and no measure of
   * what is usual.
   */
  learn(kind: QuestionKind, tookMs: number): void {
    const usual = this.#usual.get(kind);
    if (usual === undefined) {
      this.#usual.set(kind, { meanMs: tookMs, spreadMs: tookMs / 2 });
      return;
    }
    usual.spreadMs += (Math.abs(tookMs - usual.meanMs) - usual.spreadMs) / 4;
    usual.meanMs += (tookMs - usual.meanMs) / 8;
  }

  /** After so long without an answer to such a question another node is asked as well. */
  hedgeAfterMs(kind: QuestionKind): number {
    const usual = this.#usual.get(kind);
    return usual === undefined ? this.#leastMs : Math.max(this.#leastMs, usual.meanMs + 4 * usual.spreadMs);
  }
}
