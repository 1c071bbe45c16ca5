/**
 * Two ways in which bytes get into a file so that a crash leaves nothing half done: a whole file by renaming, and lines at
 * its end, where half a line is recognised and cut off.
 *
 * @module
 */

/** Where a file is to be. */
export interface Place {
  /** a folder that is there; it is not made, as a disk that is not mounted is no place to write to */
  readonly folder: string;
  /** path within it; folders on the way are made */
  readonly path: string;
}

/**
 * Puts a file there, whole or not at all.
 *
 * @returns `written`; `there` when a file of that name and these bytes was there; `other bytes` when one was there with
 *   others, and `replace` is false: it is left as it is
 */
export async function writeWhole(
  place: Place,
  bytes: Uint8Array,
  { replace, sync }: { replace: boolean; sync: boolean },
): Promise<"written" | "there" | "other bytes"> {
  const path = `${place.folder}/${place.path}`;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const before = await Deno.lstat(path).catch(() => null);
  if (before !== null && !replace) return await isSame(path, before, bytes) ? "there" : "other bytes";
  // a name of its own each time: two processes may be at the same delivery after a node was thought dead
  const draft = `${folder}/.${crypto.randomUUID()}.part`;
  try {
    using file = await openIn(place, draft, { write: true, createNew: true });
    for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
    if (sync) await file.sync();
    if (replace) await Deno.rename(draft, path);
    // a link, unlike a renaming, does not take the place of what somebody else has put there since
    else await linkOrRename(draft, path);
  } catch (error) {
    await Deno.remove(draft).catch(() => {});
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    return await isSame(path, await Deno.lstat(path), bytes) ? "there" : "other bytes";
  }
  if (sync) await syncFolder(folder);
  return "written";
}

/**
 * Puts lines at the end of a file, in one piece, under its lock: of several processes one at a time.
 *
 * @param lines without line feeds
 */
export async function appendLines(place: Place, lines: Uint8Array[], { sync }: { sync: boolean }): Promise<void> {
  using file = await openIn(place, `${place.folder}/${place.path}`, { read: true, write: true, create: true });
  await file.lock(true);
  const end = await endOfLastLine(file);
  await file.truncate(end);
  await file.seek(end, Deno.SeekMode.Start);
  const bytes = new Uint8Array(await new Blob(lines.flatMap((line) => [line, "\n"]) as BlobPart[]).arrayBuffer());
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
  if (sync) await file.syncData();
  await file.unlock();
}

const LOOK_BYTES = 64 * 1024;

/** Where the last whole line ends: half a one behind it is what a crash left, and was never said to be done. */
async function endOfLastLine(file: Deno.FsFile): Promise<number> {
  const { size } = await file.stat();
  for (let to = size; to > 0; to -= LOOK_BYTES) {
    const from = Math.max(0, to - LOOK_BYTES);
    await file.seek(from, Deno.SeekMode.Start);
    const piece = new Uint8Array(to - from);
    for (let at = 0; at < piece.length;) {
      const read = await file.read(piece.subarray(at));
      if (read === null) break;
      at += read;
    }
    const last = piece.lastIndexOf(0x0a);
    if (last >= 0) return from + last + 1;
  }
  return 0;
}

async function openIn({ folder, path }: Place, file: string, options: Deno.OpenOptions): Promise<Deno.FsFile> {
  try {
    return await Deno.open(file, options);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const within = path.split("/").slice(0, -1);
  for (let n = 1; n <= within.length; n++) {
    await Deno.mkdir([folder, ...within.slice(0, n)].join("/")).catch((error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    });
  }
  return await Deno.open(file, options);
}

/** Where a file system knows no links, a name that somebody takes in this very moment is replaced. */
async function linkOrRename(draft: string, path: string): Promise<void> {
  try {
    await Deno.link(draft, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) throw error;
    return await Deno.rename(draft, path);
  }
  await Deno.remove(draft);
}

async function isSame(path: string, { isFile, size }: Deno.FileInfo, bytes: Uint8Array): Promise<boolean> {
  if (!isFile || size !== bytes.length) return false;
  const there = await Deno.readFile(path);
  return there.length === bytes.length && there.every((byte, i) => byte === bytes[i]);
}

/** A new name is on the disk when its folder is. Where a file system cannot do that, the name may be lost in a power cut. */
async function syncFolder(folder: string): Promise<void> {
  try {
    using directory = await Deno.open(folder, { read: true });
    await directory.sync();
  } catch {
    // as said
  }
}
