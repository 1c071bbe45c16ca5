import { DESK, goesToDesk } from "../desk.ts";
import type { CommittedMessage, Journal } from "../journal.ts";
import { messagesOf } from "./histories.ts";
import { standingOutcomes } from "./standing.ts";
import { textOf } from "./text.ts";

/** P5: what stands in the log as decided about a message is what the message asks for, by whichever version. */
export function decidedAsAsked(journal: Journal): string[] {
  const wrong: string[] = [];
  const versions = new Map(journal.versions.map(({ hash, version }) => [hash, version]));
  const wishes = new Map(journal.sent.map(({ key, id, wish }) => [`${key} ${id}`, wish]));
  const marks = new Map<string, number>();
  for (const { key, plugin, seq, hash, effects } of standingOutcomes(journal)) {
    if (plugin !== "chain") continue;
    for (let at = (marks.get(key) ?? 0) + 1; at <= seq; at++) {
      const message = messagesOf(journal, key)[at - 1];
      if (message === undefined) {
        wrong.push(`P5: an outcome is committed for seq ${at} of ${key}, which is not there`);
        continue;
      }
      const wish = wishes.get(`${key} ${message.id}`);
      const wanted = wish === undefined ? [] : wantedBy({ key, message, wish, version: versions.get(hash) ?? 0 });
      const found = at < seq ? [] : effects.map(({ type, key, body, timer }) => [type, key, body, timer ?? null]);
      if (textOf(found) !== textOf(wanted)) {
        wrong.push(`P5: seq ${at} of ${key} asks for ${textOf(wanted)}, and ${textOf(found)} was decided`);
      }
    }
    marks.set(key, seq);
  }
  return wrong;
}

interface Asked {
  key: string;
  message: CommittedMessage;
  wish: Journal["sent"][number]["wish"];
  version: number;
}

/** The effects, in their order, as [type, target, body, timer]. */
function wantedBy({ key, message, wish, version }: Asked): unknown[] {
  const told = { seq: message.seq, version };
  const wanted: unknown[] = [];
  if (wish.ward !== undefined) {
    wanted.push(["send", `ward/${key.split("/")[1]}/${wish.ward}`, { type: "told", from: key, ...told }, null]);
  }
  if (wish.emit) wanted.push(["emit", key, { type: "derived", ...told }, null]);
  if (wish.reply) wanted.push(["reply", key, told, null]);
  if (wish.remind !== undefined) {
    const timer = { name: wish.remind.name, dueMs: message.atMs + wish.remind.afterMs };
    wanted.push(["schedule", key, { type: "due", ...told }, timer]);
  }
  if (wish.forget !== undefined) wanted.push(["cancel", key, null, { name: wish.forget, dueMs: 0 }]);
  if (message.type === "tick" && goesToDesk(message.id)) wanted.push(["deliver", DESK, told, null]);
  if (wish.retire) wanted.push(["retire", key, null, null]);
  return wanted;
}
