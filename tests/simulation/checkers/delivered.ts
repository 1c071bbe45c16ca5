import type { Journal } from "../journal.ts";
import { decisionsOf } from "./standing.ts";
import { textOf } from "./text.ts";

/**
 * P5: what is delivered to the outside was decided, and its outcome committed before; it comes under one id, an actor's
 * deliveries in the order of its messages, as far as each comes for the first time.
 */
export function deliveredInOrder(journal: Journal): string[] {
  const wrong: string[] = [];
  const decisions = decisionsOf(journal);
  const ids = new Map<string, string>();
  const last = new Map<string, number>();
  for (const { id, source, seq, body, atMs } of journal.delivered) {
    const outcome = decisions.get(`${source} ${seq}`)?.outcome;
    const decided = outcome?.seq === seq ? outcome.effects.find(({ type }) => type === "deliver") : undefined;
    if (decided === undefined || outcome === undefined || outcome.atMs > atMs) {
      wrong.push(`P5: seq ${seq} of ${source} was delivered, and no outcome committed before wants it`);
    } else if (textOf(decided.body) !== textOf(JSON.parse(body))) {
      wrong.push(`P5: seq ${seq} of ${source} was delivered as ${body}`);
    }
    const at = `${source} ${seq}`;
    const known = ids.get(at);
    if (known === undefined && seq < (last.get(source) ?? 0)) {
      wrong.push(`P5: seq ${seq} of ${source} was delivered after seq ${last.get(source)}`);
    }
    if (known !== undefined && known !== id) wrong.push(`P5: seq ${seq} of ${source} was delivered under two ids`);
    ids.set(at, id);
    last.set(source, Math.max(seq, last.get(source) ?? 0));
  }
  return wrong;
}

/** Liveness: what was decided is delivered. */
export function allIsDelivered(journal: Journal): string[] {
  const delivered = new Set(journal.delivered.map(({ source, seq }) => `${source} ${seq}`));
  return [...decisionsOf(journal)].flatMap(([at, { outcome }]) => {
    const seq = Number(at.slice(at.indexOf(" ") + 1));
    const wants = outcome.seq === seq && outcome.effects.some(({ type }) => type === "deliver");
    return wants && !delivered.has(at) ? [`liveness: seq ${seq} of ${outcome.key} was never delivered`] : [];
  });
}
