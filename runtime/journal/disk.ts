/**
 * What a journal needs of a disk: numbered files that are only ever appended to. Two of them: a folder of the machine
 * (`folder_disk.ts`), and one in memory that forgets what was not synced when its machine crashes (`memory_disk.ts`).
 */

/** Why bytes could not be written: there is no room, which may pass; or the disk is broken, which does not. */
export type DiskFault = "full" | "failed";

/** Files that can be appended to, synced and removed. One call at a time; each answers once, later. */
export interface Disk {
  /** Writes at the end of the file, which is at `offset`: what a failed attempt may have left there is overwritten. */
  write(file: number, offset: number, bytes: Uint8Array, done: (fault: DiskFault | null) => void): void;
  /** What was written to the file will be there after a crash of the machine. */
  sync(file: number, done: (fault: DiskFault | null) => void): void;
  /** Removes the file; that it fails does no harm. */
  remove(file: number): void;
  /** Gives everything back, also the right to be the only one here. */
  close(): void;
}

/** When what was written is synced: before anything is acknowledged, now and then, or when the system sees fit. */
export type SyncMode = "always" | "interval" | "never";
