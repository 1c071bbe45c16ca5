/**
 * A cluster of real processes on this machine, for the tests and the demo: started, killed, frozen, started again, and
 * at the end gone in any case. Like a fire drill's building: every door is real, and somebody counts heads at the exit.
 *
 * Ports are free ones of loopback, found by asking the system for them and giving them back; between that and their use
 * somebody else may take one, which then is a failure to start and says so.
 */
import { connect, type WaterparkClient } from "../../client.ts";
import type { MllpSettings, PartialConfig } from "../../mod.ts";
import { NodeChild, type Ports } from "./node_child.ts";
import { within } from "./waiting.ts";

/** How a cluster is made. */
export interface ClusterOptions {
  /** the nodes' names; default {@linkcode EIGHT_NODES} */
  names?: readonly string[];
  /** the cluster's secret; left out: none, as is fit for loopback */
  secret?: string;
  /** how nodes talk; one for all, or by name */
  transport?: Transport | Record<string, Transport>;
  /** where each node lives, if not somewhere on loopback; its ports are 4600, 8600 and 2575 there */
  hostOf?: (name: string) => {
    ip: string;
    /** what its command line begins with */
    prefix?: readonly string[];
    /** the address of its mesh as others are told it */
    advertise?: string;
  };
  /** settings of the rooms */
  config?: PartialConfig;
  /** how every node listens for MLLP */
  mllp?: MllpSettings;
  /** a folder in which every node gets one for its journal; left out: memory only */
  data?: string;
  /** when journals are synced */
  sync?: "always" | "interval" | "never";
  /** until every node takes requests, ms; default 90 000: a busy machine starts eight processes slowly */
  readyMs?: number;
}

/** What is different about one life of a node. */
export interface LifeOptions {
  /** the checkout whose code it runs; left out: this one */
  root?: URL;
  config?: PartialConfig;
}

/** As in `StartOptions`. */
export type Transport = "quic" | "websocket" | "auto";

/** Four data centers of two zones, a node each. */
export const EIGHT_NODES: readonly string[] = ["TN", "TX", "FL", "UT"].flatMap((dataCenter) =>
  ["A", "B"].map((zone) => `${dataCenter}-${zone}-1`)
);

/** Nodes that have found each other. */
export class ClusterOfProcesses implements AsyncDisposable {
  readonly #options: ClusterOptions;
  readonly #ports = new Map<string, Ports>();
  readonly #nodes = new Map<string, NodeChild>();

  private constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Starts a cluster; when it cannot, nothing is left running, and the error has what the nodes said. */
  static async start(options: ClusterOptions = {}): Promise<ClusterOfProcesses> {
    const cluster = new ClusterOfProcesses(options);
    const names = options.names ?? EIGHT_NODES;
    const ports = options.hostOf === undefined ? freeAddresses(names.length * 3) : names.flatMap((name) => {
      // A host of its own has all ports free.
      const { ip } = options.hostOf!(name);
      return [`${ip}:4600`, `${ip}:8600`, `${ip}:2575`];
    });
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
  get nodes(): NodeChild[] {
    return [...this.#nodes.values()];
  }

  /** the nodes with a process */
  get alive(): NodeChild[] {
    return this.nodes.filter((node) => node.isAlive);
  }

  /** The present life of a node. */
  node(name: string): NodeChild {
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
  async restart(name: string, life: LifeOptions = {}): Promise<NodeChild> {
    if (this.node(name).isAlive) throw new Error(`Cannot restart "${name}" as its process must be gone`);
    const node = this.#spawn(name, {}, life);
    await within(this.#options.readyMs ?? 90_000, `${name} takes requests`, node.ready);
    return node;
  }

  /** Ends every node's process at once, in the middle of whatever it does. */
  async killAll(): Promise<void> {
    for (const node of this.alive) node.signal("SIGKILL");
    await Promise.all(this.nodes.map((node) => node.exit));
  }

  /** Starts nodes whose processes are gone, all at once; returns when they take requests, unless told not to wait. */
  async restartAll(
    names: readonly string[] = [...this.#nodes.keys()],
    options: { wait?: boolean } = {},
  ): Promise<void> {
    const nodes = names.map((name) => this.#spawn(name, {}));
    if (options.wait === false) return;
    const ready = Promise.all(nodes.map((node) => node.ready));
    await within(this.#options.readyMs ?? 90_000, "every node takes requests again", ready);
  }

  /** Starts a node that is new to the cluster. */
  async add(name: string, life: LifeOptions = {}): Promise<NodeChild> {
    this.portsOf(name);
    const node = this.#spawn(name, {}, life);
    await within(this.#options.readyMs ?? 90_000, `${name} takes requests`, node.ready);
    return node;
  }

  /** Addresses for a node that is yet to come. */
  portsOf(name: string): Ports {
    let ports = this.#ports.get(name);
    if (ports === undefined) {
      const [mesh, http, mllp] = freeAddresses(3);
      this.#ports.set(name, ports = { mesh, http, mllp });
    }
    return ports;
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

  #spawn(name: string, extra: { expect?: number }, life: LifeOptions = {}): NodeChild {
    const { secret, transport, hostOf, data, sync, mllp } = this.#options;
    const config = life.config ?? this.#options.config;
    const hosts = [...this.#nodes.values()].filter((node) => node.name !== name)
      .map((node) => hostOf?.(node.name).advertise ?? node.mesh);
    const { advertise, prefix } = hostOf?.(name) ?? {};
    const node = new NodeChild(name, this.#ports.get(name)!, {
      ...(advertise === undefined ? {} : { advertise }),
      ...extra,
      ...(extra.expect === undefined ? { join: hosts } : {}),
      ...(secret === undefined ? {} : { secret }),
      ...(transport === undefined ? {} : { transport: typeof transport === "string" ? transport : transport[name] }),
      ...(config === undefined ? {} : { config }),
      ...(data === undefined ? {} : { data: `${data}/${name}`, sync }),
      readyTimeoutMs: this.#options.readyMs ?? 90_000,
      ...mllp === undefined ? {} : { mllpSettings: mllp },
    }, { prefix, root: life.root });
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
