/**
 * A process of the bench: lines in, lines out. It is told to end by the end of its input; who does not listen is killed,
 * by its process id.
 */
import { TextLineStream } from "./lines.ts";

/** How long a process may take to end once its input has ended. */
const END_MS = 5000;

/** How a process is started. */
export interface ChildOptions {
  /** for messages about it */
  name: string;
  /** arguments of `deno run` */
  args: string[];
}

/** A process started by the bench. */
export class Child {
  readonly name: string;
  readonly #process: Deno.ChildProcess;
  readonly #lines: ReadableStreamDefaultReader<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;
  #isEnded = false;

  constructor({ name, args }: ChildOptions) {
    this.name = name;
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--allow-all", "--quiet", ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#process.status.then(() => this.#isEnded = true);
    this.#lines = this.#process.stdout.pipeThrough(new TextDecoderStream()).pipeThrough(new TextLineStream())
      .getReader();
    this.#input = this.#process.stdin.getWriter();
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** Writes a value as a line. */
  async tell(value: unknown): Promise<void> {
    await this.#input.write(new TextEncoder().encode(JSON.stringify(value) + "\n"));
  }

  /** The value in its next line. @throws {Error} when it has ended */
  async answer<T>(): Promise<T> {
    const { done, value } = await this.#lines.read();
    if (!done) return JSON.parse(value) as T;
    const { code, signal } = await this.#process.status;
    throw new Error(`Cannot go on as ${this.name} must run: it ended with ${signal ?? `exit code ${code}`}`);
  }

  /** Ends it; the process is gone when this resolves. */
  async end(): Promise<void> {
    await this.#input.close().catch(() => {});
    const timer = setTimeout(() => this.kill(), END_MS);
    await this.#process.status;
    clearTimeout(timer);
    await this.#lines.cancel().catch(() => {});
  }

  /** Ends it at once. */
  kill(): void {
    if (this.#isEnded) return;
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // it ended between the two lines
    }
  }
}
