/**
 * Readers: each asks for one actor after the other, in every mode, by way of any node, and writes down what it was told
 * and when it had asked. What it was told must have been so at one moment in between.
 */
import { SeededRandom } from "../../runtime/world/mod.ts";
import type { SimulatedCluster, SimulatedNode } from "./cluster.ts";
import type { Listed, Read } from "./journal.ts";
import type { Chained } from "./plugins.ts";

/** A node that has crashed answers no more, ms: longer than a node's own deadline. */
const PATIENCE_MS = 11_000;
const PAUSE_MS = 150;
/** The few actors that readers share: reads of one actor are what is compared. */
const ACTORS = 6;
const LISTED_MAX = 50;

/** One reader. */
export class SimulatedReader {
  readonly #cluster: SimulatedCluster;
  readonly #random: SeededRandom;
  #turn = 0;
  #isStopping = false;

  constructor(cluster: SimulatedCluster, number: number) {
    this.#cluster = cluster;
    this.#random = new SeededRandom(cluster.options.seed * 64 + 32 + number);
  }

  start(): void {
    this.#next();
  }

  stop(): void {
    this.#isStopping = true;
  }

  #next(): void {
    const turn = ++this.#turn;
    this.#cluster.time.after(this.#random.next() * PAUSE_MS, () => {
      if (this.#isStopping || turn !== this.#turn) return;
      this.#cluster.time.after(PATIENCE_MS, () => {
        if (turn === this.#turn) this.#next();
      });
      this.#read(turn);
    });
  }

  #read(turn: number): void {
    const { options, journal, time } = this.#cluster;
    const random = this.#random;
    const key = `patient/H${random.below(3)}/${random.below(Math.min(options.actors, ACTORS))}`;
    const chance = random.next();
    const mode: Read["mode"] = chance < 0.5 ? "fresh" : chance < 0.75 ? "writer" : "nearest";
    const last = journal.acknowledged.findLast((receipt) => receipt.key === key)?.seq ?? 0;
    const after = random.next() < 0.2 ? last : 0;
    const at = after === 0 && last > 0 && random.next() < 0.1 ? 1 + random.below(last) : 0;
    const living = this.#cluster.living();
    const node = living[random.below(living.length)];
    if (random.next() < 0.2) return this.#list(turn, { key, mode, after: random.below(last + 1) }, node);
    const invokedMs = time.nowMs;
    const told = (seq: number, kept: Chained | undefined, isRetired = false) => {
      const { nowMs: answeredMs } = time;
      journal.reads.push({
        key,
        mode,
        at,
        after,
        seq,
        isRetired,
        kept: kept === undefined ? null : { count: kept.count, chain: kept.chain },
        invokedMs,
        answeredMs,
      });
    };
    this.#cluster.call(node, () => {
      node.core.reading.read({ shard: this.#cluster.shardOf(key), key, mode, at, after }, (result) => {
        if (result.ok) {
          const { seq, projections, parked } = result.value as {
            seq: number;
            projections: { chain?: Chained };
            parked: Record<string, unknown>;
          };
          told(seq, parked.chain === undefined ? projections.chain : undefined);
        } else if (result.code === "actors/unknown") told(0, undefined);
        else if (result.code === "actors/retired" && at === 0) told(0, undefined, true);
        if (turn === this.#turn) this.#next();
      });
    });
  }

  #list(turn: number, asked: Pick<Listed, "key" | "mode" | "after">, node: SimulatedNode): void {
    const { journal, time } = this.#cluster;
    this.#cluster.call(node, () => {
      const request = { ...asked, shard: this.#cluster.shardOf(asked.key), limit: LISTED_MAX, waitMs: 0 };
      node.core.reading.history(request, (result) => {
        if (result.ok) {
          const { events } = result.value as { events: Listed["events"] };
          const seen = events.map(({ seq, id }) => ({ seq, id }));
          journal.listed.push({ ...asked, events: seen, answeredMs: time.nowMs });
        }
        if (turn === this.#turn) this.#next();
      });
    });
  }
}
