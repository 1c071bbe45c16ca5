import type { Journal } from "../journal.ts";
import { messagesOf } from "./histories.ts";

/**
 * P6: a plugin stands still for an actor only when its version cannot handle that message, or one before. Where hosts die for other
 * reasons, one who happened to be alone with them twice may be taken for the cause.
 */
export function pluginsCannotHurt(journal: Journal): string[] {
  const wrong: string[] = [];
  const versions = new Map(journal.versions.map((version) => [version.hash, version]));
  const wishes = new Map(journal.sent.map(({ key, id, wish }) => [`${key} ${id}`, wish]));
  for (const { key, seq, state, hash, code } of journal.outcomes) {
    if (state !== "parked" || (journal.hostsDie && code === "plugin_host/killed-host")) continue;
    const version = versions.get(hash);
    // Of somebody's own plugin, found out by its host: that it has decided twice, and otherwise, is what is wrong with it.
    if (version === undefined && code === "plugin_host/not-deterministic") continue;
    // A new version folds the history anew and may stumble over what an older one has taken.
    const isGuilty = messagesOf(journal, key).slice(0, seq).some(({ id }) => {
      const trouble = wishes.get(`${key} ${id}`)?.trouble;
      return (trouble === "throw" && version?.throws) || (trouble === "kill" && version?.kills);
    });
    if (!isGuilty) wrong.push(`P6: seq ${seq} of ${key} was parked (${code}), and nothing is wrong with what it has`);
  }
  return wrong;
}
