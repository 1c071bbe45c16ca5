/**
 * Peer news: a peer is linked, reached another way, silent, alive again; every room that lives by that is told. Like the
 * porter who knows whose door bell has stopped working.
 */
import { log } from "../telemetry/mod.ts";
import type { Topology } from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";
import type { CoreObserver } from "./core_options.ts";

/** See the file's header. */
export class PeerNews {
  readonly #core: NodeCore;
  readonly #observer: CoreObserver | undefined;
  readonly #aliveSinceMs = new Map<number, number>();

  constructor({ core, observer }: { core: NodeCore; observer?: CoreObserver }) {
    this.#core = core;
    this.#observer = observer;
  }

  /** A link to a peer is there, or is gone. */
  linked(incarnation: number, up: boolean): void {
    const { membership, requests, mailroom, replication } = this.#core;
    this.#observer?.linked?.(incarnation, up);
    if (up) membership.linkUp(incarnation);
    else {
      membership.linkDown(incarnation);
      requests.peerDown(incarnation);
    }
    mailroom.peerChanged(incarnation, up);
    if (up) replication.alive(incarnation);
  }

  /** What is on a broken way may be lost: who asked, asks again, and what was posted goes out again by the next one. */
  way(incarnation: number, isOpen: boolean): void {
    const { membership, requests, mailroom } = this.#core;
    // With the news of a relay, too: until then it went out on a link that only seems to be one.
    if (!isOpen || membership.viaOf(incarnation) !== 0) {
      requests.peerDown(incarnation);
      mailroom.peerChanged(incarnation, false);
    }
    if (isOpen) mailroom.peerChanged(incarnation, true);
  }

  /** This node suspects a peer from now on. */
  suspected(incarnation: number): void {
    const { requests, mailroom, replication } = this.#core;
    log("membership").info("{node} is suspect", { node: this.#core.nameOf(incarnation) });
    this.#observer?.suspects?.(incarnation, true);
    this.#aliveSinceMs.delete(incarnation);
    requests.peerDown(incarnation);
    replication.suspected(incarnation);
    mailroom.peerChanged(incarnation, false);
  }

  /** A suspected peer has shown itself. */
  alive(incarnation: number): void {
    const { world, mailroom, replication } = this.#core;
    log("membership").info("{node} is alive", { node: this.#core.nameOf(incarnation) });
    this.#observer?.suspects?.(incarnation, false);
    this.#aliveSinceMs.set(incarnation, world.nowMonoMs());
    replication.alive(incarnation);
    mailroom.peerChanged(incarnation, true);
  }

  /** How long a peer has not been suspected, ms; 0 while it is. */
  aliveForMs(incarnation: number): number {
    if (this.#core.isSuspect(incarnation)) return 0;
    const nowMs = this.#core.world.nowMonoMs();
    // Who was heard before he became a peer was never announced as alive: his time begins when it is asked for.
    if (!this.#aliveSinceMs.has(incarnation)) this.#aliveSinceMs.set(incarnation, nowMs);
    return nowMs - this.#aliveSinceMs.get(incarnation)!;
  }

  /** Only the topology's nodes are peers from now on. */
  keep(topology: Topology): void {
    for (const incarnation of this.#aliveSinceMs.keys()) {
      if (topology.nodeByIncarnation(incarnation) === null) this.#aliveSinceMs.delete(incarnation);
    }
  }
}
