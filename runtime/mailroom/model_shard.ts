import type { MessageProposal, ProposeAnswer, Receipt, WriterHint } from "../wire/mod.ts";
import type { SeededRandom, SimulatedTime } from "../world/mod.ts";

/** A rule of `runtime/wire/proposal.ts` that a mutant breaks. */
export type Mutation = "none" | "no-fence" | "no-order" | "no-dedupe" | "late-oldest";

/** What stands in a model's log. */
export interface ModelEntry {
  proposal: MessageProposal;
  digest: string;
  done: ((answer: ProposeAnswer) => void)[];
  term: number;
}

interface Seat {
  term: number;
  /** a copy of the committed log when it took the role, and what it appended since */
  log: ModelEntry[];
  committed: number;
  taken: Map<string, number>;
  deposed: boolean;
}

/**
 * One shard as a mailroom sees it, for tests: a committed log, one writer at a time, and deposed writers that do not know
 * it yet. No replication: what a majority would have kept is decided by chance when the writer changes.
 */
export class ModelShard {
  readonly committed: ModelEntry[] = [];
  term = 1;
  readonly #seats = new Map<number, Seat>();
  readonly #hints = new Map<number, WriterHint>();

  constructor(
    readonly shard: number,
    readonly options: { time: SimulatedTime; random: SeededRandom; nodes: number[]; mutation: Mutation },
  ) {
    this.#seat(options.nodes[0]);
  }

  hint(node: number): WriterHint | null {
    return this.#hints.get(node) ?? null;
  }

  learn(node: number, hint: WriterHint): void {
    const known = this.#hints.get(node);
    if (known !== undefined && (known.term > hint.term || (known.term === hint.term && known.writer !== 0))) return;
    this.#hints.set(node, hint);
  }

  /** The writer loses its role: a part of what it has not committed survives; `next` begins after `afterMs`. */
  change(next: number, { afterMs, blindMs }: { afterMs: number; blindMs: number }): void {
    const { time, random } = this.options;
    for (const [node, seat] of this.#seats) {
      if (seat.deposed) continue;
      seat.deposed = true;
      const survive = seat.committed + random.below(seat.log.length - seat.committed + 1);
      for (const entry of seat.log.slice(seat.committed, survive)) this.committed.push(entry);
      time.after(blindMs, () => this.#stepDown(node, seat));
    }
    const term = ++this.term;
    time.after(afterMs, () => {
      if (this.term !== term) return;
      const old = this.#seats.get(next);
      if (old !== undefined) this.#stepDown(next, old);
      this.#seat(next);
      for (const node of this.options.nodes) {
        if (random.below(3) === 0) time.after(random.below(200), () => this.learn(node, this.#hintOf(next, term)));
      }
    });
  }

  propose(node: number, proposal: MessageProposal, done: (answer: ProposeAnswer) => void): void {
    const { random, mutation } = this.options;
    const seat = this.#seats.get(node);
    if (seat === undefined) return done({ state: "moved", hint: this.hint(node) });
    if (random.below(50) === 0) return done({ state: "busy", retryAfterMs: random.below(40) });
    const { key, id, sender, n, oldest } = proposal;
    const stream = `${sender} ${key}`;
    const last = seat.taken.get(stream);
    const isTurn = sender === "" || mutation === "no-order" ||
      n === (last ?? -1) + 1 || (n === oldest && (mutation === "late-oldest" || last === undefined || n > last));
    const digest = proposal.payload.join();
    const at = seat.log.findIndex(({ proposal: other }) => other.key === key && other.id === id);
    if (at >= 0 && mutation !== "no-dedupe") {
      const entry = seat.log[at];
      const settled = at < seat.committed;
      if (entry.digest !== digest) {
        return done(settled ? { state: "conflict" } : { state: "busy", retryAfterMs: 20 });
      }
      if (isTurn) seat.taken.set(stream, n);
      if (settled) return done({ state: "recorded", receipt: this.#receipt(seat, at), duplicate: true });
      return void entry.done.push((answer) =>
        done(answer.state === "recorded" ? { ...answer, duplicate: true } : answer)
      );
    }
    if (sender !== "" && proposal.term !== seat.term && mutation !== "no-fence") {
      return done({ state: "moved", hint: this.#hintOf(node, seat.term) });
    }
    if (!isTurn) return done({ state: "gap", expected: last === undefined ? oldest : Math.max(oldest, last + 1) });
    const seq = seat.log.filter((entry) => entry.proposal.key === key).length;
    if (proposal.ifMatch >= 0 && proposal.ifMatch !== seq) return done({ state: "mismatch", seq });
    seat.taken.set(stream, n);
    seat.log.push({
      proposal: { ...proposal, payload: proposal.payload.slice() },
      digest,
      done: [done],
      term: seat.term,
    });
    this.options.time.after(1 + random.below(20), () => this.#commit(seat));
  }

  #seat(node: number): void {
    const log = [...this.committed];
    this.#seats.set(node, { term: this.term, log, committed: log.length, taken: new Map(), deposed: false });
    this.#hints.set(node, this.#hintOf(node, this.term));
  }

  #hintOf(writer: number, term: number): WriterHint {
    return { shard: this.shard, generation: 1, term, writer };
  }

  #stepDown(node: number, seat: Seat): void {
    if (this.#seats.get(node) !== seat) return;
    this.#seats.delete(node);
    this.#hints.set(node, this.#hintOf(0, this.term));
    for (const entry of seat.log.splice(seat.committed)) for (const done of entry.done) done({ state: "unknown" });
  }

  #commit(seat: Seat): void {
    if (seat.deposed || seat.committed === seat.log.length) return;
    const at = seat.committed++;
    this.committed.push(seat.log[at]);
    const receipt = this.#receipt(seat, at);
    for (const done of seat.log[at].done.splice(0)) done({ state: "recorded", receipt, duplicate: false });
    if (seat.committed < seat.log.length) this.options.time.after(1, () => this.#commit(seat));
  }

  #receipt(seat: Seat, at: number): Receipt {
    const { proposal: { key, id }, term } = seat.log[at];
    const seq = seat.log.slice(0, at + 1).filter((entry) => entry.proposal.key === key).length;
    const shard = `S00/00${this.shard}`;
    return {
      key,
      id,
      seq,
      shard,
      generation: 1,
      term,
      index: at + 1,
      writer: "TN-A-1",
      copies: ["TN-A-1"],
      digest: "0",
    };
  }
}
