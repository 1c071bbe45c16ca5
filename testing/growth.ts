import { fullKey } from "../runtime/base/mod.ts";
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { FoldingHost } from "./folding_host.ts";
import { envelopeOf, FIRST_AT_MS, type GivenMessage, logged } from "./given_message.ts";
import { withDoors } from "./pure_guard.ts";
import type { ReplayOptions } from "./replay.ts";
import { locked, type Problem } from "./watched_handler.ts";

/** How {@linkcode growth} measures. */
export interface GrowthOptions extends Pick<ReplayOptions, "key" | "switches"> {
  /** messages of the life that it is reckoned up to; default 100,000 */
  lifeMessages?: number;
  /** messages that are folded to begin with, then twice as many, and four times if it grows; default 256 */
  probeMessages?: number;
}

/** Longest text of projections that a host keeps, UTF-16 units: `PLAIN_UNITS_MAX` of the plugin host. */
const UNITS_MAX = 1024 * 1024;
const STEP_MS = 60_000;
/** What grows is given so many times as long: it may be a list on the way to where it is cut. */
const DOUBLINGS_MAX = 2;

/**
 * Whether projections would outgrow their bound in a long life: the history is repeated, with new ids and later times,
 * and what the second half of it added is reckoned up to a whole life. A list that is cut at some length, or keyed by
 * what comes again, has stopped growing by then; one with an element a message has not.
 *
 * @param handler what `defineHandler` answered
 * @param history messages that come again and again
 * @param options how long a life is
 * @returns the problem, of rule `bounded`; null when they stay within the 1 MiB that a host keeps, or a message cannot
 *   be handled, which `replay` says better
 *
 * @example
 * ```ts
 * import { defineHandler } from "@waterpark/waterpark";
 * import { growth } from "@waterpark/waterpark/testing";
 * const log = defineHandler({
 *   name: "log", kind: "patient", initial: { ids: [] as string[] },
 *   handle: (_key, { ids }, { id }) => ["ok", { ids: [...ids, id] }, []],
 * });
 * if (growth(log, ["a note"], { lifeMessages: 1_000_000 }) === null) throw new Error("unreachable");
 * ```
 */
export function growth<P>(
  handler: HandlerDefinition<P>,
  history: readonly GivenMessage[],
  options: GrowthOptions = {},
): Problem | null {
  return withDoors(() => growthOf(handler, history, options));
}

function growthOf<P>(
  handler: HandlerDefinition<P>,
  history: readonly GivenMessage[],
  options: GrowthOptions,
): Problem | null {
  if (history.length === 0) return null;
  const { switches = {}, probeMessages = 256, lifeMessages = 100_000 } = options;
  const key = fullKey({ kind: handler.kind, facility: "HOSPX", id: "1001", ...options.key });
  const host = new FoldingHost(locked(handler));
  let folded = 0;
  const unitsAfter = (rounds: number): number | null => {
    const messages = logged(repeated(history, rounds)).slice(folded);
    const answer = host.fold(key, { after: folded, messages, switches });
    folded += messages.length;
    return answer.state === "ok" ? JSON.stringify(answer.projections).length : null;
  };
  let rounds = Math.ceil(probeMessages / history.length);
  let half = unitsAfter(rounds);
  for (let doublings = 1;; doublings++) {
    rounds *= 2;
    const whole = half === null ? null : unitsAfter(rounds);
    if (half === null || whole === null) return null; // a message cannot be handled: another rule's affair
    const perMessage = (whole - half) / (folded / 2);
    const inTheEnd = Math.round(whole + perMessage * (lifeMessages - folded));
    if (inTheEnd <= UNITS_MAX) return null;
    if (doublings === DOUBLINGS_MAX) return tooMuch(perMessage, { lifeMessages, inTheEnd });
    half = whole;
  }
}

function tooMuch(perMessage: number, { lifeMessages, inTheEnd }: { lifeMessages: number; inTheEnd: number }): Problem {
  return {
    rule: "bounded",
    seq: 0,
    text: `projections grow by ${perMessage.toFixed(1)} characters a message: after ${lifeMessages} messages ` +
      `${inTheEnd}, where ${UNITS_MAX} may be`,
  };
}

/** The history again and again: new ids, later times, the same contents. */
export function repeated(history: readonly GivenMessage[], rounds: number): GivenMessage[] {
  return Array.from({ length: rounds }, (_, round) =>
    history.map((given, i) => ({
      ...envelopeOf(given),
      id: `r${round + 1}m${i + 1}`,
      at: FIRST_AT_MS + (round * history.length + i) * STEP_MS,
    }))).flat();
}
