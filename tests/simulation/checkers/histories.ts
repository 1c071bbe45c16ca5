import type { CommittedMessage, Journal } from "../journal.ts";

/** The messages of an actor, all its lives; none for one that nobody knows. */
export function messagesOf(journal: Journal, key: string): CommittedMessage[] {
  return journal.whole.get(key)?.messages ?? [];
}

/** For each actor with ended lives, the last seq of each of them, ascending. */
export function endedLives(journal: Journal): Map<string, number[]> {
  const ends = new Map<string, number[]>();
  for (const { key, seq } of journal.retired) ends.set(key, [...ends.get(key) ?? [], seq]);
  return ends;
}
