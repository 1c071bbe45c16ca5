/**
 * Auditing: proves from the copies' own words that a message stands where its receipt says. The node that is asked does
 * not vouch for anybody: it carries questions to every node that should have a copy, and lays the answers side by side.
 *
 * Cost per receipt: one look-up on each copy, some 150 bytes to and from each of them, in bundles. What cannot be proven
 * at once is asked once more a moment later, of all nodes of the topology: a copy may have moved in between.
 */
import type { AuditReceipt, AuditVerdict, CopiesVerdict } from "../gateway/mod.ts";
import { parseShard, SYSTEM_SHARD, type Topology, type TopologyNode } from "../topology/mod.ts";
import type { World } from "../world/mod.ts";
import { CopiesComparison } from "./audit_copies.ts";
import { Poll, type PollConfig } from "./audit_poll.ts";
import type { Question, Reply } from "./audit_questions.ts";
import { standingOf, type Testimony, verdictOn, verdictUnasked } from "./audit_verdict.ts";
import { type OwnCopy, Witness, type WitnessConfig } from "./audit_witness.ts";
import { failed, type RequestResult, type Requests } from "./requests.ts";

/** Times and bounds of audits. */
export interface AuditConfig extends WitnessConfig, PollConfig {
  /** receipts under audit here at a time; one more is told `busy` */
  openMax: number;
  /** what is not proven is asked again after so long, ms */
  againAfterMs: number;
}

/** What auditing needs of the rooms. */
export interface AuditingOptions {
  world: World;
  self: number;
  requests: Requests;
  /** the topology in force; throws before this node has joined */
  topology(): Topology;
  /** a copy that this node holds */
  copyOf(shard: number): OwnCopy | null;
  /** incarnation of the writer, as far as this node knows; 0 none */
  writerOf(shard: number): number;
  isSuspect(incarnation: number): boolean;
  needed(): { copies: number; dataCenters: number };
  config: AuditConfig;
}

/** Audits on behalf of whoever asks this node. */
export class Auditing {
  readonly #options: AuditingOptions;
  readonly #poll: Poll;
  readonly #comparison: CopiesComparison;
  #open = 0;

  constructor(options: AuditingOptions) {
    const { world, self, requests, config } = options;
    this.#options = options;
    const isSuspect = (incarnation: number) => options.isSuspect(incarnation);
    const witness = new Witness({ world, copyOf: (shard) => options.copyOf(shard), config });
    this.#poll = new Poll({ world, self, requests, witness, isSuspect, config });
    this.#comparison = new CopiesComparison({ ...options, poll: this.#poll });
  }

  /** What the copies say of a receipt's message: an {@linkcode AuditVerdict}; `topology/bad-shard`, `node/busy`. */
  receipt(receipt: AuditReceipt, done: (result: RequestResult) => void): void {
    const { config } = this.#options;
    const topology = this.#options.topology();
    const shard = parseShard(receipt.shard);
    // The topology's own log has no messages, so nobody has a receipt for one.
    if (shard === SYSTEM_SHARD) {
      return done(failed("topology/bad-shard", "not-applied", "Cannot audit the system shard"));
    }
    const needed = this.#options.needed();
    const end = (verdict: AuditVerdict) => done({ ok: true, value: verdict });
    if (receipt.clusterId !== undefined && receipt.clusterId !== topology.state.clusterId) {
      return end(verdictUnasked(receipt, needed, "foreign"));
    }
    if (receipt.key !== undefined && topology.shardOf(receipt.key) !== shard) {
      const { index, seq, digest } = receipt;
      return end(verdictUnasked(receipt, needed, "differs", [{ node: "", what: "shard", index, seq, digest }]));
    }
    if (this.#open >= config.openMax) {
      return done(failed("node/busy", "not-applied", "Cannot audit the receipt as too many are being audited here"));
    }
    this.#open++;
    const { key = "", id = "", index } = receipt;
    const question: Question = { ask: "message", shard, key, id, index };
    this.#ask(this.#likely(topology, shard), question, (testimonies) => {
      const verdict = this.#verdict(receipt, shard, testimonies);
      if (verdict.state === "proven" || verdict.state === "retired") {
        this.#open--;
        return end(verdict);
      }
      this.#options.world.after(config.againAfterMs, () => {
        const everybody = this.#options.topology().state.nodes;
        this.#ask(everybody, question, (testimonies) => {
          this.#open--;
          end(this.#verdict(receipt, shard, testimonies));
        });
      });
    });
  }

  /** Compares a shard's copies with each other: a {@linkcode CopiesVerdict}. */
  copies(shard: number, options: { deep: boolean; withKeys: boolean }, done: (verdict: CopiesVerdict) => void): void {
    this.#comparison.compare(shard, options, done);
  }

  #verdict(receipt: AuditReceipt, shard: number, testimonies: Testimony[]): AuditVerdict {
    const learners = this.#options.topology().learnersOf(shard).map((node) => node.incarnation);
    return verdictOn(receipt, testimonies, { needed: this.#options.needed(), learners });
  }

  /** The nodes that should have a copy, as far as this node knows; the copies' own words complete them. */
  #likely(topology: Topology, shard: number): TopologyNode[] {
    const likely = new Set<TopologyNode>(topology.placementOf(shard));
    for (const incarnation of [...this.#options.copyOf(shard)?.voters ?? [], this.#options.writerOf(shard)]) {
      const node = topology.nodeByIncarnation(incarnation);
      if (node !== null) likely.add(node);
    }
    return [...likely];
  }

  /** Asks these nodes, and then the voters that their copies name and nobody has asked yet. */
  #ask(nodes: readonly TopologyNode[], question: Question, done: (testimonies: Testimony[]) => void): void {
    const testimonies: Testimony[] = [];
    const take = (asked: readonly TopologyNode[], replies: Map<number, Reply | null>) => {
      for (const node of asked) testimonies.push({ node, reply: replies.get(node.incarnation) ?? null });
    };
    const incarnations = (nodes: readonly TopologyNode[]) => nodes.map((node) => node.incarnation);
    this.#poll.ask(incarnations(nodes), question, (replies) => {
      take(nodes, replies);
      const topology = this.#options.topology();
      const more: TopologyNode[] = [];
      for (const voter of standingOf(testimonies, []).best?.voters ?? []) {
        const node = topology.nodeByIncarnation(voter);
        if (node !== null && !nodes.some((asked) => asked.incarnation === voter)) more.push(node);
      }
      this.#poll.ask(incarnations(more), question, (replies) => {
        take(more, replies);
        done(testimonies);
      });
    });
  }
}
