import type { History, Journal } from "../journal.ts";

/** The longest copy of each actor's history: every other one should be a prefix of it. */
export function longestHistories(journal: Journal): Map<string, History> {
  const longest = new Map<string, History>();
  for (const history of journal.histories) {
    const known = longest.get(history.key);
    if (known === undefined || history.messages.length > known.messages.length) longest.set(history.key, history);
  }
  return longest;
}
