/**
 * The mesh: one logical link to every peer, whatever carries it.
 *
 * An image: a switchboard. Peers are plugged in and out below, by whichever line could be had; above, one asks for an
 * incarnation and gets a line or `false`. Nobody is put through who has not proved that he has the cluster's secret,
 * and every frame says for whom it is: a frame for an earlier life of this node ends here.
 *
 * It promises nothing about arrival; the rooms above send again. It is synchronous, so that a simulation of it is one
 * history. It costs one link per pair of nodes, which serves up to about a hundred nodes.
 */
import { assert, WaterparkError } from "../base/mod.ts";
import { clusterTag, FRAME, type Frame, type Lane, LANE_BULK, LANE_MESSAGE, PROTOCOL } from "../wire/mod.ts";
import type { Timer } from "../world/mod.ts";
import type { Connection, Listening } from "./carrier.ts";
import { Dialling } from "./dialling.ts";
import { refusedError, unreachable } from "./errors.ts";
import { greet, turnAway } from "./greeting.ts";
import type { Peer } from "./handshake.ts";
import { listenByAll } from "./listen_by_all.ts";
import { type FrameStamp, isNewerKept, Link, type LinkReport, peerOf } from "./link.ts";
import { type DialResult, MESH_LIMITS, type MeshCounts, type MeshLimits, type MeshOptions } from "./mesh_options.ts";
import { clusterKeys } from "./secret.ts";
import { Tripwires } from "./tripwires.ts";

/** How long a link that was superseded is still read, in ms: the peer may learn of the better one a little later. */
const FADE_MS = 1_000;
const SILENCE_CHECKS_PER_LIMIT = 4;

/** One node's links to all others. */
export class Mesh {
  /** what was thrown away */
  readonly counts: MeshCounts = {
    wrongCluster: 0,
    wrongFrom: 0,
    wrongTo: 0,
    unreadable: 0,
    queueFull: 0,
    refused: 0,
  };
  readonly #options: MeshOptions;
  readonly #limits: MeshLimits;
  readonly #proofKey: Uint8Array;
  readonly #dialling: Dialling;
  readonly #tripwires: Tripwires | null;
  readonly #links = new Map<number, Link>();
  /** every proved connection that is open, superseded and leaving ones too */
  readonly #connections = new Set<Connection>();
  readonly #listening: Listening[] = [];
  #address: string;
  #strangers = 0;
  #calls = 0;
  #isClosing = false;
  #stampedCluster: string | null = null;
  #stamp: FrameStamp;
  #silenceTimer: Timer | null = null;

  /** A mesh without links; throws `transport/weak-secret`. */
  constructor(options: MeshOptions) {
    assert(options.carriers.length > 0, "a mesh needs a carrier");
    this.#options = options;
    this.#limits = { ...MESH_LIMITS, ...options.limits };
    this.#proofKey = clusterKeys(options.secret).proofKey;
    this.#address = options.self.address;
    this.#stamp = { cluster: clusterTag(null), from: options.self.incarnation, topologyVersion: 0 };
    const { world, layTripwire: lay, onTripped = () => {} } = options;
    this.#tripwires = lay === undefined ? null : new Tripwires({ world, lay, onTripped });
    this.#dialling = new Dialling({
      world: options.world,
      self: options.self.incarnation,
      carriers: options.carriers,
      linkTo: (peer) => this.#linkTo(peer),
      greet: (connection, address, done) => this.#greet(connection, "dial", address, () => done()),
      onFail: (error) => this.#tellRefused(error),
    });
  }

  /** Where peers dial this node. */
  get address(): string {
    return this.#address;
  }

  /**
   * Listens by every carrier at the same `host:port`; port 0 takes one that is free for all.
   *
   * @returns the address with the real port
   * @throws {WaterparkError} `transport/address-in-use`, `transport/bad-address`, `transport/secret-needed`
   */
  async listen(address: string): Promise<string> {
    const { address: at, listening } = await listenByAll(this.#options.carriers, address, this.#listenHandlers());
    this.#listening.push(...listening);
    return this.#listens(at);
  }

  /** As {@linkcode listen}, at once, for carriers that can. */
  listenSync(address: string): string {
    for (const carrier of this.#options.carriers) {
      assert(carrier.listenSync !== undefined, "this carrier cannot listen at once");
      this.#listening.push(carrier.listenSync(address, this.#listenHandlers()));
    }
    return this.#listens(address);
  }

  /**
   * The peers to be linked to. Links to others stay until they close. A peer's name or address may change; its
   * incarnation is who it is.
   */
  setPeers(peers: Peer[]): void {
    if (!this.#isClosing) this.#dialling.setPeers(peers);
  }

  /** Links to whoever answers at `address`: for a node that joins. `done` is called once, after `onPeer`. */
  dialOnce(address: string, done: (result: DialResult) => void): void {
    for (const link of this.#links.values()) {
      if (link.peer.address === address) return this.#options.world.soon(() => done({ peer: link.peer }));
    }
    this.#dialling.dial(address, {
      onOpen: (connection) => this.#greet(connection, "dial", address, done),
      onFail: (error) => {
        this.#tellRefused(error);
        done({ error });
      },
    });
  }

  /**
   * Queues a frame for one incarnation. False: there is no link, or its queue is full.
   *
   * @throws {WaterparkError} `wire/frame-too-large`
   */
  send(to: number, lane: Lane, type: number, payload: Uint8Array): boolean {
    const link = this.#links.get(to);
    if (link === undefined || link.isLeaving) return false;
    const share = lane === LANE_BULK ? 0.5 : lane === LANE_MESSAGE ? 0.9 : 1;
    if (link.connection.queuedBytes() + payload.length > share * this.#limits.queueBytesMax) {
      this.counts.queueFull++;
      return false;
    }
    link.send(lane, type, payload, this.#freshStamp());
    return true;
  }

  /** Whether a frame for this incarnation would leave at once: there is a link, and nothing waits in its lane. */
  isClear(incarnation: number, lane: Lane): boolean {
    return this.#links.get(incarnation)?.connection.waitingBytes(lane) === 0;
  }

  /** Whether frames for this incarnation can be sent. */
  isLinked(incarnation: number): boolean {
    return this.#links.has(incarnation);
  }

  /** links whose peer's death shows at once by a tripwire */
  get tripwiresHeld(): number {
    return this.#tripwires?.held ?? 0;
  }

  /** The version of the protocol that is spoken with this incarnation; null without a link. */
  versionOf(incarnation: number): number | null {
    return this.#links.get(incarnation)?.version ?? null;
  }

  /** Every link in numbers. */
  links(): LinkReport[] {
    return [...this.#links.values()].map((link) => link.report());
  }

  /** Says goodbye on every link, waits for the answers as long as the limit says, then closes everything. */
  close(reason: string): Promise<void> {
    const { world, carriers } = this.#options;
    this.#isClosing = true;
    this.#dialling.close();
    this.#tripwires?.close();
    this.#silenceTimer?.cancel();
    return new Promise((resolve) => {
      let isDone = false;
      const finish = () => {
        if (isDone) return;
        isDone = true;
        timer.cancel();
        for (const link of [...this.#links.values()]) this.#drop(link, reason);
        for (const connection of this.#connections) connection.close(reason);
        const closing = this.#listening.splice(0).map((listening) => listening.close());
        Promise.all(closing).then(() => {
          for (const carrier of carriers) carrier.close();
          // QUIC's close frames leave in the next turn: a process that ends now would send none (measured).
          world.after(1, resolve);
        });
      };
      const timer = world.after(this.#limits.goodbyeMs, finish);
      let unparted = this.#links.size;
      if (unparted === 0) return finish();
      for (const link of this.#links.values()) {
        link.onParted = () => {
          if (--unparted === 0) finish();
        };
        link.sendOnAllLanes(FRAME.GOODBYE, this.#freshStamp());
        link.isLeaving = true;
      }
    });
  }

  #linkTo({ incarnation, address }: Peer): "linked" | "replaced" | "none" {
    if (this.#links.has(incarnation)) return "linked";
    for (const { peer } of this.#links.values()) if (peer.address === address) return "replaced";
    return "none";
  }

  #listens(address: string): string {
    // The advertised address is the one given, unless it left the port open.
    if (/:0$/.test(this.#address)) {
      this.#address = this.#address.replace(/:0$/, address.slice(address.lastIndexOf(":")));
    }
    return address;
  }

  #listenHandlers() {
    return {
      onConnection: (connection: Connection) => this.#greet(connection, "accept", connection.remote, () => {}),
      onRefused: (error: WaterparkError) => {
        this.counts.refused++;
        this.#tellRefused(error);
      },
    };
  }

  #greet(connection: Connection, side: "dial" | "accept", address: string, done: (result: DialResult) => void): void {
    const { world, self } = this.#options;
    const stamp = { ...this.#freshStamp() };
    if (this.#isClosing || this.#strangers >= this.#limits.strangersMax) {
      const code = this.#isClosing ? "transport/closing" : "transport/full";
      turnAway({ world, connection, stamp, code });
      this.counts.refused++;
      return done({ error: refusedError(code, address) });
    }
    this.#strangers++;
    const ownCall = side === "dial" ? ++this.#calls : 0;
    greet({
      world,
      connection,
      side,
      stamp,
      proofKey: this.#proofKey,
      protocol: this.#options.protocol ?? PROTOCOL,
      self: { ...peerOf(self), address: this.#address, clusterId: this.#options.clusterId() },
      call: ownCall,
      onEnd: (greeted) => {
        this.#strangers--;
        if (this.#isClosing) {
          connection.close("the mesh closes");
          return done({ error: refusedError("transport/closing", address) });
        }
        if (greeted.state === "linked") {
          const call = side === "dial" ? ownCall : greeted.call;
          this.#adopt(
            new Link({
              connection,
              side,
              call,
              peer: greeted.peer,
              version: greeted.version,
              nowMs: world.nowMonoMs(),
            }),
          );
          return done({ peer: greeted.peer });
        }
        if (greeted.state === "lost") return done({ error: unreachable(address, greeted.reason) });
        const error = refusedError(greeted.code, address);
        if (!greeted.isTold) this.counts.refused++;
        this.#tellRefused(error);
        done({ error });
      },
    });
  }

  #adopt(link: Link): void {
    const { self } = this.#options;
    const { connection, peer } = link;
    connection.onFrame = (lane, frame) => this.#receive(link, lane, frame);
    this.#connections.add(connection);
    connection.onClose = () => {
      this.#connections.delete(connection);
      this.#drop(link, "closed");
    };
    const older = this.#links.get(peer.incarnation);
    if (older !== undefined && !isNewerKept(self.incarnation, older, link)) return this.#fade(link);
    this.#links.set(peer.incarnation, link);
    if (older !== undefined) return this.#fade(older);
    if (this.#silenceTimer === null) this.#watchSilence();
    // A WebSocket tells by itself.
    if (connection.carrier === "quic") this.#tripwires?.lay(peerOf(peer));
    this.#options.onPeer(peerOf(peer), true);
  }

  /** A superseded link sends nothing more; what still comes on it is read until the peer has changed over as well. */
  #fade(link: Link): void {
    this.#options.world.after(FADE_MS, () => link.connection.close("superseded"));
  }

  #receive(link: Link, lane: Lane, frame: Frame): void {
    const { world, self, onFrame } = this.#options;
    if (frame.type < FRAME.GOODBYE) return; // what is left of the handshake
    if (frame.from !== link.peer.incarnation) return void this.counts.wrongFrom++;
    if (frame.to !== self.incarnation) return void this.counts.wrongTo++;
    if (!this.#isOfCluster(frame)) {
      this.counts.wrongCluster++;
      return this.#drop(link, "another cluster");
    }
    link.heard(frame, world.nowMonoMs());
    if (frame.type === FRAME.GOODBYE || frame.type === FRAME.GOODBYE_ACK) return this.#part(link, lane, frame.type);
    if (frame.type === FRAME.REFUSED) return this.#drop(link, "refused");
    try {
      onFrame(link.who, frame.type, frame.payload, frame.topologyVersion);
    } catch (error) {
      // Hostile or of another version: what cannot be read ends the link. Anything else is a bug of ours.
      if (!(error instanceof WaterparkError)) throw error;
      this.counts.unreadable++;
      this.#drop(link, "an unreadable frame");
    }
  }

  #part(link: Link, lane: Lane, type: number): void {
    if (!link.part(type, lane)) return;
    link.sendOnAllLanes(FRAME.GOODBYE_ACK, this.#freshStamp());
    link.isLeaving = true;
    this.#forget(link);
    // The peer closes; should it not, we do.
    this.#options.world.after(this.#limits.goodbyeMs, () => link.connection.close("goodbye"));
  }

  /** A node without a cluster takes, and may send, frames that bear none: it is about to learn which it joins. */
  #isOfCluster({ cluster }: Frame): boolean {
    const own = this.#freshStamp().cluster;
    if (cluster.hi === own.hi && cluster.lo === own.lo) return true;
    return this.#options.clusterId() === null || (cluster.hi === 0 && cluster.lo === 0);
  }

  #drop(link: Link, reason: string): void {
    link.connection.close(reason);
    this.#forget(link);
    link.onParted?.();
    link.onParted = null;
  }

  #forget(link: Link): void {
    const { incarnation } = link.peer;
    if (this.#links.get(incarnation) !== link) return;
    this.#links.delete(incarnation);
    this.#tripwires?.cut(incarnation);
    this.#dialling.lost(incarnation);
    this.#options.onPeer(peerOf(link.peer), false);
  }

  #watchSilence(): void {
    const { silentMs } = this.#limits;
    if (silentMs === Infinity || this.#isClosing) return;
    const { world } = this.#options;
    this.#silenceTimer = world.after(silentMs / SILENCE_CHECKS_PER_LIMIT, () => {
      this.#silenceTimer = null;
      const nowMs = world.nowMonoMs();
      for (const link of [...this.#links.values()]) {
        if (nowMs - link.lastHeardMs > silentMs) this.#drop(link, "silent");
      }
      if (this.#links.size > 0) this.#watchSilence();
    });
  }

  #freshStamp(): FrameStamp {
    const clusterId = this.#options.clusterId();
    if (clusterId !== this.#stampedCluster) {
      this.#stampedCluster = clusterId;
      this.#stamp.cluster = clusterTag(clusterId);
    }
    this.#stamp.topologyVersion = this.#options.topologyVersion();
    return this.#stamp;
  }

  #tellRefused(error: WaterparkError): void {
    if (error.code !== "transport/unreachable" && error.code !== "transport/closing") this.#options.onRefused?.(error);
  }
}
