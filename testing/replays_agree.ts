import { isDeepStrictEqual } from "node:util";
import {
  type Effect,
  type HandlerDefinition,
  type HandlerResult,
  rawOf,
  type Row,
  RowHistory,
} from "../runtime/plugin_host/mod.ts";
import type { LoggedMessage } from "./given_message.ts";
import { asHandlerSees, FoldingHost, type Life } from "./folding_host.ts";
import type { ReplayStep } from "./replay.ts";
import { locked, type Problem } from "./watched_handler.ts";

/** A life and what it led to, folded message by message. */
export interface LivedLife<P> extends Life {
  steps: readonly ReplayStep<P>[];
}

/** Folds a life in every other way, each with a handler that `fresh` makes; the first that leads elsewhere, or null. */
export function otherwise<P>(fresh: () => HandlerDefinition<P>, life: LivedLife<P>): Problem | null {
  return atOnce(locked(fresh()), life) ?? resumed(locked(fresh()), life) ?? interleaved(locked(fresh()), life);
}

/** All in one call, as a restarted host or a new writer does. */
function atOnce<P>(handler: HandlerDefinition<P>, { key, messages, switches, steps }: LivedLife<P>): Problem | null {
  if (steps.length === 0) return null;
  const answer = new FoldingHost(handler).fold(key, { after: 0, messages, switches });
  if (answer.state !== "ok") {
    return differs("folded anew from birth", "cannot be handled", answer.state === "fault" ? answer.at : 1);
  }
  for (const [i, { effects }] of answer.results.entries()) {
    if (!isEqual(effects, steps[i].effects)) return differs("folded anew from birth", "asks for other effects", i + 1);
  }
  const last = steps[steps.length - 1];
  return isEqual(answer.projections, last.projections)
    ? null
    : differs("folded anew from birth", "leads to other projections", steps.length);
}

/** On from the projections half-way, by hand: nothing of the host's is in this. */
function resumed<P>(handler: HandlerDefinition<P>, { key, messages, switches, steps }: LivedLife<P>): Problem | null {
  const half = steps.length >> 1;
  if (half === 0) return null;
  const rows: Row[] = messages.map((message) => ({ ...rowOf(message) }));
  let projections = copy(steps[half - 1].projections);
  for (let i = half; i < steps.length; i++) {
    let result: HandlerResult<P>;
    try {
      result = handler.handle(
        copy(key),
        projections,
        asHandlerSees(messages[i], i + 1),
        new RowHistory(rows, i),
        copy(switches),
      );
    } catch {
      return differs(`folded on from what was kept at seq ${half}`, "cannot be handled", i + 1);
    }
    projections = copy(result[1]);
    if (!isEqual(projections, steps[i].projections)) {
      return differs(`folded on from what was kept at seq ${half}`, "leads to other projections", i + 1);
    }
  }
  return null;
}

/** Between the messages of another actor, who has the same history the other way round. */
function interleaved<P>(handler: HandlerDefinition<P>, life: LivedLife<P>): Problem | null {
  const { key, messages, switches, steps } = life;
  const host = new FoldingHost(handler);
  const other = { ...key, id: `${key.id}-other` };
  const reversed = [...messages].reverse();
  // the other's messages in another order may well be more than the handler stands: that is not asked here
  let isOtherAlive = true;
  for (const [i, { projections, effects }] of steps.entries()) {
    if (isOtherAlive) isOtherAlive = host.fold(other, { after: i, messages: [reversed[i]], switches }).state === "ok";
    const answer = host.fold(key, { after: i, messages: [messages[i]], switches });
    const where = "folded between another actor's messages";
    if (answer.state !== "ok") return differs(where, "cannot be handled", i + 1);
    if (!isEqual(answer.projections, projections)) return differs(where, "leads to other projections", i + 1);
    if (!isEqual(answer.results[0].effects, effects)) return differs(where, "asks for other effects", i + 1);
  }
  return null;
}

function differs(how: string, what: string, seq: number): Problem {
  return { rule: "replay", seq, text: `${how}, the message ${what}: something is kept outside the projections` };
}

function rowOf({ id, at, type, contentType, payload }: LoggedMessage): Row {
  return { id, at, type, contentType, raw: rawOf(contentType, payload) };
}

function isEqual(one: unknown | readonly Effect[], other: unknown): boolean {
  return isDeepStrictEqual(one, other);
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
