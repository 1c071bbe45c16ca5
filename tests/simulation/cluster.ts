/**
 * A whole cluster in one process and in virtual time: real cores, all rooms of them, on a network in memory. Only sockets,
 * host processes and the gateway are left out; plugins run inline.
 */
import { configWith, NodeCore } from "../../runtime/node/mod.ts";
import { defineHandler, type HandlerDefinition, InlineHost } from "../../runtime/plugin_host/mod.ts";
import { MemoryNetwork } from "../../runtime/transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../../runtime/world/mod.ts";
import { fingerprint, type Journal } from "./journal.ts";
import type { SimulationOptions } from "./options.ts";

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
export function countingHandler(version: number): HandlerDefinition<{ count: number; version: number }> {
  return defineHandler({
    name: "count",
    kind: "patient",
    initial: { count: 0, version: 0 },
    handle: (_key, projections) => ["ok", { count: projections.count + 1, version }, []],
  });
}

/** A cluster that can be started, hurt and looked at. */
export class SimulatedCluster {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly names: string[];
  readonly journal: Journal;
  readonly options: SimulationOptions;
  /** the present life of each node, by name */
  readonly nodes = new Map<string, SimulatedNode>();
  /** every life that ever was */
  readonly lives: SimulatedNode[] = [];
  /** set: frames are lost, doubled and late */
  isFaulty = false;
  readonly #trace: (line: string) => void;
  readonly #handlers = new Map<string, HandlerDefinition<{ count: number; version: number }>>();

  constructor(options: SimulationOptions, journal: Journal, trace: (line: string) => void) {
    this.options = options;
    this.journal = journal;
    this.#trace = trace;
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

  /** One line of the trace: when, who, what. */
  trace(who: string, what: string): void {
    this.#trace(`${this.time.nowMs.toFixed(3).padStart(12)}  ${who.padEnd(8)}  ${what}`);
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
      observer: {
        committed: (shard, first, last, as) => {
          const store = node.core.replication.store(shard)!;
          for (let index = first; index <= last; index++) {
            const print = fingerprint(store.copyRange(index, 1, index).bytes);
            this.journal.committed.push({ node: `${name}#${node.core.self.incarnation}`, shard, index, print, ...as });
          }
        },
      },
    });
    node.core.mesh.listenSync(address);
    const isFirst = this.nodes.size === 0;
    this.nodes.set(name, node);
    this.lives.push(node);
    this.trace(name, `boots as incarnation ${node.core.self.incarnation}`);
    if (isFirst) node.core.create({ expect: this.names.length });
    else this.#join(node, 0);
  }

  /** Ends a node's life without a word. */
  crash(name: string): void {
    const node = this.nodes.get(name)!;
    if (!node.isAlive) return;
    this.trace(name, "crashes");
    node.isAlive = false;
    this.network.crash(node.address);
  }

  /** Puts a version of the handler into force. */
  deploy(version: number): void {
    const hash = version.toString(16).padStart(64, "0");
    this.#handlers.set(hash, countingHandler(version));
    const node = this.living()[0];
    this.trace(node.name, `deploys version ${version}`);
    node.core.directory.command({
      type: "deploy",
      name: "count",
      kind: "handler",
      actorKind: "patient",
      hash,
      url: "file:///count.ts",
      bytes: new Uint8Array([version]),
      stage: "live",
      atMs: 0,
    }, () => {});
  }

  /** The nodes that are up, in order of their names. */
  living(): SimulatedNode[] {
    return this.names.map((name) => this.nodes.get(name)!).filter((node) => node.isAlive);
  }

  /**
   * What keeps the cluster from being whole: shards without their named members, copies that lag; with `inPlace` also
   * writers that are not the ones that placement names.
   */
  unwhole(options: { inPlace: boolean }): string[] {
    const missing: string[] = [];
    const living = this.living();
    const versions = new Set(living.map((node) => node.core.directory.topology?.version ?? 0));
    if (versions.size > 1) missing.push(`topology versions differ: ${[...versions].join(", ")}`);
    if (living.length < this.names.length) missing.push("a node is down");
    const topology = living[0].core.directory.topology;
    if (topology?.state.born == null) return [...missing, "shards are not born"];
    for (const node of topology.state.nodes) {
      const life = this.nodes.get(node.name);
      if (life?.core.self.incarnation !== node.incarnation) missing.push(`${node.name} has not joined anew`);
      if (node.status !== "up") missing.push(`${node.name} is ${node.status}`);
    }
    for (let shard = 0; shard <= 1024; shard++) {
      const trouble = this.#unwholeShard(shard, options.inPlace);
      if (trouble !== null) missing.push(`shard ${shard}: ${trouble}`);
      if (missing.length > 5) break;
    }
    return missing;
  }

  #unwholeShard(shard: number, inPlace: boolean): string | null {
    const living = this.living();
    const topology = living[0].core.directory.topology!;
    const voters = topology.votersOf(shard).map((node) => node.incarnation);
    const writers = living.filter((node) => node.core.replication.isWriter(shard));
    if (writers.length !== 1) return `${writers.length} writers`;
    const { core } = writers[0];
    const state = core.replication.stateOf(shard)!;
    const { configuration } = state.configurations.at(-1)!;
    if (configuration.old !== null) return "a swap is under way";
    if ([...configuration.voters].sort().join() !== [...voters].sort().join()) {
      return "members are not as placement wants";
    }
    if (state.commit !== state.store.lastIndex) return "entries are not committed";
    for (const voter of voters) {
      const node = living.find((one) => one.core.self.incarnation === voter);
      const copy = node?.core.replication.stateOf(shard);
      if (!copy) return "a copy is missing";
      if (copy.commit !== state.commit) return `a copy stands at ${copy.commit} of ${state.commit}`;
    }
    if (inPlace && shard !== 1024 && core.self.incarnation !== voters[0]) {
      return "the writer is not the one that placement names";
    }
    return null;
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
