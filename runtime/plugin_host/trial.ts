/**
 * Trials: whether a handler decides the same when it is asked twice. Clock and chance are out of its reach; what is left is
 * a memory of its own, a counter beside the function, and its projections would be others on every copy and after every
 * restart. So a version's first calls are folded three times, twice of them for nothing: like the question that an
 * examiner puts once more at the end.
 *
 * Only the first, as a trial costs as much as folding. Wrong when a handler is fickle now and then: `waterpark plugin
 * test` looks longer.
 */
import type { FoldAnswer, FoldResult } from "../actors/mod.ts";
import type { Run } from "./run_answer.ts";

/**
 * The place of the first message about which two trials differ; -1: they do not.
 *
 * @param tryOut folds the messages; null when it could not: what is wrong is found out by who folds in earnest
 */
export function differenceOfTrials(tryOut: () => Run | null): number {
  const one = tryOut();
  const other = one === null ? null : tryOut();
  if (one === null || other === null) return -1;
  const end = Math.max(one.results.length, other.results.length);
  for (let i = 0; i < end; i++) {
    if (one.results[i]?.digest !== other.results[i]?.digest || one.effects[i] !== other.effects[i]) return i;
  }
  return one.fault?.code === other.fault?.code ? -1 : end;
}

/** What is answered for the message at which they differ; `results` are those of the messages before. */
export function fickle(at: number, results: FoldResult[]): FoldAnswer {
  const message = "Cannot keep what the handler decides as it must decide the same twice: it remembers or guesses";
  return { state: "fault", at, code: "plugin_host/not-deterministic", message, stack: "", results };
}
