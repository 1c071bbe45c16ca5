/** What changed about the ways to peers. */
export type WayAction =
  /** what is under way to this peer may be lost: the direct way broke, or the node that relayed is gone */
  | { type: "broken"; to: number }
  /** there is a way again, direct or by a relay */
  | { type: "open"; to: number }
  /** ask `via` to ping `about`: it may be a relay */
  | { type: "ask"; via: number; about: number };

interface Way {
  readonly incarnation: number;
  /** the last proof that frames go there and come back */
  answeredAtMs: number;
  isBroken: boolean;
  /** the relay in use; 0 none */
  via: number;
  askedAtMs: number;
  /** relay -> when it said last that the peer has answered it */
  readonly words: Map<number, number>;
}

/** Others asked at a time about a peer that this node does not reach. */
const ASKED_MAX = 3;

/**
 * Which ways to peers are good, and who reaches whom this node does not: the pure core, all times handed in.
 *
 * An image: a telephone. That one hears the other does not mean that he hears us; so a way is good as long as questions
 * come back as answers. When they do not, one asks three neighbours whether they get through, and has the first who does
 * pass everything on, until the own line answers again.
 *
 * Suspicion is another matter: it is about the peer's life, which a third node's word proves as well as an answer. A peer
 * may be alive without a way to it, and then is worth a relay; a suspected one is not.
 *
 * A relay is one hop: who relays has a good way of its own, or says no. Costs nothing while all ways are good, and three
 * questions in `askMs` for each that is not. It stops being right where only two relays in a row would reach.
 */
export class Ways {
  readonly #self: number;
  readonly #ways = new Map<number, Way>();
  #broken = 0;

  constructor(options: { self: number }) {
    this.#self = options.self;
  }

  /** Number of peers without a good direct way. */
  get broken(): number {
    return this.#broken;
  }

  /** These are the peers from now on. */
  keep(incarnations: readonly number[], nowMs: number): void {
    const known = new Set(incarnations);
    for (const [incarnation, way] of this.#ways) {
      if (known.has(incarnation)) continue;
      if (way.isBroken) this.#broken--;
      this.#ways.delete(incarnation);
    }
    for (const incarnation of incarnations) {
      if (incarnation === this.#self || this.#ways.has(incarnation)) continue;
      // A link takes a while to be made: the silence counts from here.
      const way = { incarnation, answeredAtMs: nowMs, isBroken: false, via: 0, askedAtMs: -Infinity, words: new Map() };
      this.#ways.set(incarnation, way);
    }
  }

  /** True when what is sent there directly is not known to come back. */
  isBroken(incarnation: number): boolean {
    return this.#broken > 0 && this.#ways.get(incarnation)?.isBroken === true;
  }

  /** Who relays to `incarnation`; 0: nobody, or there is no need. */
  viaOf(incarnation: number): number {
    return this.#broken === 0 ? 0 : this.#ways.get(incarnation)?.via ?? 0;
  }

  /** The peer has answered this node itself. */
  answered(incarnation: number, nowMs: number): readonly WayAction[] {
    const way = this.#ways.get(incarnation);
    if (way === undefined) return [];
    way.answeredAtMs = nowMs;
    if (!way.isBroken) return [];
    way.isBroken = false;
    way.via = 0;
    way.words.clear();
    this.#broken--;
    return [{ type: "open", to: incarnation }];
  }

  /** The link is gone. */
  broke(incarnation: number): readonly WayAction[] {
    const way = this.#ways.get(incarnation);
    if (way === undefined || way.isBroken) return [];
    return this.#break(way);
  }

  /** `via` says that `about` has answered it. */
  told(via: number, about: number, nowMs: number): readonly WayAction[] {
    const way = this.#ways.get(about);
    if (way === undefined || !way.isBroken || via === about) return [];
    way.words.set(via, nowMs);
    if (way.via !== 0) return [];
    way.via = via;
    return [{ type: "open", to: about }];
  }

  /** `via` has said that it does not reach `about` after all. */
  refused(via: number, about: number): readonly WayAction[] {
    const way = this.#ways.get(about);
    if (way === undefined || !way.words.delete(via) || way.via !== via) return [];
    return this.#rechoose(way);
  }

  /** Nothing can go by way of `via` any more: it is suspected, or its own way is broken. */
  withoutRelay(via: number): readonly WayAction[] {
    if (this.#broken === 0) return [];
    const actions: WayAction[] = [];
    for (const way of this.#ways.values()) {
      way.words.delete(via);
      if (way.via === via) actions.push(...this.#rechoose(way));
    }
    return actions;
  }

  /**
   * Finds ways that have gone silent, and asks about those that are broken.
   *
   * @param silentMs without an answer for so long a way counts as broken
   * @param isSuspect who is suspected is neither asked nor asked about
   */
  tick(nowMs: number, options: {
    silentMs: number;
    askMs: number;
    isSuspect: (incarnation: number) => boolean;
  }): readonly WayAction[] {
    const { silentMs, askMs, isSuspect } = options;
    const actions: WayAction[] = [];
    for (const way of this.#ways.values()) {
      if (!way.isBroken && nowMs - way.answeredAtMs > silentMs) actions.push(...this.#break(way));
      if (!way.isBroken || isSuspect(way.incarnation)) continue;
      // Five questions without an answer: whatever the relay says of itself, it does not get through.
      if (way.via !== 0 && nowMs - way.words.get(way.via)! > askMs * 5) {
        way.words.delete(way.via);
        actions.push(...this.#rechoose(way));
      }
      if (nowMs - way.askedAtMs < askMs) continue;
      way.askedAtMs = nowMs;
      for (const via of this.#candidates(way, nowMs, { askMs, isSuspect })) {
        actions.push({ type: "ask", via, about: way.incarnation });
      }
    }
    return actions;
  }

  /** The relay in use first, so that it is not changed without need; then others in turn. */
  #candidates(way: Way, nowMs: number, { askMs, isSuspect }: {
    askMs: number;
    isSuspect: (incarnation: number) => boolean;
  }): number[] {
    const others: number[] = [];
    for (const other of this.#ways.values()) {
      if (!other.isBroken && other !== way && !isSuspect(other.incarnation)) others.push(other.incarnation);
    }
    const asked = way.via === 0 ? [] : [way.via];
    const turn = Math.floor(nowMs / askMs) * ASKED_MAX;
    for (let i = 0; i < others.length && asked.length < ASKED_MAX; i++) {
      const next = others[(turn + i) % others.length];
      if (next !== way.via) asked.push(next);
    }
    return asked;
  }

  #break(way: Way): readonly WayAction[] {
    way.isBroken = true;
    this.#broken++;
    // Asked about at the next tick.
    way.askedAtMs = -Infinity;
    // Who is not reached relays nothing.
    return [{ type: "broken", to: way.incarnation }, ...this.withoutRelay(way.incarnation)];
  }

  #rechoose(way: Way): readonly WayAction[] {
    let freshestMs = -Infinity;
    way.via = 0;
    for (const [via, atMs] of way.words) {
      if (atMs > freshestMs) [way.via, freshestMs] = [via, atMs];
    }
    const broken: WayAction = { type: "broken", to: way.incarnation };
    return way.via === 0 ? [broken] : [broken, { type: "open", to: way.incarnation }];
  }
}
