/**
 * fileSource: files that somebody lays into a folder become messages.
 *
 *     import { fileSource } from "@waterpark/waterpark/sources/file";
 *     export default fileSource({
 *       name: "lab-files",
 *       folder: "/srv/lab/in",
 *       pattern: /\.json$/,
 *       *messagesOf(file) {
 *         for (const result of JSON.parse(file.text())) {
 *           yield { key: { facility: "HOSPX", id: result.patient }, type: "result", body: result };
 *         }
 *       },
 *     });
 *
 * One node of the cluster looks at the folder, and another when that dies: give it to all of them (NFS, or a disk that
 * moves). Files are taken in the order of their names, one after the other, each when it is complete: unchanged for a
 * while, or with its mark beside it. When enough copies have all of its messages the file is moved to `done/`; one that
 * cannot be read is moved to `error/`, with the reason beside it, and none of its messages is sent.
 *
 * A message's id is the file's name, a digest of its content and the message's place in it. A crash between recording and
 * moving so repeats nothing; nor does a file of the same name and content that is laid there again, by design.
 *
 * @module
 */
import { defineSource, type SourceContext, type SourceDefinition, type SourceKey } from "@waterpark/waterpark";
import { pause } from "./pause.ts";
import { isForGood, reasonOf } from "./refusal.ts";

/** A file that was taken. */
export interface TakenFile {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Its text; usual: UTF-8. @throws {TypeError} when its bytes are none in that charset */
  text(charset?: string): string;
}

/** What a file holds. */
export interface FileMessage {
  readonly key: SourceKey;
  readonly type?: string;
  readonly contentType?: string;
  readonly body: unknown;
}

/** Which folder, and what is in its files. */
export interface FileSourceOptions {
  /** the source's name; usual: `file` */
  readonly name?: string;
  /** absolute path; `done/` and `error/` are made in it */
  readonly folder: string;
  /** which names; usual: all that do not begin with a dot */
  readonly pattern?: RegExp;
  /** The messages of a file, in order. What it throws lays the file into `error/`. */
  messagesOf(file: TakenFile): Iterable<FileMessage>;
  /** ms between looks; usual: 1000 */
  readonly everyMs?: number;
  /** ms for which size and time must not have changed; 0 for writers that rename files in; usual: 2000 */
  readonly quietMs?: number;
  /** in place of that: the end of the name of an empty file that is laid beside a complete one, as `.ok`; goes with it */
  readonly mark?: string;
  /** in which order; usual: `name` */
  readonly order?: "name" | "modified";
  /** what becomes of files whose messages are recorded; usual: `move` */
  readonly afterwards?: "move" | "delete";
  /** usual: 64 MiB */
  readonly fileBytesMax?: number;
}

const NAMES_MAX = 10_000;
const MESSAGES_MAX = 100_000;

/**
 * A source that reads files; a plugin's module exports the answer as its default. It may read and write its folder.
 *
 * @throws {TypeError} when the folder is no absolute path
 *
 * @example
 * ```ts
 * import { fileSource } from "./file.ts";
 * const source = fileSource({
 *   folder: "/srv/in",
 *   messagesOf: (file) => [{ key: { facility: "HOSPX", id: file.name.split(".")[0] }, type: "scan", body: file.bytes }],
 * });
 * if (source.runsOn !== "one") throw new Error("unreachable");
 * ```
 */
export function fileSource(options: FileSourceOptions): SourceDefinition & { readonly plugin: "source" } {
  const folder = options.folder.replace(/(?<=.)\/+$/, "");
  if (!folder.startsWith("/")) throw new TypeError("Cannot use the folder as it must be an absolute path");
  return defineSource({
    name: options.name ?? "file",
    permissions: { read: [folder], write: [folder] },
    runsOn: "one",
    async run(context) {
      const inbox = new Inbox(folder, options);
      await inbox.open();
      while (!context.signal.aborted) {
        for (const name of await inbox.complete()) {
          if (context.signal.aborted) return;
          await inbox.take(name, context);
        }
        await pause(options.everyMs ?? 1_000, context.signal);
      }
    },
  });
}

interface Seen {
  size: number;
  modifiedMs: number;
  sinceMs: number;
}

class Inbox {
  readonly #folder: string;
  readonly #options: FileSourceOptions;
  #seen = new Map<string, Seen>();

  constructor(folder: string, options: FileSourceOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async open(): Promise<void> {
    // the folder itself is not made: a disk that is not mounted is no empty folder
    await Deno.lstat(this.#folder);
    for (const name of ["done", "error"]) await Deno.mkdir(`${this.#folder}/${name}`, { recursive: true });
  }

  /** Names of the complete files, in order, up to the first that is not: nothing overtakes it. */
  async complete(): Promise<string[]> {
    const { mark, quietMs = 2_000, order = "name" } = this.#options;
    const { names, marks } = await this.#list();
    const before = this.#seen;
    const nowMs = performance.now();
    this.#seen = new Map();
    for (const name of names) {
      const info = await Deno.lstat(`${this.#folder}/${name}`).catch(() => null);
      if (info === null) continue;
      const state = { size: info.size, modifiedMs: info.mtime?.getTime() ?? 0, sinceMs: nowMs };
      const last = before.get(name);
      if (last?.size === state.size && last.modifiedMs === state.modifiedMs) state.sinceMs = last.sinceMs;
      this.#seen.set(name, state);
    }
    const ordered = [...this.#seen];
    if (order === "modified") ordered.sort(([, a], [, b]) => a.modifiedMs - b.modifiedMs);
    const isComplete = ([name, { sinceMs }]: [string, Seen]) =>
      mark === undefined ? nowMs - sinceMs >= quietMs : marks.has(name + mark);
    const first = ordered.findIndex((one) => !isComplete(one));
    return ordered.slice(0, first < 0 ? undefined : first).map(([name]) => name);
  }

  /** Records a file's messages, then puts it away. */
  async take(name: string, { send, signal }: SourceContext): Promise<void> {
    const path = `${this.#folder}/${name}`;
    let digest = "unread";
    try {
      const bytes = await this.#read(path);
      digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as BufferSource)).toHex();
      const messages = this.#messagesOf({ name, bytes, text: (charset = "utf-8") => decoded(bytes, charset) });
      const id = `${printable(name)}~${digest.slice(0, 32)}`;
      for (const [n, { key, ...message }] of messages.entries()) {
        if (signal.aborted) return;
        await send(key, { ...message, id: messages.length === 1 ? id : `${id}.${n + 1}` });
      }
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return;
      if (!(error instanceof Unreadable) && !isForGood(error)) throw error;
      const reason = error instanceof Unreadable ? error.message : reasonOf(error);
      return await this.#putAway(name, { where: "error", digest, reason });
    }
    await this.#putAway(name, { where: "done", digest });
  }

  async #list(): Promise<{ names: string[]; marks: Set<string> }> {
    const { pattern, mark } = this.#options;
    let names: string[] = [];
    const marks = new Set<string>();
    for await (const { name, isFile } of Deno.readDir(this.#folder)) {
      if (!isFile || name.startsWith(".")) continue;
      if (mark !== undefined && name.endsWith(mark)) marks.add(name);
      else if (pattern === undefined || new RegExp(pattern, pattern.flags.replace(/[gy]/g, "")).test(name)) {
        names.push(name);
      }
      // a folder that somebody has filled for a year is emptied piece by piece
      if (names.length > 2 * NAMES_MAX) names = names.sort().slice(0, NAMES_MAX);
    }
    return { names: names.sort().slice(0, NAMES_MAX), marks };
  }

  async #read(path: string): Promise<Uint8Array> {
    const { fileBytesMax = 64 * 1024 * 1024 } = this.#options;
    const { size } = await Deno.lstat(path);
    if (size > fileBytesMax) throw new Unreadable(`it has ${size} bytes, more than ${fileBytesMax}`);
    return await Deno.readFile(path);
  }

  /** All of them before the first is sent: half a file is no file. */
  #messagesOf(file: TakenFile): FileMessage[] {
    const messages: FileMessage[] = [];
    try {
      for (const message of this.#options.messagesOf(file)) {
        messages.push(message);
        if (messages.length > MESSAGES_MAX) throw new RangeError(`it has more than ${MESSAGES_MAX} messages`);
      }
    } catch (error) {
      throw new Unreadable(reasonOf(error));
    }
    return messages;
  }

  async #putAway(
    name: string,
    { where, digest, reason }: { where: "done" | "error"; digest: string; reason?: string },
  ): Promise<void> {
    const { mark, afterwards = "move" } = this.#options;
    const path = `${this.#folder}/${name}`;
    if (where === "done" && afterwards === "delete") {
      await Deno.remove(path);
    } else {
      let to = `${this.#folder}/${where}/${name}`;
      if (await Deno.lstat(to).then(() => true, () => false)) to += `.${digest.slice(0, 8)}`;
      await Deno.rename(path, to);
      if (reason !== undefined) await Deno.writeTextFile(`${to}.reason`, reason + "\n");
    }
    this.#seen.delete(name);
    if (mark !== undefined) await Deno.remove(path + mark).catch(() => {});
  }
}

class Unreadable extends Error {}

function decoded(bytes: Uint8Array, charset: string): string {
  return new TextDecoder(charset, { fatal: true }).decode(bytes);
}

/** What of a name may stand in an id. */
function printable(name: string): string {
  return name.replace(/[^\x21-\x7e]/g, "_").slice(0, 120);
}
