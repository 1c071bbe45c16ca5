import { hashText } from "../base/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { MailroomConfig } from "./config.ts";
import type { Posting, PostResult } from "./contract.ts";
import { Mailroom } from "./mailroom.ts";
import { ModelShard, type Mutation } from "./model_shard.ts";

/** How often a frame meets which fate, in percent, and how late it may be. */
export interface Weather {
  lost: number;
  doubled: number;
  late: number;
  lateMsMax: number;
}

/** Nothing goes wrong. */
export const CALM: Weather = { lost: 0, doubled: 0, late: 0, lateMsMax: 0 };

/** Mailrooms of three nodes in two data centers, over a network with weather and model shards; for tests. */
export class ModelCluster {
  readonly time = new SimulatedTime();
  readonly random: SeededRandom;
  readonly nodes = [11, 22, 33];
  readonly mailrooms = new Map<number, Mailroom>();
  readonly shards: ModelShard[];
  /** incarnations that are cut off */
  readonly cut = new Set<number>();
  weather: Weather = CALM;
  frames = 0;
  topologyVersion = 1;

  constructor(seed: number, options: { mutation?: Mutation; config?: Partial<MailroomConfig> } = {}) {
    this.random = new SeededRandom(seed);
    const { time, random, nodes } = this;
    const mutation = options.mutation ?? "none";
    this.shards = [0, 1].map((shard) => new ModelShard(shard, { time, random, nodes, mutation }));
    for (const node of nodes) this.mailrooms.set(node, this.#mailroom(node, options.config ?? {}));
  }

  /** Posts at `node`, with everything left out made up. */
  post(node: number, posting: Partial<Posting> & { id: string }, done: (result: PostResult) => void): void {
    this.mailrooms.get(node)!.post({
      key: "patient/H/1",
      type: "t",
      contentType: "text/plain",
      payload: new TextEncoder().encode(posting.id),
      atMs: 0,
      sender: "",
      ...posting,
    }, done);
  }

  /** Cuts a node off, or joins it again, and tells all mailrooms. */
  setCut(node: number, cut: boolean): void {
    if (cut) this.cut.add(node);
    else this.cut.delete(node);
    for (const [other, mailroom] of this.mailrooms) {
      for (const peer of this.nodes) if (peer !== other) mailroom.peerChanged(peer, this.#isLinked(other, peer));
    }
  }

  shardOf(key: string): number {
    return hashText(key) % 2;
  }

  #isLinked(a: number, b: number): boolean {
    return !this.cut.has(a) && !this.cut.has(b);
  }

  #mailroom(node: number, config: Partial<MailroomConfig>): Mailroom {
    const placement = this.nodes.map((incarnation) => ({ incarnation }));
    const version = () => this.topologyVersion;
    const topology = {
      get version() {
        return version();
      },
      shardOf: (key: string) => this.shardOf(key),
      placementOf: () => placement,
      nodeByIncarnation: (incarnation: number) => ({ dataCenter: incarnation === 33 ? "TX" : "TN" }),
    };
    return new Mailroom({
      world: simulatedWorld({ time: this.time, random: this.random }),
      self: { name: `TN-A-${node}`, incarnation: node },
      send: (to, _lane, type, payload) => this.#send(node, { to, type, payload }),
      isLinked: (peer) => this.#isLinked(node, peer),
      topology: () => topology,
      hint: (shard) => this.shards[shard].hint(node),
      learn: (hint) => this.shards[hint.shard].learn(node, hint),
      proposeHere: (shard, proposal, done) => this.shards[shard].propose(node, proposal, done),
      isSuspect: () => false,
      config,
    });
  }

  #send(from: number, frame: { to: number; type: number; payload: Uint8Array }): boolean {
    const { to, type, payload } = frame;
    if (!this.#isLinked(from, to)) return false;
    this.frames++;
    const { lost, doubled, late, lateMsMax } = this.weather;
    const chance = this.random.below(100);
    const copies = chance < lost ? 0 : chance < lost + doubled ? 2 : 1;
    for (let i = 0; i < copies; i++) {
      const delayMs = this.random.below(100) < late ? this.random.below(lateMsMax) : 2;
      this.time.after(delayMs, () => this.mailrooms.get(to)!.receive(from, type, payload));
    }
    return true;
  }
}
