/**
 * A whole cluster in one process and in virtual time: real cores, all rooms of them, on a network in memory. Only sockets,
 * host processes and the gateway are left out; plugins run inline.
 */
import { NodeCore } from "../../runtime/node/mod.ts";
import type { PluginStage } from "../../runtime/topology/mod.ts";
import { MemoryNetwork } from "../../runtime/transport/mod.ts";
import { mintIncarnation, SeededRandom, SimulatedTime, simulatedWorld } from "../../runtime/world/mod.ts";
import { simulatedDesk } from "./desk.ts";
import { SimulatedDisks } from "./disks.ts";
import { EventLoop } from "./event_loop.ts";
import { type HandlerMaker, SimulatedHost } from "./host.ts";
import type { Journal } from "./journal.ts";
import { nodeConfigOf, sessionLimitsOf } from "./node_config.ts";
import { observing } from "./observing.ts";
import type { SimulationOptions } from "./options.ts";
import { handlerOf, type SimulatedVersion, versionOf } from "./plugins.ts";
import { Recorder } from "./recorder.ts";
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
  /** has said goodbye, and will end */
  isLeaving: boolean;
  /** null: it is never slow, and costs nothing */
  loop: EventLoop | null;
  host: SimulatedHost;
  /** how far its wall clock is off */
  clock: { offsetMs: number };
  /** shards of which it had a copy that it has given away */
  dropped: Set<number>;
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
  /** set: all wall clocks are set right, whatever their rates */
  hasRightClocks = false;
  /** null: nobody reads it, so nothing is made for it: `cluster.trace?.write({ ... })` */
  readonly trace: Trace | null;
  readonly #recorder: Recorder;
  readonly #disks: SimulatedDisks;
  readonly #shards = new Map<string, number>();
  readonly #versions = new Map<string, HandlerMaker>();

  constructor(
    options: SimulationOptions,
    journal: Journal,
    trace: { write: (line: string) => void; level?: TraceLevel } | null = null,
    workload: Workload | null = null,
  ) {
    this.workload = workload;
    this.options = options;
    this.journal = journal;
    this.#recorder = new Recorder(journal, this.time);
    this.#disks = new SimulatedDisks(options);
    this.trace = trace === null ? null : new Trace(this.time, trace.write, trace.level);
    this.random = new SeededRandom(options.seed);
    this.names = nodeNames(options.nodes);
    journal.nodes = options.nodes;
    journal.hostsDie = options.hostCrashEveryMs > 0;
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
    const { time, options } = this;
    const random = new SeededRandom(this.random.next32());
    const clock = { offsetMs: 0 };
    const node = { name, address, dataCenter: name.slice(0, 2), isAlive: true, isLeaving: false } as SimulatedNode;
    const isAlive = () => node.isAlive;
    const { clockDrift, stallEveryMs, slowNodeEveryMs, clogEveryMs } = options;
    const hasLoop = stallEveryMs + slowNodeEveryMs + clogEveryMs > 0;
    const loop = hasLoop ? new EventLoop({ time, random: new SeededRandom(random.next32()), isAlive }) : null;
    const clockRate = clockDrift === 0 ? 1 : 1 + clockDrift * (2 * random.next() - 1);
    const world = simulatedWorld({
      time,
      random,
      isAlive,
      clockRate,
      wallOffsetMs: () =>
        this.hasRightClocks ? Math.floor(time.nowMs) - Math.floor(time.nowMs * clockRate) : clock.offsetMs,
      turn: loop?.turn,
    });
    const host = new SimulatedHost({ world, callMsMax: options.foldMsMax, limits: sessionLimitsOf(options) });
    Object.assign(node, { clock, loop, host, dropped: new Set() });
    const carrier = this.network.carrier(address);
    const journal = this.#disks.open(name, world);
    node.core = new NodeCore({
      world,
      config: nodeConfigOf(options),
      self: { name, incarnation: mintIncarnation(world), address, http: null, mllp: null },
      carriers: [loop === null ? carrier : loop.carrier(carrier)],
      secret: null,
      fold: host.fold,
      sinks: simulatedDesk(
        world,
        (delivered) => this.journal.delivered.push({ ...delivered, atMs: this.time.nowMs }),
      ),
      onPlugins: (plugins) => {
        for (const { hash } of plugins) host.load(hash, this.#versions.get(hash)!);
      },
      ...journal === undefined ? {} : { journal },
      observer: observing(node, { recorder: this.#recorder, trace: this.trace }),
    });
    this.#recorder.watch(node);
    node.core.mesh.listenSync(address);
    const isFirst = this.nodes.size === 0;
    this.nodes.set(name, node);
    this.lives.push(node);
    this.trace?.write({ node: name, room: "node", event: "boots", incarnation: node.core.self.incarnation });
    // As a real node does it: whoever takes part must be known to its own journal.
    if (node.core.journal === null) this.#enter(node, isFirst, "");
    else node.core.journal.flush(() => this.#enter(node, isFirst, journal!.contents.node.clusterId));
  }

  #enter(node: SimulatedNode, isFirst: boolean, clusterId: string): void {
    const others = this.names.filter((name) => name !== node.name).map((name) => `${name}:4600`);
    if (isFirst) node.core.create({ expect: this.names.length, shardsPerSet: this.options.shardsPerSet });
    else if (clusterId === "") this.#join(node, 0);
    else {
      node.core.reviving.begin(others, (error) => {
        if (error !== null) throw error;
        this.trace?.write({ node: node.name, room: "node", event: "back", from: "journal" });
      });
    }
  }

  /** Ends a node's life without a word. */
  crash(name: string): void {
    const node = this.nodes.get(name)!;
    if (!node.isAlive) return;
    this.trace?.write({ node: name, room: "fault", event: "crash", incarnation: node.core.self.incarnation });
    node.isAlive = false;
    this.#disks.crash(name);
    this.network.crash(node.address);
  }

  /** Puts sound versions of all that runs in every simulation into force. */
  deployAll(): void {
    this.deploy("chain");
    if (this.workload === null) this.deploy("census");
  }

  /** Puts a new version of a plugin into force, sound unless said otherwise, and with it somebody's own ones anew. */
  deploy(
    plugin: SimulatedVersion["plugin"],
    faults: { throws?: boolean; kills?: boolean } = {},
    stage: PluginStage = "live",
  ): void {
    // Somebody's own messages go to actors of any kind.
    const kind = this.workload === null ? {} : { kind: "*" };
    const version = versionOf(plugin, this.journal.versions.length + 1, { ...kind, ...faults });
    this.journal.versions.push(version);
    this.#deploy(version, (onKill) => handlerOf(version, onKill), stage);
    for (const [i, handler] of this.workload?.handlers.entries() ?? []) {
      const hash = (i + 1).toString(16).padStart(8, "e") + version.hash.slice(8);
      this.#deploy({ ...version, plugin: handler.name, kind: handler.kind, hash }, () => handler);
    }
  }

  #deploy(
    about: Omit<SimulatedVersion, "plugin"> & { plugin: string },
    make: HandlerMaker,
    stage: PluginStage = "live",
  ): void {
    const { plugin, version, hash, kind, throws, kills } = about;
    this.#versions.set(hash, make);
    const node = this.living()[0];
    this.trace?.write({ node: node.name, room: "plugins", event: "deploy", plugin, version, stage, throws, kills });
    this.call(node, () => {
      node.core.directory.command({
        type: "deploy",
        name: plugin,
        kind: "handler",
        actorKind: kind,
        hash,
        url: `file:///${plugin}.ts`,
        bytes: Uint8Array.of(1, version),
        stage,
        percent: 50,
        atMs: 0,
      }, () => {});
    });
  }

  /** Has a node do something when its event loop gets round to it; never if it ends before that. */
  call(node: SimulatedNode, fn: () => void): void {
    if (!node.isAlive) return;
    if (node.loop === null) fn();
    else node.loop.turn(fn);
  }

  /** The shard of an actor; the same for ever. */
  shardOf(key: string): number {
    let shard = this.#shards.get(key);
    if (shard === undefined) {
      // A life that has ended knew it as well.
      const knowing = this.lives.find((node) => node.core.directory.topology !== null)!;
      this.#shards.set(key, shard = knowing.core.directory.topology!.shardOf(key));
    }
    return shard;
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
      if ("error" in result) return again();
      const { incarnation } = result.peer;
      const join = (clusterId: string | null) => {
        if (clusterId === null) return again();
        core.join({ incarnation, clusterId }, (answer) => {
          if (!answer.ok) again();
          else this.trace?.write({ node: node.name, room: "node", event: "joined", attempt });
        });
      };
      if (result.peer.clusterId !== null) return join(result.peer.clusterId);
      // It was on its way back when it was dialled, and may be there by now.
      core.requests.ask(incarnation, "testimony", "system", {
        timeoutMs: 1000,
        done: (said) => join(said.ok ? (said.value as { clusterId: string | null }).clusterId : null),
      });
    });
  }

  #fate(random: SeededRandom, frame: { from: string; to: string; bytes: Uint8Array }): number[] {
    const { near, far } = this.options.latencyMs;
    const base = frame.from.slice(0, 2) === frame.to.slice(0, 2) ? near : far;
    const delayMs = base * (0.8 + 0.4 * random.next());
    if (!this.isFaulty) return [delayMs];
    const { lossRate, doubleRate, slowRate, slowMs, isUnordered } = this.options;
    if (random.next() < lossRate) return [];
    const late = random.next() < (isUnordered ? slowRate : slowRate / 20) ? random.next() * slowMs : 0;
    if (random.next() < doubleRate) return [delayMs + late, delayMs + random.next() * slowMs];
    return [delayMs + late];
  }
}
