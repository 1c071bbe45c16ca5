import { WaterparkError } from "../base/mod.ts";
import { FRAME } from "../wire/mod.ts";
import type { Timer, World } from "../world/mod.ts";
import { MEMBERSHIP_CONFIG, type MembershipConfig } from "./config.ts";
import { ClockOffsets } from "./clock_offsets.ts";
import { type DetectorAction, FailureDetector, type MembershipPeer } from "./failure_detector.ts";
import { aboutFrame, pingFrame, type Pong, pongFrame, readAbout, readPing, readPong } from "./ping_frames.ts";
import { RoundTrips } from "./round_trips.ts";
import { type WayAction, Ways } from "./ways.ts";

/** What `node` hands to the membership. */
export interface MembershipOptions {
  /** time */
  world: World;
  /** this node */
  self: { name: string; incarnation: number };
  /** queues one frame's payload for a peer, in the control lane; false: there is no link, or no room */
  send: (to: number, type: number, payload: Uint8Array) => boolean;
  /** an incarnation is suspected from now on; called once until `onAlive` */
  onSuspect: (incarnation: number) => void;
  /** a suspected incarnation has shown itself */
  onAlive: (incarnation: number) => void;
  /**
   * The way to a peer has changed. False: what is under way to it may be lost. True: there is one (again), direct or by
   * a relay; see {@linkcode Membership.viaOf}.
   */
  onWay?: (incarnation: number, isOpen: boolean) => void;
  /** times and bounds that differ from {@linkcode MEMBERSHIP_CONFIG} */
  config?: Partial<MembershipConfig>;
}

/** Questions of or for others that are open at most; the oldest is forgotten first and then simply gets no answer. */
const QUESTIONS_MAX = 512;

/**
 * This node's opinion of who is alive: drives {@linkcode FailureDetector} with the world's time and the peers' frames.
 *
 * Relied on: a peer that shows no sign of life for 300 ms (times `stretch` after a stall of this node) is suspected, one
 * whose link closed after 100 ms; any frame from it ends that at once. Not relied on by anything that must be true: two
 * nodes may differ, and a suspected node may be well and writing.
 */
export class Membership {
  /** frames that were thrown away as malformed */
  malformed = 0;
  /** how often a peer was suspected, since the start */
  suspicions = 0;
  readonly #options: MembershipOptions;
  readonly #config: MembershipConfig;
  readonly #detector: FailureDetector;
  readonly #roundTrips = new RoundTrips();
  readonly #clocks = new ClockOffsets();
  readonly #ways: Ways;
  readonly #isSuspectNow = (incarnation: number) => this.isSuspect(incarnation);
  /** own questions to third nodes: number -> about whom */
  readonly #asked = new Map<number, number>();
  /** other nodes' questions: number of the ping sent for them -> whom to tell */
  readonly #relayed = new Map<number, { from: number; number: number; about: number }>();
  #number = 0;
  #timer: Timer | null = null;

  /** Nothing happens before {@linkcode start}. */
  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#config = { ...MEMBERSHIP_CONFIG, ...options.config };
    this.#detector = new FailureDetector({ self: options.self.incarnation, config: this.#config });
    this.#ways = new Ways({ self: options.self.incarnation });
  }

  /** Begins to ping; the first time at once. */
  start(): void {
    if (this.#timer === null) this.#tick();
  }

  /** Ends it. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /**
   * The nodes of the topology from now on; self among them is passed over. An incarnation that is no longer there is
   * reported as suspect at once, and stays so.
   */
  setPeers(peers: readonly MembershipPeer[]): void {
    this.#clocks.keep(peers);
    this.#ways.keep(peers.map(({ incarnation }) => incarnation), this.#ownMs());
    this.#do(this.#detector.setPeers(peers, this.#now()));
  }

  /** Any frame has come from `incarnation`. Cheap: called for every frame. */
  heard(incarnation: number): void {
    this.#do(this.#detector.heard(incarnation, this.#now()));
  }

  /** A link to `incarnation` is there; to make it, frames went both ways. */
  linkUp(incarnation: number): void {
    this.heard(incarnation);
    this.#doWays(this.#ways.answered(incarnation, this.#ownMs()));
  }

  /** The link to `incarnation` has closed. */
  linkDown(incarnation: number): void {
    this.#doWays(this.#ways.broke(incarnation));
    this.tripped(incarnation);
  }

  /** Something closed that a process holds as long as it lives: it is asked, and asked about, at once. */
  tripped(incarnation: number): void {
    this.#do(this.#detector.linkDown(incarnation, this.#now()));
  }

  /** True when the direct way there is not known to carry frames both ways. */
  isWayBroken(incarnation: number): boolean {
    return this.#ways.isBroken(incarnation);
  }

  /** Who reaches `incarnation` though this node does not; 0: nobody that is known, or there is no need. */
  viaOf(incarnation: number): number {
    return this.#ways.viaOf(incarnation);
  }

  /** `via` was asked to relay to `about`, and cannot. */
  relayRefused(via: number, about: number): void {
    this.#doWays(this.#ways.refused(via, about));
  }

  /** Number of peers that this node does not reach directly, suspected ones too. */
  get brokenWays(): number {
    return this.#ways.broken;
  }

  /** Takes a frame of type `FRAME.PING`, `PONG` or `PING_REQUEST` in; a malformed one is counted and dropped. */
  receive(from: number, type: number, payload: Uint8Array): void {
    this.heard(from);
    try {
      if (type === FRAME.PING) this.#answer(from, readPing(payload), this.#self);
      else if (type === FRAME.PONG) this.#pong(from, readPong(payload));
      else if (type === FRAME.PING_REQUEST) this.#requested(from, readAbout(payload));
    } catch (error) {
      if (!(error instanceof WaterparkError)) throw error;
      this.malformed++;
    }
  }

  /** True when nobody should count on `incarnation` now; always false for this node itself. */
  isSuspect(incarnation: number): boolean {
    return this.#detector.isSuspect(incarnation, this.#now());
  }

  /** How long it has been suspected, in ms; 0 when it is not. */
  suspectedForMs(incarnation: number): number {
    return this.#detector.suspectedForMs(incarnation, this.#now());
  }

  /** Time since its last sign of life, in ms; `Infinity` when there was none. */
  quietForMs(incarnation: number): number {
    return this.#detector.quietForMs(incarnation, this.#now());
  }

  /** 99th percentile of the last round trips to all peers, in ms; 0 before one was measured. */
  rttP99Ms(): number {
    return this.#roundTrips.p99Ms();
  }

  /**
   * How far this node's wall clock is ahead of the median of its peers', in ms, negative when it is behind; 0 while none
   * was heard. Good to half a round trip.
   */
  clockAheadMs(): number {
    return this.#clocks.aheadMs(this.#options.world.nowWallMs(), this.#now());
  }

  get #self(): number {
    return this.#options.self.incarnation;
  }

  #now(): number {
    return this.#options.world.nowMonoMs();
  }

  /** Time in which this node ran: a way is silent only as long as this node has listened. */
  #ownMs(): number {
    return this.#now() - this.#detector.forgivenMs;
  }

  #tick(): void {
    // Set first, so that what the callbacks below take does not make the next tick late, and a stop() in them holds.
    this.#timer = this.#options.world.after(this.#config.tickMs, () => this.#tick());
    const nowMs = this.#now();
    this.#do(this.#detector.tick(nowMs));
    const { wayAfterMs, askAfterMs } = this.#config;
    const stretch = this.#detector.stretch;
    this.#doWays(this.#ways.tick(this.#ownMs(), {
      silentMs: wayAfterMs * stretch,
      askMs: askAfterMs * stretch,
      isSuspect: this.#isSuspectNow,
    }));
  }

  #do(actions: readonly DetectorAction[]): void {
    for (const action of actions) {
      switch (action.type) {
        case "ping":
          this.#ping(action.to);
          break;
        case "ask":
          this.#ask(action);
          break;
        case "suspect":
          this.suspicions++;
          this.#doWays(this.#ways.withoutRelay(action.incarnation));
          this.#options.onSuspect(action.incarnation);
          break;
        case "alive":
          this.#options.onAlive(action.incarnation);
      }
    }
  }

  #doWays(actions: readonly WayAction[]): void {
    for (const action of actions) {
      if (action.type === "ask") this.#ask(action);
      else this.#options.onWay?.(action.to, action.type === "open");
    }
  }

  #ask({ via, about }: { via: number; about: number }): void {
    const number = this.#nextNumber();
    keep(this.#asked, number, about);
    this.#send(via, FRAME.PING_REQUEST, aboutFrame(number, about));
  }

  #ping(to: number): number {
    const number = this.#nextNumber();
    if (this.#send(to, FRAME.PING, pingFrame(number))) this.#roundTrips.sent(number, to, this.#now());
    return number;
  }

  #answer(to: number, number: number, about: number): void {
    this.#send(to, FRAME.PONG, pongFrame({ number, about, wallMs: this.#options.world.nowWallMs() }));
  }

  #pong(from: number, { number, about, wallMs }: Pong): void {
    if (about !== from) {
      // A third node's word counts only where it was asked for.
      if (this.#asked.get(number) !== about) return;
      this.#asked.delete(number);
      this.#do(this.#detector.heard(about, this.#now()));
      return this.#doWays(this.#ways.told(from, about, this.#ownMs()));
    }
    const nowMs = this.#now();
    this.#doWays(this.#ways.answered(from, this.#ownMs()));
    const tripMs = this.#roundTrips.answered(number, from, nowMs);
    if (tripMs >= 0) this.#clocks.heard(from, { wallMs, tripMs, nowMs });
    const relayed = this.#relayed.get(number);
    if (relayed === undefined || relayed.about !== from) return;
    this.#relayed.delete(number);
    this.#answer(relayed.from, relayed.number, from);
  }

  #requested(from: number, { number, about }: { number: number; about: number }): void {
    if (about === this.#self) return this.#answer(from, number, about);
    keep(this.#relayed, this.#ping(about), { from, number, about });
  }

  #nextNumber(): number {
    this.#number = this.#number >= 0xffffffff ? 1 : this.#number + 1;
    return this.#number;
  }

  #send(to: number, type: number, payload: Uint8Array): boolean {
    return this.#options.send(to, type, payload);
  }
}

function keep<T>(questions: Map<number, T>, number: number, question: T): void {
  questions.set(number, question);
  if (questions.size > QUESTIONS_MAX) questions.delete(questions.keys().next().value!);
}
