/**
 * Receipts in a file, one a line as JSON: written as they come, read back line by line, never a file's worth of them in
 * memory. Where keys and ids are struck out, a receipt still says where its message stands.
 */
import type { Receipt } from "../../client.ts";
import { fileState, MisuseError } from "../errors.ts";

/** A line that is not empty, with its number from 1. */
export interface ReceiptLine {
  number: number;
  /** what stands there; of a line over {@linkcode LINE_UNITS_MAX} only the beginning */
  text: string;
}

/** The longest line that is looked at, in UTF-16 units: a receipt has some 300. */
const LINE_UNITS_MAX = 1 << 19;
/** The largest sample: it is held in memory. */
export const SAMPLE_MAX = 100_000;
const BUFFER_UNITS = 1 << 16;

/**
 * The lines of a file, which is open when this returns; `-` is standard input.
 *
 * @throws {MisuseError} when it cannot be read
 */
export async function openReceipts(path: string): Promise<AsyncGenerator<ReceiptLine>> {
  if (path === "-") return linesOf(Deno.stdin.readable);
  try {
    const file = await Deno.open(path);
    if (!(await file.stat()).isDirectory) return linesOf(file.readable);
    file.close();
  } catch (error) {
    throw new MisuseError(`Cannot read the receipts from "${path}" as it must be a file: ${fileState(error)}`);
  }
  throw new MisuseError(`Cannot read the receipts from "${path}" as it must be a file: it is a folder`);
}

/** Cuts bytes into lines; the last one needs no end. */
export async function* linesOf(source: ReadableStream<Uint8Array>): AsyncGenerator<ReceiptLine> {
  let rest = "";
  let number = 0;
  const decoder = new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>;
  for await (const chunk of source.pipeThrough(decoder)) {
    const lines = (rest + chunk).split("\n");
    // Cut short, a line that has no end is no JSON any more, and is told as such.
    rest = lines.pop()!.slice(0, LINE_UNITS_MAX);
    for (const line of lines) {
      number++;
      if (line.trim() !== "") yield { number, text: line.trim().slice(0, LINE_UNITS_MAX) };
    }
  }
  if (rest.trim() !== "") yield { number: number + 1, text: rest.trim() };
}

/**
 * So many of the lines, each as likely as any other, in their order (Vitter's algorithm R), and how many there were.
 *
 * @param random a number in [0, 1)
 */
export async function sampleOf(
  lines: AsyncIterable<ReceiptLine>,
  count: number,
  random: () => number = Math.random,
): Promise<{ sample: ReceiptLine[]; of: number }> {
  const sample: ReceiptLine[] = [];
  let of = 0;
  for await (const line of lines) {
    of++;
    if (sample.length < count) sample.push(line);
    else {
      const at = Math.floor(random() * of);
      if (at < count) sample[at] = line;
    }
  }
  return { sample: sample.sort((a, b) => a.number - b.number), of };
}

/** Writes receipts to a new file; what it has taken is on disk once `close` returns. */
export class ReceiptsWriter {
  readonly #file: Deno.FsFile;
  readonly #clusterId: string;
  #buffer = "";
  #count = 0;

  /** Makes the file, or empties it. `clusterId` goes into each receipt, so that another cluster is not blamed for it. */
  constructor(path: string, options: { clusterId: string }) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
    this.#clusterId = options.clusterId;
  }

  /** receipts taken */
  get count(): number {
    return this.#count;
  }

  /** Takes a receipt; other fields than a receipt's are left out. */
  take({ key, id, seq, shard, generation, term, index, writer, copies, digest }: Receipt): void {
    const receipt = { key, id, seq, shard, generation, term, index, writer, copies, digest };
    this.#buffer += JSON.stringify({ ...receipt, clusterId: this.#clusterId }) + "\n";
    this.#count++;
    if (this.#buffer.length >= BUFFER_UNITS) this.flush();
  }

  /** Hands all that was taken to the system. */
  flush(): void {
    const bytes = new TextEncoder().encode(this.#buffer);
    this.#buffer = "";
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }

  /** Flushes, and closes the file. */
  close(): void {
    this.flush();
    this.#file.syncSync();
    this.#file.close();
  }
}
