import type { FullKey } from "../runtime/base/mod.ts";
import { type Effect, type HandlerDefinition, messageOf, rawOf, RowHistory } from "../runtime/plugin_host/mod.ts";
import type { LoggedMessage } from "./given_message.ts";
import { locked } from "./watched_handler.ts";
import type { ReplayStep } from "./replay.ts";

/** What a history leads to, and why it ends before the last message, if it does. */
export interface HandFold {
  steps: ReplayStep<unknown>[];
  /** projections after the last step, or the first ones */
  projections: unknown;
  /** what was thrown at the message after the last step; null: nothing */
  fault: string | null;
}

/** Folds a history by hand: nothing of the host's sessions, checks and digests is in it. Only within `withDoors`. */
export function foldByHand(handler: HandlerDefinition, key: FullKey, messages: readonly LoggedMessage[]): HandFold {
  const pure = locked(handler);
  const rows = messages.map(({ payload, ...row }) => ({ ...row, raw: rawOf(row.contentType, payload) }));
  const fold: HandFold = { steps: [], projections: copy(handler.initial), fault: null };
  for (const [i, row] of rows.entries()) {
    try {
      const message = messageOf(row, i + 1);
      const [, kept, effects] = pure.handle({ ...key }, copy(fold.projections), message, new RowHistory(rows, i), {});
      fold.projections = copy(kept);
      fold.steps.push({ message, projections: fold.projections, effects: effects as readonly Effect[] ?? [] });
    } catch (error) {
      fold.fault = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      break;
    }
  }
  return fold;
}

function copy<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}
