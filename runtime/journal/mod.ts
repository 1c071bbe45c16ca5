/**
 * Journal: what a node keeps on disk of its copies, so that a process which comes back need not be given everything
 * again, and a cluster of which every process has died has lost nothing.
 *
 * It revives no identity: whoever starts with a journal is a new member all the same. The journal says what an earlier life
 * had; what that is worth is for `replication` (a copy that is fed starts with it) and `node` (a cluster is revived from
 * the most complete copies) to say. Its invariant: what was synced is found again, or its loss is noticed; nothing is
 * guessed.
 *
 * How a record looks stands in record.ts, how it gets to the disk in journal.ts, how it is read in reading.ts.
 *
 * @module
 */
export type { Disk, DiskFault, SyncMode } from "./disk.ts";
export { type OpenFolder, openFolder } from "./folder_disk.ts";
export { Journal, type JournalConfig, type JournalOptions } from "./journal.ts";
export { MemoryDisk, type MemoryDiskOptions } from "./memory_disk.ts";
export {
  type EntryLog,
  type JournalContents,
  type JournalNode,
  JournalReading,
  type RememberedCopy,
} from "./reading.ts";
export { type RewritableLog, Rewriting } from "./rewriting.ts";
