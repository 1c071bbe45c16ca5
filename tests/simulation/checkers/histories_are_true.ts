import type { Journal, Listed } from "../journal.ts";
import { endedLives, messagesOf } from "./histories.ts";

/**
 * Histories as they are read: what is given out was committed by then, stands so for ever, comes in order, behind what
 * was asked for, and without a gap but that of a life that has ended.
 */
export function historiesAreTrue(journal: Journal): string[] {
  const wrong: string[] = [];
  const ends = endedLives(journal);
  for (const listed of journal.listed) {
    const what = faultIn(listed, journal, ends.get(listed.key) ?? []);
    if (what !== "") wrong.push(`histories: a ${listed.mode} read of ${listed.key}, behind ${listed.after}, ${what}`);
  }
  return wrong;
}

function faultIn({ key, after, events, answeredMs }: Listed, journal: Journal, ends: readonly number[]): string {
  const messages = messagesOf(journal, key);
  let last = after;
  for (const { seq, id } of events) {
    const message = messages[seq - 1];
    if (message === undefined || message.id !== id) return `has ${id} at seq ${seq}, where ${message?.id} stands`;
    if (message.committedMs > answeredMs) return `has seq ${seq} before anybody had it committed`;
    if (seq <= last) return `has seq ${seq} behind ${last}`;
    if (seq !== last + 1 && !ends.includes(seq - 1)) return `goes from seq ${last} to ${seq}`;
    last = seq;
  }
  return "";
}
