import type { FullKey } from "../runtime/base/mod.ts";
import type { Effect, HandlerMessage } from "../runtime/plugin_host/mod.ts";
import type { Replay } from "./replay.ts";
import type { Problem } from "./watched_handler.ts";

/**
 * Something that must be true of an actor after every message.
 *
 * @param projections what the handler keeps
 * @param history the messages so far, the last one included
 * @param effects everything asked for so far
 * @param about whose projections these are
 * @returns true, or what is wrong
 */
// deno-lint-ignore no-explicit-any -- as the author's handler has it
export type Invariant<P = any> = (
  projections: P,
  history: readonly HandlerMessage[],
  effects: readonly Effect[],
  about: { plugin: string; key: FullKey },
) => true | string;

/** The first invariant that does not hold, at the first message after which it does not; `name` is the rule. */
export function brokenInvariant<P>(
  { steps }: Pick<Replay<P>, "steps">,
  invariants: Record<string, Invariant<P>>,
  about: { plugin: string; key: FullKey },
): Problem | null {
  const history: HandlerMessage[] = [];
  const effects: Effect[] = [];
  for (const [i, step] of steps.entries()) {
    history.push(step.message);
    effects.push(...step.effects);
    for (const [rule, invariant] of Object.entries(invariants)) {
      const text = complaintOf(() => invariant(step.projections, history, effects, about));
      if (text !== null) return { rule, seq: i + 1, text };
    }
  }
  return null;
}

/** What an invariant complains of, or null. One that forgets to answer is a check that cannot fail: that is wrong, too. */
export function complaintOf(ask: () => unknown): string | null {
  try {
    const answer = ask();
    if (answer === true) return null;
    return typeof answer === "string" ? answer : `the invariant answers ${String(answer)}, not true`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
