/**
 * A whole cluster in one process and in virtual time: real cores, all rooms of them, on a network in memory. Only sockets,
 * host processes and the gateway are left out; plugins run inline.
 */
import { configWith, NodeCore } from "../../runtime/node/mod.ts";
import { defineHandler, type HandlerDefinition, InlineHost } from "../../runtime/plugin_host/mod.ts";
import { MemoryNetwork } from "../../runtime/transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../../runtime/world/mod.ts";
import type { Journal } from "./journal.ts";
import { observing } from "./observing.ts";
import type { SimulationOptions } from "./options.ts";
import { Trace, type TraceLevel } from "./trace.ts";
import { unwhole } from "./wholeness.ts";
import type { Workload } from "./workload.ts";

/** One life of a simulated node. */
export interface SimulatedNode {
  name: string;
  address: string;
  dataCenter: string;
  core: NodeCore;
  isAlive: boolean;
}

const DATA_CENTERS = ["TN", "TX", "FL", "UT"];
const ZONES = ["A", "B"];

/** Names dealt over data centers and zones: TN-A-1, TX-A-1, FL-A-1, UT-A-1, TN-B-1, ... */
export function nodeNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => {
    const dataCenter = DATA_CENTERS[i % 4];
    const zone = ZONES[Math.floor(i / 4) % 2];
    return `${dataCenter}-${zone}-${Math.floor(i / 8) + 1}`;
  });
}

/** The handler that runs in every simulation: it counts, and says how in its version. */
export function countingHandler(version: number): HandlerDefinition {
  return defineHandler<{ count: number; version: number }>({
    name: "count",
    kind: "patient",
    initial: { count: 0, version: 0 },
    handle: (_key, projections) => ["ok", { count: projections.count + 1, version }, []],
  }) as HandlerDefinition;
}

/** A cluster that can be started, hurt and looked at. */
export class SimulatedCluster {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly names: string[];
  readonly journal: Journal;
  readonly options: SimulationOptions;
  /** plugins and messages of somebody's own */
  readonly workload: Workload | null;
  /** the present life of each node, by name */
  readonly nodes = new Map<string, SimulatedNode>();
  /** every life that ever was */
  readonly lives: SimulatedNode[] = [];
  /** set: frames are lost, doubled and late */
  isFaulty = false;
  /** null: nobody reads it, so nothing is made for it: `cluster.trace?.write({ ... })` */
  readonly trace: Trace | null;
  readonly #handlers = new Map<string, HandlerDefinition>();

  constructor(
    options: SimulationOptions,
    journal: Journal,
    trace: { write: (line: string) => void; level?: TraceLevel } | null = null,
    workload: Workload | null = null,
  ) {
    this.workload = workload;
    this.options = options;
    this.journal = journal;
    this.trace = trace === null ? null : new Trace(this.time, trace.write, trace.level);
    this.random = new SeededRandom(options.seed);
    this.names = nodeNames(options.nodes);
    journal.dataCenters = new Set(this.names.map((name) => name.slice(0, 2))).size;
    const random = new SeededRandom(options.seed + 1);
    this.network = new MemoryNetwork({
      world: simulatedWorld({ time: this.time, random }),
      latencyMs: 1,
      isUnordered: options.isUnordered,
      fate: (from, to, bytes) => this.#fate(random, { from, to, bytes }),
    });
  }

  /** Starts all nodes and waits until shards are born everywhere; false when they are not. */
  start(): boolean {
    for (const name of this.names) this.boot(name);
    const deadlineMs = this.time.nowMs + 30_000;
    while (this.time.nowMs < deadlineMs) {
      if ([...this.nodes.values()].every((node) => node.core.isReady)) return true;
      this.time.runUntil(this.time.nowMs + 100);
    }
    return false;
  }

  /** A new life for `name`: the first of all creates the cluster, every other joins. */
  boot(name: string): void {
    const address = `${name}:4600`;
    const random = new SeededRandom(this.random.next32());
    const node = { name, address, dataCenter: name.slice(0, 2), isAlive: true } as SimulatedNode;
    const world = simulatedWorld({ time: this.time, random, isAlive: () => node.isAlive });
    const host = new InlineHost({ world });
    node.core = new NodeCore({
      world,
      config: configWith({ replication: { stableAfterMs: 3000 }, absentAfterMs: 20_000 }),
      self: { name, incarnation: mintIncarnation(world), address, http: null, mllp: null },
      carriers: [this.network.carrier(address)],
      secret: null,
      fold: host.fold,
      onPlugins: (plugins) => {
        for (const { hash } of plugins) host.load(hash, this.#handlers.get(hash)!);
      },
      observer: observing(node, { journal: this.journal, trace: this.trace }),
    });
    node.core.mesh.listenSync(address);
    const isFirst = this.nodes.size === 0;
    this.nodes.set(name, node);
    this.lives.push(node);
    this.trace?.write({ node: name, room: "node", event: "boots", incarnation: node.core.self.incarnation });
    if (isFirst) node.core.create({ expect: this.names.length, shardsPerSet: this.options.shardsPerSet });
    else this.#join(node, 0);
  }

  /** Ends a node's life without a word. */
  crash(name: string): void {
    const node = this.nodes.get(name)!;
    if (!node.isAlive) return;
    this.trace?.write({ node: name, room: "fault", event: "crash", incarnation: node.core.self.incarnation });
    node.isAlive = false;
    this.network.crash(node.address);
  }

  /** Puts a version of the handler into force, and with it the workload's anew. */
  deploy(version: number): void {
    const counting = countingHandler(version);
    // somebody's own messages go to actors of any kind
    this.#deploy(version, 0, this.workload === null ? counting : { ...counting, kind: "*" });
    for (const [i, handler] of this.workload?.handlers.entries() ?? []) this.#deploy(version, i + 1, handler);
  }

  #deploy(version: number, place: number, handler: HandlerDefinition): void {
    const { name, kind } = handler;
    const hash = (version + place * 0x1000000).toString(16).padStart(64, "0");
    this.#handlers.set(hash, handler);
    const node = this.living()[0];
    this.trace?.write({ node: node.name, room: "plugins", event: "deploy", name, version });
    node.core.directory.command({
      type: "deploy",
      name,
      kind: "handler",
      actorKind: kind,
      hash,
      url: `file:///${name}.ts`,
      bytes: Uint8Array.of(version, place),
      stage: "live",
      atMs: 0,
    }, () => {});
  }

  /** The nodes that are up, in order of their names. */
  living(): SimulatedNode[] {
    return this.names.map((name) => this.nodes.get(name)!).filter((node) => node.isAlive);
  }

  /** What keeps the cluster from being whole, in sentences; see `wholeness.ts`. */
  unwhole(options: { inPlace: boolean }): string[] {
    return unwhole(this, options);
  }

  #join(node: SimulatedNode, attempt: number): void {
    const { core } = node;
    const others = this.names.filter((name) => name !== node.name);
    const again = () => void core.world.after(200, () => this.#join(node, attempt + 1));
    core.mesh.dialOnce(`${others[attempt % others.length]}:4600`, (result) => {
      if ("error" in result || result.peer.clusterId === null) return again();
      const { incarnation, clusterId } = result.peer;
      core.join({ incarnation, clusterId }, (answer) => {
        if (!answer.ok) again();
        else this.trace?.write({ node: node.name, room: "node", event: "joined", attempt });
      });
    });
  }

  #fate(random: SeededRandom, frame: { from: string; to: string; bytes: Uint8Array }): number[] {
    const { near, far } = this.options.latencyMs;
    const base = frame.from.slice(0, 2) === frame.to.slice(0, 2) ? near : far;
    const delayMs = base * (0.8 + 0.4 * random.next());
    if (!this.isFaulty) return [delayMs];
    const { lossRate, doubleRate, slowRate, slowMs } = this.options;
    if (random.next() < lossRate) return [];
    const late = random.next() < slowRate ? random.next() * slowMs : 0;
    if (random.next() < doubleRate) return [delayMs + late, delayMs + random.next() * slowMs];
    return [delayMs + late];
  }
}
