/**
 * How entries become a slab: sorted by actor, in the order of the log within each, and packed in blocks.
 *
 * Sorted by a hash of the key, not by the key: that is a sort of numbers, and two actors of one hash that come to lie
 * among each other do no harm. What is no message comes first. 1 MiB takes some 5 ms, nearly all of it for packing.
 */
import { hash32 } from "../base/mod.ts";
import { ENTRY, MESSAGE_TEXTS_AT, strideOf } from "./entry.ts";
import { BLOCK_BYTES, Slab } from "./slab.ts";
import type { SlabRoom } from "./slab_room.ts";

/** More entries than this cannot stand in a segment: each has 12 bytes at least. */
const ENTRIES_MAX = 1 << 17;

/**
 * Copies the entries at `offsets` in the order in which they are sealed.
 *
 * @returns the bytes, and where each of the entries is now
 */
export function clustered(
  bytes: Uint8Array,
  view: DataView,
  offsets: readonly number[],
): { bytes: Uint8Array<ArrayBuffer>; offsets: Uint32Array } {
  // cluster and number of the entry in one float: 33 + 17 bits
  const order = new Float64Array(offsets.length);
  let total = 0;
  for (let i = 0; i < offsets.length; i++) {
    order[i] = clusterOf(bytes, view, offsets[i]) * ENTRIES_MAX + i;
    total += strideOf(view.getUint32(offsets[i], true));
  }
  order.sort();
  const sorted = new Uint8Array(total);
  const places = new Uint32Array(offsets.length);
  let to = 0;
  for (const each of order) {
    const i = each % ENTRIES_MAX;
    const from = offsets[i];
    const stride = strideOf(view.getUint32(from, true));
    sorted.set(bytes.subarray(from, from + stride), to);
    places[i] = to;
    to += stride;
  }
  return { bytes: sorted, offsets: places };
}

/** Packs sorted entries that start at `offsets`, whatever the offsets' order. */
export function packed(bytes: Uint8Array, offsets: Uint32Array, room: SlabRoom): Slab {
  const starts = [0];
  for (const at of offsets.slice().sort()) {
    if (at - starts[starts.length - 1] >= BLOCK_BYTES) starts.push(at);
  }
  starts.push(bytes.length);
  return new Slab(bytes, starts, room);
}

function clusterOf(bytes: Uint8Array, view: DataView, at: number): number {
  const kind = bytes[at + 8];
  if (kind !== ENTRY.MESSAGE && kind !== ENTRY.RETIRE) return 0;
  const from = at + MESSAGE_TEXTS_AT;
  return hash32(bytes, 0, from, from + view.getUint16(at + 48, true)) + 1;
}
