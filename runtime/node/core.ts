/**
 * Core: the rooms of one node, built and wired. Whatever a room may not import it is handed here as a function.
 *
 * Everything in it is synchronous and driven by a `World` and by carriers, so the same core runs on a real machine
 * (`start_node.ts`) and, thirty-two times over, in the simulator.
 */
import type { Actors, LivePlugin } from "../actors/mod.ts";
import type { WaterparkError } from "../base/mod.ts";
import { Journal } from "../journal/mod.ts";
import type { Effects, Timers } from "../effects/mod.ts";
import { Mailroom, type Posting, type PostResult } from "../mailroom/mod.ts";
import { Membership } from "../membership/mod.ts";
import { Replication } from "../replication/mod.ts";
import { log } from "../telemetry/mod.ts";
import { isAt, type JoiningNode, shardText, SYSTEM_SHARD, Topology, type TopologyNode } from "../topology/mod.ts";
import { Mesh } from "../transport/mod.ts";
import { FRAME, type Lane, LANE_CONTROL, LANE_MESSAGE } from "../wire/mod.ts";
import { mintId, type World } from "../world/mod.ts";
import { Absence } from "./absence.ts";
import { auditingOf } from "./audit_wiring.ts";
import type { Auditing } from "./auditing.ts";
import type { NodeConfig } from "./config.ts";
import type { CoreObserver, NodeCoreOptions, NodeIdentity } from "./core_options.ts";
import { Departing, removedError } from "./departing.ts";
import { Directory } from "./directory.ts";
import { bundlesOf, foldingVersions, textOf } from "./folding_versions.ts";
import { atMsMax, handlingRooms } from "./handling_rooms.ts";
import { LentVersions } from "./lent_versions.ts";
import { LostAndFound } from "./lost_and_found.ts";
import { Names } from "./names.ts";
import { isPaused } from "./outside_plugins.ts";
import { PeerNews } from "./peer_news.ts";
import { Reading } from "./reading.ts";
import { Recovering } from "./recovering.ts";
import { Relaying } from "./relaying.ts";
import { Reviving } from "./reviving.ts";
import { diskFault, postingFault } from "./posting_fault.ts";
import { type RequestResult, Requests } from "./requests.ts";
import { Retention } from "./retention.ts";
import { Sealing } from "./sealing.ts";
import { takeIn } from "./taking_in.ts";
import { Wholeness } from "./wholeness.ts";

export type { CoreObserver, NodeCoreOptions, NodeIdentity };

/** A reason to refuse is logged once in so long, ms. */
const REFUSAL_LOG_MS = 10_000;

/** One node without its doors to the outside. */
export class NodeCore {
  readonly world: World;
  readonly self: NodeIdentity;
  readonly config: NodeConfig;
  readonly mesh: Mesh;
  readonly membership: Membership;
  readonly directory: Directory;
  readonly requests: Requests;
  readonly replication: Replication;
  readonly mailroom: Mailroom;
  readonly actors: Actors;
  readonly effects: Effects;
  readonly timers: Timers;
  readonly reading: Reading;
  readonly recovering: Recovering;
  readonly reviving: Reviving;
  readonly journal: Journal | null;
  readonly auditing: Auditing;
  readonly relaying: Relaying;
  readonly departing: Departing;
  readonly wholeness: Wholeness;
  readonly sealing: Sealing;
  readonly retention: Retention;
  readonly sinks: NodeCoreOptions["sinks"];
  /** frames of kinds that this code does not know; for metrics */
  unknownFrames = 0;
  readonly #absence: Absence;
  readonly #options: NodeCoreOptions;
  readonly #names: Names;
  readonly #news: PeerNews;
  /** when each reason to refuse was logged last */
  readonly #refusals = new Map<string, number>();
  #clusterId: string | null = null;
  #bundlesKnown = "";
  readonly #lent: LentVersions;
  #closed = false;

  constructor(options: NodeCoreOptions) {
    const { world, config, self } = options;
    this.#options = options;
    this.world = world;
    this.self = self;
    this.config = config;
    this.sinks = options.sinks;
    this.#names = new Names(self);
    this.#lent = new LentVersions(world, () => this.#haveBundles(this.#handlers()));
    this.#news = new PeerNews({ core: this, observer: options.observer });
    this.mesh = new Mesh({
      world,
      self: { name: self.name, incarnation: self.incarnation, address: self.address },
      clusterId: () => this.#clusterId,
      secret: options.secret,
      carriers: options.carriers,
      layTripwire: options.layTripwire,
      protocol: config.protocol,
      topologyVersion: () => this.directory.topology?.version ?? 0,
      onFrame: (from, type, payload) => this.#onFrame(from.incarnation, type, payload),
      onPeer: (peer, up) => this.#news.linked(peer.incarnation, up),
      onTripped: (peer) => this.membership.tripped(peer.incarnation),
      onRefused: (error) => this.#onRefused(error),
    });
    this.relaying = new Relaying({
      mesh: () => this.mesh,
      membership: () => this.membership,
      isKnown: (incarnation) => this.directory.topology?.nodeByIncarnation(incarnation) != null,
      onFrame: (from, type, payload) => this.#onFrame(from, type, payload),
    });
    const send = (to: number, lane: Lane, type: number, payload: Uint8Array) =>
      this.relaying.send(to, lane, type, payload);
    this.requests = new Requests({ world, self: self.incarnation, send });
    this.membership = new Membership({
      world,
      self: { name: self.name, incarnation: self.incarnation },
      // Never by a relay: pings are what says which ways are good.
      send: (to, type, payload) => this.mesh.send(to, LANE_CONTROL, type, payload),
      onWay: (incarnation, isOpen) => this.#news.way(incarnation, isOpen),
      onSuspect: (incarnation) => this.#news.suspected(incarnation),
      onAlive: (incarnation) => this.#news.alive(incarnation),
      config: config.membership,
    });
    const isSuspect = (incarnation: number) => this.isSuspect(incarnation);
    const contents = options.journal?.contents;
    // Before anything is added: what had left then is told, whatever comes again.
    const dropped = [...contents?.node.dropped.keys() ?? []];
    this.journal = options.journal === undefined ? null : new Journal({
      ...options.journal,
      world,
      config: config.journal,
      self,
      onFault: (fault) => this.#onJournalFault(fault),
    });
    const { slackBytes } = config.journal;
    this.replication = new Replication({
      world,
      self,
      send: (to, lane, payload) => send(to, lane, FRAME.RAFT, payload),
      isClear: (to) => this.mesh.isClear(to, LANE_MESSAGE),
      isSuspect,
      aliveForMs: (incarnation) => this.#news.aliveForMs(incarnation),
      isLeaving: (incarnation) => this.departing.isLeaving(incarnation),
      rttP99Ms: () => this.membership.rttP99Ms(),
      nameOf: (incarnation) => this.nameOf(incarnation),
      dataCenterOf: (incarnation) => this.#names.dataCenterOf(incarnation),
      shardText,
      atMsMax: () => atMsMax(this),
      ackRule: () => this.directory.topology?.effectiveAck(config.ack) ?? config.ack,
      onCommitted: (shard, first, last) => this.#onCommitted(shard, first, last),
      onWriter: (shard, isWriter) => this.#onWriter(shard, isWriter),
      onCampaign: (shard, term, isReal) => options.observer?.campaigns?.(shard, term, isReal),
      onDropped: (shard) => shard === SYSTEM_SHARD ? this.directory.dropped() : this.actors.dropped(shard),
      config: config.replication,
      ...this.journal === null ? {} : { journal: { journal: this.journal, contents: contents!, slackBytes } },
    });
    this.directory = new Directory({
      world,
      requests: this.requests,
      self: self.incarnation,
      systemStore: () => this.replication.store(SYSTEM_SHARD),
      systemHint: () => this.replication.hint(SYSTEM_SHARD),
      isSuspect,
      proposeEntry: (shard, kind, body, done) => this.replication.proposeEntry(shard, kind, body, done),
      onPublished: (topology, previous) => this.#onPublished(topology, previous),
      onLife: (name, incarnation) => this.#names.add(name, incarnation),
      requestMs: config.requestMs,
    });
    this.mailroom = new Mailroom({
      world,
      self: { name: self.name, incarnation: self.incarnation },
      send,
      isLinked: (incarnation) => this.relaying.reaches(incarnation),
      topology: () => this.directory.require(),
      hint: (shard) => this.replication.hint(shard),
      learn: (hint) => this.replication.learn(hint),
      proposeHere: (shard, proposal, done) => this.replication.propose(shard, proposal, done),
      standsStill: (shard) => this.#standsStill(shard),
      isSuspect,
      config: { ...config.mailroom, deadlineMs: config.requestMs },
    });
    const { fold, foldPlaces } = options;
    const rooms = handlingRooms({ core: this, fold, foldPlaces, plugins: () => this.#handlers() });
    this.effects = rooms.effects;
    this.timers = rooms.timers;
    this.actors = rooms.actors;
    this.reading = new Reading({
      world,
      self: self.incarnation,
      requests: this.requests,
      replication: this.replication,
      actors: this.actors,
      isSuspect,
      targets: (shard) => this.#placement(shard).map((node) => node.incarnation),
      knowsPlugins: () => this.directory.isWhole,
      lend: (plugin, hash) => this.#lent.lend(this.directory.require().state.plugins, plugin, hash),
      requestMs: config.requestMs,
    });
    this.recovering = new Recovering({ core: this });
    const { clusterId = "", lives = [] } = contents?.node ?? {};
    const isDamaged = (contents?.damaged ?? 0) > 0;
    this.reviving = new Reviving({ core: this, remembrance: { clusterId, lives, dropped, isDamaged } });
    new LostAndFound({ core: this });
    this.auditing = auditingOf(this);
    this.departing = new Departing({ core: this, onDue: options.onDue });
    this.wholeness = new Wholeness({ core: this });
    this.sealing = new Sealing({ core: this });
    this.retention = new Retention({ core: this });
    this.#absence = new Absence({ core: this });
    this.requests.handle("join", (body, done) => takeIn(this, body as JoiningNode, done));
    this.membership.start();
    this.#absence.start();
    this.sealing.start();
    this.retention.start();
    this.departing.start();
    this.recovering.start();
  }

  /** Creates a cluster of which this node is the first. */
  create(options: { expect: number; shardsPerSet?: number }): void {
    const { self, config, world } = this;
    this.#clusterId = mintId(world);
    this.replication.birth(SYSTEM_SHARD, [self.incarnation]);
    this.directory.command({
      type: "create",
      clusterId: this.#clusterId,
      copies: config.copies,
      ...options,
    }, () => {
      this.directory.command({ type: "ack", ...config.ack }, (result) => this.#report("ack", result));
      this.directory.command({ type: "join", node: this.nodeEntry() }, (result) => this.#report("join", result));
    });
  }

  /** Joins a cluster by way of a peer that is linked; `done` tells whether the cluster took this node in. */
  join(via: { incarnation: number; clusterId: string }, done: (result: RequestResult) => void): void {
    this.#clusterId = via.clusterId;
    this.requests.ask(via.incarnation, "join", this.nodeEntry(), {
      timeoutMs: this.config.requestMs,
      done: (result) => {
        if (result.ok) {
          const { state, hint } = result.value as { state: Parameters<Directory["publish"]>[0]; hint: never };
          if (hint !== null) this.replication.learn(hint);
          this.directory.publish(state, { isPartial: true });
        }
        done(result);
      },
    });
  }

  /** The cluster goes on, in the generation, from this node's copy of the topology; `done` once that knows this life. */
  revive(clusterId: string, generation: number, done: () => void): void {
    this.#clusterId = clusterId;
    this.replication.setGeneration(SYSTEM_SHARD, generation, this.self.incarnation);
    const join = () =>
      this.directory.command(
        { type: "join", node: this.nodeEntry() },
        (result) => result.ok ? done() : this.#closed ? undefined : join(),
      );
    this.directory.command({ type: "leap", generation }, join);
  }

  /** the cluster that this node is in, or about to join; null: none */
  get clusterId(): string | null {
    return this.#clusterId;
  }

  /** This node as the topology describes it. */
  nodeEntry(): JoiningNode {
    const { name, incarnation, address, http, mllp } = this.self;
    return { name, incarnation, address, http, mllp, protocol: this.config.protocol.newest };
  }

  /** Records a message wherever its actor lives. */
  post(posting: Posting, done: (result: PostResult) => void): void {
    const refuse = (code: string, message: string, retryAfterMs?: number) =>
      done({ state: "refused", code, outcome: "not-applied", message, retryAfterMs });
    if (this.departing.reason === "removed") {
      const { code, message } = removedError(this.self.name);
      return refuse(code, message);
    }
    if (!this.isReady) {
      return refuse("node/not-ready", "Cannot record the message as this node has not joined yet", 200);
    }
    const fault = diskFault(this.journal) ?? postingFault(posting);
    if (fault !== null) return refuse(fault.code, `Cannot record the message as ${fault.rule}`);
    this.mailroom.post(posting, done);
  }

  /** This node's opinion: true for who is gone for good, too. */
  isSuspect(incarnation: number): boolean {
    return incarnation !== this.self.incarnation && this.membership.isSuspect(incarnation);
  }

  /** Name of the node that lives, or lived, under this incarnation. */
  nameOf(incarnation: number): string {
    return this.#names.nameOf(incarnation);
  }

  /** True once this node's topology has its shards born, so that it can take requests. */
  get isReady(): boolean {
    return !this.#closed && !this.reviving.isWaiting && this.directory.isWhole &&
      (this.directory.topology?.state.born ?? null) !== null;
  }

  /** Gives up its writers, says goodbye to its peers, stops. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#absence.stop();
    this.sealing.stop();
    this.retention.stop();
    this.departing.stop();
    this.recovering.stop();
    this.reviving.stop();
    this.replication.stop();
    this.membership.stop();
    this.mailroom.close();
    this.requests.close();
    await this.mesh.close("closing");
    await new Promise<void>((resolve) => this.journal === null ? resolve() : this.journal.close(resolve));
  }

  #onJournalFault(fault: "full" | "failed" | null): void {
    if (fault === null) log("node").warning("the journal can be written again");
    else log("node").error("the journal cannot be written: {fault}; this node takes nothing until it can", { fault });
  }

  /** By the members where there is a copy here, else by placement: what this node can know without asking. */
  #standsStill(shard: number): boolean {
    if (this.replication.store(shard) !== null) return this.replication.standingStill().includes(shard);
    const voters = this.directory.topology?.votersOf(shard) ?? [];
    return voters.filter((node) => this.isSuspect(node.incarnation)).length * 2 > voters.length;
  }

  #placement(shard: number): readonly TopologyNode[] {
    const topology = this.directory.topology;
    if (topology === null) return [];
    return shard === SYSTEM_SHARD ? topology.systemPlacement().voters : topology.placementOf(shard);
  }

  #handlers(): LivePlugin[] {
    const { topology } = this.directory;
    const { plugins = {}, settings = {}, born = null } = topology?.state ?? {};
    return foldingVersions(plugins, {
      nowMs: this.world.nowWallMs(),
      isPaused: (name) => isPaused(settings, name),
      // By where placement wants the writer, not by where it is: every node with this topology comes to the same.
      shardsAt: (place) =>
        born === null
          ? []
          : topology!.dataShards().filter((shard) => isAt(topology!.placementOf(shard)[0].name, place)),
      shardOf: (key) => topology!.shardOf(key),
    });
  }

  #onFrame(from: number, type: number, payload: Uint8Array): void {
    this.membership.heard(from);
    try {
      switch (type) {
        case FRAME.RAFT:
          return this.replication.receive(from, payload);
        case FRAME.DELIVER:
        case FRAME.DELIVER_ANSWER:
          return this.mailroom.receive(from, type, payload);
        case FRAME.PING:
        case FRAME.PONG:
        case FRAME.PING_REQUEST:
          return this.membership.receive(from, type, payload);
        case FRAME.REQUEST:
        case FRAME.RESPONSE:
          return this.requests.receive(from, type, payload);
        case FRAME.RELAY:
        case FRAME.RELAYED:
        case FRAME.RELAY_REFUSED:
          return this.relaying.receive(from, type, payload);
        default:
          // Of a version that was not agreed on: a peer must not say it to us, and it does no harm.
          this.unknownFrames++;
      }
    } catch (error) {
      // A frame that cannot be read costs its sender the frame, never this node its life. A broken invariant of our own
      // is another matter: it must be seen.
      if (!(error instanceof Error) || error.name !== "WaterparkError") throw error;
      log("node").warning("frame of type {type} dropped: {code}", { type, code: (error as { code?: string }).code });
    }
  }

  /** Says why somebody was turned away; the same reason again only after a while, as a stranger dials again and again. */
  #onRefused(error: WaterparkError): void {
    const nowMs = this.world.nowMonoMs();
    if (nowMs < (this.#refusals.get(error.code) ?? -Infinity) + REFUSAL_LOG_MS) return;
    this.#refusals.set(error.code, nowMs);
    log("transport").error("{code}: {message}", { code: error.code, message: error.message });
  }

  #onCommitted(shard: number, first: number, last: number): void {
    const { observer } = this.#options;
    if (observer !== undefined) {
      const { role, term } = this.replication.stateOf(shard)!;
      observer.committed(shard, first, last, { isWriter: role === "writer", term });
    }
    if (shard === SYSTEM_SHARD) {
      this.directory.committed(first, last);
      return;
    }
    this.actors.committed(shard, first, last);
    this.reading.committed(shard);
  }

  #onWriter(shard: number, isWriter: boolean): void {
    this.#options.observer?.writes?.(shard, isWriter, this.replication.stateOf(shard)!.term);
    if (shard === SYSTEM_SHARD) return;
    if (isWriter) this.actors.becameWriter(shard);
    else this.actors.lostWriter(shard);
    this.mailroom.writerChanged(shard);
  }

  #onPublished(topology: Topology, previous: Topology | null): void {
    const { state } = topology;
    this.#options.observer?.published?.(topology.version, state.nodes.length);
    this.#clusterId ??= state.clusterId;
    this.journal?.belongsTo(state.clusterId);
    const peers = state.nodes.filter((node) => node.incarnation !== this.self.incarnation);
    this.#names.learn(topology);
    this.#news.keep(topology);
    this.mesh.setPeers(peers);
    this.membership.setPeers(peers);
    const incarnations = (nodes: readonly TopologyNode[]) => nodes.map((node) => node.incarnation);
    const system = topology.systemPlacement();
    this.replication.setDesired(SYSTEM_SHARD, {
      voters: incarnations(system.voters),
      learners: incarnations(system.learners),
    });
    if (state.born !== null) {
      for (const shard of topology.dataShards()) {
        this.replication.setDesired(shard, {
          voters: incarnations(topology.votersOf(shard)),
          learners: incarnations(topology.learnersOf(shard)),
        });
      }
      if ((previous?.state.born ?? null) === null) {
        state.born.members.forEach((members, shard) => {
          if (members.includes(this.self.incarnation)) this.replication.birth(shard, members);
        });
      }
    }
    for (const [shard, { generation, survivor }] of Object.entries(state.recovered)) {
      this.replication.setGeneration(Number(shard), generation, survivor);
    }
    this.mailroom.topologyChanged();
    this.#announcePlugins();
    if (state.plugins !== previous?.state.plugins || state.settings !== previous?.state.settings) {
      this.#options.onOutside?.(state);
      this.effects.sinksChanged();
    }
    if (state.switches !== previous?.state.switches) this.actors.switchesChanged();
  }

  #announcePlugins(): void {
    const handlers = this.#handlers();
    const known = textOf(handlers);
    if (known === this.#bundlesKnown) return;
    this.#bundlesKnown = known;
    this.#haveBundles(handlers);
    this.actors.pluginsChanged();
  }

  #haveBundles(handlers: LivePlugin[]): void {
    const { plugins } = this.directory.topology!.state;
    this.#options.onPlugins([...bundlesOf(plugins, handlers), ...this.#lent.bundles(plugins)]);
  }

  #report(what: string, result: RequestResult): void {
    if (!result.ok) log("node").error("{what} failed: {code}", { what, code: result.code });
  }
}
