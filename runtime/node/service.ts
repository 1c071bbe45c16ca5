/**
 * Service: what a node does for its gateway and for the library door: the core's callbacks as promises, keys as users
 * write them, views with names in place of incarnations.
 */
import { type ActorKey, formatKey, WaterparkError } from "../base/mod.ts";
import type {
  ActorPlace,
  ActorView,
  AuditReceipt,
  AuditVerdict,
  CheckedPost,
  CopiesVerdict,
  DeployRequest,
  HandledView,
  HistoryEvent,
  NodeService,
  NodeView,
  PluginView,
  PostAnswer,
  PostRequest,
  ReadMode,
  RetentionService,
  TopologyView,
} from "../gateway/mod.ts";
import { Metrics, type Sample } from "../telemetry/mod.ts";
import {
  DATA_SHARDS,
  parseShard,
  type PluginKind,
  protocolInForce,
  shardText,
  STAGES_SINCE,
  type TopologyCommand,
} from "../topology/mod.ts";
import { mintId } from "../world/mod.ts";
import { listActors } from "./actor_list.ts";
import type { NodeCore } from "./core.ts";
import { Following } from "./following.ts";
import { OutsidePlugins } from "./outside_plugins.ts";
import { OutsideRooms } from "./outside_service.ts";
import type { PluginLoading } from "./plugin_loading.ts";
import { PlannedWork } from "./planned_work.ts";
import { CoreStages } from "./plugin_stages.ts";
import { Warming } from "./warming.ts";
import { CoreRecovery } from "./recovery_service.ts";
import type { ReadValue } from "./reading.ts";
import { errorOf, type RequestResult } from "./requests.ts";
import { samplesOf } from "./samples.ts";
import { SourceRuns } from "./source_runs.ts";

/** No log is longer: indexes are 32 bits. */
const SEQ_MAX = 0xffffffff;

/** The promises of a node. */
export class CoreService implements NodeService {
  readonly recovery: CoreRecovery;
  readonly planned: PlannedWork;
  readonly stages: CoreStages;
  readonly outside: OutsideRooms;
  readonly following: Following;
  /** where sources run */
  readonly sources: SourceRuns;
  readonly retention: RetentionService;
  readonly #core: NodeCore;
  readonly #metrics: Metrics;
  readonly #loading: PluginLoading | null;
  readonly #warming: Warming;

  /** `collect` adds what only the starter of the node can count: its listeners, its plugin host. */
  constructor(
    core: NodeCore,
    options: { collect?: () => Sample[]; loading?: PluginLoading; outside?: OutsidePlugins } = {},
  ) {
    this.#core = core;
    this.recovery = new CoreRecovery(core);
    this.planned = new PlannedWork(core);
    this.retention = core.retention;
    this.stages = new CoreStages({ core, view: (name, version) => this.#pluginView(name, version) });
    this.#warming = new Warming({
      core,
      promote: (name, version, by) =>
        this.stages.command({ type: "promote", name, version, ...this.stages.word(by, { isNeeded: false }) }),
    });
    this.#loading = options.loading ?? null;
    this.following = new Following(core);
    const plugins = options.outside ?? new OutsidePlugins({ world: core.world, onAsk: () => () => {} });
    this.sources = new SourceRuns({ core, plugins });
    this.outside = new OutsideRooms({
      ...{ core, plugins, sources: this.sources, service: () => this },
      command: (name, value) => this.#command({ type: "setting", name, value }),
    });
    const collect = () => [...samplesOf(core), ...options.collect?.() ?? []];
    this.#metrics = new Metrics({ labels: { node: core.self.name }, collect });
  }

  get name(): string {
    return this.#core.self.name;
  }

  newId(): string {
    return mintId(this.#core.world);
  }

  nowWallMs(): number {
    return this.#core.world.nowWallMs();
  }

  async post(request: PostRequest): Promise<PostAnswer> {
    const key = formatKey(request.key);
    this.#core.directory.require();
    const result = await new Promise<PostAnswer>((resolve) =>
      this.#core.post({
        key,
        id: request.id ?? this.newId(),
        type: request.type ?? "",
        contentType: request.contentType,
        payload: request.payload,
        atMs: this.#core.world.nowWallMs(),
        sender: request.sender ?? "",
        ifMatch: request.ifMatch,
      }, resolve)
    );
    if (result.state !== "recorded" || request.wait !== "handled") return result;
    const { seq } = result.receipt;
    const at = { shard: this.#shardOf(key), key, seq, timeoutMs: this.#core.config.requestMs };
    try {
      const handled = await this.#ask<{ reply?: unknown }>((done) => this.#core.reading.handled(at, done));
      const projections = await this.#projectionsAfter(request.key, seq);
      return { ...result, projections, reply: handled.reply };
    } catch (error) {
      // The message is recorded, whatever became of the wish to hear of its handling.
      if (!(error instanceof WaterparkError)) throw error;
      const { code, message, cause } = error;
      throw new WaterparkError(`${message} (the message is recorded as seq ${seq})`, {
        code,
        outcome: "applied",
        cause,
      });
    }
  }

  async whenHandled(key: ActorKey, seq: number): Promise<HandledView> {
    const text = formatKey(key);
    const at = { shard: this.#shardOf(text), key: text, seq, timeoutMs: this.#core.config.requestMs };
    const said = await this.#ask<{ state?: unknown; reply?: unknown; standstill?: unknown }>((done) =>
      this.#core.reading.handled(at, done)
    );
    const { state, reply, standstill = "" } = said;
    return { isHandled: state === "handled", standstill: String(standstill), ...reply === undefined ? {} : { reply } };
  }

  postNow(request: CheckedPost, done: (answer: PostAnswer) => void): void {
    this.#core.post(request, done);
  }

  httpOf(name: string): string | null {
    return this.#core.directory.topology?.nodeByName(name)?.http ?? null;
  }

  /** A message may have been its actor's last: then nothing is kept of it, and that is no failure. */
  async #projectionsAfter(key: ActorKey, seq: number): Promise<Record<string, unknown>> {
    try {
      return (await this.read(key, { after: seq })).projections;
    } catch (error) {
      if (error instanceof WaterparkError && error.code === "actors/retired") return {};
      throw error;
    }
  }

  async read(
    key: ActorKey,
    options: { at?: number; read?: ReadMode; after?: number; version?: { plugin: string; version: number } } = {},
  ): Promise<ActorView> {
    const text = formatKey(key);
    const shard = this.#shardOf(text);
    const { version } = options;
    const under = version === undefined ? undefined : this.stages.versionOf(version.plugin, version.version);
    const view = await this.#ask<ReadValue>((done) =>
      this.#core.reading.read({
        shard,
        key: text,
        mode: options.read ?? "writer",
        at: Math.min(options.at ?? 0, SEQ_MAX),
        after: Math.min(options.after ?? 0, SEQ_MAX),
        ...under === undefined ? {} : { version: under },
      }, done)
    );
    if (under !== undefined && view.under !== under.hash) throw this.stages.noVersion(under.name);
    const { writer } = view;
    return {
      key: text,
      seq: view.seq,
      projections: view.projections,
      parked: this.stages.parkedOf(view.parked),
      writer: writer === 0 ? "" : this.#core.nameOf(writer),
      followers: view.members.filter((m) => m !== writer).map((m) => this.#core.nameOf(m)),
      behind: view.behind,
    };
  }

  history(
    key: ActorKey,
    options: { after?: number; limit?: number; waitMs?: number; read?: ReadMode } = {},
  ): Promise<{ events: HistoryEvent[]; next: number | null }> {
    const text = formatKey(key);
    const shard = this.#shardOf(text);
    return this.#ask((done) =>
      this.#core.reading.history({
        shard,
        key: text,
        after: Math.min(options.after ?? 0, SEQ_MAX),
        limit: Math.min(1000, Math.max(1, options.limit ?? 100)),
        waitMs: options.waitMs ?? 0,
        mode: options.read ?? "writer",
      }, done)
    );
  }

  place(key: ActorKey): ActorPlace {
    const topology = this.#core.directory.require();
    const text = formatKey(key);
    const shard = this.#shardOf(text);
    const hint = this.#core.replication.hint(shard);
    const target = topology.placementOf(shard).map((node) => node.name);
    const members = this.#core.replication.members(shard).map((m) => this.#core.nameOf(m));
    const writer = hint !== null && hint.writer !== 0 ? this.#core.nameOf(hint.writer) : target[0] ?? "";
    return {
      key: text,
      shard: shardText(shard),
      generation: hint?.generation ?? 1,
      term: hint?.term ?? 0,
      writer,
      followers: (members.length > 0 ? members : target).filter((name) => name !== writer),
      target,
      version: topology.version,
    };
  }

  topology(): TopologyView {
    const topology = this.#core.directory.require();
    const { state } = topology;
    const counts = new Map<string, { shards: number; copies: number }>();
    for (const node of state.nodes) counts.set(node.name, { shards: 0, copies: 0 });
    if (state.born !== null) {
      for (const shard of topology.dataShards()) {
        topology.placementOf(shard).forEach((node, slot) => {
          const count = counts.get(node.name)!;
          count.copies++;
          if (slot === 0) count.shards++;
        });
      }
    }
    return {
      clusterId: state.clusterId,
      version: topology.version,
      copies: state.copies,
      node: this.#core.self.name,
      born: state.born !== null,
      ack: topology.effectiveAck(this.#core.config.ack),
      homes: state.homes,
      nodes: state.nodes.map((node): NodeView => ({
        name: node.name,
        dataCenter: node.dataCenter,
        zone: node.zone,
        incarnation: node.incarnation,
        address: node.address,
        http: node.http,
        mllp: node.mllp,
        status: node.status,
        alive: !this.#core.isSuspect(node.incarnation),
        ...counts.get(node.name)!,
      })),
    };
  }

  plugins(): PluginView[] {
    const { plugins } = this.#core.directory.require().state;
    return Object.keys(plugins).sort().map((name) => this.#pluginView(name)).filter((view) => view !== null);
  }

  async deploy(request: DeployRequest): Promise<PluginView> {
    const manifest = this.#isKnown(request) ? undefined : await this.#loading?.inspect(request);
    const { stage = "live", percent, actors, where, rings, by = "unknown" } = request;
    if (stage === "canary") this.stages.requireAlike(request.name, request.actorKind ?? "*");
    const isWarmed = stage === "live" && this.#takesOver(request);
    const number = await this.stages.command({
      type: "deploy",
      name: request.name,
      kind: request.kind as PluginKind,
      actorKind: request.actorKind,
      hash: request.hash,
      url: request.url || "upload:",
      bytes: request.bundle,
      stage: isWarmed ? "dark" : stage,
      ...percent === undefined ? {} : { percent },
      ...actors === undefined ? {} : { actors },
      ...where === undefined ? {} : { where },
      ...rings === undefined ? {} : { rings },
      ...manifest === undefined ? {} : { manifest },
      atMs: this.#core.world.nowWallMs(),
      ...this.stages.word(by, { isNeeded: stage !== "live" }),
    });
    if (isWarmed) await this.#warming.goLive({ name: request.name, version: number!, hash: request.hash, by });
    return this.#pluginView(request.name, number)!;
  }

  /** True for a handler's bundle that was looked at when it came first: who asks again whether it is live sends it again. */
  #isKnown({ name, kind, hash }: DeployRequest): boolean {
    const { plugins } = this.#core.directory.require().state;
    return kind === "handler" && Object.hasOwn(plugins, name) && plugins[name].kind === kind &&
      plugins[name].versions.some((one) => one.hash === hash);
  }

  /** True when another version of the handler decides now, and the new one can fold along before it takes over. */
  #takesOver({ name, kind, actorKind, hash }: DeployRequest): boolean {
    const { state } = this.#core.directory.require();
    const record = Object.hasOwn(state.plugins, name) ? state.plugins[name] : undefined;
    const live = record?.versions.find((one) => one.version === record.live);
    if (kind !== "handler" || live === undefined || live.hash === hash) return false;
    // Of another kind it would fold actors that are none of its own until it is live.
    return live.actorKind === actorKind && protocolInForce(state) >= STAGES_SINCE;
  }

  async removePlugin(name: string): Promise<void> {
    await this.stages.command({ type: "remove-plugin", name });
  }

  async removeNode(name: string, options: { force?: boolean } = {}): Promise<void> {
    const node = this.#core.directory.require().nodeByName(name);
    if (node?.status === "up" && !this.#core.isSuspect(node.incarnation) && options.force !== true) {
      throw new WaterparkError(`Cannot remove "${name}" as it must not be in use: it is alive and has copies`, {
        code: "topology/node-alive",
        outcome: "not-applied",
      });
    }
    await this.#command({ type: "remove", name, incarnation: node?.incarnation });
  }

  async declareAbsent(name: string): Promise<void> {
    const node = this.#core.directory.require().nodeByName(name);
    const incarnations = node === null ? [] : [node.incarnation];
    await this.#command({ type: "absent", incarnations, force: true });
  }

  actors(
    options: { after?: string; limit?: number } = {},
  ): Promise<{ actors: { key: string; seq: number }[]; next: string | null }> {
    const limit = Math.min(1000, Math.max(1, options.limit ?? 100));
    return listActors(this.#core, { after: options.after ?? "", limit });
  }

  audit(receipt: AuditReceipt): Promise<AuditVerdict> {
    return this.#ask((done) => this.#core.auditing.receipt(receipt, done));
  }

  async auditCopies(
    options: { after?: string; limit?: number; deep?: boolean; withKeys?: boolean } = {},
  ): Promise<{ shards: CopiesVerdict[]; next: string | null }> {
    const { after, limit = 32, deep = false, withKeys = false } = options;
    const first = after === undefined ? 0 : parseShard(after) + 1;
    const end = Math.min(DATA_SHARDS, first + limit);
    this.#core.directory.require();
    const shards = await Promise.all(
      Array.from(
        { length: Math.max(0, end - first) },
        (_, i) =>
          new Promise<CopiesVerdict>((resolve) => this.#core.auditing.copies(first + i, { deep, withKeys }, resolve)),
      ),
    );
    return { shards, next: end < DATA_SHARDS ? shardText(end - 1) : null };
  }

  readiness(): { ready: boolean; reason: string } {
    const { journal, reviving } = this.#core;
    if (reviving.reason !== "" && !this.#core.isReady) return { ready: false, reason: reviving.reason };
    if (this.#core.directory.topology === null) return { ready: false, reason: "not joined yet" };
    if (journal !== null && journal.fault !== null) return { ready: false, reason: "its journal cannot be written" };
    const { reason } = this.#core.departing;
    if (reason === "removed") return { ready: false, reason: "removed from the topology" };
    if (reason !== null) return { ready: false, reason: "leaving" };
    return this.#core.isReady ? { ready: true, reason: "" } : { ready: false, reason: "shards are not born yet" };
  }

  metrics(): Promise<string> {
    return this.#metrics.text();
  }

  #shardOf(key: string): number {
    this.#core.departing.requireMember();
    return this.#core.directory.require().shardOf(key);
  }

  async #command(command: TopologyCommand): Promise<void> {
    await this.#ask((done) => this.#core.directory.command(command, done));
  }

  /** The live version of a plugin, or the newest where none is; or the one of that number. */
  #pluginView(name: string, number?: number): PluginView | null {
    const plugin = this.#core.directory.require().state.plugins[name];
    const version = plugin?.versions.find((v) => v.version === (number ?? plugin.live)) ?? plugin?.versions.at(-1);
    if (version === undefined) return null;
    return {
      name,
      kind: plugin.kind,
      hash: version.hash,
      url: version.url,
      version: version.version,
      stage: version.stage,
      bytes: version.bytes.length,
      deployedAt: version.deployedAtMs,
      loaded: this.#loading?.isLoaded(version.hash) ?? true,
      parked: this.#core.actors.parkedCount(name),
    };
  }

  async #ask<T>(ask: (done: (result: RequestResult) => void) => void): Promise<T> {
    const result = await new Promise<RequestResult>((resolve) => ask(resolve));
    if (!result.ok) throw errorOf(result);
    return result.value as T;
  }
}
