/**
 * A growing list of unsigned 32-bit numbers: one column of a table.
 *
 * It grows by whole chunks and never moves a full one, so that ten million numbers neither stall the thread with a
 * copy nor stand in memory twice. Only the first chunk starts small and doubles: most columns stay short. Chunks are
 * small (8 KiB), as a node has a thousand shards, each with half of one to spare.
 */
const CHUNK_BITS = 11;
const CHUNK = 1 << CHUNK_BITS;
const FIRST = 16;
const NOTHING = new Uint32Array(0);

/** See the file's header. Reading past `length` is a bug of the caller's and not checked here. */
export class U32Column {
  #chunks: Uint32Array[] = [];
  /** the first of them: most columns have no other, and what is a step shorter is a miss of the cache less */
  #first = NOTHING;
  #length = 0;
  #capacity = 0;

  /** how many numbers */
  get length(): number {
    return this.#length;
  }

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#capacity * 4;
  }

  get(at: number): number {
    return at < CHUNK ? this.#first[at] : this.#chunks[at >>> CHUNK_BITS][at & (CHUNK - 1)];
  }

  set(at: number, value: number): void {
    if (at < CHUNK) this.#first[at] = value;
    else this.#chunks[at >>> CHUNK_BITS][at & (CHUNK - 1)] = value;
  }

  push(value: number): void {
    if (this.#length === this.#capacity) this.#grow();
    this.set(this.#length++, value);
  }

  /** Drops the last number; chunks that have become empty are freed, but for one, lest push and pop take turns. */
  pop(): void {
    this.#length--;
    if (this.#capacity - this.#length >= 2 * CHUNK) {
      this.#chunks.pop();
      this.#capacity -= CHUNK;
    }
  }

  #grow(): void {
    if (this.#capacity >= CHUNK) {
      this.#chunks.push(new Uint32Array(CHUNK));
      this.#capacity += CHUNK;
      return;
    }
    const larger = new Uint32Array(this.#capacity === 0 ? FIRST : this.#capacity * 2);
    if (this.#capacity > 0) larger.set(this.#chunks[0]);
    this.#chunks[0] = this.#first = larger;
    this.#capacity = larger.length;
  }
}
