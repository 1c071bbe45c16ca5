import type { Journal, Outcome } from "../journal.ts";
import { longestHistories } from "./histories.ts";

/**
 * P5: what a handler decided is in the log before any of it leaves; it is what the message asks for; it is carried out at
 * least once, under one id; and between actors that is exactly once, in the order decided.
 */
export function effectsOnce(journal: Journal): string[] {
  const decided = decisionsOf(journal);
  return [...decided.wrong, ...carriedOutOnce(journal, decided.standing), ...arrivedOnce(journal, decided.standing)];
}

type Standing = Map<string, { outcome: Outcome; version: number }>;

/** The outcome that stands for each message, and whether it is what the message asks for. */
function decisionsOf(journal: Journal): { wrong: string[]; standing: Standing } {
  const wrong: string[] = [];
  const standing: Standing = new Map();
  const marks = new Map<string, number>();
  const versions = new Map(journal.versions.map(({ hash, version }) => [hash, version]));
  const wishes = new Map(journal.sent.map(({ key, id, wish }) => [`${key} ${id}`, wish]));
  const longest = longestHistories(journal);
  for (const outcome of journal.outcomes) {
    const { key, plugin, seq, state, hash } = outcome;
    const mark = marks.get(key) ?? 0;
    // Of a message that two have decided about the first decision stands.
    if (key === "" || plugin !== "chain" || state !== "ok" || seq <= mark) continue;
    marks.set(key, seq);
    const version = versions.get(hash) ?? 0;
    for (let at = mark + 1; at <= seq; at++) {
      const message = longest.get(key)?.messages[at - 1];
      if (message === undefined) {
        wrong.push(`P5: an outcome is committed for seq ${at} of ${key}, which is not there`);
        continue;
      }
      standing.set(`${key} ${at}`, { outcome, version });
      const wanted: unknown[] = [];
      const wish = wishes.get(`${key} ${message.id}`);
      if (wish?.ward !== undefined) {
        wanted.push(["send", `ward/${key.split("/")[1]}/${wish.ward}`, { type: "told", from: key, seq: at, version }]);
      }
      if (wish?.emit) wanted.push(["emit", key, { type: "derived", seq: at, version }]);
      if (wish?.reply) wanted.push(["reply", key, { seq: at, version }]);
      const found = at === seq ? outcome.effects.map((effect) => [effect.type, effect.key, effect.body]) : [];
      if (textOf(found) !== textOf(wanted)) {
        wrong.push(`P5: seq ${at} of ${key} asks for ${textOf(wanted)}, and ${textOf(found)} was decided`);
      }
    }
  }
  return { wrong, standing };
}

/** Nothing leaves, and nobody is answered, before the outcome is committed; an effect keeps its id. */
function carriedOutOnce(journal: Journal, standing: Standing): string[] {
  const wrong: string[] = [];
  const ids = new Map<string, string>();
  for (const { source, seq, plugin, key, id, atMs } of journal.carriedOut) {
    if (plugin !== "chain") continue;
    const outcome = standing.get(`${source} ${seq}`)?.outcome;
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
    const found = standing.get(`${key} ${seq}`);
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
function arrivedOnce(journal: Journal, standing: Standing): string[] {
  const wrong: string[] = [];
  const longest = longestHistories(journal);
  const arrived = new Map<string, { body: string; count: number }>();
  for (const [key, { messages }] of longest) {
    const lastOf = new Map<string, number>();
    for (const { id, body, seq: place } of messages) {
      if (!id.includes("#chain#")) continue;
      const { from = key, seq } = JSON.parse(body) as { from?: string; seq: number };
      const at = `${from} ${seq} ${key}`;
      const known = arrived.get(at);
      if (known === undefined) arrived.set(at, { body, count: 1 });
      else known.count++;
      if (seq <= (lastOf.get(from) ?? 0)) wrong.push(`P5: seq ${seq} of ${from} has told ${key} late, or twice`);
      lastOf.set(from, seq);
      if (from === key && place <= seq) wrong.push(`P5: seq ${place} of ${key} is derived from a later one`);
    }
  }
  for (const [message, { outcome }] of standing) {
    const seq = Number(message.slice(message.indexOf(" ") + 1));
    if (outcome.seq !== seq) continue;
    for (const { type, key, body } of outcome.effects) {
      if (type === "reply") continue;
      const found = arrived.get(`${message} ${key}`);
      if (found === undefined) wrong.push(`P5: what seq ${seq} of ${outcome.key} decided never came to ${key}`);
      else if (textOf(JSON.parse(found.body)) !== textOf(body)) {
        wrong.push(`P5: what seq ${seq} of ${outcome.key} decided came to ${key} as ${found.body}`);
      }
      arrived.delete(`${message} ${key}`);
    }
  }
  for (const at of arrived.keys()) wrong.push(`P5: ${at} was told, and nothing in the log decided it`);
  return wrong;
}

/** As JSON with the fields in the order of their names. */
function textOf(value: unknown): string {
  return JSON.stringify(
    value,
    (_, inner) =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => a < b ? -1 : 1))
        : inner,
  );
}
