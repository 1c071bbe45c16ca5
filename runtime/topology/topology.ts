/**
 * Topology: the value that answers every "where". Nobody is asked: whoever holds the same version gives the same answer.
 */
import { type ActorKey, assert, formatKey, parseKey, WaterparkError } from "../base/mod.ts";
import { compareText } from "./node_name.ts";
import { Placement, votersAmong } from "./placement.ts";
import { DATA_SHARDS, indexInSet, isUsed, setOfFacility, SHARDS_PER_SET, SYSTEM_SHARD } from "./shard.ts";
import { NODES_MAX, type TopologyNode, type TopologyState } from "./state.ts";
import { placeSystem, type SystemPlacement } from "./system_placement.ts";

/** How many copies, in how many data centers, an acknowledgement needs. */
export interface AckRule {
  /** copies that hold the message, at least 1 */
  copies: number;
  /** data centers that they are in, at least 1 */
  dataCenters: number;
}

/** Facilities whose set is kept at hand; full, it starts anew: names come from outside. */
const FACILITIES_KEPT_MAX = 10_000;

/**
 * One version of the topology. Immutable to its users; answers are computed on demand and kept.
 *
 * @example
 * ```ts
 * import { applyCommand } from "./apply.ts";
 * import { emptyState } from "./state.ts";
 * import { Topology } from "./topology.ts";
 * let state = applyCommand(emptyState(), { type: "create", clusterId: "demo", copies: 5, expect: 1 }).state;
 * const node = { name: "TN-A-1", incarnation: 7, address: "127.0.0.1:4600", http: null, mllp: null };
 * state = applyCommand(state, { type: "join", node }).state;
 * const topology = new Topology(state);
 * if (topology.getActorServer({ facility: "HOSPX", id: "1001" }) !== "TN-A-1") throw new Error("unreachable");
 * ```
 */
export class Topology {
  /** the data; not to be changed */
  readonly state: TopologyState;
  /** of the data */
  readonly version: number;
  readonly #placement: Placement;
  readonly #byName: Map<string, TopologyNode>;
  readonly #byIncarnation: Map<number, TopologyNode>;
  readonly #dataCenters: string[];
  readonly #sets: Map<string, number>;
  readonly #voters: (readonly TopologyNode[] | undefined)[] = new Array(DATA_SHARDS);
  #system: SystemPlacement | undefined;
  #dataShards: readonly number[] | undefined;

  /**
   * Takes a state as it is; nothing is computed before it is asked for, but the rings.
   *
   * @param state what `applyCommand` has made
   * @param previous the topology before: what the change did not touch is taken over instead of computed anew
   */
  constructor(state: TopologyState, previous?: Topology) {
    this.state = state;
    this.version = state.version;
    const before = previous === undefined ? undefined : previous.#placement;
    this.#placement = before?.fits(state) ? before : new Placement(state, before);
    this.#dataShards = previous?.state.shardsPerSet === state.shardsPerSet ? previous.#dataShards : undefined;
    this.#byName = new Map(state.nodes.map((node) => [node.name, node]));
    this.#byIncarnation = new Map(state.nodes.map((node) => [node.incarnation, node]));
    this.#dataCenters = [...new Set(state.nodes.map((node) => node.dataCenter))].sort(compareText);
    this.#sets = previous !== undefined && previous.state.facilities === state.facilities ? previous.#sets : new Map();
  }

  /** True once the shards are born. */
  get isBorn(): boolean {
    return this.state.born !== null;
  }

  /**
   * Name of the node that should be the actor's writer. The target: which node is its writer at this moment stands in the
   * shard's own log.
   *
   * @throws {WaterparkError} `base/bad-key`; `topology/no-node` when no node is up
   */
  getActorServer(key: ActorKey | string): string {
    const [writer] = this.placementOf(this.shardOf(key));
    if (writer !== undefined) return writer.name;
    throw new WaterparkError("Cannot name the actor's server as no node is up", {
      code: "topology/no-node",
      outcome: "not-applied",
    });
  }

  /**
   * The actor's shard, 0 to 1023; the same in every version of a cluster's topology that comes after its first message.
   *
   * @param key a key, or its canonical text `kind/facility/id`; `facility/id` is understood too
   * @throws {WaterparkError} `base/bad-key`
   */
  shardOf(key: ActorKey | string): number {
    let text = typeof key === "string" ? key : formatKey(key);
    let first = text.indexOf("/");
    let second = text.indexOf("/", first + 1);
    const canonical = first > 0 && second > first + 1 && second < text.length - 1 && text.indexOf("/", second + 1) < 0;
    if (!canonical) {
      text = formatKey(parseKey(text));
      first = text.indexOf("/");
      second = text.indexOf("/", first + 1);
    }
    const facility = text.slice(first + 1, second);
    const set = this.#sets.get(facility) ?? this.#findSet(facility);
    return set * SHARDS_PER_SET + indexInSet(text) % this.state.shardsPerSet;
  }

  /** The data shards that this cluster uses, ascending: all 1,024, unless it was created smaller. */
  dataShards(): readonly number[] {
    return this.#dataShards ??= Array.from({ length: DATA_SHARDS }, (_, shard) => shard).filter((shard) =>
      isUsed(shard, this.state.shardsPerSet)
    );
  }

  /** The set of a facility, 0 to 15: its entry, else by hash. */
  setOf(facility: string): number {
    const { facilities } = this.state;
    return Object.hasOwn(facilities, facility) ? facilities[facility] : setOfFacility(facility);
  }

  /** Home data center of a data shard: of its set. Before birth the one that birth would give; `""` without nodes. */
  homeOf(shard: number): string {
    return this.#placement.homeOf(shard);
  }

  /** The nodes that should hold a shard, in slot order: the writer's first. Empty only if no node is up. */
  placementOf(shard: number): readonly TopologyNode[] {
    if (shard !== SYSTEM_SHARD) return this.#placement.nodesOf(shard);
    const { voters, learners } = this.systemPlacement();
    return [...voters, ...learners];
  }

  /** Those of {@linkcode placementOf} that vote: an odd number of them. */
  votersOf(shard: number): readonly TopologyNode[] {
    if (shard === SYSTEM_SHARD) return this.systemPlacement().voters;
    return this.#voters[shard] ??= votersAmong(this.placementOf(shard));
  }

  /** Those of {@linkcode placementOf} that do not vote: one at most, but for the system shard. */
  learnersOf(shard: number): readonly TopologyNode[] {
    if (shard === SYSTEM_SHARD) return this.systemPlacement().learners;
    const voters = this.votersOf(shard);
    return this.placementOf(shard).filter((node) => !voters.includes(node));
  }

  /** Where the system shard should be: up to 7 voters, the other nodes learners. */
  systemPlacement(): SystemPlacement {
    return this.#system ??= placeSystem(this.state.nodes);
  }

  /** A node of any status. */
  nodeByName(name: string): TopologyNode | null {
    return this.#byName.get(name) ?? null;
  }

  /** A node of any status. */
  nodeByIncarnation(incarnation: number): TopologyNode | null {
    return this.#byIncarnation.get(incarnation) ?? null;
  }

  /** The data centers of all nodes, of any status, sorted. */
  dataCenters(): readonly string[] {
    return this.#dataCenters;
  }

  /**
   * A rule for acknowledgements, capped by what the topology has: its nodes and data centers, *not* those that are up. A
   * node's absence must not make a promise smaller; its removal does.
   */
  effectiveAck(fallback: AckRule): AckRule {
    const rule = this.state.ack ?? fallback;
    assert(rule.copies >= 1 && rule.dataCenters >= 1, "a rule asks for one copy at least");
    const { nodes, copies } = this.state;
    assert(nodes.length <= NODES_MAX, "the topology is within its bounds");
    return {
      copies: Math.max(1, Math.min(rule.copies, copies, nodes.length)),
      dataCenters: Math.max(1, Math.min(rule.dataCenters, copies, this.#dataCenters.length)),
    };
  }

  #findSet(encoded: string): number {
    // As the key's text has it: a slash or percent sign in the facility is encoded.
    const facility = encoded.includes("%") ? parseKey(`${encoded}/-`).facility : encoded;
    const set = this.setOf(facility);
    if (this.#sets.size >= FACILITIES_KEPT_MAX) this.#sets.clear();
    this.#sets.set(encoded, set);
    return set;
  }
}
