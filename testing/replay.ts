/**
 * Replay: one history, folded as a node folds it, and in the other ways in which a node may come to fold it: all at
 * once after a restart, again from birth for a new version, on from what was kept half-way, between another actor's
 * messages. A handler that is pure cannot tell them apart.
 *
 * @module
 */
import { type ActorKey, fullKey } from "../runtime/base/mod.ts";
import type { Effect, FoldAnswer, HandlerDefinition, HandlerMessage, Switches } from "../runtime/plugin_host/mod.ts";
import { asHandlerSees, FoldingHost, type Life } from "./folding_host.ts";
import { type GivenMessage, logged } from "./given_message.ts";
import { lossOf } from "./plain_loss.ts";
import { withDoors } from "./pure_guard.ts";
import { otherwise } from "./replays_agree.ts";
import { placeIn, type Problem, watched } from "./watched_handler.ts";

/** A handler, or what makes a fresh one: then two instances are compared, too. */
// deno-lint-ignore no-explicit-any -- the type of its projections does not matter here
export type HandlerSource<P = any> = HandlerDefinition<P> | (() => HandlerDefinition<P>);

/** How {@linkcode replay} folds. */
export interface ReplayOptions {
  /** the actor; default: `HOSPX/1001` of the handler's kind */
  key?: ActorKey;
  /** feature flags; default none */
  switches?: Switches;
  /**
   * true: the handler may change the projections and messages that it is given. A host gives each call copies of its
   * own, so nothing comes of it there; but what is called from elsewhere, as a helper, may not rely on that.
   */
  mayChangeInputs?: boolean;
}

/** What one message led to. */
export interface ReplayStep<P> {
  /** the message, as the handler saw it */
  message: HandlerMessage;
  /** projections after it */
  projections: P;
  /** what the handler asked for */
  effects: readonly Effect[];
}

/** What a history led to. */
export interface Replay<P> {
  /** projections after the last message that could be handled */
  projections: P;
  /** everything that was asked for, in order */
  effects: Effect[];
  /** per message; ends before the one that could not be handled */
  steps: ReplayStep<P>[];
  /** the first rule that the handler broke; null: none */
  problem: Problem | null;
}

/**
 * Folds a history with a handler as a node does, and watches it: that it handles every message, is pure, keeps plain
 * data, asks for effects that there are, and comes to the same result however the history reaches it.
 *
 * Runs right here, synchronously, without permissions. What a plugin's context does not have (clock, chance, timers,
 * `fetch`, `structuredClone` ...) is not there during a call; what the handler's module took aside when it was loaded
 * is not noticed.
 *
 * @param handler what `defineHandler` answered, or a function that makes a fresh one
 * @param history messages in the order of the actor's history
 * @param options actor, feature flags
 * @returns projections, effects and steps, and the first problem; it does not throw for one
 * @throws {TypeError} when it is no handler, or a message can be none
 *
 * @example
 * ```ts
 * import { defineHandler } from "@waterpark/waterpark";
 * import { replay } from "@waterpark/waterpark/testing";
 * const census = defineHandler({
 *   name: "census", kind: "patient", initial: { ward: "" },
 *   handle: (_key, kept, message) => ["ok", message.type === "admit" ? { ward: message.body.ward } : kept, []],
 * });
 * const { projections, problem } = replay(census, [{ type: "admit", ward: "5W" }, "a note"]);
 * if (projections.ward !== "5W" || problem !== null) throw new Error("unreachable");
 * ```
 */
export function replay<P>(
  handler: HandlerSource<P>,
  history: readonly GivenMessage[],
  options: ReplayOptions = {},
): Replay<P> {
  return withDoors(() => {
    const fresh = () => typeof handler === "function" ? handler() : handler;
    const definition = fresh();
    const key = fullKey({ kind: definition.kind, facility: "HOSPX", id: "1001", ...options.key });
    const messages = logged(history);
    const { switches = {}, mayChangeInputs = false } = options;
    const run = live(definition, { key, messages, switches, mayChangeInputs });
    if (run.problem !== null) return run;
    return { ...run, problem: otherwise(fresh, { key, messages, switches, steps: run.steps }) };
  });
}

/** Message by message, as they come in. */
function live<P>(handler: HandlerDefinition<P>, life: Life & { mayChangeInputs: boolean }): Replay<P> {
  const { key, messages, switches, mayChangeInputs } = life;
  let problem: Problem | null = null;
  let returned: unknown;
  const inner = watched(handler, { mayChangeInputs, onProblem: (found) => problem ??= found });
  const host = new FoldingHost<P>({
    ...inner,
    handle(...args) {
      const result = inner.handle(...args);
      returned = Array.isArray(result) ? result[1] : undefined;
      return result;
    },
  });
  const run: Replay<P> = { projections: host.begin(key) as P, effects: [], steps: [], problem: null };
  for (const [i, message] of messages.entries()) {
    const seq = i + 1;
    const answer = host.fold(key, { after: i, messages: [message], switches });
    if (answer.state !== "ok") return { ...run, problem: problem ?? problemOf(answer, seq) };
    const { effects } = answer.results[0];
    run.projections = answer.projections as P;
    run.effects.push(...effects);
    run.steps.push({ message: asHandlerSees(message, seq), projections: run.projections, effects });
    const loss = lossOf(returned, "projections");
    if (loss !== null) problem ??= { rule: "plain data", seq, text: `${loss}, which is not kept` };
    if (problem !== null) return { ...run, problem };
  }
  return run;
}

const RULES: Record<string, string> = {
  "plugin_host/not-plain-data": "plain data",
  "plugin_host/too-large": "bounded",
  "plugin_host/bad-effect": "effects",
  "plugin_host/unknown-effect": "effects",
  "plugin_host/too-many-effects": "effects",
};

/** What a host's answer says against the handler. */
export function problemOf(answer: FoldAnswer, seq: number): Problem {
  if (answer.state !== "fault") throw new Error(`The inline host answers ${answer.state}, which it never should`);
  const place = answer.code === "plugin_host/threw" ? placeIn(answer.stack) : "";
  return { rule: RULES[answer.code] ?? "total", seq, text: `${answer.message}${place}` };
}
