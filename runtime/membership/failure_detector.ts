import { assert } from "../base/mod.ts";
import type { MembershipConfig } from "./config.ts";

/** A node as the detector knows it. */
export interface MembershipPeer {
  /** `TN-A-1` */
  name: string;
  /** this life of it */
  incarnation: number;
}

/** What the detector wants done. */
export type DetectorAction =
  /** ping this peer */
  | { type: "ping"; to: number }
  /** ask `via` to ping `about` */
  | { type: "ask"; via: number; about: number }
  /** report that it is suspected from now on */
  | { type: "suspect"; incarnation: number }
  /** report that it is not suspected any more */
  | { type: "alive"; incarnation: number };

interface PeerState {
  readonly name: string;
  readonly incarnation: number;
  /** last sign of life; at first the time when it became a peer */
  heardAtMs: number;
  /** it has shown itself at least once */
  known: boolean;
  pingedAtMs: number;
  askedAtMs: number;
  /** when its link closed; null once it has shown itself since */
  downAtMs: number | null;
  suspectSinceMs: number | null;
  /** when it was heard last, only long stalls forgiven */
  heardWallMs: number;
  /** looks taken at it since then */
  ticksQuiet: number;
  /** the longest silence of late from which it came back, fading; it is not unusual for this peer, then */
  usualMs: number;
}

/** Incarnations that were peers once, and nodes that are not peers yet, are remembered up to this number each. */
const REMEMBERED_MAX = 1024;
/** So many ticks in time take one step off what a stall has added. */
const HEALTHY_TICKS = 40;
/** Others are asked about a suspected peer once in so many pings. */
const SUSPECT_ASK_INTERVALS = 10;
/** A silence is unusual from twice the usual one on, but at the latest at so many times the configured one. */
const UNUSUAL = 2;
const UNUSUAL_MAX = 3;
/** Whatever is forgiven: five times the configured time and so many looks without a sign are enough. */
const UNFORGIVEN = 5;
const UNFORGIVEN_TICKS = 8;
/** Of one stall so much counts for that, ms: many short ones are a starved node's life, a long one is its own fault. */
const UNFORGIVEN_STALL_MS = 250;
/** What is usual fades by this part with every tick: half of it in some 15 seconds. */
const FADING = 0.9988;
const NOTHING: readonly DetectorAction[] = [];

/**
 * Tells who is silent: the pure core, all times handed in.
 *
 * A watchman who nods to each neighbour ten times a second, asks three others before he says that somebody is gone, and
 * who first asks himself whether he has slept. Opinions are about incarnations, are this node's alone, and any frame from
 * the suspected one refutes them: nothing but elections and routing may rest on them.
 *
 * A closed link is stronger evidence than silence, as a process that dies closes it within milliseconds: others are asked
 * at once, and the peer has `confirmMs` to show itself. Time in which this node did not run is not held against anybody:
 * the lateness of every tick is forgiven, as the frames of that time still lie in queues behind it, and a stall widens
 * all times for seconds. And what is usual is not suspicious: on a starved machine healthy peers fall silent for 250 ms
 * at a time; a peer is given twice what it has shown lately, up to three times the configured time. A process that dies
 * is found by its closed link all the same. SWIM (Das et al., 2002), Lifeguard (Dadgar et al., 2018), and in small the
 * idea of accrual detectors (Hayashibara et al., 2004). All that ends at five times the configured time, after which a
 * frozen node is not waited for any longer, however starved this one is.
 *
 * Costs, at n peers, 10 n pings a second; with more than `meshPeersMax` the same number of pings, later suspicion.
 */
export class FailureDetector {
  readonly #self: number;
  readonly #config: MembershipConfig;
  /** in order of names */
  #peers: PeerState[] = [];
  #byIncarnation = new Map<number, PeerState>();
  /** peers no more, and since when they are suspected */
  readonly #gone = new Map<number, number>();
  /** heard, but not among the peers (yet) */
  readonly #strangers = new Map<number, number>();
  #tickedAtMs: number | null = null;
  #forgivenMs = 0;
  #health = 0;
  #healthyTicks = 0;
  #turn = 0;

  constructor(options: { self: number; config: MembershipConfig }) {
    const { pingIntervalMs, askAfterMs, suspectAfterMs, tickMs } = options.config;
    assert(
      tickMs <= pingIntervalMs && pingIntervalMs <= askAfterMs && askAfterMs < suspectAfterMs,
      "a peer can answer before others are asked, and they before it is suspected",
    );
    this.#self = options.self;
    this.#config = options.config;
  }

  /** How much all times are widened at present; 1 = not. */
  get stretch(): number {
    return (1 + this.#health) * Math.max(1, Math.ceil(this.#peers.length / this.#config.meshPeersMax));
  }

  /** Time in which this node did not run, as its ticks have shown it, ms since it began. */
  get forgivenMs(): number {
    return this.#forgivenMs;
  }

  /** The peers from now on. Who is no longer among them, be it for a newer incarnation of its name, is gone for good. */
  setPeers(peers: readonly MembershipPeer[], nowMs: number): readonly DetectorAction[] {
    const actions: DetectorAction[] = [];
    const next = new Map<number, PeerState>();
    for (const { name, incarnation } of [...peers].sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0)) {
      if (incarnation === this.#self || next.has(incarnation)) continue;
      next.set(incarnation, this.#byIncarnation.get(incarnation) ?? this.#newPeer({ name, incarnation }, nowMs));
    }
    for (const peer of this.#peers) {
      if (next.has(peer.incarnation)) continue;
      remember(this.#gone, peer.incarnation, peer.suspectSinceMs ?? nowMs);
      if (peer.suspectSinceMs === null) actions.push({ type: "suspect", incarnation: peer.incarnation });
    }
    this.#byIncarnation = next;
    this.#peers = [...next.values()];
    return actions;
  }

  /** Any frame from `incarnation`, or a third node's word that it answered. */
  heard(incarnation: number, nowMs: number): readonly DetectorAction[] {
    const peer = this.#byIncarnation.get(incarnation);
    if (peer === undefined) {
      if (!this.#gone.has(incarnation)) remember(this.#strangers, incarnation, nowMs);
      return NOTHING;
    }
    const gapMs = nowMs - peer.heardAtMs;
    // Longer ones are failures, however they end: a node that freezes again and again is not to be given more time.
    if (gapMs > peer.usualMs && gapMs <= this.#config.suspectAfterMs * UNUSUAL_MAX) peer.usualMs = gapMs;
    peer.heardAtMs = peer.heardWallMs = nowMs;
    peer.ticksQuiet = 0;
    peer.known = true;
    peer.downAtMs = null;
    if (peer.suspectSinceMs === null) return NOTHING;
    peer.suspectSinceMs = null;
    return [{ type: "alive", incarnation }];
  }

  /** The link to `incarnation` has closed. */
  linkDown(incarnation: number, nowMs: number): readonly DetectorAction[] {
    const peer = this.#byIncarnation.get(incarnation);
    if (peer === undefined || peer.suspectSinceMs !== null) return NOTHING;
    // Links that come and go without a frame do not put suspicion off.
    peer.downAtMs ??= nowMs;
    // Its own answer, where something else than the way to it has closed, is the quickest refutation.
    const actions: DetectorAction[] = [{ type: "ping", to: incarnation }];
    peer.pingedAtMs = nowMs;
    this.#ask(peer, { nowMs, actions });
    return actions;
  }

  /** Looks at everybody; to be called every `tickMs`. */
  tick(nowMs: number): readonly DetectorAction[] {
    this.#lookAtSelf(nowMs);
    const actions: DetectorAction[] = [];
    const { pingIntervalMs, askAfterMs, suspectAfterMs, firstContactMs, confirmMs, meshPeersMax } = this.#config;
    const stretch = this.stretch;
    const mesh = Math.max(1, Math.ceil(this.#peers.length / meshPeersMax));
    for (const peer of this.#peers) {
      if (nowMs - peer.pingedAtMs >= pingIntervalMs * mesh) {
        peer.pingedAtMs = nowMs;
        actions.push({ type: "ping", to: peer.incarnation });
      }
      if (peer.suspectSinceMs !== null) {
        // It may be well, and only the way to it be broken.
        if (nowMs - peer.askedAtMs >= pingIntervalMs * SUSPECT_ASK_INTERVALS) this.#ask(peer, { nowMs, actions });
        continue;
      }
      const quietMs = nowMs - peer.heardAtMs;
      peer.usualMs *= FADING;
      const unusualMs = Math.min(peer.usualMs * UNUSUAL, suspectAfterMs * UNUSUAL_MAX);
      const isLong = peer.known && ++peer.ticksQuiet >= UNFORGIVEN_TICKS &&
        nowMs - peer.heardWallMs >= suspectAfterMs * UNFORGIVEN * mesh;
      const isGone = isLong ||
        quietMs >= (peer.known ? Math.max(suspectAfterMs * stretch, unusualMs) : firstContactMs * stretch) ||
        (peer.downAtMs !== null && nowMs - peer.downAtMs >= confirmMs * stretch);
      if (isGone) {
        peer.suspectSinceMs = nowMs;
        actions.push({ type: "suspect", incarnation: peer.incarnation });
      } else if (quietMs >= askAfterMs * stretch && nowMs - peer.askedAtMs >= pingIntervalMs) {
        this.#ask(peer, { nowMs, actions });
      }
    }
    return actions;
  }

  /**
   * True when nobody should count on `incarnation` now. Of one that is no peer: when it was one, or has not been heard
   * lately; a node that has just joined may speak before this node's topology knows it.
   */
  isSuspect(incarnation: number, nowMs: number): boolean {
    if (incarnation === this.#self) return false;
    const peer = this.#byIncarnation.get(incarnation);
    if (peer !== undefined) return peer.suspectSinceMs !== null;
    return this.quietForMs(incarnation, nowMs) >= this.#config.suspectAfterMs * this.stretch;
  }

  /** How long `incarnation` has been suspected, in ms; 0 when it is not, or never was a peer. */
  suspectedForMs(incarnation: number, nowMs: number): number {
    const sinceMs = this.#byIncarnation.get(incarnation)?.suspectSinceMs ?? this.#gone.get(incarnation);
    return sinceMs === undefined ? 0 : nowMs - sinceMs;
  }

  /** Time since the last sign of life, in ms; `Infinity` when there was none, or it is gone for good. */
  quietForMs(incarnation: number, nowMs: number): number {
    if (incarnation === this.#self) return 0;
    const heardAtMs = this.#byIncarnation.get(incarnation)?.heardAtMs ?? this.#strangers.get(incarnation);
    return heardAtMs === undefined ? Infinity : nowMs - heardAtMs;
  }

  #newPeer({ name, incarnation }: MembershipPeer, nowMs: number): PeerState {
    const strangerAtMs = this.#strangers.get(incarnation);
    const suspectSinceMs = this.#gone.get(incarnation) ?? null;
    this.#strangers.delete(incarnation);
    this.#gone.delete(incarnation);
    return {
      name,
      incarnation,
      heardAtMs: strangerAtMs ?? nowMs,
      known: strangerAtMs !== undefined,
      pingedAtMs: -Infinity,
      askedAtMs: -Infinity,
      downAtMs: null,
      suspectSinceMs,
      usualMs: 0,
      heardWallMs: strangerAtMs ?? nowMs,
      ticksQuiet: 0,
    };
  }

  /** Asks up to `askedMax` others, in turn, so that nobody is asked about everybody. */
  #ask(peer: PeerState, { nowMs, actions }: { nowMs: number; actions: DetectorAction[] }): void {
    peer.askedAtMs = nowMs;
    const others = this.#peers.filter((other) =>
      other !== peer && other.known && other.suspectSinceMs === null && other.downAtMs === null
    );
    const asked = Math.min(this.#config.askedMax, others.length);
    for (let i = 0; i < asked; i++) {
      const via = others[(this.#turn + i) % others.length].incarnation;
      actions.push({ type: "ask", via, about: peer.incarnation });
    }
    this.#turn += asked;
  }

  #lookAtSelf(nowMs: number): void {
    const { tickMs, stallMs, healthMax } = this.#config;
    const lateMs = this.#tickedAtMs === null ? 0 : nowMs - this.#tickedAtMs - tickMs;
    this.#tickedAtMs = nowMs;
    if (lateMs > 0) this.#forgive(lateMs, nowMs);
    if (lateMs <= stallMs) {
      if (this.#health > 0 && ++this.#healthyTicks >= HEALTHY_TICKS) {
        this.#health--;
        this.#healthyTicks = 0;
      }
      return;
    }
    this.#healthyTicks = 0;
    this.#health = Math.min(healthMax, this.#health + Math.ceil(lateMs / (stallMs * 5)));
  }

  /** Frames that came while this node did not run still lie in the queues behind this tick. */
  #forgive(lateMs: number, nowMs: number): void {
    this.#forgivenMs += lateMs;
    for (const peer of this.#peers) {
      peer.heardAtMs = Math.min(nowMs, peer.heardAtMs + lateMs);
      peer.heardWallMs += Math.max(0, lateMs - UNFORGIVEN_STALL_MS);
      if (peer.downAtMs !== null) peer.downAtMs = Math.min(nowMs, peer.downAtMs + lateMs);
    }
  }
}

/** Keeps the latest {@linkcode REMEMBERED_MAX}. */
function remember(map: Map<number, number>, incarnation: number, atMs: number): void {
  map.delete(incarnation);
  map.set(incarnation, atMs);
  if (map.size > REMEMBERED_MAX) map.delete(map.keys().next().value!);
}
