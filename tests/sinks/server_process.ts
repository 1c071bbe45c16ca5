/**
 * Servers that these tests start, each on 127.0.0.1 with ports and a folder of its own, and end by their process id.
 */

/** A port that nobody listens on at this moment. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A server; `kill` ends it without a word, `start` starts it again with the same ports and folder. */
export class ServerProcess implements AsyncDisposable {
  readonly folder: string;
  readonly #command: Deno.Command;
  readonly #isUp: () => Promise<unknown>;
  #child: Deno.ChildProcess | null = null;

  private constructor(folder: string, command: Deno.Command, isUp: () => Promise<unknown>) {
    this.folder = folder;
    this.#command = command;
    this.#isUp = isUp;
  }

  /**
   * Starts a server and waits until it is up.
   *
   * @param make the command, given the server's folder; its output goes nowhere
   * @param isUp rejects until the server can be used
   */
  static async start(
    make: (folder: string) => Deno.Command | Promise<Deno.Command>,
    isUp: () => Promise<unknown>,
  ): Promise<ServerProcess> {
    const folder = await Deno.makeTempDir({ prefix: "waterpark-server-" });
    const server = new ServerProcess(folder, await make(folder), isUp);
    try {
      await server.start();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  async start(): Promise<void> {
    const child = this.#child = this.#command.spawn();
    const endMs = performance.now() + 30_000;
    let hasEnded = false;
    child.status.then(() => hasEnded = true);
    for (;;) {
      try {
        return void await this.#isUp();
      } catch (cause) {
        if (hasEnded) throw new Error("the server ended at once", { cause });
        if (performance.now() > endMs) throw new Error("the server does not come up", { cause });
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  async kill(signal: Deno.Signal = "SIGKILL"): Promise<void> {
    const child = this.#child;
    if (child === null) return;
    this.#child = null;
    child.kill(signal);
    await child.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill().catch(() => {});
    await Deno.remove(this.folder, { recursive: true });
  }
}

/** Resolves when somebody accepts connections there. */
export async function accepts(port: number): Promise<void> {
  (await Deno.connect({ hostname: "127.0.0.1", port })).close();
}
