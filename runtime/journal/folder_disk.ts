/**
 * A folder of the machine as the journal's disk: `00000001.journal`, `00000002.journal` ..., and a `lock` that one process
 * at a time has. Calls go to the runtime's threads, so a slow disk does not stand in the node's way.
 */
import { WaterparkError } from "../base/mod.ts";
import { gates } from "../world/mod.ts";
import type { Disk, DiskFault } from "./disk.ts";
import { type EntryLog, type JournalContents, JournalReading } from "./reading.ts";

const { files } = gates;
const NAME = /^(\d{8})\.journal$/;

/** A folder that is this process's alone, and what stands in it. */
export interface OpenFolder<Log extends EntryLog> {
  disk: Disk;
  contents: JournalContents<Log>;
}

/**
 * Opens the folder, which is made where there is none, and reads its journal; an end that a crash has torn off is cut.
 *
 * @throws {WaterparkError} `journal/in-use`, `journal/cannot-open`
 */
export async function openFolder<Log extends EntryLog>(
  path: string,
  options: { newLog: () => Log },
): Promise<OpenFolder<Log>> {
  let lock: gates.File;
  try {
    await files.mkdir(path, { recursive: true, mode: 0o700 });
    lock = await files.open(`${path}/lock`, { create: true, write: true });
  } catch (cause) {
    throw cannotOpen(path, cause);
  }
  if (!lock.tryLockSync(true)) {
    lock.close();
    throw new WaterparkError(`Cannot use the journal in "${path}" as one process at a time may: another one has it`, {
      code: "journal/in-use",
      outcome: "not-applied",
    });
  }
  try {
    const numbers: number[] = [];
    for await (const { name } of files.readDir(path)) {
      const found = NAME.exec(name);
      if (found !== null) numbers.push(Number(found[1]));
    }
    numbers.sort((a, b) => a - b);
    const reading = new JournalReading(options);
    for (const [i, file] of numbers.entries()) {
      reading.file(file, await files.readFile(pathOf(path, file)), i === numbers.length - 1);
    }
    const contents = reading.end();
    const newest = numbers.at(-1);
    // What was read may be in the system's memory only: from now on it counts as safe.
    if (newest !== undefined) await cut(pathOf(path, newest), contents.files.get(newest)!);
    return { disk: new FolderDisk(path, lock), contents };
  } catch (cause) {
    lock.close();
    throw cause instanceof WaterparkError ? cause : cannotOpen(path, cause);
  }
}

function cannotOpen(path: string, cause: unknown): WaterparkError {
  const state = cause instanceof Error ? cause.message : String(cause);
  return new WaterparkError(
    `Cannot use "${path}" for the journal as it must be a folder that can be written: ${state}`,
    {
      code: "journal/cannot-open",
      outcome: "not-applied",
      cause,
    },
  );
}

async function cut(path: string, bytes: number): Promise<void> {
  const file = await files.open(path, { write: true });
  await file.truncate(bytes);
  await file.sync();
  file.close();
}

function pathOf(folder: string, file: number): string {
  return `${folder}/${String(file).padStart(8, "0")}.journal`;
}

/** What the system says when there is no room: on the disk, or in what the user may have of it. */
const NO_ROOM = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

function faultOf(error: unknown): DiskFault {
  return NO_ROOM.has((error as { code?: string } | null)?.code ?? "") ? "full" : "failed";
}

class FolderDisk implements Disk {
  readonly #path: string;
  readonly #lock: gates.File;
  readonly #open = new Map<number, gates.File>();
  /** where the file's cursor is, unless a write has failed */
  readonly #at = new Map<number, number>();

  constructor(path: string, lock: gates.File) {
    this.#path = path;
    this.#lock = lock;
  }

  write(file: number, offset: number, bytes: Uint8Array, done: (fault: DiskFault | null) => void): void {
    this.#write(file, offset, bytes).then(() => null, faultOf).then(done);
  }

  sync(file: number, done: (fault: DiskFault | null) => void): void {
    this.#sync(file).then(() => null, faultOf).then(done);
  }

  remove(file: number): void {
    this.#open.get(file)?.close();
    this.#open.delete(file);
    // It is looked for again at the next start.
    files.remove(pathOf(this.#path, file)).catch(() => {});
  }

  close(): void {
    for (const file of this.#open.values()) file.close();
    this.#open.clear();
    this.#lock.close();
  }

  async #write(number: number, offset: number, bytes: Uint8Array): Promise<void> {
    let file = this.#open.get(number);
    if (file === undefined) {
      for (const [other, opened] of this.#open) {
        if (other < number - 1) {
          opened.close();
          this.#open.delete(other);
        }
      }
      file = await files.open(pathOf(this.#path, number), { create: true, write: true, mode: 0o600 });
      this.#open.set(number, file);
      // The folder's entry must outlive a crash, too.
      const folder = await files.open(this.#path);
      await folder.sync().finally(() => folder.close());
    }
    if (this.#at.get(number) !== offset) {
      await file.truncate(offset);
      await file.seek(offset, files.SeekMode.Start);
    }
    this.#at.delete(number);
    for (let written = 0; written < bytes.length;) written += await file.write(bytes.subarray(written));
    this.#at.clear();
    this.#at.set(number, offset + bytes.length);
  }

  async #sync(number: number): Promise<void> {
    await this.#open.get(number)?.syncData();
  }
}
