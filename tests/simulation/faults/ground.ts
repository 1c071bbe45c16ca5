/**
 * What faults stand on: the cluster, chance of their own, and the bound that crashes keep. Whatever a fault does ends by
 * itself after a while, or when all faults end, whichever comes first.
 */
import { SeededRandom } from "../../../runtime/world/mod.ts";
import type { SimulatedClient } from "../clients.ts";
import type { SimulatedCluster, SimulatedNode } from "../cluster.ts";
import { fingerprint } from "../journal.ts";
import type { SimulationOptions } from "../options.ts";

/** One way to hurt a cluster. */
export interface Fault {
  name: string;
  /** mean time between two, ms; 0 none */
  everyMs(options: SimulationOptions): number;
  strike(ground: Ground): void;
}

/** What a ground is made of. */
export interface GroundOptions {
  cluster: SimulatedCluster;
  clients: readonly SimulatedClient[];
  random: SeededRandom;
  bound: Bound;
  /** what is to be undone when faults end */
  undone: Set<() => void>;
  isOver: () => boolean;
}

/** See the file's header. */
export class Ground {
  readonly cluster: SimulatedCluster;
  readonly clients: readonly SimulatedClient[];
  readonly random: SeededRandom;
  readonly bound: Bound;
  readonly #options: GroundOptions;

  constructor(options: GroundOptions) {
    this.cluster = options.cluster;
    this.clients = options.clients;
    this.random = options.random;
    this.bound = options.bound;
    this.#options = options;
  }

  /** The same with chance of its own, so that one more fault does not change what the others do. */
  for(name: string): Ground {
    const random = new SeededRandom(this.cluster.options.seed * 1000 + fingerprint(new TextEncoder().encode(name)));
    return new Ground({ ...this.#options, random });
  }

  /** A number between the two. */
  between(low: number, high: number): number {
    return low + this.random.next() * (high - low);
  }

  /** A node that is up. */
  anyNode(): SimulatedNode {
    const living = this.cluster.living();
    return living[this.random.below(living.length)];
  }

  /** Does it later, unless faults have ended by then. */
  after(delayMs: number, act: () => void): void {
    this.cluster.time.after(delayMs, () => {
      if (!this.#options.isOver()) act();
    });
  }

  /** Undoes it later, or when faults end. */
  lasts(forMs: number, undo: () => void): void {
    const once = () => {
      if (this.#options.undone.delete(once)) undo();
    };
    this.#options.undone.add(once);
    this.cluster.time.after(forMs, once);
  }

  /** One line of the trace. */
  trace(
    event: string,
    node: string,
    details: Record<string, string | number | boolean | readonly string[]> = {},
  ): void {
    this.cluster.trace?.write({ node, room: "fault", event, ...details });
  }
}

/** The promised bound: who takes nodes away holds it alone, and gives it back when all copies are whole again. */
export class Bound {
  readonly #cluster: SimulatedCluster;
  #isFree = true;

  constructor(cluster: SimulatedCluster) {
    this.#cluster = cluster;
  }

  /** nodes that may be lost at the same time */
  get nodesMax(): number {
    return Math.min(2, Math.floor((Math.min(5, this.#cluster.names.length) - 1) / 2));
  }

  /** whether a whole data center may be lost */
  get mayLoseDataCenter(): boolean {
    return this.#cluster.names.length >= 5 && this.#cluster.journal.dataCenters >= 3;
  }

  /** True: nobody else takes nodes away until it is given back. */
  take(): boolean {
    if (!this.#isFree || this.nodesMax === 0 || this.#lacksSubstitutes) return false;
    this.#isFree = false;
    return true;
  }

  /**
   * Of few nodes one that is cut off and called absent is lost already: there is nobody in whose place to put its copies,
   * and fewer voters than five are left.
   */
  get #lacksSubstitutes(): boolean {
    if (this.#cluster.names.length > 6) return false;
    return this.#cluster.living().some(({ core }) =>
      core.directory.topology?.state.nodes.some(({ status }) => status === "absent") ?? false
    );
  }

  /** Gives it back once the copies are whole. */
  giveBackWhenWhole(ground: Ground): void {
    ground.after(250, () => {
      if (this.#cluster.unwhole({ inPlace: false }).length === 0) this.#isFree = true;
      else this.giveBackWhenWhole(ground);
    });
  }
}
