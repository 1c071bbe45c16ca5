/**
 * Recorder: writes what nodes commit, decide and send into the journal. It may read by the product's means; checkers may
 * not.
 */
import { decodeOutcomes } from "../../runtime/effects/mod.ts";
import { ENTRY } from "../../runtime/storage/mod.ts";
import type { SimulatedTime } from "../../runtime/world/mod.ts";
import type { SimulatedNode } from "./cluster.ts";
import { fingerprint, type Journal, type Outcome } from "./journal.ts";

/** Entries that one node has just committed. */
export interface CommittedRange {
  shard: number;
  first: number;
  last: number;
  isWriter: boolean;
  term: number;
}

const SHARDS_MAX = 2048;

/** One simulation's recorder. */
export class Recorder {
  readonly #journal: Journal;
  readonly #time: SimulatedTime;
  /** by shard: up to where some node has committed */
  readonly #known = new Uint32Array(SHARDS_MAX);

  constructor(journal: Journal, time: SimulatedTime) {
    this.#journal = journal;
    this.#time = time;
  }

  /** Watches what a new life carries out and gives away. */
  watch(node: SimulatedNode): void {
    const { core } = node;
    const post = core.post.bind(core);
    // Effects leave by the node's own door; what a client posts has no effect's id.
    core.post = (posting, done) => {
      const [source, seq, plugin] = posting.id.split("#");
      if (plugin !== undefined) {
        const { key, id } = posting;
        this.#journal.carriedOut.push({ source, seq: Number(seq), plugin, key, id, atMs: this.#time.nowMs });
      }
      post(posting, done);
    };
    const { actors } = core;
    const dropped = actors.dropped.bind(actors);
    actors.dropped = (shard) => {
      node.dropped.add(shard);
      dropped(shard);
    };
  }

  /** A node has committed entries. */
  committed(node: SimulatedNode, { shard, first, last, isWriter, term }: CommittedRange): void {
    const store = node.core.replication.store(shard)!;
    const life = `${node.name}#${node.core.self.incarnation}`;
    for (let index = first; index <= last; index++) {
      const print = fingerprint(store.viewRange(index, 1, index).bytes);
      this.#journal.committed.push({ node: life, shard, index, print, isWriter, term });
      if (index <= this.#known[shard]) continue;
      this.#known[shard] = index;
      if (store.kindAt(index) === ENTRY.OUTCOMES) this.#outcomes(shard, index, store.body(index));
    }
  }

  #outcomes(shard: number, index: number, body: Uint8Array): void {
    for (const { key, plugin, hash, seq, state, effects, error } of decodeOutcomes(body)) {
      const wanted: Outcome["effects"] = [];
      for (const effect of effects ?? []) {
        const { type, key: to, message, body } = effect as {
          type: string;
          key?: { kind: string; facility: string; id: string };
          message?: { body: unknown };
          body?: unknown;
        };
        const target = to === undefined ? key : `${to.kind}/${to.facility}/${to.id}`;
        wanted.push({ type, key: target, body: message?.body ?? body });
      }
      const about = { shard, index, key, plugin, hash, seq, state, code: error?.code ?? "" };
      this.#journal.outcomes.push({ ...about, effects: wanted, atMs: this.#time.nowMs });
    }
  }
}
