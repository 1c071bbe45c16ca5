/**
 * Recorder: writes what nodes commit, decide and send into the journal. It may read by the product's means; checkers may
 * not.
 */
import { decodeOutcomes } from "../../runtime/effects/mod.ts";
import { digestText } from "../../runtime/base/mod.ts";
import { ENTRY, type ShardStore } from "../../runtime/storage/mod.ts";
import type { SimulatedTime } from "../../runtime/world/mod.ts";
import type { SimulatedNode } from "./cluster.ts";
import { fingerprint, type Journal, type Kept, type Outcome } from "./journal.ts";

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

  /** every life that ever was */
  readonly #nodes: SimulatedNode[] = [];

  constructor(journal: Journal, time: SimulatedTime) {
    this.#journal = journal;
    this.#time = time;
  }

  /** Watches what a new life carries out, fires and gives away. */
  watch(node: SimulatedNode): void {
    const { core } = node;
    this.#nodes.push(node);
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
    const { actors, replication } = core;
    const propose = replication.propose.bind(replication);
    // Timers go straight into their writer's log.
    replication.propose = (shard, proposal, done) => {
      if (proposal.type === "due" && proposal.id.includes("#chain#")) {
        const { key, id } = proposal;
        this.#journal.fired.push({ key, id, wallMs: core.world.nowWallMs(), medianWallMs: this.#medianWallMs() });
      }
      propose(shard, proposal, done);
    };
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
      const kind = store.kindAt(index);
      const print = kind === ENTRY.HOLLOW ? -1 : fingerprint(store.viewRange(index, 1, index).bytes);
      this.#journal.committed.push({ node: life, shard, index, print, isWriter, term });
      if (index <= this.#known[shard]) continue;
      this.#known[shard] = index;
      if (kind === ENTRY.MESSAGE) this.#message(shard, index, store);
      else if (kind === ENTRY.OUTCOMES) this.#outcomes(shard, index, store.body(index));
      else if (kind === ENTRY.RETIRE) {
        const [key, seq] = [store.keyOf(index), store.seqOf(index)];
        this.#journal.retired.push({ key, shard, index, seq, committedMs: this.#time.nowMs });
      }
    }
  }

  #message(shard: number, index: number, store: ShardStore): void {
    const { whole } = this.#journal;
    const key = store.keyOf(index);
    let history = whole.get(key);
    if (history === undefined) whole.set(key, history = { shard, messages: [] });
    history.messages.push({ ...keptAt(store, index), committedMs: this.#time.nowMs });
  }

  #medianWallMs(): number {
    const clocks = this.#nodes.filter(({ isAlive }) => isAlive).map(({ core }) => core.world.nowWallMs());
    return clocks.sort((a, b) => a - b)[clocks.length >> 1];
  }

  #outcomes(shard: number, index: number, body: Uint8Array): void {
    for (const { key, plugin, hash, seq, state, effects, error } of decodeOutcomes(body)) {
      const wanted: Outcome["effects"] = [];
      for (const effect of effects ?? []) {
        const { type, key: to, sink, message, body, name, at } = effect as {
          type: string;
          sink?: string;
          key?: { kind: string; facility: string; id: string };
          message?: { body: unknown };
          body?: unknown;
          name?: string;
          at?: number;
        };
        const target = to === undefined ? sink ?? key : `${to.kind}/${to.facility}/${to.id}`;
        const one: Outcome["effects"][number] = { type, key: target, body: message?.body ?? body ?? null };
        if (name !== undefined) one.timer = { name, dueMs: at ?? 0 };
        wanted.push(one);
      }
      const about = { shard, index, key, plugin, hash, seq, state, code: error?.code ?? "" };
      this.#journal.outcomes.push({ ...about, effects: wanted, atMs: this.#time.nowMs });
    }
  }
}

const DECODER = new TextDecoder();

/** The message at a log index, as a copy has it. */
export function keptAt(store: ShardStore, index: number): Kept {
  const { id, seq, type, atMs, payload } = store.message(index);
  return {
    id,
    seq,
    type,
    body: DECODER.decode(payload),
    index,
    term: store.termAt(index),
    digest: digestText(store.digestOf(index)),
    chain: digestText(store.chainOf(index)),
    atMs,
  };
}
