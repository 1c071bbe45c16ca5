/**
 * Five nodes' audits on one bus in virtual time, over hand-made logs, for tests: no replication, so that a test can make
 * a copy lack or change whatever it wants.
 */
import { digestText } from "../base/mod.ts";
import type { AuditReceipt, AuditVerdict, CopiesVerdict } from "../gateway/mod.ts";
import { ShardStore } from "../storage/mod.ts";
import { applyCommand, emptyState, shardText, Topology } from "../topology/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { Auditing } from "./auditing.ts";
import { DEFAULTS } from "./config.ts";
import { Requests } from "./requests.ts";

/** Their names; the incarnations are 1 to 5. */
export const NAMES = ["TN-A-1", "TN-B-1", "TX-A-1", "FL-A-1", "UT-A-1"];
/** The cluster's id. */
export const CLUSTER = "c1";

const ENCODER = new TextEncoder();

/** A copy as a test wants it. */
export interface FixtureCopy {
  store: ShardStore;
  generation: number;
  term: number;
  commit: number;
  voters: number[];
}

/** A message to be put into logs. */
export interface FixtureMessage {
  key: string;
  id: string;
  text: string;
}

/** Nodes that audit each other. */
export class AuditFixture {
  readonly time = new SimulatedTime();
  readonly topology: Topology;
  /** by incarnation, then by shard */
  readonly copies = new Map<number, Map<number, FixtureCopy>>();
  /** nodes that answer nothing */
  readonly silent = new Set<number>();
  readonly suspects = new Set<number>();
  readonly auditings: Auditing[] = [];
  /** requests that were sent, by addressee */
  readonly asked: number[] = [];

  /** `openMax`: receipts that a node audits at a time */
  constructor({ openMax = DEFAULTS.audit.openMax } = {}) {
    let state = applyCommand(emptyState(), { type: "create", clusterId: CLUSTER, copies: 5, expect: 5 }).state;
    NAMES.forEach((name, i) => {
      const node = { name, incarnation: i + 1, address: `h:${i}`, http: null, mllp: null };
      state = applyCommand(state, { type: "join", node }).state;
    });
    this.topology = new Topology(state);
    const ends: Requests[] = [];
    NAMES.forEach((_, i) => {
      const self = i + 1;
      const world = simulatedWorld({ time: this.time, random: new SeededRandom(self) });
      const requests = new Requests({
        world,
        self,
        send: (to, _lane, type, payload) => {
          if (type === 50) this.asked.push(to);
          if (!this.silent.has(to)) this.time.after(1, () => ends[to - 1].receive(self, type, payload));
          return true;
        },
      });
      ends.push(requests);
      this.copies.set(self, new Map());
      this.auditings.push(
        new Auditing({
          world,
          self,
          requests,
          topology: () => this.topology,
          copyOf: (shard) => {
            const copy = this.copies.get(self)!.get(shard);
            return copy === undefined ? null : { ...copy, last: copy.store.lastIndex };
          },
          writerOf: () => 1,
          isSuspect: (incarnation) => this.suspects.has(incarnation),
          needed: () => this.topology.effectiveAck({ copies: 3, dataCenters: 2 }),
          config: { ...DEFAULTS.audit, openMax },
        }),
      );
    });
  }

  /** Gives each of `nodes` a copy of the log with these messages, and answers their receipts. */
  record(messages: readonly FixtureMessage[], nodes: readonly number[] = [1, 2, 3, 4, 5]): AuditReceipt[] {
    const receipts: AuditReceipt[] = [];
    for (const message of messages) {
      const { key, id, text } = message;
      const shard = this.topology.shardOf(key);
      for (const node of nodes) {
        const copy = this.copy(node, shard);
        const payload = ENCODER.encode(text);
        const { index, seq, digest } = copy.store.appendMessage(1, {
          key,
          id,
          type: "t",
          contentType: "text/plain",
          atMs: 0,
          payload,
        });
        copy.commit = index;
        if (node === nodes[0]) {
          receipts.push({ key, id, shard: shardText(shard), index, seq, digest: digestText(digest) });
        }
      }
    }
    return receipts;
  }

  /** A node's copy of a shard; made where there is none. */
  copy(node: number, shard: number): FixtureCopy {
    const shards = this.copies.get(node)!;
    let copy = shards.get(shard);
    if (copy === undefined) {
      copy = { store: new ShardStore(), generation: 1, term: 1, commit: 0, voters: [1, 2, 3, 4, 5] };
      shards.set(shard, copy);
    }
    return copy;
  }

  /** The verdict that node 1 comes to. */
  audit(receipt: AuditReceipt): AuditVerdict {
    let verdict: AuditVerdict | null = null;
    this.auditings[0].receipt(receipt, (result) => {
      if (!result.ok) throw new Error(result.code);
      verdict = result.value as AuditVerdict;
    });
    this.time.runUntil(this.time.nowMs + 20_000);
    return verdict!;
  }

  /** What node 1 finds when it compares a shard's copies. */
  compare(shard: number, options: { deep?: boolean; withKeys?: boolean } = {}): CopiesVerdict {
    let verdict: CopiesVerdict | null = null;
    this.auditings[0].copies(shard, { deep: false, withKeys: false, ...options }, (found) => verdict = found);
    this.time.runUntil(this.time.nowMs + 120_000);
    return verdict!;
  }
}
