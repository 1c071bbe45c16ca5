/**
 * Placement: on which nodes a shard should be. Slot by slot, like seating guests who must not all sit in one boat:
 *
 * 1. the home data center, in the home zone; its node is the writer
 * 2. the home data center, in another zone
 * 3. and on: each other data center once, in an order of preference that differs from shard to shard
 *
 * A slot whose data center has nobody left goes to the data center with the fewest copies. Within a data center, a first
 * copy goes to the zone of the ring's first name (removed and absent names count: when the writer's node is gone for good,
 * the next node of the *same zone* takes over), a further copy to a zone with fewest copies, always to the ring's first
 * node that is up and not chosen yet. While three data centers are usable none gets more than two copies, even if a shard
 * then has fewer copies than asked for: otherwise the loss of one data center could take the majority.
 *
 * A pure function of names, statuses and homes; who joined first does not count. Computed on demand, about 10 us a shard
 * with 32 nodes, and kept. It is the target only: who is a member stands in the shard's own log.
 */
import { assert, hashText, mix32 } from "../base/mod.ts";
import { HashRing } from "./hash_ring.ts";
import { assignHomes } from "./homes.ts";
import { compareText, parseNodeName } from "./node_name.ts";
import { DATA_SHARDS, pointOfShard, SHARDS_PER_SET } from "./shard.ts";
import type { TopologyNode, TopologyState } from "./state.ts";

/** What placement depends on. */
export type PlacementInput = Pick<TopologyState, "nodes" | "gone" | "homes" | "copies">;

interface DataCenter {
  readonly name: string;
  readonly ring: HashRing;
  readonly up: ReadonlyMap<string, TopologyNode>;
  readonly usableZones: ReadonlySet<string>;
  /** u32, for the order of preference */
  readonly hash: number;
}

/** The copies of one shard in one data center while they are being chosen. */
interface Seating {
  readonly dataCenter: DataCenter;
  /** u32: the shard's point, and the data center's rank for it */
  readonly point: number;
  readonly score: number;
  /** nodes up and not chosen yet, in the ring's order; null until the first is taken, which a shard asks of few */
  free: TopologyNode[] | null;
  readonly copiesInZone: Map<string, number>;
  count: number;
}

/** What is worth building once per set of nodes, and only when something is not remembered. */
interface Seats {
  readonly dataCenters: ReadonlyMap<string, DataCenter>;
  readonly perDataCenterMax: number;
}

/** Placement of all data shards for one set of nodes; immutable but for what it keeps. */
export class Placement {
  readonly #input: PlacementInput;
  readonly #homes: readonly string[];
  readonly #byName: ReadonlyMap<string, TopologyNode>;
  readonly #kept: (readonly TopologyNode[] | undefined)[] = new Array(DATA_SHARDS);
  /** shared with every placement of the same names, statuses and homes */
  readonly #chosen: (readonly string[] | undefined)[];
  #rings: ReadonlyMap<string, HashRing>;
  #seats: Seats | null = null;

  /** Rings of `previous` are used again where a data center's names are the same: they are the costly part. */
  constructor(input: PlacementInput, previous?: Placement) {
    this.#input = input;
    this.#homes = input.homes.length > 0 ? input.homes : assignHomes(input.nodes.map((node) => node.dataCenter), []);
    this.#byName = new Map(input.nodes.map((node) => [node.name, node]));
    this.#chosen = chosenBefore(input, this.#homes);
    this.#rings = previous === undefined ? new Map() : previous.#rings;
  }

  /** True if another input would give the same placement, seen by its references alone. */
  fits(input: PlacementInput): boolean {
    const mine = this.#input;
    return mine.nodes === input.nodes && mine.gone === input.gone && mine.homes === input.homes &&
      mine.copies === input.copies;
  }

  /** The ring of a data center that has a node up. */
  ringOf(dataCenter: string): HashRing | undefined {
    return this.#seated().dataCenters.get(dataCenter)?.ring;
  }

  /** Home data center of a data shard; before birth, the one that birth would give it; `""` without nodes. */
  homeOf(shard: number): string {
    return this.#homes[Math.floor(shard / SHARDS_PER_SET)] ?? "";
  }

  /** The nodes for a data shard in slot order, the writer's first; none only if no node is up. */
  nodesOf(shard: number): readonly TopologyNode[] {
    assert(Number.isInteger(shard) && shard >= 0 && shard < DATA_SHARDS, "a data shard's number is 0 to 1023");
    let nodes = this.#kept[shard];
    if (nodes === undefined) {
      const names = this.#chosen[shard];
      if (names !== undefined) nodes = names.map((name) => this.#byName.get(name)!);
      else this.#chosen[shard] = (nodes = this.#choose(shard)).map((node) => node.name);
      this.#kept[shard] = nodes;
    }
    return nodes;
  }

  #seated(): Seats {
    if (this.#seats !== null) return this.#seats;
    const { nodes, gone } = this.#input;
    const names = new Map<string, Set<string>>();
    for (const node of nodes) namesOf(names, node.dataCenter).add(node.name);
    for (const name of gone) {
      const { dataCenter } = parseNodeName(name);
      if (names.has(dataCenter)) namesOf(names, dataCenter).add(name);
    }
    const dataCenters = new Map<string, DataCenter>();
    for (const name of [...names.keys()].sort(compareText)) {
      const up = nodes.filter((node) => node.dataCenter === name && node.status === "up");
      if (up.length === 0) continue;
      dataCenters.set(name, {
        name,
        ring: sameRing(names.get(name)!, this.#rings.get(name)),
        up: new Map(up.map((node) => [node.name, node])),
        usableZones: new Set(up.map((node) => node.zone)),
        hash: hashText(name, 0x0da7ace7),
      });
    }
    this.#rings = new Map([...this.#rings, ...[...dataCenters].map(([name, { ring }]) => [name, ring] as const)]);
    return this.#seats = { dataCenters, perDataCenterMax: dataCenters.size >= 3 ? 2 : Infinity };
  }

  #choose(shard: number): TopologyNode[] {
    const point = pointOfShard(shard);
    const seatings = this.#preference(this.homeOf(shard), point);
    const chosen: TopologyNode[] = [];
    const { perDataCenterMax } = this.#seated();
    const hasRoom = (seating: Seating) =>
      seating.count < perDataCenterMax && (seating.free === null || seating.free.length > 0);
    // Home twice, the others once; a home without usable nodes leaves its two slots to the fewest chosen.
    const home = seatings.find((seating) => seating.dataCenter.name === this.homeOf(shard));
    const slots = [home, home, ...seatings.filter((seating) => seating !== home)];
    for (let slot = 0; chosen.length < this.#input.copies; slot++) {
      let seating = slots[slot];
      if (seating === undefined || !hasRoom(seating)) {
        seating = undefined;
        for (const other of seatings) {
          if (hasRoom(other) && (seating === undefined || other.count < seating.count)) seating = other;
        }
      }
      if (seating === undefined) break;
      chosen.push(take(seating));
    }
    return chosen;
  }

  /** Home first, then the others by rendezvous hashing (Thaler and Ravishankar, 1998): losing one spreads its load. */
  #preference(home: string, point: number): Seating[] {
    const seatings: Seating[] = [];
    for (const dataCenter of this.#seated().dataCenters.values()) {
      const score = mix32(mix32(dataCenter.hash ^ point) + dataCenter.hash | 0);
      seatings.push({ dataCenter, point, score, free: null, copiesInZone: new Map(), count: 0 });
    }
    return seatings.sort((a, b) =>
      Number(b.dataCenter.name === home) - Number(a.dataCenter.name === home) || b.score - a.score ||
      compareText(a.dataCenter.name, b.dataCenter.name)
    );
  }
}

/**
 * How many copies of each shard the nodes could hold if all but those that drain were up: as many as were asked for, as
 * far as there are nodes, and at most two in a data center while there are three.
 */
export function copiesPossible({ nodes, copies }: Pick<TopologyState, "nodes" | "copies">): number {
  const counts = new Map<string, number>();
  for (const { dataCenter, status } of nodes) {
    if (status !== "draining") counts.set(dataCenter, (counts.get(dataCenter) ?? 0) + 1);
  }
  const most = counts.size >= 3 ? 2 : Infinity;
  return Math.min(copies, [...counts.values()].reduce((sum, count) => sum + Math.min(most, count), 0));
}

/**
 * The voters among a shard's nodes: all, or all but one where their number is even (an even one gives no safety more than
 * the odd one below it). The one left out, a learner, is the last of a data center with the most copies, so that of
 * TN, TN, TX, FL no data center has the majority.
 */
export function votersAmong(nodes: readonly TopologyNode[]): readonly TopologyNode[] {
  if (nodes.length % 2 === 1 || nodes.length === 0) return nodes;
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(node.dataCenter, (counts.get(node.dataCenter) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const learner = nodes.findLastIndex((node) => counts.get(node.dataCenter) === most);
  return nodes.filter((_, slot) => slot !== learner);
}

function take(seating: Seating): TopologyNode {
  const free = seating.free ?? open(seating);
  const copiesIn = (node: TopologyNode) => seating.copiesInZone.get(node.zone) ?? 0;
  let at = 0;
  for (let i = 1; i < free.length; i++) if (copiesIn(free[i]) < copiesIn(free[at])) at = i;
  const [node] = free.splice(at, 1);
  seating.copiesInZone.set(node.zone, copiesIn(node) + 1);
  seating.count++;
  return node;
}

/** Lines up a data center's nodes for the shard: in the ring's order, but the first one is of the ring's first zone. */
function open(seating: Seating): TopologyNode[] {
  const { ring, up, usableZones } = seating.dataCenter;
  const free: TopologyNode[] = [];
  let zone: string | null = null;
  for (const name of ring.nodesOf(seating.point, ring.names.length)) {
    // A name without a node that is up still says which zone was the shard's.
    if (zone === null) {
      const candidate = parseNodeName(name).zone;
      if (usableZones.has(candidate)) zone = candidate;
    }
    const node = up.get(name);
    if (node !== undefined) free.push(node);
  }
  const first = free.findIndex((node) => node.zone === zone);
  free.unshift(...free.splice(first, 1));
  seating.free = free;
  return free;
}

/** Sets of nodes whose placements are remembered: those of one node's last changes, or of a simulation. */
const REMEMBERED_MAX = 32;
const REMEMBERED = new Map<string, (readonly string[] | undefined)[]>();

/**
 * The names that were chosen, shard by shard, for these names, statuses and homes, whichever topology asked: a node that
 * went and came back, or many nodes of one process, need not choose again.
 */
function chosenBefore({ nodes, gone, copies }: PlacementInput, homes: readonly string[]) {
  const parts = nodes.map((node) => `${node.name} ${node.status}`);
  const key = [copies, homes.join(), gone.join(), ...parts].join("\n");
  const chosen = REMEMBERED.get(key) ?? new Array<readonly string[] | undefined>(DATA_SHARDS);
  REMEMBERED.delete(key);
  REMEMBERED.set(key, chosen);
  if (REMEMBERED.size > REMEMBERED_MAX) REMEMBERED.delete(REMEMBERED.keys().next().value!);
  return chosen;
}

function namesOf(names: Map<string, Set<string>>, dataCenter: string): Set<string> {
  let set = names.get(dataCenter);
  if (set === undefined) names.set(dataCenter, set = new Set());
  return set;
}

function sameRing(names: ReadonlySet<string>, previous: HashRing | undefined): HashRing {
  const same = previous !== undefined && previous.names.length === names.size &&
    previous.names.every((name) => names.has(name));
  return same ? previous : new HashRing(names);
}
