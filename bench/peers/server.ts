/**
 * Server processes of somebody else's making: started with a log file, awaited at their ports, ended by their process ids.
 */

/** What a server may take until it accepts connections, and to end once it is asked to. */
const START_MS_MAX = 15_000;
const STOP_MS_MAX = 5000;
const POLL_MS = 25;

/** How a server is started. */
export interface ServerOptions {
  command: string;
  args: string[];
  env?: Record<string, string>;
  /** file for what it says */
  log: string;
}

/** Servers that live and end together. */
export class Servers {
  readonly #processes: Deno.ChildProcess[] = [];
  readonly #logs: Promise<void>[] = [];

  get pids(): number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /** Starts one. */
  start({ command, args, env = {}, log }: ServerOptions): void {
    const process = new Deno.Command(command, { args, env, stdin: "null", stdout: "piped", stderr: "null" }).spawn();
    this.#processes.push(process);
    this.#logs.push(writeTo(log, process.stdout));
  }

  /** Resolves when somebody listens at the port. @throws {Error} when nobody does in time */
  async listening(port: number): Promise<void> {
    await until(async () => {
      try {
        (await Deno.connect({ hostname: "127.0.0.1", port })).close();
        return true;
      } catch {
        return false;
      }
    }, `a server must listen at port ${port}`);
  }

  /** Ends all of them: politely, then not. */
  async stop(): Promise<void> {
    for (const process of this.#processes) signal(process, "SIGTERM");
    const timer = setTimeout(() => this.#processes.forEach((process) => signal(process, "SIGKILL")), STOP_MS_MAX);
    await Promise.all(this.#processes.map(({ status }) => status));
    clearTimeout(timer);
    await Promise.all(this.#logs);
  }
}

/** Waits until something is so. @throws {Error} when it is not in time */
export async function until(isSo: () => Promise<boolean>, what: string): Promise<void> {
  for (const fromMs = performance.now(); !await isSo();) {
    if (performance.now() - fromMs > START_MS_MAX) {
      throw new Error(`Cannot go on as ${what}: not in ${START_MS_MAX} ms`);
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** A port that was free for TCP a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function writeTo(path: string, stream: ReadableStream<Uint8Array>): Promise<void> {
  const file = await Deno.open(path, { write: true, create: true, truncate: true });
  await stream.pipeTo(file.writable);
}

function signal(process: Deno.ChildProcess, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(name);
  } catch {
    // it has ended by itself
  }
}
