import { isDeepStrictEqual } from "node:util";
import { envelopeOf, type GivenMessage } from "./given_message.ts";
import { delayed, doubleOf } from "./mutations.ts";
import { replay, type ReplayOptions } from "./replay.ts";
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import type { Problem } from "./watched_handler.ts";

/** What of the projections must stay the same: all of it, or what a function takes of it. */
// deno-lint-ignore no-explicit-any -- as the author's handler has it
export type View<P = any> = true | ((projections: P) => unknown);

/** What an author says does not matter to a handler, see {@linkcode indifferenceOf}. */
// deno-lint-ignore no-explicit-any -- as the author's handler has it
export interface Indifference<P = any> {
  /** a message that comes twice, under two ids */
  double?: View<P>;
  /** the order of the messages */
  reorder?: View<P>;
  /** how much later messages come in */
  delay?: View<P>;
}

/** A problem, and the other history that shows it. */
export interface IndifferenceProblem {
  problem: Problem;
  /** what must have led to the same */
  changed: GivenMessage[];
}

/** Changed histories that are tried of each kind: spread over the history, so that long ones do not take long. */
const PLACES_MAX = 8;
const DAY_MS = 24 * 60 * 60_000;

/**
 * Whether a handler comes to other projections where its author says that it does not. Deterministic, so that a
 * history which shows it can be shrunk and will show it again.
 */
export function indifferenceOf<P>(
  handler: HandlerDefinition<P>,
  history: readonly GivenMessage[],
  options: ReplayOptions & { indifferentTo: Indifference<P>; projections: P },
): IndifferenceProblem | null {
  for (const [kind, view] of Object.entries(options.indifferentTo) as [keyof Indifference<P>, View<P>][]) {
    const look = view === true ? (projections: P) => projections : view;
    for (const changed of CHANGES[kind](history.map(envelopeOf))) {
      const { projections, problem } = replay(handler, changed, options);
      if (problem !== null) return { problem, changed };
      const [one, other] = [look(options.projections), look(projections)];
      if (isDeepStrictEqual(one, other)) continue;
      const text = `comes to ${brief(one)} and, ${TEXTS[kind]}, to ${brief(other)}`;
      return { problem: { rule: `indifferent to ${kind}`, seq: 0, text }, changed };
    }
  }
  return null;
}

const TEXTS = {
  double: "with a message doubled",
  reorder: "in another order",
  delay: "when messages come later",
};

const CHANGES: Record<keyof Indifference, (history: GivenMessage[]) => Iterable<GivenMessage[]>> = {
  *double(history) {
    for (const at of places(history.length)) {
      const double = doubleOf(envelopeOf(history[at]));
      yield [...history.slice(0, at + 1), double, ...history.slice(at + 1)];
      if (at < history.length - 1) yield [...history, double];
    }
  },
  *reorder(history) {
    for (const at of places(history.length - 1)) {
      yield [...history.slice(0, at), history[at + 1], history[at], ...history.slice(at + 2)];
    }
    if (history.length > 2) yield [...history].reverse();
  },
  *delay(history) {
    for (const at of places(history.length)) yield delayed(history, at, DAY_MS);
  },
};

function places(count: number): number[] {
  const step = Math.max(1, count / PLACES_MAX);
  return Array.from({ length: Math.max(0, Math.min(count, PLACES_MAX)) }, (_, i) => Math.floor(i * step));
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
