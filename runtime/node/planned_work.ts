/**
 * Planned work, as the gateway asks for it: drains, the gate between two steps, plans. Who is asked need not be the node
 * that it is about.
 */
import { WaterparkError } from "../base/mod.ts";
import type { DrainView, PlannedService, PlanView, WholeView } from "../gateway/mod.ts";
import { copiesPossible, type TopologyNode, whatIf, type WhatIfChange } from "../topology/mod.ts";
import type { NodeCore } from "./core.ts";
import { errorOf, type RequestResult } from "./requests.ts";
import type { ShardFacts } from "./wholeness.ts";

/** How long the node that is to go is waited for, ms. */
const ANSWER_MS = 3000;

/** The promises of planned work. */
export class PlannedWork implements PlannedService {
  readonly #core: NodeCore;

  constructor(core: NodeCore) {
    this.#core = core;
  }

  async drain(name: string, { fast = false }: { fast?: boolean } = {}): Promise<DrainView> {
    const node = this.#named(name);
    const others = this.#core.directory.require().state.nodes.filter((one) => one.status === "up" && one !== node);
    if (others.length === 0) {
      throw new WaterparkError(`Cannot drain "${name}" as another node must be up: what it holds is nowhere else`, {
        code: "topology/last-node",
        outcome: "not-applied",
      });
    }
    const short = this.#tooFew(node, others);
    if (fast || short !== "") {
      await this.#ask((done) =>
        this.#core.requests.ask(node.incarnation, "leave", node.incarnation, { timeoutMs: ANSWER_MS, done })
      );
      return { name, draining: true, moving: false, note: fast ? "" : short };
    }
    const { copies } = this.#core.directory.require().state;
    const left = copiesPossible({ nodes: others, copies });
    const { incarnation } = node;
    await this.#ask((done) => this.#core.directory.command({ type: "drain", name, incarnation }, done));
    const note = left < Math.min(copies, others.length + 1) ? `each shard then has ${left} copies, of ${copies}` : "";
    return { name, draining: true, moving: true, note };
  }

  whole(): Promise<WholeView> {
    return new Promise((resolve) => this.#core.wholeness.ask(resolve));
  }

  async plan(changes: WhatIfChange[]): Promise<PlanView> {
    const { state } = this.#core.directory.require();
    const facts = await new Promise<ShardFacts[]>((resolve) => this.#core.wholeness.askFacts(resolve));
    const plan = whatIf(state, changes, {
      ack: this.#core.config.ack,
      bytesOf: (shard) => facts[shard].bytes,
      votersOf: (shard) => facts[shard].voters,
    });
    const bytesKnown = this.#core.directory.require().dataShards().every((shard) => facts[shard].bytes !== null);
    return { ...plan, bytesKnown };
  }

  /** Why the copies of a node cannot be moved: without it no receipt could be given. */
  #tooFew(node: TopologyNode, others: readonly TopologyNode[]): string {
    const { copies, dataCenters } = this.#core.directory.require().effectiveAck(this.#core.config.ack);
    const dataCentersLeft = new Set(others.map((one) => one.dataCenter)).size;
    if (others.length >= copies && dataCentersLeft >= dataCenters) return "";
    return `its copies have nowhere to go: a receipt needs ${copies} copies in ${dataCenters} data centers, and without ` +
      `${node.name} ${others.length} nodes in ${dataCentersLeft} are up. It hands over what it writes and ends; until it ` +
      "is back, or removed, messages wait";
  }

  #named(name: string): TopologyNode {
    const node = this.#core.directory.require().nodeByName(name);
    if (node !== null) return node;
    throw new WaterparkError(`Cannot drain "${name}" as the topology has no node of that name`, {
      code: "topology/no-such-node",
      outcome: "not-applied",
    });
  }

  async #ask(ask: (done: (result: RequestResult) => void) => void): Promise<void> {
    const result = await new Promise<RequestResult>((resolve) => ask(resolve));
    if (!result.ok) throw errorOf(result);
  }
}
