/**
 * One life of a node as a child process: its addresses, its signals, the last that it said.
 */

const ROOT = new URL("../../", import.meta.url);
const TAIL_LINES = 40;

/** Where a node listens. */
export interface Ports {
  mesh: string;
  http: string;
  mllp: string;
}

/** One life of a node's process. */
export class NodeChild {
  /** of the node */
  readonly name: string;
  /** of this life */
  readonly pid: number;
  /** where it is reached, though perhaps not yet */
  readonly mesh: string;
  readonly http: string;
  readonly mllp: string;
  /** resolves when the process is gone */
  readonly exit: Promise<Deno.CommandStatus>;
  /** resolves when it takes requests; rejects when it ends before, with the last that it said */
  readonly ready: Promise<void>;
  /** told of every line that it says, besides the one that it is ready */
  onLine: (line: string) => void = () => {};
  readonly #child: Deno.ChildProcess;
  readonly #tail: string[] = [];
  readonly #read: Promise<void>;
  #isAlive = true;

  /**
   * Starts the process; `prefix` comes before its command line, and must become it (`ip netns exec` does); `root` is the
   * checkout whose code it runs, left out: this one.
   */
  constructor(
    name: string,
    { mesh, http, mllp }: Ports,
    startOptions: Record<string, unknown>,
    { prefix = [], root = ROOT }: { prefix?: readonly string[]; root?: URL } = {},
  ) {
    this.name = name;
    this.mesh = mesh;
    this.http = `http://${http}`;
    this.mllp = mllp;
    const options = { name, listen: mesh, http, mllp, ...startOptions };
    const [program, ...before] = [...prefix, Deno.execPath()];
    this.#child = new Deno.Command(program, {
      args: [
        ...before,
        "run",
        "-A",
        "--no-lock",
        "--config",
        new URL("deno.json", root).pathname,
        new URL("tests/cluster/node_process.ts", root).pathname,
        JSON.stringify(options),
      ],
      cwd: root.pathname,
      env: { NO_COLOR: "1" },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.pid = this.#child.pid;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.ready = promise;
    this.ready.catch(() => {});
    const reading = [
      eachLine(this.#child.stdout, (line) => line.startsWith('{"ready":true') ? resolve() : this.#said(line)),
      eachLine(this.#child.stderr, (line) => this.#said(line)),
    ];
    this.#read = Promise.all(reading).then(() => {});
    this.exit = this.#child.status.then(async (status) => {
      this.#isAlive = false;
      await this.#read;
      this.#child.stdin.close().catch(() => {});
      reject(new Error(`${name} ended with ${status.signal ?? status.code} before it was ready:\n${this.tail}`));
      return status;
    });
  }

  /** false when the process is gone */
  get isAlive(): boolean {
    return this.#isAlive;
  }

  /** the last lines that it said */
  get tail(): string {
    return this.#tail.join("\n");
  }

  /** Sends a signal to the process, if there is one. */
  signal(signal: Deno.Signal): void {
    if (this.#isAlive) this.#child.kill(signal);
  }

  #said(line: string): void {
    this.onLine(line);
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }
}

async function eachLine(bytes: ReadableStream<Uint8Array>, take: (line: string) => void): Promise<void> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() as string;
    for (const line of lines) take(line);
  }
  if (rest !== "") take(rest);
}
