/**
 * Trials: whether a handler decides the same when it is asked twice. Clock and chance are out of its reach; what is left is
 * a memory of its own, a counter beside the function, and its projections would be others on every copy and after every
 * restart. So a version's first calls are folded three times, twice of them for nothing: like the question that an
 * examiner puts once more at the end.
 *
 * Only the first, as a trial costs as much as folding. Wrong when a handler is fickle now and then: `waterpark plugin
 * test` looks longer.
 */
import type { FoldAnswer } from "../actors/mod.ts";
import type { Run } from "./run_answer.ts";

const CODE = "plugin_host/not-deterministic";
const MESSAGE = "Cannot keep what the handler decides as it must decide the same twice: it remembers or guesses";

/**
 * The fault that two trials of the same messages show; null: none.
 *
 * @param tryOut folds them; null when it could not: what is wrong is found out by who folds in earnest
 * @param first seq of the first message
 */
export function faultOfTrials(tryOut: () => Run | null, first: number): FoldAnswer | null {
  const one = tryOut();
  const other = one === null ? null : tryOut();
  if (one === null || other === null || textOf(one) === textOf(other)) return null;
  // Which of the messages it was says little: what was remembered may have come from any before.
  return { state: "fault", at: first, code: CODE, message: MESSAGE, stack: "", results: [] };
}

function textOf({ results, effects, fault }: Run): string {
  return JSON.stringify([results.map(({ digest }) => digest), effects, fault?.code]);
}
