import fc from "fast-check";
import { fullKey } from "../runtime/base/mod.ts";
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { checkHandler, type CheckOptions, type CheckReport, HandlerCheckError } from "./check_handler.ts";
import type { GivenMessage } from "./given_message.ts";
import { historiesOf } from "./histories.ts";
import { hospitalArbitrary } from "./hospital_messages.ts";
import { inHost } from "./in_host.ts";
import type { Problem } from "./watched_handler.ts";

/** What a plugin's module may say in its `checks`: see {@linkcode CheckOptions}. */
export const CHECK_FIELDS: readonly (keyof CheckOptions)[] = [
  "messages",
  "recorded",
  "mutations",
  "invariants",
  "indifferentTo",
  "key",
  "switches",
  "mayChangeInputs",
  "runs",
  "messagesMax",
  "lifeMessages",
  "probeMessages",
];

/** How it ended: what was checked, and what is wrong. */
export type ModuleVerdict =
  | { verdict: "held"; report: CheckReport; hostRuns: number }
  | {
    verdict: "broken";
    plugin: string;
    problem: Problem;
    /** the smallest that shows it */
    history: readonly GivenMessage[];
    /** for people */
    text: string;
    /** what finds it again; null: nothing shorter than the whole check */
    again: { seed: number; path: string } | null;
  };

/** Histories that go through a host's process; each takes some milliseconds. */
const HOST_RUNS = 20;

/**
 * Checks a handler with all there is: {@linkcode checkHandler} over drawn and recorded histories, then some of these in a
 * plugin host's process, whose answers must be the same.
 *
 * @throws {TypeError} when it is no handler, or a message is none
 */
export async function checkModule(
  handler: HandlerDefinition,
  { checks, bundle }: { checks: CheckOptions; bundle: { hash: string; bytes: Uint8Array } },
): Promise<ModuleVerdict> {
  const { recorded = [] } = checks;
  const hasOwn = checks.messages !== undefined || recorded.length > 0;
  const options: CheckOptions = hasOwn ? checks : { ...checks, messages: hospitalArbitrary(handler.kind) };
  let report: CheckReport;
  try {
    report = checkHandler(handler, options);
  } catch (error) {
    if (!(error instanceof HandlerCheckError)) throw error;
    const { problem, history, message, again } = error;
    return { verdict: "broken", plugin: handler.name, problem, history, text: message, again };
  }
  const { kind, name } = handler;
  const key = fullKey({ kind, facility: "HOSPX", id: "1001", ...options.key });
  // Others than those of before: what a handler's module remembers of them is not known in the host's process.
  const drawn = fc.sample(historiesOf({ messagesMax: 30, ...options }), {
    numRuns: HOST_RUNS,
    seed: report.seed + 1 | 0,
  });
  const found = await inHost(drawn, { handler, bundle, key, switches: options.switches ?? {} });
  if (found === null) return { verdict: "held", report, hostRuns: drawn.length };
  const { problem, history } = found;
  const at = problem.seq > 0 ? `, at message ${problem.seq} of ${history.length}` : "";
  return {
    verdict: "broken",
    plugin: name,
    problem,
    history,
    text: `${name} breaks the rule "${problem.rule}"${at}: ${problem.text}\n${JSON.stringify(history, null, 2)}`,
    again: null,
  };
}
