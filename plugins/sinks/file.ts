/**
 * fileSink: deliveries become files in a folder, for whoever picks them up there.
 *
 *     import { fileSink } from "@waterpark/waterpark/sinks/file";
 *     export default fileSink({ name: "to-archive", folder: "/srv/out", file: "{key.facility}/{id}.hl7" });
 *
 * One file for each delivery: written beside its place under a name that begins with a dot, synced, then renamed, so that
 * no reader ever sees half a file. With `{id}` in its name a delivery that comes again finds its file there, with the
 * same bytes, and is done.
 *
 * Or, with `append`, lines at the end of a file. A crash between line and answer repeats the line: with `append: "json"`
 * each line has the effect's id, so that a reader can drop repeats. Half a line that a crash left is cut off before the
 * next is written.
 *
 * Files are on the node that has the actor's writer: give the folder to all nodes (NFS), or collect from each.
 *
 * @module
 */
import {
  defineSink,
  type Delivery,
  type DeliveryEnd,
  type SinkConnection,
  type SinkDefinition,
} from "@waterpark/waterpark";
import { appendLines, writeWhole } from "./file_writing.ts";
import { keyText, MissingOption, type Template, template } from "./template.ts";

/** Where files go, and what they are called. */
export interface FileSinkOptions {
  /** the sink's name; usual: `file` */
  readonly name?: string;
  /** absolute path of a folder that exists; nothing outside it is touched */
  readonly folder: string;
  /** path within the folder; usual: `{id}`, and `{key.facility}.ndjson` with `append` */
  readonly file?: string;
  /**
   * left out: a file for each delivery. `lines`: each delivery's bytes as a line, which may hold no line feed itself;
   * `json`: each as `{"id", "key", "seq", "type", "body"}`, where a body that is neither JSON nor text is in base64
   */
  readonly append?: "lines" | "json";
  /** what becomes of a file that is there with other bytes; usual: `refuse`, which makes a dead letter */
  readonly whenThere?: "refuse" | "replace";
  /** whether data is on the disk before it is done; usual: true */
  readonly sync?: boolean;
  /** as in `SinkDefinition` */
  readonly retry?: SinkDefinition["retry"];
  /** as in `SinkDefinition` */
  readonly whenDead?: SinkDefinition["whenDead"];
}

const NAME_BYTES_MAX = 240;
const SEGMENTS_MAX = 10;

/**
 * A sink that writes files; a plugin's module exports the answer as its default. It may read and write its folder.
 *
 * @throws {TypeError} when the folder is no absolute path, or the file's name has a gap that there is none of
 *
 * @example
 * ```ts
 * import { fileSink } from "./file.ts";
 * const sink = fileSink({ folder: "/srv/out", file: "{key.facility}.ndjson", append: "json" });
 * if (sink.permissions?.write?.[0] !== "/srv/out") throw new Error("unreachable");
 * ```
 */
export function fileSink(options: FileSinkOptions): SinkDefinition & { readonly plugin: "sink" } {
  const { name = "file", append, sync = true, whenThere = "refuse", retry, whenDead } = options;
  const folder = options.folder.replace(/(?<=.)\/+$/, "");
  if (!folder.startsWith("/")) throw new TypeError(`Cannot use the folder as it must be an absolute path`);
  const file = template(options.file ?? (append === undefined ? "{id}" : "{key.facility}.ndjson"), { what: "file" });
  return defineSink({
    name,
    permissions: { read: [folder], write: [folder] },
    retry,
    whenDead,
    open: async (): Promise<SinkConnection> => {
      await lookAt(folder);
      const deliver = append === undefined
        ? (all: readonly Delivery[]) =>
          Promise.all(all.map((delivery) => deliverFile(delivery, { folder, file, whenThere, sync })))
        : (all: readonly Delivery[]) => deliverLines(all, { folder, file, append, sync });
      return {
        deliver,
        async check() {
          await lookAt(folder);
          const probe = `${folder}/.waterpark-check-${crypto.randomUUID()}`;
          await Deno.writeFile(probe, new Uint8Array(1), { createNew: true });
          await Deno.remove(probe);
          return `${folder} can be written to`;
        },
      };
    },
  });
}

async function deliverFile(
  delivery: Delivery,
  { folder, file, whenThere, sync }: { folder: string; file: Template; whenThere: "refuse" | "replace"; sync: boolean },
): Promise<DeliveryEnd> {
  const path = pathOf(delivery, file);
  if (typeof path !== "string") return path;
  try {
    const outcome = await writeWhole({ folder, path }, delivery.bytes, { replace: whenThere === "replace", sync });
    return outcome === "other bytes"
      ? { state: "dead", code: "file/name-taken", text: "a file of that name is there, with other bytes" }
      : { state: "done", answer: path };
  } catch (error) {
    return notWritten(error);
  }
}

async function deliverLines(
  all: readonly Delivery[],
  { folder, file, append, sync }: { folder: string; file: Template; append: "lines" | "json"; sync: boolean },
): Promise<DeliveryEnd[]> {
  const ends: DeliveryEnd[] = [];
  const byPath = new Map<string, { places: number[]; lines: Uint8Array[] }>();
  all.forEach((delivery, place) => {
    const path = pathOf(delivery, file);
    const line = append === "json" ? jsonLine(delivery) : delivery.bytes;
    if (typeof path !== "string") ends[place] = path;
    else if (line.includes(0x0a)) {
      ends[place] = {
        state: "dead",
        code: "file/not-one-line",
        text: "it has a line feed, and would be several lines",
      };
    } else {
      const batch = byPath.get(path) ?? { places: [], lines: [] };
      batch.places.push(place);
      batch.lines.push(line);
      byPath.set(path, batch);
    }
  });
  await Promise.all([...byPath].map(async ([path, { places, lines }]) => {
    let end: DeliveryEnd = { state: "done", answer: path };
    try {
      await appendLines({ folder, path }, lines, { sync });
    } catch (error) {
      end = notWritten(error);
    }
    for (const place of places) ends[place] = end;
  }));
  return ends;
}

/** The path within the folder, or why there is none. */
function pathOf(delivery: Delivery, file: Template): string | DeliveryEnd {
  try {
    const path = file.fill(
      delivery,
      (value, gap) => gap === "key" ? value.split("/").map(nameOf).join("/") : nameOf(value),
    );
    const segments = path.split("/");
    const isGood = segments.length <= SEGMENTS_MAX &&
      segments.every((segment) =>
        segment !== "" && !segment.startsWith(".") && new TextEncoder().encode(segment).length <= NAME_BYTES_MAX
      );
    if (isGood) return path;
    return { state: "dead", code: "file/bad-name", text: "its file would have no name, a hidden one, or one too long" };
  } catch (error) {
    const isOption = error instanceof MissingOption;
    const text = isOption ? error.message : "no file's name can be made of it";
    return { state: "dead", code: isOption ? "file/missing-option" : "file/bad-name", text };
  }
}

/** A value as part of one name: separators and whatever a shell, Windows or a terminal takes amiss are percent-encoded. */
function nameOf(value: string): string {
  return value.replace(/[/\\:*?"<>|%\p{Cc}\p{Zl}\p{Zp}\p{Cf}]/gu, (c) => {
    const bytes = new TextEncoder().encode(c);
    return Array.from(bytes, (byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join("");
  });
}

function jsonLine({ id, key, seq, type, contentType, bytes }: Delivery): Uint8Array {
  const about = { id, key: keyText(key), seq, type };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return new TextEncoder().encode(JSON.stringify({ ...about, contentType, base64: bytes.toBase64() }));
  }
  let body: unknown = text;
  if (/\bjson\b/.test(contentType)) {
    try {
      body = JSON.parse(text);
    } catch {
      // it says that it is JSON, and is not: kept as the text that it is
    }
  }
  return new TextEncoder().encode(JSON.stringify({ ...about, body }));
}

function notWritten(error: unknown): DeliveryEnd {
  const { name, code } = error as { name: string; code?: string };
  if (code === "ENOTDIR" || code === "EISDIR" || code === "ENAMETOOLONG") {
    return { state: "dead", code: "file/bad-name", text: `the file system does not take its name (${code})` };
  }
  return { state: "retry", code: "file/not-written", text: `the file cannot be written (${code ?? name})` };
}

async function lookAt(folder: string): Promise<void> {
  const isFolder = await Deno.stat(folder).then(({ isDirectory }) => isDirectory, () => false);
  if (!isFolder) throw new Error(`Cannot open the sink as the folder must exist: ${folder}`);
}
