import type { Timer } from "../world/mod.ts";
import type { WriterHint } from "../wire/mod.ts";
import type { OpenPosting } from "./open_posting.ts";

/**
 * The way to one shard's writer, as its postings have found it. All postings of a shard share it: what one learns, none
 * of the others has to.
 *
 * Where the hint leads nowhere, the slots of the placement are asked in turn, with a wait between two. A "round" is one
 * such decision; an answer to a try of an earlier round changes nothing, so a thousand postings that come back together
 * count as one failure.
 */
export class ShardRoute {
  /** how many candidates are passed over */
  slot = 0;
  /** waits since somebody last answered as a writer */
  failures = 0;
  round = 0;
  /** runs out when the parked ones go on */
  timer: Timer | null = null;
  /** a writer that is too busy is waited for; one that is lost is looked for as soon as there is news */
  waitsFor: "writer" | "room" = "writer";
  parked: OpenPosting[] = [];
  /** highest (generation, term) that was ever written on a frame to this shard */
  #generation = 0;
  #term = 0;

  /** the last hint that was followed */
  #known: WriterHint | null = null;

  constructor(readonly shard: number) {}

  /** Begins with the first candidate when `hint` is news. */
  heard(hint: WriterHint | null): void {
    if (isNews(hint, this.#known)) this.restart();
    if (hint !== null) this.#known = hint;
  }

  /** Whoever is asked now is silent: the next one, without a wait. */
  pass(): void {
    this.slot++;
    this.round++;
  }

  /** Somebody answered as a writer does. */
  found(): void {
    this.failures = 0;
  }

  /** There is news about who writes: begin with the first candidate. */
  restart(): void {
    this.slot = 0;
    this.failures = 0;
    this.round++;
  }

  /** The node asked was not the writer and knew no better: the wait in ms before the next candidate is asked. */
  failed(base: number, max: number): number {
    this.slot++;
    this.round++;
    return Math.min(max, base * 2 ** this.failures++);
  }

  /**
   * The term to write on a frame. It never goes back, so that a frame of a stream's later message can never be accepted
   * in an earlier term than one of an earlier message: the order of a sender's messages rests on that.
   */
  fence(hint: WriterHint | null): number {
    if (hint !== null && isLater(hint.generation, hint.term, this.#generation, this.#term)) {
      this.#generation = hint.generation;
      this.#term = hint.term;
    }
    return this.#term;
  }
}

/** True when `hint` says more than `known`: a later (generation, term), or the writer of one that had none. */
export function isNews(hint: WriterHint | null, known: WriterHint | null): boolean {
  if (hint === null || hint.writer === 0) return false;
  if (known === null) return true;
  if (isLater(hint.generation, hint.term, known.generation, known.term)) return true;
  return hint.generation === known.generation && hint.term === known.term && known.writer === 0;
}

/**
 * To whom a shard's message goes now: the hinted writer first, then the placement's slots, whoever is usable, counted on
 * by `slot`.
 *
 * @return an incarnation, 0 when nobody is usable
 */
export function targetOf(
  { hint, placement, slot, isUsable }: {
    hint: WriterHint | null;
    placement: readonly { readonly incarnation: number }[];
    slot: number;
    isUsable: (incarnation: number) => boolean;
  },
): number {
  const writer = hint?.writer ?? 0;
  const hinted = writer !== 0 && isUsable(writer);
  if (slot === 0 && hinted) return writer;
  const candidates = hinted ? [writer] : [];
  for (const { incarnation } of placement) {
    if (incarnation !== writer && isUsable(incarnation)) candidates.push(incarnation);
  }
  return candidates.length === 0 ? 0 : candidates[slot % candidates.length];
}

function isLater(generation: number, term: number, thanGeneration: number, thanTerm: number): boolean {
  return generation > thanGeneration || (generation === thanGeneration && term > thanTerm);
}
