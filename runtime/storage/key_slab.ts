/**
 * Keys side by side, in the order in which they came: a strip of labels. It grows by whole chunks and never moves a full
 * one; only the first starts small and doubles, as most shards have few actors. Chunks are small, as each of a thousand
 * shards has half of one to spare.
 */
const CHUNK_BITS = 12;
const CHUNK_BYTES = 1 << CHUNK_BITS;
const FIRST_BYTES = 128;

/** See the file's header. A key's place is one number: its chunk and its offset. */
export class KeySlab {
  #chunks: Uint8Array[] = [];
  #used = 0;
  #heldBytes = 0;

  /** bytes of memory, unused ones included */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** The bytes in which the key at `place` stands. */
  chunkOf(place: number): Uint8Array {
    return this.#chunks[place >>> CHUNK_BITS];
  }

  /** Where in them it starts. */
  offsetOf(place: number): number {
    return place & (CHUNK_BYTES - 1);
  }

  /** Copies `bytes[from, from + length)`, which must be shorter than a chunk, to the end; answers its place. */
  push(bytes: Uint8Array, from: number, length: number): number {
    // A key never lies across two chunks: what is left of a full one stays empty.
    const isFull = this.offsetOf(this.#used) + length > CHUNK_BYTES;
    const place = isFull ? ((this.#used >>> CHUNK_BITS) + 1) * CHUNK_BYTES : this.#used;
    const at = this.offsetOf(place);
    const chunk = this.#room(place >>> CHUNK_BITS, at + length);
    for (let i = 0; i < length; i++) chunk[at + i] = bytes[from + i];
    this.#used = place + length;
    return place;
  }

  /** Takes back the last key, which stands at `place`. */
  pop(place: number): void {
    this.#used = place;
    const chunks = (place >>> CHUNK_BITS) + 1;
    while (this.#chunks.length > chunks) this.#heldBytes -= this.#chunks.pop()!.length;
  }

  #room(number: number, bytes: number): Uint8Array {
    const chunk = this.#chunks[number];
    if (chunk !== undefined && bytes <= chunk.length) return chunk;
    let size = number > 0 ? CHUNK_BYTES : chunk === undefined ? FIRST_BYTES : chunk.length * 2;
    while (size < bytes) size *= 2;
    const larger = new Uint8Array(size);
    if (chunk !== undefined) larger.set(chunk);
    this.#heldBytes += size - (chunk?.length ?? 0);
    return this.#chunks[number] = larger;
  }
}
