/**
 * The cluster under test: node processes in up to four data centers on this machine's loopback.
 */
import { NODE_V8_FLAGS } from "../cli/v8_flags.ts";
import { Child } from "./child.ts";
import type { NodeCommand } from "./node_process.ts";
import type { BenchOptions } from "./options.ts";
import { cpuSeconds, residentBytes } from "./processes.ts";

const DATA_CENTERS = ["TN", "TX", "FL", "UT"];
const NODE_PROCESS = new URL("node_process.ts", import.meta.url).pathname;

/** Where a node listens. */
interface ReadyNode {
  name: string;
  mesh: string;
  http: string;
  mllp: string;
}

/** The names of a cluster's first `count` nodes: around the data centers, then around them again in the other zone. */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const round = Math.floor(i / DATA_CENTERS.length);
    return `${DATA_CENTERS[i % DATA_CENTERS.length]}-${"AB"[round % 2]}-${Math.floor(round / 2) + 1}`;
  });
}

/** Running node processes. */
export class BenchCluster {
  readonly #nodes: Child[] = [];
  #ready: ReadyNode[] = [];

  /** Starts the processes and waits until all of them take requests. */
  async start(
    { nodes, transport, profile, shards }: Pick<BenchOptions, "nodes" | "transport" | "profile" | "shards">,
  ): Promise<void> {
    const names = nodeNames(nodes);
    // The others must know where the first one listens before it is ready, which it is only with them.
    const first = `127.0.0.1:${freePort()}`;
    for (const [i, name] of names.entries()) {
      const flags = [`--v8-flags=${NODE_V8_FLAGS}`];
      if (profile !== null) flags.push("--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${name}.cpuprofile`);
      const [listen, join] = i === 0 ? [first, "-"] : ["127.0.0.1:0", first];
      this.#nodes.push(
        new Child({
          name,
          args: [...flags, NODE_PROCESS, name, listen, join, String(nodes), transport, String(shards)],
        }),
      );
    }
    this.#ready = await Promise.all(this.#nodes.map((node) => node.answer<ReadyNode>()));
  }

  get names(): string[] {
    return this.#ready.map((node) => node.name);
  }

  /** Data centers that have a node. */
  get dataCenters(): number {
    return new Set(this.names.map((name) => name.split("-")[0])).size;
  }

  /** URLs of the nodes' HTTP gateways. */
  get urls(): string[] {
    return this.#ready.map((node) => node.http);
  }

  /** `host:port` of the nodes' MLLP listeners. */
  get mllp(): string[] {
    return this.#ready.map((node) => node.mllp);
  }

  get pids(): number[] {
    return this.#nodes.map((node) => node.pid);
  }

  /** Has all nodes do something, and waits until they have. */
  async tell(commandFor: (name: string) => NodeCommand): Promise<void> {
    await Promise.all(this.#nodes.map(async (node) => {
      await node.tell(commandFor(node.name));
      await node.answer();
    }));
  }

  /** Resident memory of all nodes, their plugin hosts included, bytes. */
  residentBytes(): number {
    return residentBytes(this.pids);
  }

  /** CPU time of all nodes since their start, seconds. */
  cpuSeconds(): number {
    return cpuSeconds(this.pids);
  }

  /** Bytes of log entries that all nodes hold together. */
  async logBytes(): Promise<number> {
    const texts = await Promise.all(this.urls.map(async (url) => await (await fetch(`${url}/metrics`)).text()));
    return texts.reduce((sum, text) => sum + Number(/^waterpark_log_bytes\b.* (\S+)$/m.exec(text)?.[1]), 0);
  }

  /** Copies of a shard in this cluster, as its topology says. */
  async copies(): Promise<number> {
    const { copies } = await (await fetch(`${this.urls[0]}/v1/topology`)).json() as { copies: number };
    return Math.min(copies, this.#nodes.length);
  }

  /** Ends the processes; they are gone when this resolves. */
  async end(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.end()));
  }

  /** Ends the processes at once. */
  kill(): void {
    for (const node of this.#nodes) node.kill();
  }
}

/** A port free for TCP and UDP a moment ago. Somebody may take it before the node does; the node then says so. */
function freePort(): number {
  for (;;) {
    using tcp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      Deno.listenDatagram({ hostname: "127.0.0.1", port: tcp.addr.port, transport: "udp" }).close();
      return tcp.addr.port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
