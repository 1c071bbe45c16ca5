/**
 * Starts a node on a real machine: the system's world, sockets, a plugin host process, the gateway; then creates a
 * cluster or joins one.
 */
import { type ActorKey, WaterparkError } from "../base/mod.ts";
import {
  type ActorView,
  Admission,
  createApp,
  type HistoryEvent,
  type HttpServer,
  MllpListener,
  type MllpSettings,
  type NodeService,
  type PluginView,
  type PostAnswer,
  type Receipt,
  startHttp,
} from "../gateway/mod.ts";
import { openFolder, type SyncMode } from "../journal/mod.ts";
import { ShardStore } from "../storage/mod.ts";
import { bundlePlugin, HostPool, hostsFor, stopBundler } from "../plugin_host/mod.ts";
import { log, type Sample } from "../telemetry/mod.ts";
import { DATA_SHARDS, readNodeName, SHARD_SETS, SHARDS_PER_SET, type Topology } from "../topology/mod.ts";
import { type CarrierMode, layTcpTripwire, openCarriers, parseAddress } from "../transport/mod.ts";
import { gates, mintIncarnation, systemWorld, type World } from "../world/mod.ts";
import { ackRuleFault, configWith, type NodeConfig, type PartialConfig } from "./config.ts";
import { NodeCore } from "./core.ts";
import type { DepartureReason } from "./departing.ts";
import { joinCluster, joinOrRevive } from "./joining.ts";
import { otherJournal } from "./reviving.ts";
import { OutsidePlugins } from "./outside_plugins.ts";
import { questionsOf } from "./outside_questions.ts";
import { PluginLoading } from "./plugin_loading.ts";
import type { VersionWatch } from "./version_watch.ts";
import { CoreService } from "./service.ts";
import type { SourceRuns } from "./source_runs.ts";
import { checkStartAddresses } from "./start_addresses.ts";
import { encodeMessage, type OutgoingMessage, type SendOptions } from "./outgoing.ts";

/** What a node is started with; every field has a default that suits one node on this machine. */
export interface StartOptions {
  /** data center, zone and number; default `"TN-A-1"` */
  name?: string;
  /** where peers are listened to; default `"127.0.0.1:0"`, a free port */
  listen?: string;
  /** where peers reach this node, if that is another address; needed where `listen` is `0.0.0.0` or `[::]` */
  advertise?: string;
  /** where HTTP is listened to, `false` nowhere; default `false` */
  http?: string | false;
  /** where HL7 over MLLP is listened to, `false` nowhere; default `false` */
  mllp?: string | false;
  /** how: TLS, acknowledgements, where the key stands, limits */
  mllpSettings?: MllpSettings;
  /** addresses of nodes of the cluster to join */
  join?: string[];
  /** true: create a cluster; default: when `join` is left out and `data` holds none */
  create?: boolean;
  /** folder of the node's journal, which is made where there is none; left out: everything is in memory only */
  data?: string;
  /** when the journal is synced: before anything is acknowledged, now and then, never by us; default `"interval"` */
  sync?: SyncMode;
  /** a new cluster's shards are born when so many nodes have joined; default 1 */
  expect?: number;
  /** how nodes talk; default `"auto"`: WebSocket over TLS, QUIC where no TCP gets through */
  transport?: CarrierMode;
  /** copies of every shard, fixed when the cluster is created; default 5 */
  copies?: number;
  /**
   * shards of a new cluster, fixed for ever: 16, or twice as many, and so on; default and most 1024. Each costs every
   * node that has a copy something for each message: 128 are better for a cluster that will always be small.
   */
  shards?: number;
  /** what a receipt needs in a new cluster: default a majority of the copies, in 2 data centers */
  ack?: {
    copies?: number;
    dataCenters?: number;
    /** take a rule, too, that the loss of one data center would make impossible */
    force?: boolean;
  };
  /** the cluster's secret, at least 16 bytes; without one a node listens on loopback only */
  secret?: string | Uint8Array;
  /** bearer tokens that the HTTP gateway asks for, `NAME:TOKEN` or bare; none: everybody may */
  tokens?: string[];
  /** plugin host processes, over which its actors are spread, 1 to 64; default half of the cores, 1 to 8 */
  pluginHosts?: number;
  /** settings of the rooms */
  config?: PartialConfig;
  /** how long to wait until requests are taken, ms; default 120 000, and with a cluster's journal for ever */
  readyTimeoutMs?: number;
}

/** How a node has ended. */
export interface NodeEnd {
  /**
   * `closed`: by its owner; `told`: it was told to go and has handed over; `drained`: its copies are elsewhere, too;
   * `removed`: the topology has it no more, so it must not go on
   */
  reason: "closed" | DepartureReason;
  /** shards that it still wrote and that nobody had taken over: others write them after an election */
  writersLeft: number;
}

/** A running node, embedded in this program. */
export interface WaterparkNode {
  /** `TN-A-1` */
  readonly name: string;
  /** where it can be reached; null where it does not listen */
  readonly addresses: { mesh: string; http: string | null; mllp: string | null };
  /** the topology in force: `topology.getActorServer({ facility: "HOSPX", id: "1001" })` */
  readonly topology: Topology;
  /** everything that the gateway can do */
  readonly service: NodeService;
  /**
   * Records a message and answers with its receipt. A plain value is sent as JSON and its `type` field is the message's
   * type; a string is sent as text, a `Uint8Array` as it is.
   *
   * @throws {WaterparkError} with `code` and `outcome`; after `unknown` send it again under the same `id`
   */
  send(key: ActorKey, message: OutgoingMessage, options?: SendOptions): Promise<Receipt>;
  /** An actor's projections. @throws {WaterparkError} `actors/unknown` */
  read(
    key: ActorKey,
    options?: { at?: number; read?: "fresh" | "writer" | "nearest"; after?: number },
  ): Promise<ActorView>;
  /** A page of an actor's messages. */
  history(
    key: ActorKey,
    options?: { after?: number; limit?: number },
  ): Promise<{ events: HistoryEvent[]; next: number | null }>;
  /** An actor's messages after seq `after` (default 0), those to come included; ends when the caller breaks. */
  watch(key: ActorKey, options?: { after?: number }): AsyncIterable<HistoryEvent>;
  /** Bundles the plugin at `url` (file or http) and has the whole cluster run it. */
  deploy(url: string | URL): Promise<PluginView>;
  /** Resolves when this node has ended, whoever wanted it: an operator may drain or remove it from elsewhere. */
  readonly ended: Promise<NodeEnd>;
  /**
   * Goes without anybody noticing: has every copy moved elsewhere, hands over every writer, then closes. With `fast`, or
   * where the copies have nowhere to go, it hands over and closes. A second, fast call cuts a slow one short.
   */
  drain(options?: { fast?: boolean }): Promise<NodeEnd>;
  /** Stops. */
  close(): Promise<void>;
  /** Stops, at the end of an `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a node, creates or joins a cluster, and waits until it takes requests.
 *
 * @throws {WaterparkError} `node/bad-name`, `node/advertise-needed`, `transport/wrong-secret`, `transport/secret-needed`,
 * `transport/address-in-use`, `gateway/cannot-listen`, `node/not-ready`, `journal/in-use`, `node/other-journal` ...;
 * nothing is left running then
 *
 * @example
 * ```ts
 * import { startNode } from "@waterpark/waterpark";
 * await using node = await startNode({ name: "TN-A-1" });
 * const receipt = await node.send({ facility: "HOSPX", id: "1001" }, { type: "admit", ward: "5W" });
 * if (receipt.seq !== 1) throw new Error("unreachable");
 * ```
 */
export async function startNode(options: StartOptions = {}): Promise<WaterparkNode> {
  const world = systemWorld();
  const name = options.name ?? "TN-A-1";
  if (readNodeName(name) === null) {
    throw new WaterparkError(`Cannot start "${name}" as a name must be data center, zone and number, like TN-A-1`, {
      code: "node/bad-name",
      outcome: "not-applied",
    });
  }
  const config = configOf(options);
  const secret = typeof options.secret === "string" ? new TextEncoder().encode(options.secret) : options.secret ?? null;
  const listen = options.listen ?? "127.0.0.1:0";
  checkStartAddresses({ ...options, listen }, secret !== null);
  const journal = options.data === undefined ? undefined : await openJournal(options.data, name, options);
  const carriers = await openCarriers({
    world,
    mode: options.transport ?? "auto",
    secret,
    addresses: options.advertise ? [listen, options.advertise] : [listen],
  }).catch((error) => {
    journal?.disk.close();
    throw error;
  });
  const host = new HostPool({
    world,
    hosts: config.pluginHosts || hostsFor(gates.process.cores()),
    onDeath: (reason, openCalls) =>
      log("plugin_host").warning("host died: {reason}, {openCalls} open", { reason, openCalls }),
  });
  const loading = new PluginLoading({ world, host });
  const outside = new OutsidePlugins({
    world,
    onAsk: ({ name }) =>
      questionsOf(name, { world, service: () => node.service, messageBytesMax: config.messageBytesMax }),
  });
  const core = new NodeCore({
    world,
    config,
    self: { name, incarnation: mintIncarnation(world), address: options.advertise ?? listen, http: null, mllp: null },
    carriers,
    secret,
    // Where only QUIC is spoken nobody listens on TCP.
    layTripwire: options.transport === "quic" ? undefined : layTcpTripwire,
    fold: host.fold,
    foldPlaces: host,
    onPlugins: (plugins) => loading.keep(plugins),
    sinks: outside,
    onOutside: (state) => outside.keep(state),
    ...journal === undefined ? {} : { journal },
    onDue: (reason) => void node.goes(reason),
  });
  const node: StartedNode = new StartedNode({ world, core, host, loading, outside });
  try {
    await node.open(listen, options);
    // Whoever takes part must be known to its own journal.
    await new Promise<void>((resolve) => core.journal === null ? resolve() : core.journal.flush(resolve));
    const isOfCluster = (journal?.contents.node.clusterId ?? "") !== "";
    if (isOfCluster) await node.orNotReady(joinOrRevive(core, options.join ?? []), options.readyTimeoutMs);
    else if (options.join && options.join.length > 0) await joinCluster(core, options.join);
    else core.create({ expect: options.expect ?? 1, shardsPerSet: shardsPerSet(options.shards) });
    await node.whenReady(options.readyTimeoutMs ?? (isOfCluster ? Infinity : 120_000));
    return node;
  } catch (error) {
    await node.close();
    throw error;
  }
}

/** Opens the journal of this very node; what it holds decides whether a cluster may be created. */
async function openJournal(path: string, name: string, { sync = "interval", create }: StartOptions) {
  const { disk, contents } = await openFolder(path, { newLog: () => new ShardStore() });
  const { node, copies, damaged } = contents;
  const fault = node.name !== "" && node.name !== name
    ? `it is the journal of ${node.name}`
    : create === true && node.clusterId !== ""
    ? "it holds a cluster already, and one more was to be created"
    : null;
  if (fault !== null) {
    disk.close();
    throw otherJournal(fault);
  }
  if (damaged > 0) log("node").error("the journal is damaged: {damaged} records cannot be read", { damaged });
  if (copies.size > 0) log("node").info("the journal holds {copies} copies", { copies: copies.size });
  return { disk, contents, sync };
}

function configOf({ config, copies, pluginHosts, ack: { force, ...ack } = {} }: StartOptions): NodeConfig {
  const merged = configWith({
    ...config,
    ...(pluginHosts === undefined ? {} : { pluginHosts }),
    ...(copies ? { copies } : {}),
    ack: { ...config?.ack, ...ack },
  });
  const fault = ackRuleFault(merged);
  if (fault === null || force) return merged;
  throw new WaterparkError(
    `Cannot start with this rule for receipts as it must stand the loss of a data center: ${fault}`,
    {
      code: "node/ack-rule",
      outcome: "not-applied",
    },
  );
}

function aboutDefect(error: unknown): { name: string; at: string } {
  const { name = "", stack = "" } = error instanceof Error ? error : {};
  return { name, at: stack.split("\n").filter((line) => line.startsWith("    at ")).slice(0, 3).join(" ") };
}

class StartedNode implements WaterparkNode {
  readonly service: NodeService;
  readonly #world: World;
  readonly #core: NodeCore;
  readonly #host: HostPool;
  readonly #loading: PluginLoading;
  #http: HttpServer | null = null;
  #mllp: MllpListener | null = null;
  readonly #ending = Promise.withResolvers<NodeEnd>();
  #going: Promise<NodeEnd> | null = null;
  #closing: Promise<void> | null = null;
  readonly #watch: VersionWatch;
  readonly #outside: OutsidePlugins;
  readonly #sources: SourceRuns;

  constructor(
    parts: { world: World; core: NodeCore; host: HostPool; loading: PluginLoading; outside: OutsidePlugins },
  ) {
    this.#world = parts.world;
    this.#core = parts.core;
    this.#host = parts.host;
    this.#loading = parts.loading;
    const { loading, outside } = parts;
    const service = new CoreService(parts.core, { collect: () => this.#samples(), loading, outside });
    this.service = service;
    this.#outside = outside;
    this.#sources = service.sources;
    this.#sources.start();
    this.#watch = service.stages.watch;
    this.#watch.start();
  }

  get name(): string {
    return this.#core.self.name;
  }

  get addresses(): { mesh: string; http: string | null; mllp: string | null } {
    const { address, http, mllp } = this.#core.self;
    return { mesh: address, http, mllp };
  }

  get topology(): Topology {
    return this.#core.directory.require();
  }

  async open(listen: string, options: StartOptions): Promise<void> {
    const { self } = this.#core;
    const listening = await this.#core.mesh.listen(listen);
    self.address = options.advertise ?? listening;
    const admission = new Admission(this.#world);
    if (options.http) {
      const { host, port } = parseAddress(options.http);
      const app = createApp(this.service, {
        world: this.#world,
        tokens: options.tokens,
        admission,
        limits: { bodyBytesMax: this.#core.config.messageBytesMax },
        // The text of an error may quote a message; its name and place do not.
        onBug: (error) => log("gateway").error("defect: {name} {at}", aboutDefect(error)),
      });
      this.#http = startHttp(app, { hostname: host, port });
      self.http = this.#http.url;
    }
    if (options.mllp) {
      const { host, port } = parseAddress(options.mllp);
      this.#mllp = await MllpListener.listen({
        ...options.mllpSettings,
        world: this.#world,
        service: this.service,
        hostname: host,
        port,
        messageBytesMax: this.#core.config.messageBytesMax,
        admission,
        onAlert: (code) => log("gateway").warning("alert {code}", { code }),
      });
      self.mllp = this.#mllp.address;
    }
  }

  /** Waits for `joining`, but no longer than somebody has said. */
  async orNotReady(joining: Promise<void>, timeoutMs: number | undefined): Promise<void> {
    if (timeoutMs === undefined) return await joining;
    let isOver = false;
    const timeOut = this.#pause(timeoutMs).then(() => {
      if (!isOver) throw this.#notReady(timeoutMs);
    });
    await Promise.race([joining.finally(() => isOver = true), timeOut]);
  }

  #notReady(timeoutMs: number): WaterparkError {
    return new WaterparkError(`Cannot take requests after ${timeoutMs} ms: ${this.service.readiness().reason}`, {
      code: "node/not-ready",
      outcome: "not-applied",
    });
  }

  async whenReady(timeoutMs: number): Promise<void> {
    const untilMs = this.#world.nowMonoMs() + timeoutMs;
    while (!this.#core.isReady) {
      if (this.#world.nowMonoMs() > untilMs) throw this.#notReady(timeoutMs);
      await this.#pause(10);
    }
  }

  async send(key: ActorKey, message: OutgoingMessage, options: SendOptions = {}): Promise<Receipt> {
    const answer: PostAnswer = await this.service.post({ key, ...encodeMessage(message, options) });
    if (answer.state === "recorded") return answer.receipt;
    const { code, outcome, retryAfterMs } = answer;
    throw new WaterparkError(answer.message, { code, outcome, retryAfterMs });
  }

  read(key: ActorKey, options?: Parameters<NodeService["read"]>[1]): Promise<ActorView> {
    return this.service.read(key, options);
  }

  history(
    key: ActorKey,
    options?: { after?: number; limit?: number },
  ): Promise<{ events: HistoryEvent[]; next: number | null }> {
    return this.service.history(key, options);
  }

  async *watch(key: ActorKey, options: { after?: number } = {}): AsyncGenerator<HistoryEvent> {
    let after = options.after ?? 0;
    while (this.#closing === null) {
      const { events } = await this.service.history(key, { after, waitMs: 5000 });
      for (const event of events) {
        after = event.seq;
        yield event;
      }
    }
  }

  async deploy(url: string | URL): Promise<PluginView> {
    try {
      const { name, kind, actorKind, hash, bytes } = await bundlePlugin(url);
      return await this.service.deploy({ name, kind, actorKind, hash, url: String(url), bundle: bytes });
    } finally {
      await stopBundler();
    }
  }

  get ended(): Promise<NodeEnd> {
    return this.#ending.promise;
  }

  async drain(options: { fast?: boolean } = {}): Promise<NodeEnd> {
    if (options.fast || this.#isAlone()) return await this.goes("told");
    await this.service.planned.drain(this.name);
    return await this.ended;
  }

  /** Hands over and closes; a second reason finds it under way. */
  goes(reason: DepartureReason): Promise<NodeEnd> {
    // Nobody hands anything to or takes anything from who was removed: what waits here is to be sent again elsewhere.
    if (reason === "removed") this.#core.mailroom.close();
    return this.#going ??= (async () => {
      const writersLeft = reason === "removed" ? 0 : await this.#handOver();
      await this.close({ reason: this.#core.departing.reason ?? reason, writersLeft });
      return this.ended;
    })();
  }

  async #handOver(): Promise<number> {
    const left = await new Promise<number>((resolve) => this.#core.departing.handOver(resolve));
    if (left > 0) log("node").warning("{count} shards have not been taken over", { count: left });
    return left;
  }

  close(end: NodeEnd = { reason: "closed", writersLeft: 0 }): Promise<void> {
    return this.#closing ??= this.#close().then(() => this.#ending.resolve(end));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #isAlone(): boolean {
    const nodes = this.#core.directory.topology?.state.nodes ?? [];
    return !nodes.some((node) => node.incarnation !== this.#core.self.incarnation && node.status === "up");
  }

  async #close(): Promise<void> {
    this.#watch.stop();
    this.#sources.stop();
    // Both at once: each waits for what is under way, and neither takes anything new meanwhile.
    await Promise.all([this.#mllp?.close(), this.#http?.close()]);
    await this.#core.close();
    await Promise.all([this.#host.close(), this.#loading.close(), this.#outside.close()]);
  }

  #samples(): Sample[] {
    return this.#mllp?.samples() ?? [];
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.after(ms, resolve));
  }
}

/** @throws {TypeError} when a cluster cannot have so many shards */
function shardsPerSet(shards = DATA_SHARDS): number {
  const each = shards / SHARD_SETS;
  if (Number.isInteger(each) && each >= 1 && SHARDS_PER_SET % each === 0) return each;
  throw new TypeError(`Cannot create a cluster as it must have 16, 32, 64, 128, 256, 512 or 1024 shards: ${shards}`);
}
