/**
 * The history of a run as an outside checker reads it: one JSON line for every invocation, and one for its completion.
 * tests/cluster/README.md says what the fields are and how to feed porcupine, knossos or elle.
 *
 * Times are of one clock, this process's monotonic one, in whole nanoseconds since the file was begun: what completed
 * before something else was invoked really did.
 */

/** How an invocation ended. */
export type Completion =
  /** recorded, as seq `value` of its actor */
  | { type: "ok"; value: number }
  /** certainly not recorded */
  | { type: "fail"; error: string }
  /** nobody knows; it may take effect any time later */
  | { type: "info"; error: string };

const BUFFER_UNITS = 1 << 16;

/** Writes one history. */
export class HistoryFile {
  readonly #file: Deno.FsFile;
  readonly #fromMs = performance.now();
  #buffer = "";

  /** Makes the file, or empties it. */
  constructor(path: string) {
    this.#file = Deno.openSync(path, { write: true, create: true, truncate: true });
  }

  /** `process` (one sender, one call at a time) appends the message `id` to the history of actor `key`. */
  invoked(process: number, key: string, id: string): void {
    this.#write({ process, type: "invoke", f: "append", key, id, time: this.#timeNs() });
  }

  /** That call has ended. */
  completed(process: number, key: string, id: string, completion: Completion): void {
    this.#write({ process, ...completion, f: "append", key, id, time: this.#timeNs() });
  }

  /** Something was done to the cluster, by nobody's call: `kill TN-A-1`. */
  fault(what: string): void {
    this.#write({ process: "nemesis", type: "info", f: what, time: this.#timeNs() });
  }

  /** What was taken is in the file. */
  close(): void {
    this.#flush();
    this.#file.close();
  }

  #timeNs(): number {
    return Math.round((performance.now() - this.#fromMs) * 1e6);
  }

  #write(line: Record<string, unknown>): void {
    this.#buffer += JSON.stringify(line) + "\n";
    if (this.#buffer.length >= BUFFER_UNITS) this.#flush();
  }

  #flush(): void {
    const bytes = new TextEncoder().encode(this.#buffer);
    this.#buffer = "";
    for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
  }
}
