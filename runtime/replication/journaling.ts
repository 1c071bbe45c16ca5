/**
 * Journaling: what replicas append goes into the node's journal at the end of the turn; and what an earlier life of the
 * node left there is kept until somebody wants it.
 *
 * **A remembered copy has no vote.** This process is a new incarnation, and no configuration names it before it has been
 * fed as a learner. What it remembers only spares the feeding. That is safe by log matching: each entry of the journal was
 * written by the one writer of its term and taken behind the entry before it, so a copy that has the same term at the
 * same index has the same log up to there, whatever happened since. Its end may never have been committed; the writer
 * replaces it as it would that of any follower. Whom the earlier life had voted for does not matter: that life is over,
 * and nobody asks this one.
 *
 * **Across generations** terms differ, so that is still true; but there the end of a remembered copy may be what a
 * recovery has given up, acknowledged messages among it. Before it is replaced it is laid aside, to the lost-and-found.
 */
import { Journal, type JournalContents, type RememberedCopy, Rewriting } from "../journal/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { type Configuration, decodeConfiguration } from "./configuration.ts";
import type { Generations } from "./generations.ts";
import type { Replica } from "./replica.ts";
import type { ShardState } from "./shard_state.ts";

/** A node's journal, and what it held when it was opened. */
export interface JournalOption {
  journal: Journal;
  contents: JournalContents<ShardStore>;
  /** see `JournalConfig` */
  slackBytes: number;
}

/** What a copy that nobody has asked for yet is worth. */
export interface RememberedFacts {
  shard: number;
  generation: number;
  lastTerm: number;
  lastIndex: number;
  isDamaged: boolean;
  /** the last configuration in its log; null: none */
  configuration: Configuration | null;
}

/** What journaling needs of the driver. */
export interface JournalingOptions extends JournalOption {
  replicas(): Iterable<Replica | null | undefined>;
  replicaOf(shard: number): Replica | null;
  generations: Generations;
  /** entries up to `index` of the replica are safe */
  onDurable(replica: Replica, index: number): void;
  /** the replica has something that is not safe yet */
  onWaiting(replica: Replica): void;
}

/** Entries of one record at most. */
const RECORD_BYTES_MAX = 1024 * 1024;
/** A copy that nobody wants is kept for so many looks (a look a second): whoever wants it has asked by then. */
const UNWANTED_LOOKS = 600;

/** The journal of all replicas of this node. */
export class Journaling {
  readonly journal: Journal;
  /** copies of an earlier life that nobody has asked for yet */
  readonly remembered: Map<number, RememberedCopy<ShardStore>>;
  /** incarnations of this node's earlier lives */
  readonly lives: readonly number[];
  readonly #options: JournalingOptions;
  readonly #listed: Replica[] = [];
  readonly #rewriting: Rewriting;
  readonly #facts = new Map<number, RememberedFacts>();
  /** those with something that is not safe yet, and how much */
  readonly #waiting = new Map<Replica, number>();
  #isRewriting = false;
  #looks = 0;

  constructor(options: JournalingOptions) {
    const { journal, contents, slackBytes } = options;
    this.#options = options;
    this.journal = journal;
    this.remembered = new Map([...contents.copies].sort(([a], [b]) => a - b));
    this.lives = contents.node.lives;
    this.#rewriting = new Rewriting({
      journal,
      slackBytes,
      logOf: (shard) => this.#logOf(shard),
      liveBytes: () => this.#liveBytes(),
    });
    // Nothing that is added to a copy counts before it stands whole in the journal again.
    for (const [shard, { isDamaged }] of this.remembered) if (isDamaged) this.#rewriting.rewriteAll(shard);
  }

  /** true: nothing can be written, so nothing may be taken */
  get isReadOnly(): boolean {
    return this.journal.fault !== null || this.journal.isFull;
  }

  /** The copy that is remembered, for a replica of `generation`: it goes on with it. Null: it begins empty. */
  take(shard: number, generation: number): RememberedCopy<ShardStore> | null {
    const found = this.remembered.get(shard);
    this.remembered.delete(shard);
    this.#facts.delete(shard);
    if (found !== undefined && found.generation <= generation) {
      this.journal.adopt(shard, generation);
      return found;
    }
    this.journal.begin(shard, generation);
    return null;
  }

  /** Begins to write a new replica's entries; those that it has are in the journal. */
  watch({ state }: Replica): void {
    const { lastIndex } = state.store;
    state.journal = { given: lastIndex, end: lastIndex, open: [], isListed: false };
    if (this.journal.sync === "always") state.durable = lastIndex;
  }

  /** The survivor of a recovery goes on in another generation. */
  adopted({ shard, generation }: ShardState): void {
    this.journal.adopt(shard, generation);
  }

  /** The replica is gone. */
  dropped({ shard, generation }: ShardState): void {
    this.journal.drop(shard, generation);
  }

  /** The replica may have entries that the journal has not. */
  touched(replica: Replica): void {
    const mark = replica.state.journal;
    if (mark === null || mark.isListed) return;
    mark.isListed = true;
    this.#listed.push(replica);
  }

  /** The end of a turn: what was appended in it is given to the journal, and that writes. True: somebody waits. */
  flush(): boolean {
    const covered: { replica: Replica; item: { upTo: number } }[] = [];
    for (const replica of this.#listed) {
      const { state } = replica;
      const mark = state.journal!;
      mark.isListed = false;
      if (this.#options.replicaOf(state.shard) !== replica) continue;
      if (mark.given === state.store.lastIndex && mark.end === mark.given) continue;
      this.#give(state);
      if (state.durable === Infinity) continue;
      const item = { upTo: mark.given };
      mark.open.push(item);
      covered.push({ replica, item });
      this.#waiting.set(replica, (this.#waiting.get(replica) ?? 0) + 1);
    }
    this.#listed.length = 0;
    if (this.#isRewriting) this.#isRewriting = this.#rewriting.step();
    this.journal.flush(
      covered.length === 0 ? null : () => {
        for (const { replica, item } of covered) {
          replica.state.journal!.open.shift();
          const left = this.#waiting.get(replica)! - 1;
          if (left === 0) this.#waiting.delete(replica);
          else this.#waiting.set(replica, left);
          if (this.#options.replicaOf(replica.state.shard) === replica) this.#options.onDurable(replica, item.upTo);
        }
      },
    );
    return this.#waiting.size > 0;
  }

  /** Every tick: a disk that is slow must not look like a node that is dead. */
  tick(): void {
    for (const replica of this.#waiting.keys()) this.#options.onWaiting(replica);
  }

  /** Once a second: old files go, and copies that nobody has wanted for long. True: there is something to write. */
  look(isWanted: (shard: number) => boolean): boolean {
    if (!this.#isRewriting) this.#isRewriting = this.#rewriting.step();
    this.#looks++;
    if (this.remembered.size > 0 && this.#looks > UNWANTED_LOOKS) {
      for (const [shard, { generation, commit, log }] of this.remembered) {
        if (isWanted(shard)) continue;
        // The shard has gone on without it: who knows what it alone has.
        const isEnded = generation < this.#options.generations.of(shard);
        if (isEnded) this.#options.generations.keep({ shard, generation, term: log.lastTerm, commit, store: log });
        this.remembered.delete(shard);
        this.#facts.delete(shard);
        this.journal.drop(shard, generation);
      }
    }
    return this.#isRewriting;
  }

  /** The end of a copy that began in a generation before this one is about to be replaced: it is laid aside. */
  forsaken(state: ShardState, from: number): void {
    const { store, shard, term, commit, inheritedFrom } = state;
    let isEmpty = true;
    for (let index = from; index <= store.lastIndex; index++) isEmpty &&= store.kindAt(index) !== ENTRY.MESSAGE;
    if (isEmpty) return;
    const kept = new ShardStore();
    for (let next = 1; next <= store.lastIndex;) {
      const { bytes, last } = store.viewRange(next, RECORD_BYTES_MAX);
      for (let at = 0; at < bytes.length;) at = kept.appendRaw(bytes, at).next;
      next = last + 1;
    }
    this.#options.generations.keep({ shard, generation: inheritedFrom, term, commit, store: kept });
  }

  /** What is remembered and was not asked for. */
  facts(): RememberedFacts[] {
    return [...this.remembered.keys()].map((shard) => this.#factsOf(shard));
  }

  #factsOf(shard: number): RememberedFacts {
    let facts = this.#facts.get(shard);
    if (facts === undefined) {
      const { generation, log, isDamaged } = this.remembered.get(shard)!;
      let configuration: Configuration | null = null;
      for (let index = log.lastIndex; index > 0 && configuration === null; index--) {
        if (log.kindAt(index) === ENTRY.CONFIG) configuration = decodeConfiguration(log.body(index)).configuration;
      }
      facts = { shard, generation, lastTerm: log.lastTerm, lastIndex: log.lastIndex, isDamaged, configuration };
      this.#facts.set(shard, facts);
    }
    return facts;
  }

  #give(state: ShardState): void {
    const { shard, generation, store, commit } = state;
    const mark = state.journal!;
    if (mark.end > mark.given) this.#rewriting.truncated(shard, mark.given + 1);
    do {
      const first = mark.given + 1;
      const isMore = first <= store.lastIndex;
      const range = isMore ? store.viewRange(first, RECORD_BYTES_MAX) : { bytes: NO_BYTES, last: mark.given };
      this.journal.append(shard, { generation, first, commit, bytes: range.bytes });
      mark.given = range.last;
    } while (mark.given < store.lastIndex);
    mark.end = mark.given;
  }

  #logOf(shard: number) {
    const state = this.#options.replicaOf(shard)?.state;
    if (state !== undefined) {
      const { generation, commit, store } = state;
      const lastIndex = state.journal!.given;
      const viewRange = (first: number, bytesMax: number) => store.viewRange(first, bytesMax, lastIndex);
      return { generation, commit, lastIndex, isDamaged: false, viewRange };
    }
    const found = this.remembered.get(shard);
    if (found === undefined) return null;
    const { generation, commit, isDamaged, log } = found;
    const viewRange = (first: number, bytesMax: number) => log.viewRange(first, bytesMax);
    return { generation, commit, lastIndex: log.lastIndex, isDamaged, viewRange };
  }

  #liveBytes(): number {
    let sum = 0;
    for (const replica of this.#options.replicas()) sum += replica?.state.store.bytes ?? 0;
    for (const { log } of this.remembered.values()) sum += log.bytes;
    return sum;
  }
}

const NO_BYTES = new Uint8Array(0);
