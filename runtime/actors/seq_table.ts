/** A seq per row, 0 where nothing was set: four bytes a row, outside the V8 heap, grown by doubling. */
export class SeqTable {
  #seqs = new Uint32Array(0);

  /** the row's seq */
  get(row: number): number {
    return row < this.#seqs.length ? this.#seqs[row] : 0;
  }

  /** Sets the row's seq if that makes it larger: marks never go back. */
  raise(row: number, seq: number): void {
    if (row >= this.#seqs.length) {
      const larger = new Uint32Array(Math.max(row + 1, this.#seqs.length * 2, 8));
      larger.set(this.#seqs);
      this.#seqs = larger;
    }
    if (seq > this.#seqs[row]) this.#seqs[row] = seq;
  }
}
