/**
 * Memory for small things that live shortly: frames and payloads. Each is a view of a slab of 64 KiB, which lives as long
 * as any of them, so nobody may keep one for long: whoever stores bytes copies them.
 *
 * Why: a `Uint8Array` with a buffer of its own costs 400 ns and the collector's attention, a view of a slab 20 ns (Deno
 * 2.9.6, measured), and at a hundred thousand frames a second that was a fifth of all time.
 */

/** Larger things get memory of their own. */
const SMALL_BYTES_MAX = 4 * 1024;
const SLAB_BYTES = 64 * 1024;

let slab = new ArrayBuffer(SLAB_BYTES);
let used = 0;

/** `length` bytes, all zero. */
export function allocate(length: number): Uint8Array<ArrayBuffer> {
  if (length > SMALL_BYTES_MAX) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new ArrayBuffer(SLAB_BYTES);
    used = 0;
  }
  const bytes = new Uint8Array(slab, used, length);
  used += length;
  return bytes;
}

/** Sizes of memory that is given back and used again: from the first, each twice the one before. */
const LENT_BYTES_MIN = 8 * 1024;
const LENT_SIZES = 5;
/** Buffers of each size that wait to be used again; more are left to the collector. */
const KEPT_MAX = 16;

const kept: ArrayBuffer[][] = Array.from({ length: LENT_SIZES }, () => []);
const lent = new WeakSet<ArrayBuffer>();

/**
 * `length` bytes, whatever is in them, for something that goes out: whoever has written it gives it back. Larger things
 * would else be fresh memory each time, of which every 4 KiB cost 2 us of the system's (measured) before they are written
 * to, and which the collector counts.
 */
export function borrow(length: number): Uint8Array<ArrayBuffer> {
  if (length <= SMALL_BYTES_MAX) return allocate(length);
  let size = 0;
  while (size < LENT_SIZES && length > LENT_BYTES_MIN << size) size++;
  if (size === LENT_SIZES) return new Uint8Array(length);
  const buffer = kept[size].pop() ?? new ArrayBuffer(LENT_BYTES_MIN << size);
  lent.add(buffer);
  return new Uint8Array(buffer, 0, length);
}

/** Nobody has these bytes, or any others of the same memory, any more. What is not borrowed is left alone. */
export function giveBack({ buffer }: Uint8Array<ArrayBuffer>): void {
  if (!lent.delete(buffer)) return;
  const size = Math.log2(buffer.byteLength / LENT_BYTES_MIN);
  if (kept[size].length < KEPT_MAX) kept[size].push(buffer);
}
