/**
 * The sender's book: what was acknowledged, actor by actor. Receipts are checked as they come in, the sum of them when a
 * run is over, and at last against what the nodes say they have.
 *
 * An actor's seqs have no gaps and no message gets two. So where every message was acknowledged, the receipts of an
 * actor are the numbers 1 to n: their count is n, their greatest is n, their sum n(n+1)/2.
 */

/** The part of a receipt that is looked at. */
export interface Receipt {
  key: string;
  id: string;
  seq: number;
  copies: string[];
  duplicate?: boolean;
}

/** What a receipt has to say. */
export interface ReceiptRule {
  copies: number;
  dataCenters: number;
}

/** A difference between the book and the nodes. */
export interface Audit {
  /** messages acknowledged, over all actors */
  acknowledged: number;
  /** messages that the nodes say they have */
  recorded: number;
  /** actors where both differ more than messages of unknown outcome explain */
  wrongActors: number;
}

/** The receipts of a fixed number of actors. */
export class Ledger {
  readonly #counts: Uint32Array;
  readonly #last: Uint32Array;
  readonly #sums: Float64Array;
  readonly #unknown: Uint32Array;
  readonly #rule: ReceiptRule;
  readonly #looked = new WeakMap<string[], boolean>();
  /** messages known not to be recorded */
  refused = 0;
  /** messages that may be recorded or not */
  unknown = 0;
  /** how often each error code came */
  readonly codes: Record<string, number> = {};
  /** receipts that call their message a duplicate, though it was sent once: a node sent it on twice */
  duplicates = 0;
  /** receipts that broke the rule, or answered another message than the one sent */
  wrongReceipts = 0;
  /** what was wrong with the first of them */
  firstWrong = "";

  constructor(actors: number, rule: ReceiptRule) {
    this.#counts = new Uint32Array(actors);
    this.#last = new Uint32Array(actors);
    this.#sums = new Float64Array(actors);
    this.#unknown = new Uint32Array(actors);
    this.#rule = rule;
  }

  /** Books a receipt for the message `id` to `actor`, whose key is `key`. */
  take(actor: number, sent: { key: string; id: string }, receipt: Receipt): void {
    const { key, id, seq, copies } = receipt;
    if (key !== sent.key || id !== sent.id || !(seq > 0) || !this.#isEnough(copies)) {
      this.firstWrong ||= `${JSON.stringify(receipt)} for ${JSON.stringify({ key: sent.key, id: sent.id })}`;
      this.wrongReceipts++;
      return;
    }
    // Allowed: the sums below find out whether one seq was really given twice.
    if (receipt.duplicate) this.duplicates++;
    this.#counts[actor]++;
    this.#sums[actor] += seq;
    if (seq > this.#last[actor]) this.#last[actor] = seq;
  }

  /** Books a message to `actor` without a receipt. */
  takeRefusal(actor: number, { code, outcome }: { code: string; outcome: string }): void {
    this.codes[code] = (this.codes[code] ?? 0) + 1;
    if (outcome === "not-applied") {
      this.refused++;
      return;
    }
    this.unknown++;
    this.#unknown[actor]++;
  }

  /** Compares the book with the nodes' `seqOf` each actor. */
  audit(seqOf: (actor: number) => number): Audit {
    const audit: Audit = { acknowledged: 0, recorded: 0, wrongActors: 0 };
    for (let actor = 0; actor < this.#counts.length; actor++) {
      const count = this.#counts[actor];
      const seq = seqOf(actor);
      audit.acknowledged += count;
      audit.recorded += seq;
      const isWhole = seq === count && this.#last[actor] === count && this.#sums[actor] === count * (count + 1) / 2;
      const isExplained = this.#unknown[actor] > 0 && seq >= this.#last[actor] && seq >= count &&
        seq <= count + this.#unknown[actor];
      if (!isWhole && !isExplained) audit.wrongActors++;
    }
    return audit;
  }

  /** Looked at once for each list that receipts share: what is frozen stays as it was. */
  #isEnough(copies: string[]): boolean {
    const known = this.#looked.get(copies);
    if (known !== undefined) return known;
    const isEnough = this.#meetsRule(copies);
    if (Object.isFrozen(copies)) this.#looked.set(copies, isEnough);
    return isEnough;
  }

  #meetsRule(copies: string[]): boolean {
    const { copies: least, dataCenters } = this.#rule;
    if (!Array.isArray(copies) || new Set(copies).size < least) return false;
    return dataCenters <= 1 || new Set(copies.map((name) => name.slice(0, name.indexOf("-")))).size >= dataCenters;
  }
}
