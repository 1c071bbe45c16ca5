/**
 * Generations: what happens when a majority of a shard's copies is gone for good and an operator lets it go on from one
 * survivor. The survivor's copy, as it stands, becomes the history; every other copy is a branch that was cut off.
 *
 * Nothing of a lower generation is ever taken again, however many of its copies come back and agree with each other. What
 * they hold is not thrown away either: it lies here to be read, compared and sent again (the lost-and-found).
 *
 * Terms leap with the generation, so that a term still names one writer in the whole life of the shard, and whatever
 * is fenced by terms alone (a late proposal of a sender) is fenced across generations too.
 */
import { assert } from "../base/mod.ts";
import type { ShardStore } from "../storage/mod.ts";
import { GENERATION_MAX } from "../topology/mod.ts";
import { becomeFollower, becomeWriter } from "./append.ts";
import type { ShardEnv, ShardState } from "./shard_state.ts";

/** Terms in a generation: more elections than a shard can hold in a century. */
export const TERMS_PER_GENERATION = 2 ** 20;

/** A copy of a generation that has ended; nothing is written to it any more. */
export interface LostCopy {
  readonly shard: number;
  readonly generation: number;
  /** term that the copy had reached */
  readonly term: number;
  /** what it knew to be committed; what stands behind may have been acknowledged all the same */
  readonly commit: number;
  readonly store: ShardStore;
}

/** The term that nobody has yet written in, below all terms of the generation. */
export function termBefore(generation: number): number {
  return (generation - 1) * TERMS_PER_GENERATION;
}

/** The survivor goes on alone: what its log holds is committed by that, and its next entry names it the only member. */
export function goOnAlone(state: ShardState, env: ShardEnv, generation: number): void {
  assert(generation >= state.generation, "generations only rise");
  const term = Math.max(state.term, termBefore(generation)) + 1;
  becomeFollower(state, env, { term, writer: 0 });
  state.generation = generation;
  state.votedFor = state.self;
  state.floor = { term: 0, index: 0 };
  state.configurations = [{ index: state.store.lastIndex, configuration: { voters: [state.self], old: null } }];
  becomeWriter(state, env);
}

/** What one node knows of its shards' generations. */
export class Generations {
  readonly #known: number[] = [];
  readonly #lost: LostCopy[] = [];

  /** The generation that counts, as far as this node knows; 1 from birth. */
  of(shard: number): number {
    return this.#known[shard] ?? 1;
  }

  /** Takes note of a generation; false when it is none that is new. */
  raise(shard: number, generation: number): boolean {
    if (generation <= this.of(shard) || generation > GENERATION_MAX) return false;
    this.#known[shard] = generation;
    return true;
  }

  /** Lays a copy aside. Their number is bounded by the operator, who recovers shards one at a time. */
  keep({ shard, generation, term, commit, store }: LostCopy): void {
    if (store.lastIndex > 0) this.#lost.push({ shard, generation, term, commit, store });
  }

  /** The copies laid aside, oldest first. */
  get lost(): readonly LostCopy[] {
    return this.#lost;
  }

  /** Frees a copy laid aside; false when there is none. */
  discard(shard: number, generation: number): boolean {
    const at = this.#lost.findIndex((copy) => copy.shard === shard && copy.generation === generation);
    if (at >= 0) this.#lost.splice(at, 1);
    return at >= 0;
  }
}
