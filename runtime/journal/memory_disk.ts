/**
 * A disk in memory and in virtual time, for tests and the simulator. It outlives the process that writes to it, and it
 * can crash with its machine: then of what was written and not synced some beginning is left, and the last write may be
 * torn. It can be full, and it can break.
 */
import type { Disk, DiskFault } from "./disk.ts";
import type { World } from "../world/mod.ts";

/** How a {@linkcode MemoryDisk} behaves. */
export interface MemoryDiskOptions {
  /** how long a write takes, ms; default 0: at once, within the turn */
  writeMs?: () => number;
  /** how long a sync takes, ms; default 0 */
  syncMs?: () => number;
}

interface MemoryFile {
  bytes: Uint8Array;
  length: number;
  /** what a crash leaves in any case */
  synced: number;
}

/** What stands on the platter, whoever writes. */
export class MemoryDisk {
  /** bytes that fit; what is beyond does not */
  bytesMax = Infinity;
  /** every write and sync fails from now on */
  isBroken = false;
  readonly #files = new Map<number, MemoryFile>();
  readonly #options: MemoryDiskOptions;

  constructor(options: MemoryDiskOptions = {}) {
    this.#options = options;
  }

  /** the files, oldest first */
  get files(): { file: number; bytes: Uint8Array }[] {
    return [...this.#files].sort(([a], [b]) => a - b)
      .map(([file, { bytes, length }]) => ({ file, bytes: bytes.slice(0, length) }));
  }

  /** The way to it for one process: what that has under way when its world ends never answers. */
  open(world: World): Disk {
    const later = (ms: number, done: () => void) => ms === 0 ? world.soon(done) : void world.after(ms, done);
    const { writeMs = () => 0, syncMs = () => 0 } = this.#options;
    return {
      write: (file, offset, bytes, done) => {
        // What is under way at a crash may be there or not: it is there at once, and unsynced.
        const fault = this.#write(file, offset, bytes.slice());
        later(writeMs(), () => done(fault));
      },
      sync: (file, done) => {
        const found = this.#files.get(file);
        const length = found?.length ?? 0;
        later(syncMs(), () => {
          if (this.isBroken) return done("failed");
          if (found !== undefined) found.synced = Math.max(found.synced, Math.min(length, found.length));
          done(null);
        });
      },
      remove: (file) => void this.#files.delete(file),
      close: () => {},
    };
  }

  /** The machine crashes: of every file its synced part is left and a part of the rest, torn anywhere. */
  crash(random: () => number): void {
    for (const file of this.#files.values()) {
      const unsynced = file.length - file.synced;
      file.length = file.synced + Math.floor(unsynced * random());
      if (unsynced > 0 && file.length > file.synced && random() < 0.5) {
        const torn = Math.min(file.length - file.synced, 1 + Math.floor(random() * 64));
        for (let i = 1; i <= torn; i++) file.bytes[file.length - i] = Math.floor(random() * 256);
      }
    }
  }

  /** Cuts a file and syncs it, as who reads a journal does with a torn end. */
  cut(file: number, length: number): void {
    const found = this.#files.get(file);
    if (found !== undefined) found.length = found.synced = length;
  }

  /** Flips bits of one byte: damage. */
  flip(file: number, offset: number, bits = 1): void {
    this.#files.get(file)!.bytes[offset] ^= bits;
  }

  #write(number: number, offset: number, bytes: Uint8Array): DiskFault | null {
    if (this.isBroken) return "failed";
    let file = this.#files.get(number);
    if (file === undefined) this.#files.set(number, file = { bytes: new Uint8Array(4096), length: 0, synced: 0 });
    let used = 0;
    for (const each of this.#files.values()) used += each.length;
    const room = Math.max(0, this.bytesMax - used + file.length - offset);
    // As the system does it: what fits is written.
    const written = bytes.subarray(0, room);
    if (offset + written.length > file.bytes.length) {
      const larger = new Uint8Array(Math.max(offset + written.length, file.bytes.length * 2));
      larger.set(file.bytes);
      file.bytes = larger;
    }
    file.bytes.set(written, offset);
    file.length = offset + written.length;
    return written.length < bytes.length ? "full" : null;
  }
}
