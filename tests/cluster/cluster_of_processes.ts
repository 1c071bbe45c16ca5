/**
 * A cluster of real processes on this machine, for the tests and the demo: started, killed, frozen, started again, and
 * at the end gone in any case. Like a fire drill's building: every door is real, and somebody counts heads at the exit.
 *
 * Ports are free ones of loopback, found by asking the system for them and giving them back; between that and their use
 * somebody else may take one, which then is a failure to start and says so.
 */
import { connect, type WaterparkClient } from "../../client.ts";
import type { PartialConfig } from "../../mod.ts";

/** How a cluster is made. */
export interface ClusterOptions {
  /** the nodes' names; default {@linkcode EIGHT_NODES} */
  names?: readonly string[];
  /** the cluster's secret; left out: none, as is fit for loopback */
  secret?: string;
  /** how nodes talk; one for all, or by name */
  transport?: Transport | Record<string, Transport>;
  /** settings of the rooms */
  config?: PartialConfig;
  /** until every node takes requests, ms; default 90 000: a busy machine starts eight processes slowly */
  readyMs?: number;
}

/** As in `StartOptions`. */
export type Transport = "quic" | "websocket" | "auto";

/** Four data centers of two zones, a node each. */
export const EIGHT_NODES: readonly string[] = ["TN", "TX", "FL", "UT"].flatMap((dataCenter) =>
  ["A", "B"].map((zone) => `${dataCenter}-${zone}-1`)
);

const ROOT = new URL("../../", import.meta.url);
const ENTRY = new URL("node_process.ts", import.meta.url);
const TAIL_LINES = 40;

/** Where a node listens. */
interface Ports {
  mesh: string;
  http: string;
  mllp: string;
}

/** One life of a node's process. */
export class NodeProcess {
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
  readonly #child: Deno.ChildProcess;
  readonly #tail: string[] = [];
  readonly #read: Promise<void>;
  #isAlive = true;

  /** Starts the process. */
  constructor(name: string, { mesh, http, mllp }: Ports, startOptions: Record<string, unknown>) {
    this.name = name;
    this.mesh = mesh;
    this.http = `http://${http}`;
    this.mllp = mllp;
    const options = { name, listen: mesh, http, mllp, ...startOptions };
    this.#child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-lock", "--config", path("deno.json"), ENTRY.pathname, JSON.stringify(options)],
      cwd: ROOT.pathname,
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
    this.#tail.push(line);
    if (this.#tail.length > TAIL_LINES) this.#tail.shift();
  }
}

/** Nodes that have found each other. */
export class ClusterOfProcesses implements AsyncDisposable {
  readonly #options: ClusterOptions;
  readonly #ports = new Map<string, Ports>();
  readonly #nodes = new Map<string, NodeProcess>();

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Starts a cluster; when it cannot, nothing is left running, and the error has what the nodes said. */
  static async start(options: ClusterOptions = {}): Promise<ClusterOfProcesses> {
    const cluster = new ClusterOfProcesses(options);
    const names = options.names ?? EIGHT_NODES;
    const ports = freeAddresses(names.length * 3);
    names.forEach((name, i) => {
      const [mesh, http, mllp] = ports.slice(i * 3);
      cluster.#ports.set(name, { mesh, http, mllp });
    });
    try {
      names.forEach((name, i) => cluster.#spawn(name, i === 0 ? { expect: names.length } : {}));
      await within(options.readyMs ?? 90_000, "every node takes requests", cluster.#allReady());
    } catch (error) {
      const told = cluster.tails();
      await cluster.stop();
      throw new Error(`${(error as Error).message}\n${told}`, { cause: error });
    }
    return cluster;
  }

  /** all nodes, dead ones too, in the order of their names as given */
  get nodes(): NodeProcess[] {
    return [...this.#nodes.values()];
  }

  /** the nodes with a process */
  get alive(): NodeProcess[] {
    return this.nodes.filter((node) => node.isAlive);
  }

  /** The present life of a node. */
  node(name: string): NodeProcess {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`Cannot find "${name}" as the cluster has ${[...this.#nodes.keys()]}`);
    return node;
  }

  /** A client of the living nodes, `name`'s first when given; with `alone` of that node only. */
  client(name?: string, options: { alone?: boolean; deadlineMs?: number } = {}): WaterparkClient {
    const others = options.alone ? [] : this.alive.filter((node) => node.name !== name);
    const nodes = name === undefined ? others : [this.node(name), ...others];
    return connect(nodes.map((node) => node.http), { deadlineMs: options.deadlineMs ?? 15_000 });
  }

  /** Ends a node's process, by default in the middle of whatever it does; returns when it is gone. */
  async kill(name: string, signal: Deno.Signal = "SIGKILL"): Promise<Deno.CommandStatus> {
    const node = this.node(name);
    node.signal(signal);
    return await within(15_000, `${name} is gone`, node.exit);
  }

  /** Starts a node whose process is gone again: same name and addresses, another incarnation. */
  async restart(name: string): Promise<NodeProcess> {
    if (this.node(name).isAlive) throw new Error(`Cannot restart "${name}" as its process must be gone`);
    const node = this.#spawn(name, {});
    await within(this.#options.readyMs ?? 90_000, `${name} takes requests`, node.ready);
    return node;
  }

  /** The last lines of every node, under its name. */
  tails(): string {
    return this.nodes.map((node) =>
      `--- ${node.name} ${node.isAlive ? "alive" : "dead"}, it said last:\n${node.tail || "(nothing)"}`
    ).join("\n");
  }

  /** Kills whatever still runs; returns when all are gone. */
  async stop(): Promise<void> {
    for (const node of this.nodes) node.signal("SIGKILL");
    await Promise.all(this.nodes.map((node) => node.exit));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #spawn(name: string, extra: { expect?: number }): NodeProcess {
    const { secret, transport, config } = this.#options;
    const hosts = [...this.#nodes.values()].filter((node) => node.name !== name).map((node) => node.mesh);
    const node = new NodeProcess(name, this.#ports.get(name)!, {
      ...extra,
      ...(extra.expect === undefined ? { join: hosts } : {}),
      ...(secret === undefined ? {} : { secret }),
      ...(transport === undefined ? {} : { transport: typeof transport === "string" ? transport : transport[name] }),
      ...(config === undefined ? {} : { config }),
      readyTimeoutMs: this.#options.readyMs ?? 90_000,
    });
    this.#nodes.set(name, node);
    return node;
  }

  async #allReady(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.ready));
  }
}

/** Runs `body` with a cluster that is gone afterwards; when it fails, what the nodes said is shown. */
export async function withCluster(
  options: ClusterOptions,
  body: (cluster: ClusterOfProcesses) => Promise<void>,
): Promise<void> {
  await using cluster = await ClusterOfProcesses.start(options);
  try {
    await body(cluster);
  } catch (error) {
    console.error(cluster.tails());
    throw error;
  }
}

/** The promise's value, or an error that says what did not come true within `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not so within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `question` until its answer is not null, and answers that; an error when it still is after `ms`. */
export async function until<T>(ms: number, what: string, question: () => Promise<T | null> | T | null): Promise<T> {
  const endMs = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== null) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > endMs) throw new Error(`Not so within ${ms} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Addresses on loopback whose ports are free for TCP and UDP. */
export function freeAddresses(count: number): string[] {
  const taken: { close(): void }[] = [];
  try {
    const addresses: string[] = [];
    while (addresses.length < count) {
      const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      taken.push(listener);
      try {
        const { port } = listener.addr;
        taken.push(Deno.listenDatagram({ hostname: "127.0.0.1", port, transport: "udp" }));
        addresses.push(`127.0.0.1:${port}`);
      } catch {
        // free for TCP only: QUIC has no use for it
      }
    }
    return addresses;
  } finally {
    for (const socket of taken) socket.close();
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

function path(file: string): string {
  return new URL(file, ROOT).pathname;
}
