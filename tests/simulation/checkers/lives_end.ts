import type { Journal } from "../journal.ts";
import { messagesOf } from "./histories.ts";
import { standingOutcomes } from "./standing.ts";

/**
 * Lives: one ends only where a handler has asked for it at its last message, once every message is handled and
 * everything that they led to has arrived.
 */
export function livesEnd(journal: Journal): string[] {
  const wrong: string[] = [];
  const outcomes = new Map<string, ReturnType<typeof standingOutcomes>>();
  for (const outcome of standingOutcomes(journal)) {
    const known = outcomes.get(outcome.key);
    if (known === undefined) outcomes.set(outcome.key, [outcome]);
    else known.push(outcome);
  }
  const births = new Map<string, number>();
  for (const { key, shard, index, seq, committedMs } of journal.retired) {
    const say = (what: string) => wrong.push(`lives: ${key} ended at seq ${seq}, index ${index}, ${what}`);
    const birth = births.get(key) ?? 0;
    births.set(key, seq);
    const newest = messagesOf(journal, key).findLast((message) => message.index < index);
    if (newest?.seq !== seq) say(`and its last message was ${newest?.seq ?? "none"}`);
    const decided = (outcomes.get(key) ?? []).filter((one) => one.shard === shard && one.index < index);
    const last = decided.filter((one) => one.seq === seq);
    if (!last.some(({ plugin }) => plugin === "chain")) say("before that was handled");
    else if (!last.some(({ effects }) => effects.some(({ type }) => type === "retire"))) {
      say("and nobody had asked for it");
    }
    for (const { seq: source, plugin, effects } of decided) {
      if (source <= birth || plugin !== "chain") continue;
      effects.forEach(({ type, key: target }, n) => {
        if (type !== "send" && type !== "emit") return;
        const arrived = messagesOf(journal, target).find(({ id }) => id === `${key}#${source}#chain#${n}`);
        if (arrived === undefined || arrived.committedMs > committedMs) {
          say(`before what seq ${source} led to had come to ${target}`);
        }
      });
    }
  }
  return wrong;
}
