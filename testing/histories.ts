import fc from "fast-check";
import type { GivenMessage } from "./given_message.ts";
import { mutated, type Mutation, type MutationKind, MUTATIONS } from "./mutations.ts";

/**
 * An arbitrary of fast-check 4. Described by its form, so that the author's copy of fast-check need not be ours.
 */
export interface ArbitraryLike<T> {
  /** as in fast-check */
  // deno-lint-ignore no-explicit-any -- fast-check's own types, of whatever copy of it
  generate(random: any, biasFactor: number | undefined): { readonly value: T };
  /** as in fast-check */
  // deno-lint-ignore no-explicit-any -- see above
  shrink(value: T, context: any): any;
  /** as in fast-check */
  canShrinkWithoutContext(value: unknown): value is T;
}

/** Where histories come from; at least one of the two. */
export interface HistorySource {
  /** an arbitrary of one message, or of a whole history (an array of messages) */
  messages?: ArbitraryLike<GivenMessage> | ArbitraryLike<readonly GivenMessage[]>;
  /** histories that were recorded, to be mutated */
  recorded?: readonly (readonly GivenMessage[])[];
  /** what may be done to recorded ones; default all */
  mutations?: readonly MutationKind[];
  /** messages of a drawn history at most */
  messagesMax: number;
}

/** Longer recorded histories are taken by windows of so many messages: a run should not take seconds. */
const WINDOW_MESSAGES = 200;
const MUTATIONS_MAX = 6;

/**
 * Histories from a source.
 *
 * @throws {TypeError} when there is no source
 */
export function historiesOf(source: HistorySource): fc.Arbitrary<readonly GivenMessage[]> {
  const { messages, recorded = [], messagesMax } = source;
  const drawn = messages === undefined ? null : asHistories(messages as fc.Arbitrary<unknown>, messagesMax);
  const filled = recorded.filter((history) => history.length > 0);
  if (filled.length === 0) {
    if (drawn === null) throw new TypeError("Cannot check the handler as it needs messages: give messages or recorded");
    return drawn;
  }
  const changed = changesOf(filled, source.mutations ?? MUTATIONS);
  return drawn === null ? changed : fc.oneof(drawn, changed);
}

function asHistories(arbitrary: fc.Arbitrary<unknown>, messagesMax: number): fc.Arbitrary<readonly GivenMessage[]> {
  // One look tells which of the two it is; an arbitrary that gives now this and now that is neither.
  const [sample] = fc.sample(arbitrary, { numRuns: 1, seed: 1 });
  if (Array.isArray(sample)) return arbitrary as fc.Arbitrary<readonly GivenMessage[]>;
  return fc.array(arbitrary as fc.Arbitrary<GivenMessage>, { maxLength: messagesMax, size: "medium" });
}

function changesOf(
  recorded: readonly (readonly GivenMessage[])[],
  kinds: readonly MutationKind[],
): fc.Arbitrary<readonly GivenMessage[]> {
  const mutation: fc.Arbitrary<Mutation> = fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc.nat(),
    to: fc.nat(),
  });
  return fc.tuple(
    fc.nat(),
    fc.nat(),
    kinds.length === 0 ? fc.constant([]) : fc.array(mutation, { maxLength: MUTATIONS_MAX }),
  )
    .map(([which, from, mutations]) => {
      const history = windowOf(recorded[which % recorded.length], from);
      return mutated(history, mutations, recorded.map((other) => windowOf(other, from)));
    });
}

function windowOf(history: readonly GivenMessage[], from: number): readonly GivenMessage[] {
  if (history.length <= WINDOW_MESSAGES) return history;
  const start = from % (history.length - WINDOW_MESSAGES + 1);
  return history.slice(start, start + WINDOW_MESSAGES);
}
