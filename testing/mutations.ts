/**
 * What becomes of messages on their way: a history as it was recorded, and what a feed could have made of it.
 *
 * @module
 */
import { envelopeOf, FIRST_AT_MS, type GivenEnvelope, type GivenMessage } from "./given_message.ts";

/**
 * What a feed does to a history: `drop` loses a message; `double` sends one again later, under another id (under the
 * same one the cluster would not record it); `reorder` moves one; `delay` lets it and all behind it come in up to a day
 * later; `interleave` mixes in the history of another actor, as a feed that confuses two patients does.
 */
export type MutationKind = "drop" | "double" | "reorder" | "delay" | "interleave";

/** All of them. */
export const MUTATIONS: readonly MutationKind[] = ["drop", "double", "reorder", "delay", "interleave"];

/** One change; its numbers are taken modulo what there is. */
export interface Mutation {
  kind: MutationKind;
  /** which message, or which other history */
  at: number;
  /** where to */
  to: number;
}

const DAY_MS = 24 * 60 * 60_000;

/** A history after some changes, one after the other. */
export function mutated(
  history: readonly GivenMessage[],
  mutations: readonly Mutation[],
  others: readonly (readonly GivenMessage[])[],
): GivenEnvelope[] {
  let messages = history.map(envelopeOf);
  for (const { kind, at, to } of mutations) {
    if (messages.length === 0) break;
    const from = at % messages.length;
    switch (kind) {
      case "drop":
        messages.splice(from, 1);
        break;
      case "double":
        messages.splice(from + 1 + to % (messages.length - from), 0, doubleOf(messages[from]));
        break;
      case "reorder":
        messages.splice(to % messages.length, 0, ...messages.splice(from, 1));
        break;
      case "delay":
        messages = delayed(messages, from, 1 + to % DAY_MS);
        break;
      case "interleave":
        if (others.length > 0) messages = interleaved(messages, others[at % others.length].map(envelopeOf), to);
        break;
    }
  }
  return messages;
}

/** The same message under another id. */
export function doubleOf({ id: _id, at: _at, ...rest }: GivenEnvelope): GivenEnvelope {
  return rest;
}

/** The message at `from` and all behind it come in `ms` later. */
export function delayed(messages: readonly GivenMessage[], from: number, ms: number): GivenEnvelope[] {
  return messages.map(envelopeOf).map((message, i) =>
    i < from ? message : { ...message, at: (message.at ?? FIRST_AT_MS + i * 60_000) + ms }
  );
}

// Deals from two stacks as the bits of `pattern` say; each keeps its order.
function interleaved(one: GivenEnvelope[], other: GivenEnvelope[], pattern: number): GivenEnvelope[] {
  const [left, right] = [[...one], [...other]];
  const dealt: GivenEnvelope[] = [];
  for (let i = 0; left.length + right.length > 0; i++) {
    const isLeft = right.length === 0 || (left.length > 0 && (pattern >> (i % 30) & 1) === 0);
    dealt.push((isLeft ? left : right).shift()!);
  }
  return dealt;
}
