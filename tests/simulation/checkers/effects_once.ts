import type { Journal } from "../journal.ts";
import { type Decision, decisionsOf } from "./standing.ts";
import { textOf } from "./text.ts";

/**
 * P5: what a handler decided is in the log before any of it leaves; it is carried out at least once, under one id; and
 * between actors that is exactly once, in the order decided.
 */
export function effectsOnce(journal: Journal): string[] {
  const decisions = decisionsOf(journal);
  return [...carriedOutOnce(journal, decisions), ...arrivedOnce(journal, decisions)];
}

/** Nothing leaves, and nobody is answered, before the outcome is committed; an effect keeps its id. */
function carriedOutOnce(journal: Journal, decisions: Map<string, Decision>): string[] {
  const wrong: string[] = [];
  const ids = new Map<string, string>();
  for (const { source, seq, plugin, key, id, atMs } of journal.carriedOut) {
    if (plugin !== "chain") continue;
    const outcome = decisions.get(`${source} ${seq}`)?.outcome;
    if (outcome === undefined || atMs < outcome.atMs) {
      wrong.push(
        `P5: an effect of seq ${seq} of ${source} left at ${atMs.toFixed(3)} ms, before its outcome was committed`,
      );
    }
    const at = `${source} ${seq} ${key}`;
    if (id !== (ids.get(at) ?? id)) wrong.push(`P5: an effect of seq ${seq} of ${source} has two ids`);
    ids.set(at, id);
  }
  const parked = journal.outcomes.filter((outcome) => outcome.state === "parked");
  for (const { key, seq, reply, atMs } of journal.handled) {
    const found = decisions.get(`${key} ${seq}`);
    const isDecided = found !== undefined && found.outcome.atMs <= atMs;
    const stoodStill = parked.some((one) => one.key === key && one.seq <= seq && one.atMs <= atMs);
    if (!isDecided && !stoodStill) {
      wrong.push(`P5: seq ${seq} of ${key} was called handled before its outcome was committed`);
    }
    if (reply !== null && textOf(reply) !== textOf({ seq, version: found?.version })) {
      wrong.push(`P5: the reply to seq ${seq} of ${key} is not the one that was decided`);
    }
  }
  return wrong;
}

/** What was decided stands in the histories of those that it is for: each once, in its order, and nothing else. */
function arrivedOnce(journal: Journal, decisions: Map<string, Decision>): string[] {
  const wrong: string[] = [];
  const arrived = new Map<string, string>();
  for (const [key, { messages }] of journal.whole) {
    const lastOf = new Map<string, number>();
    for (const { id, type, body, seq: place } of messages) {
      // What is told when it is time is another checker's matter.
      if (!id.includes("#chain#") || type === "due") continue;
      const { from = key, seq } = JSON.parse(body) as { from?: string; seq: number };
      arrived.set(`${from} ${seq} ${key}`, body);
      if (seq <= (lastOf.get(from) ?? 0)) wrong.push(`P5: seq ${seq} of ${from} has told ${key} late, or twice`);
      lastOf.set(from, seq);
      if (from === key && place <= seq) wrong.push(`P5: seq ${place} of ${key} is derived from a later one`);
    }
  }
  for (const [message, { outcome }] of decisions) {
    const seq = Number(message.slice(message.indexOf(" ") + 1));
    if (outcome.seq !== seq) continue;
    for (const { type, key, body } of outcome.effects) {
      if (type !== "send" && type !== "emit") continue;
      const found = arrived.get(`${message} ${key}`);
      if (found === undefined) wrong.push(`P5: what seq ${seq} of ${outcome.key} decided never came to ${key}`);
      else if (textOf(JSON.parse(found)) !== textOf(body)) {
        wrong.push(`P5: what seq ${seq} of ${outcome.key} decided came to ${key} as ${found}`);
      }
      arrived.delete(`${message} ${key}`);
    }
  }
  for (const at of arrived.keys()) wrong.push(`P5: ${at} was told, and nothing in the log decided it`);
  return wrong;
}
