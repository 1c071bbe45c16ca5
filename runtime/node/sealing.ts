/**
 * Sealing: the archivist, who packs a little of what is old each time he comes by.
 *
 * Only committed entries are packed, a slice of one or two shards at a time, and only once the node holds more than
 * `fromBytes` that are not packed. The slice grows with what waits: all of it is to be packed within `withinMs`, but
 * never more than `sliceBytesMax` at once, which bounds both the pause (5 ms for 1 MiB) and the share of the thread
 * (a tenth). A burst is taken first and packed later.
 */
import { SlabRoom } from "../storage/mod.ts";
import type { Sample } from "../telemetry/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { NodeCore } from "./core.ts";

/** Settings of {@linkcode Sealing}. */
export interface SealingConfig {
  /** between two slices, ms */
  everyMs: number;
  /** entries that are not packed and are left alone, bytes */
  fromBytes: number;
  /** of one slice, bytes */
  sliceBytesMax: number;
  /** what waits is to be packed within so long, ms */
  withinMs: number;
  /** segments with less in them are left alone, bytes */
  segmentBytesMin: number;
  /** unpacked blocks that are kept for who reads next, bytes */
  cacheBytesMax: number;
}

/** Shards that are looked at in a turn in which nothing is packed. */
const IDLE_LOOKS = 64;

/** Packs old entries of all copies here. */
export class Sealing {
  readonly #core: NodeCore;
  readonly #room: SlabRoom;
  #timer: Timer | null = null;
  /** shard that is looked at next */
  #next = 0;
  /** bytes of this round that are not packed, and those of the round before */
  #found = 0;
  #waiting = 0;

  constructor({ core }: { core: NodeCore }) {
    this.#core = core;
    const { cacheBytesMax, segmentBytesMin } = core.config.sealing;
    this.#room = new SlabRoom({ packer: core.world.packer, cacheBytesMax, segmentBytesMin });
  }

  start(): void {
    this.#timer = this.#core.world.after(this.#core.config.sealing.everyMs, () => {
      this.#slice();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  /** What is packed here, for metrics. */
  samples(): Sample[] {
    let rawBytes = 0;
    let heldBytes = 0;
    let memoryBytes = 0;
    for (let shard = 0; shard < DATA_SHARDS; shard++) {
      const store = this.#core.replication.store(shard);
      rawBytes += store?.sealedRawBytes ?? 0;
      heldBytes += store?.sealedHeldBytes ?? 0;
      memoryBytes += store?.heldBytes ?? 0;
    }
    const { cachedBytes, hits, misses } = this.#room;
    return [
      { name: "store_bytes", help: "memory of all copies here, tables and free room included", value: memoryBytes },
      { name: "sealed_raw_bytes", help: "bytes of entries that are packed, as they were before", value: rawBytes },
      { name: "sealed_bytes", help: "bytes that packed entries take", value: heldBytes },
      { name: "sealed_cache_bytes", help: "unpacked bytes kept for who reads next", value: cachedBytes },
      { name: "sealed_cache_hits", help: "reads of packed blocks that were at hand", value: hits },
      { name: "sealed_cache_misses", help: "packed blocks that were unpacked to be read", value: misses },
    ];
  }

  /** Looks at shards in turn, each at most once, until a slice is packed. */
  #slice(): void {
    const { replication, config } = this.#core;
    const { fromBytes, everyMs, withinMs, sliceBytesMax } = config.sealing;
    const excess = this.#waiting - fromBytes;
    let left = Math.min(excess * everyMs / withinMs, sliceBytesMax);
    for (let looks = excess > 0 ? DATA_SHARDS : IDLE_LOOKS; looks > 0; looks--) {
      const shard = this.#next++;
      const store = replication.store(shard);
      if (store !== null) {
        if (left > 0) {
          left -= store.sealSome(replication.commitIndex(shard), { bytesMax: left, room: this.#room });
        }
        this.#found += store.bytes - store.sealedRawBytes;
      }
      if (this.#next === DATA_SHARDS) {
        this.#waiting = this.#found;
        this.#next = this.#found = 0;
      }
      if (excess > 0 && left <= 0) break;
    }
  }
}
