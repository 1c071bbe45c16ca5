/**
 * The journal of one node: what its copies are made of, as records in files that are only appended to.
 *
 * An image: a clerk beside the ledgers who writes down every line that is added anywhere, page after page, in one book
 * for all of them. He never turns back. At the end of each turn he takes what has gathered to the archive in one go (group
 * commit), and while he is away the next lines gather. When the oldest volume holds little that still counts, its
 * rest is written once more, and the volume is thrown away (`rewriting.ts`).
 *
 * Records are gathered synchronously; writing and syncing happen beside the turns. A disk without room is tried again
 * every second, and from the first failure on `fault` says that nothing here can be relied on meanwhile. A sync that has
 * failed is never tried again: nobody can say what the system has kept.
 */
import { assert } from "../base/mod.ts";
import { pack } from "../wire/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import type { Disk, DiskFault, SyncMode } from "./disk.ts";
import type { EntryLog, JournalContents, JournalNode } from "./reading.ts";
import { FLAG_DAMAGED, RECORD, RECORD_HEADER_BYTES, type RecordHeader, writeRecordHeader } from "./record.ts";

/** Times and bounds; node's config.ts has the defaults. */
export interface JournalConfig {
  /** with `interval`: between two syncs, ms */
  syncIntervalMs: number;
  /** a file that has grown to this is followed by the next */
  fileBytesMax: number;
  /** gathered and not written; more, and the node takes no entries */
  pendingBytesMax: number;
  /** old files are rewritten when they hold so much beyond twice what is alive */
  slackBytes: number;
}

/** What a {@linkcode Journal} is made of. */
export interface JournalOptions {
  world: World;
  disk: Disk;
  sync: SyncMode;
  config: JournalConfig;
  /** the node that writes */
  self: { name: string; incarnation: number };
  /** what was read of the same disk */
  contents: Pick<JournalContents<EntryLog>, "node" | "numbers" | "files"> & {
    copies: Map<number, { baseFile: number }>;
  };
  /** `fault` has changed */
  onFault?(fault: DiskFault | null): void;
}

/** How long a disk without room is left alone, ms. */
const AGAIN_MS = 1000;
const PAD = new Uint8Array(4);

interface Batch {
  file: number;
  offset: number;
  bytes: Uint8Array;
  length: number;
  /** who waits until it is safe */
  waiting: (() => void)[];
}

/** See the file's header. */
export class Journal {
  readonly sync: SyncMode;
  /** bytes handed to the disk, and syncs; for metrics */
  readonly counts = { bytes: 0, writes: 0, syncs: 0 };
  readonly #options: JournalOptions;
  readonly #node: JournalNode;
  readonly #numbers: Map<number, number>;
  /** bytes of each file */
  readonly #files: Map<number, number>;
  /** the oldest file that is needed for a shard */
  readonly #bases = new Map<number, number>();
  #file: number;
  /** the file that was written to last */
  #writtenTo = 0;
  #gathering: Batch | null = null;
  #flying: Batch | null = null;
  #isFlushing = false;
  #unsynced = false;
  #syncTimer: Timer | null = null;
  #fault: DiskFault | null = null;
  #isClosed = false;
  /** called when nothing is left to be written and synced */
  #onIdle: (() => void) | null = null;

  constructor(options: JournalOptions) {
    const { contents, self } = options;
    this.#options = options;
    this.sync = options.sync;
    this.#node = { ...contents.node, name: self.name, lives: [...contents.node.lives, self.incarnation] };
    this.#numbers = new Map(contents.numbers);
    this.#files = new Map(contents.files);
    for (const [shard, { baseFile }] of contents.copies) this.#bases.set(shard, baseFile);
    this.#file = Math.max(0, ...this.#files.keys()) + 1;
    this.#sayNode();
  }

  /** why nothing can be written, or null */
  get fault(): DiskFault | null {
    return this.#fault;
  }

  /** true: more has gathered than may; no entries may be taken until it is less */
  get isFull(): boolean {
    const gathered = (this.#gathering?.length ?? 0) + (this.#flying?.length ?? 0);
    return gathered > this.#options.config.pendingBytesMax;
  }

  /** bytes of all files */
  get diskBytes(): number {
    let sum = 0;
    for (const bytes of this.#files.values()) sum += bytes;
    return sum;
  }

  /** numbers of the files, oldest first */
  get files(): number[] {
    return [...this.#files.keys()].sort((a, b) => a - b);
  }

  /** shards of which something stands in this file or an older one that is needed */
  basedUpTo(file: number): number[] {
    return [...this.#bases].filter(([, base]) => base <= file).map(([shard]) => shard).sort((a, b) => a - b);
  }

  /** The cluster of the node is known, or another. */
  belongsTo(clusterId: string): void {
    if (this.#node.clusterId === clusterId) return;
    this.#node.clusterId = clusterId;
    this.#sayNode();
  }

  /** A copy of the shard begins here, empty. */
  begin(shard: number, generation: number): void {
    this.#node.dropped.delete(shard);
    this.#bases.set(shard, this.#add({ kind: RECORD.BEGIN, shard, generation }));
  }

  /** Entries from `first` on, which take the place of any that stood there; copied at once. */
  append(shard: number, entries: { generation: number; first: number; commit: number; bytes: Uint8Array }): void {
    this.#add({ kind: RECORD.APPEND, shard, ...entries }, entries.bytes);
  }

  /** The copy goes on as part of the generation, which may be another. */
  adopt(shard: number, generation: number): void {
    this.#add({ kind: RECORD.ADOPT, shard, generation });
  }

  /** The copy has left. */
  drop(shard: number, generation: number): void {
    this.#node.dropped.set(shard, generation);
    this.#bases.delete(shard);
    this.#add({ kind: RECORD.DROP, shard, generation });
  }

  /** Entries once more; answers the number of the file in which they stand. */
  rewrite(shard: number, entries: { generation: number; first: number; commit: number; bytes: Uint8Array }): number {
    return this.#add({ kind: RECORD.REWRITE, shard, ...entries }, entries.bytes);
  }

  /** The shard has been rewritten from `baseFile` on, up to entry `last`. */
  rewritten(
    shard: number,
    about: { generation: number; last: number; commit: number; baseFile: number; isDamaged?: boolean },
  ): void {
    const flags = about.isDamaged ? FLAG_DAMAGED : 0;
    const { generation, last, commit } = about;
    this.#add({ kind: RECORD.REWRITTEN, shard, generation, first: last, commit, flags });
    this.#bases.set(shard, about.baseFile);
  }

  /** Removes files, of which nobody needs anything, once all that was written is synced. */
  removeUpTo(file: number): void {
    assert(this.basedUpTo(file).length === 0 && file < this.#file, "nothing is removed that is needed");
    this.#whenSynced(() => {
      for (const each of this.files) {
        if (each > file) break;
        this.#options.disk.remove(each);
        this.#files.delete(each);
      }
    });
  }

  /**
   * The end of a turn: what has gathered goes to the disk. `safe` is called once it is as safe as `sync` says that it
   * must be before anything is acknowledged; with `interval` and `never` that is when it is written.
   */
  flush(safe: (() => void) | null = null): void {
    if (safe !== null) this.#batch().waiting.push(safe);
    this.#pump();
  }

  /** Writes and syncs everything, then gives the disk back; nothing may be added any more. */
  close(done: () => void): void {
    this.#isClosed = true;
    this.#syncTimer?.cancel();
    const end = () => {
      this.#options.disk.close();
      done();
    };
    if (this.#fault !== null) return end();
    this.#onIdle = end;
    this.#pump();
  }

  #sayNode(): void {
    const { name, clusterId, lives, dropped } = this.#node;
    const body = pack({ format: 1, name, clusterId, lives, dropped: [...dropped] });
    const bytes = new Uint8Array(4 + body.length);
    new DataView(bytes.buffer).setUint32(0, body.length, true);
    bytes.set(body, 4);
    this.#add({ kind: RECORD.NODE, shard: 0xffff, generation: 0 }, bytes);
  }

  #add(
    { kind, shard, generation, first = 0, commit = 0, flags = 0 }:
      & Pick<RecordHeader, "kind" | "shard" | "generation">
      & Partial<Pick<RecordHeader, "first" | "commit" | "flags">>,
    body: Uint8Array = PAD.subarray(4),
  ): number {
    assert(!this.#isClosed, "a journal that is closed takes nothing");
    const number = kind === RECORD.NODE ? 0 : (this.#numbers.get(shard) ?? 0) + 1;
    if (kind !== RECORD.NODE) this.#numbers.set(shard, number);
    const bodyBytes = (body.length + 3) & ~3;
    const batch = this.#batch();
    const at = batch.length;
    const bytes = room(batch, RECORD_HEADER_BYTES + bodyBytes);
    bytes.set(body, at + RECORD_HEADER_BYTES);
    if (bodyBytes > body.length) bytes.fill(0, at + RECORD_HEADER_BYTES + body.length, batch.length);
    const header = { kind, flags, shard, bodyBytes, generation, number, first, commit };
    writeRecordHeader(bytes, at, header, { file: batch.file, offset: batch.offset + at });
    return batch.file;
  }

  /** What gathers now; where it will stand is known from its first record on. */
  #batch(): Batch {
    if (this.#gathering !== null) return this.#gathering;
    let offset = this.#files.get(this.#file) ?? 0;
    if (this.#flying !== null && this.#flying.file === this.#file) offset = this.#flying.offset + this.#flying.length;
    const isNext = offset >= this.#options.config.fileBytesMax;
    if (isNext) {
      this.#file++;
      offset = 0;
    }
    this.#gathering = { file: this.#file, offset, bytes: new Uint8Array(4096), length: 0, waiting: [] };
    if (isNext) this.#sayNode();
    return this.#gathering;
  }

  #pump(): void {
    if (this.#flying !== null || this.#isFlushing) return;
    if (this.#gathering !== null) {
      this.#flying = this.#gathering;
      this.#gathering = null;
      return this.#write(this.#flying);
    }
    if (this.#onIdle === null) return;
    if (this.#unsynced) return this.#syncNow();
    const idle = this.#onIdle;
    this.#onIdle = null;
    idle();
  }

  #write(batch: Batch): void {
    const { disk } = this.#options;
    // Who waits for nothing waits for what was before.
    if (batch.length === 0) return this.#written(batch);
    disk.write(batch.file, batch.offset, batch.bytes.subarray(0, batch.length), (fault) => {
      if (fault !== null) return this.#failed(fault, batch);
      this.counts.writes++;
      this.counts.bytes += batch.length;
      this.#files.set(batch.file, batch.offset + batch.length);
      this.#setFault(null);
      this.#writtenTo = batch.file;
      // A file that is followed by another is synced once more with it: of it nothing may be missing then.
      this.#unsynced = true;
      if (this.sync === "always" || this.#isLastOfFile(batch)) {
        return disk.sync(batch.file, (fault) => {
          if (fault !== null) return this.#failed("failed", batch);
          this.counts.syncs++;
          this.#unsynced = false;
          this.#written(batch);
        });
      }
      if (this.sync === "interval") this.#planSync();
      this.#written(batch);
    });
  }

  #isLastOfFile({ file, offset, length }: Batch): boolean {
    return file < this.#file || offset + length >= this.#options.config.fileBytesMax;
  }

  #written(batch: Batch): void {
    this.#flying = null;
    for (const safe of batch.waiting) safe();
    this.#pump();
  }

  #failed(fault: DiskFault, batch: Batch): void {
    this.#setFault(fault);
    if (fault === "full" && !this.#isClosed) this.#options.world.after(AGAIN_MS, () => this.#write(batch));
  }

  #setFault(fault: DiskFault | null): void {
    if (this.#fault === fault || this.#fault === "failed") return;
    this.#fault = fault;
    this.#options.onFault?.(fault);
    // Who closes does not wait for a disk that has no room.
    if (fault !== null && this.#onIdle !== null) this.#onIdle();
  }

  #planSync(): void {
    if (this.#isClosed) return;
    this.#syncTimer ??= this.#options.world.after(this.#options.config.syncIntervalMs, () => {
      this.#syncTimer = null;
      if (this.#flying !== null || this.#isFlushing) return this.#planSync();
      this.#syncNow();
    });
  }

  /** Calls back once everything that has been added so far is written and synced. */
  #whenSynced(done: () => void): void {
    this.flush(() => {
      if (!this.#unsynced) return done();
      this.#options.world.soon(() => this.#syncNow(done));
    });
  }

  #syncNow(done?: () => void): void {
    if (this.#isFlushing || this.#flying !== null) {
      this.#options.world.after(1, () => this.#syncNow(done));
      return;
    }
    this.#isFlushing = true;
    this.#options.disk.sync(this.#writtenTo, (fault) => {
      this.#isFlushing = false;
      if (fault !== null) return this.#setFault("failed");
      this.counts.syncs++;
      this.#unsynced = false;
      done?.();
      this.#pump();
    });
  }
}

/** Makes room at the end of the batch, and answers its bytes. */
function room(batch: Batch, bytes: number): Uint8Array {
  batch.length += bytes;
  if (batch.length > batch.bytes.length) {
    const larger = new Uint8Array(Math.max(batch.length, batch.bytes.length * 2));
    larger.set(batch.bytes);
    batch.bytes = larger;
  }
  return batch.bytes;
}
