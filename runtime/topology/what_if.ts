/**
 * What if: the cluster as it would be with nodes lost, removed or added, and what it takes to get there. Pure and exact:
 * the very commands that the events lead to are applied to a copy of the topology, and placement is asked before and
 * after. A dress rehearsal, with the same actors and without an audience.
 *
 * Two moments are told apart. *At once*, what is lost is lost: which shards go on depends on who their members are at
 * present. *Then*, the others take over what placement gives them: what moves, and how much of it.
 */
import { WaterparkError } from "../base/mod.ts";
import { applyCommand } from "./apply.ts";
import type { TopologyCommand } from "./command.ts";
import { type NodeName, readNodeName } from "./node_name.ts";
import { protocolInForce } from "./protocol.ts";
import { shardText } from "./shard.ts";
import type { NodeStatus, TopologyNode, TopologyState } from "./state.ts";
import { type AckRule, Topology } from "./topology.ts";

/** One thing that would happen. */
export interface WhatIfChange {
  /** `lose`: gone, and declared absent; `remove`: taken out by an operator; `add`: a new node joins */
  type: "lose" | "remove" | "add";
  /** a node, `TN-B-2`; to be lost also a zone, `TN-B`, or a data center, `TN` */
  what: string;
}

/** What placement gives to one node. */
export interface NodeShare {
  /** copies of shards that hold actors */
  copies: number;
  /** of these, those that it should write */
  writers: number;
}

/** One node, before and after. */
export interface WhatIfNode {
  /** `TN-B-2` */
  name: string;
  /** what happens to it; null: it stays as it is */
  change: "lost" | "removed" | "added" | null;
  /** in the topology at present; null: it is not there yet */
  status: NodeStatus | null;
  /** at present */
  before: NodeShare;
  /** when everything has moved */
  after: NodeShare;
  /** copies that it is given */
  gains: number;
  /** bytes that it is given */
  gainsBytes: number;
}

/** One shard whose copies, or whose writer, change. */
export interface WhatIfMove {
  /** `S05/017` */
  shard: string;
  /** nodes at present, the writer's first */
  before: string[];
  /** nodes then */
  after: string[];
  /** of one copy */
  bytes: number;
}

/** What would be. */
export interface WhatIf {
  /** of the topology at present */
  version: number;
  /** what a receipt needs at once, before anything was replaced */
  ack: AckRule;
  /** all nodes of both topologies, by name */
  nodes: WhatIfNode[];
  /** shards that change, by number */
  moves: WhatIfMove[];
  /** sums over `moves` */
  total: { shards: number; copies: number; writers: number; bytes: number };
  /** shards by what they can do at once; the names of those that cannot */
  atOnce: {
    /** they take messages and give receipts */
    writable: number;
    /** a majority is left, but too few copies for a receipt until others are made */
    waiting: string[];
    /** a majority of the members is gone: they stand still until nodes come back, or `topology recover` */
    standing: string[];
    /** fewer than three copies are left of what were three or more */
    belowThree: string[];
  };
}

/** What the plan may know beside the topology. */
export interface WhatIfFacts {
  /** what a receipt needs where the topology does not say */
  ack: AckRule;
  /** bytes of one copy of a shard; null: not known, counts as none */
  bytesOf?(shard: number): number | null;
  /** incarnations that vote in a shard at present; null: not known, those that placement names */
  votersOf?(shard: number): readonly number[] | null;
}

/**
 * Plans `changes`, one after the other.
 *
 * @throws {WaterparkError} `topology/bad-plan` where one of them could not happen
 *
 * @example
 * ```ts
 * import { applyCommand } from "./apply.ts";
 * import { emptyState } from "./state.ts";
 * import { whatIf } from "./what_if.ts";
 * let { state } = applyCommand(emptyState(), { type: "create", clusterId: "demo", copies: 5, expect: 1 });
 * const node = { name: "TN-A-1", incarnation: 7, address: "127.0.0.1:4600", http: null, mllp: null };
 * state = applyCommand(state, { type: "join", node }).state;
 * const plan = whatIf(state, [{ type: "add", what: "TX-A-1" }], { ack: { copies: 3, dataCenters: 2 } });
 * if (plan.total.copies !== 1024) throw new Error("unreachable");
 * ```
 */
export function whatIf(state: TopologyState, changes: readonly WhatIfChange[], facts: WhatIfFacts): WhatIf {
  const before = new Topology(state);
  if (!before.isBorn) throw badPlan("the shards must be born: they wait for nodes");
  const fates = new Map<string, WhatIfNode["change"]>();
  const lost = new Set<number>();
  let next = state;
  for (const change of changes) {
    for (const { command, node, fate } of commandsFor(next, change)) {
      const applied = applyCommand(next, command);
      if (!applied.answer.ok) throw badPlan(`${change.type} ${change.what}: ${applied.answer.message}`);
      next = applied.state;
      fates.set(node.name, fate);
      if (node.incarnation !== 0) lost.add(node.incarnation);
    }
  }
  const after = new Topology(next, before);
  const moves = movesBetween(before, after, facts);
  return {
    version: before.version,
    ack: before.effectiveAck(facts.ack),
    nodes: sharesOf(before, after, { fates, moves }),
    moves,
    total: {
      shards: moves.length,
      copies: sum(moves, (move) => gained(move).length),
      writers: sum(moves, (move) => Number(move.before[0] !== move.after[0])),
      bytes: sum(moves, (move) => gained(move).length * move.bytes),
    },
    atOnce: atOnce(before, lost, facts),
  };
}

interface Planned {
  command: TopologyCommand;
  /** `incarnation` 0: it is not there yet */
  node: { name: string; incarnation: number };
  fate: WhatIfNode["change"];
}

function commandsFor(state: TopologyState, { type, what }: WhatIfChange): Planned[] {
  if (type === "add") {
    if (readNodeName(what) === null) throw badPlan(`"${what}" must be a node's name, like TN-A-5`);
    if (state.nodes.some((node) => node.name === what)) throw badPlan(`"${what}" must be new: it is there`);
    const taken = new Set([...state.past, ...state.nodes.map((node) => node.incarnation)]);
    let incarnation = 1;
    while (taken.has(incarnation)) incarnation++;
    const address = "planned:1";
    const node = { name: what, incarnation, address, http: null, mllp: null, protocol: protocolInForce(state) };
    return [{ command: { type: "join", node }, node: { name: what, incarnation: 0 }, fate: "added" }];
  }
  const nodes = state.nodes.filter((node) => type === "lose" ? isWithin(node, what) : node.name === what);
  if (nodes.length === 0) throw badPlan(`"${what}" must be in the topology: it is not`);
  if (type === "remove") {
    return nodes.map((node) => ({ command: { type: "remove", name: node.name }, node, fate: "removed" }));
  }
  // All at once, as they would be declared: one by one the last of a data center might be refused.
  const command: TopologyCommand = { type: "absent", incarnations: nodes.map((n) => n.incarnation), force: true };
  return nodes.map((node) => ({ command, node, fate: "lost" }));
}

function isWithin({ name, dataCenter, zone }: TopologyNode & NodeName, what: string): boolean {
  return name === what || dataCenter === what || `${dataCenter}-${zone}` === what;
}

function movesBetween(before: Topology, after: Topology, { bytesOf }: WhatIfFacts): WhatIfMove[] {
  const moves: WhatIfMove[] = [];
  for (const shard of before.dataShards()) {
    const names = (topology: Topology) => topology.placementOf(shard).map((node) => node.name);
    const [was, is] = [names(before), names(after)];
    const isSame = was.length === is.length && was.every((name, slot) => name === is[slot]);
    if (!isSame) moves.push({ shard: shardText(shard), before: was, after: is, bytes: bytesOf?.(shard) ?? 0 });
  }
  // The order of followers means nothing: only who holds a copy does, and who writes.
  return moves.filter((move) =>
    gained(move).length > 0 || move.before.length !== move.after.length || move.before[0] !== move.after[0]
  );
}

function gained({ before, after }: WhatIfMove): string[] {
  return after.filter((name) => !before.includes(name));
}

function sharesOf(
  before: Topology,
  after: Topology,
  { fates, moves }: { fates: Map<string, WhatIfNode["change"]>; moves: WhatIfMove[] },
): WhatIfNode[] {
  const shares = new Map<string, WhatIfNode>();
  for (const { name } of [...before.state.nodes, ...after.state.nodes]) {
    const none = () => ({ copies: 0, writers: 0 });
    const status = before.nodeByName(name)?.status ?? null;
    const change = fates.get(name) ?? null;
    shares.set(name, { name, change, status, before: none(), after: none(), gains: 0, gainsBytes: 0 });
  }
  for (const shard of before.dataShards()) {
    for (const [topology, when] of [[before, "before"], [after, "after"]] as const) {
      topology.placementOf(shard).forEach(({ name }, slot) => {
        const share = shares.get(name)![when];
        share.copies++;
        if (slot === 0) share.writers++;
      });
    }
  }
  for (const move of moves) {
    for (const name of gained(move)) {
      const share = shares.get(name)!;
      share.gains++;
      share.gainsBytes += move.bytes;
    }
  }
  return [...shares.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What the shards can do before anything was replaced: as their members are at present. */
function atOnce(before: Topology, lost: ReadonlySet<number>, facts: WhatIfFacts): WhatIf["atOnce"] {
  const rule = before.effectiveAck(facts.ack);
  const found: WhatIf["atOnce"] = { writable: 0, waiting: [], standing: [], belowThree: [] };
  for (const shard of before.dataShards()) {
    const voters = facts.votersOf?.(shard) ?? before.votersOf(shard).map((node) => node.incarnation);
    const learners = before.learnersOf(shard).map((node) => node.incarnation).filter((one) => !voters.includes(one));
    const isLeft = (incarnation: number) => {
      const status = before.nodeByIncarnation(incarnation)?.status;
      return status !== undefined && status !== "absent" && !lost.has(incarnation);
    };
    const left = [...voters, ...learners].filter(isLeft);
    const held = voters.length + learners.length;
    const dataCenters = new Set(left.map((one) => before.nodeByIncarnation(one)!.dataCenter));
    if (left.length < Math.min(3, held)) found.belowThree.push(shardText(shard));
    if (voters.filter(isLeft).length * 2 <= voters.length) found.standing.push(shardText(shard));
    else if (left.length < rule.copies || dataCenters.size < rule.dataCenters) found.waiting.push(shardText(shard));
    else found.writable++;
  }
  return found;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

function badPlan(rule: string): WaterparkError {
  return new WaterparkError(`Cannot plan this as ${rule}`, { code: "topology/bad-plan", outcome: "not-applied" });
}
