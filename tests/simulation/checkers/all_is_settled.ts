import type { Journal } from "../journal.ts";

/** Liveness: once faults have ended, everything owed is answered, handled, and stands where placement wants it. */
export function allIsSettled(journal: Journal): string[] {
  const wrong = journal.unsettled.map((what) => `liveness: ${what}`);
  const acknowledged = new Set(journal.acknowledged.map((receipt) => `${receipt.key} ${receipt.id}`));
  for (const message of journal.sent) {
    if (!acknowledged.has(`${message.key} ${message.id}`)) wrong.push(`liveness: ${message.id} was never acknowledged`);
  }
  const lengths = new Map<string, number>();
  for (const { key, messages } of journal.histories) {
    lengths.set(key, Math.max(lengths.get(key) ?? 0, messages.length));
  }
  for (const [key, count] of journal.folded) {
    const length = lengths.get(key) ?? 0;
    if (count !== length) wrong.push(`liveness: handlers have seen ${count} of ${length} messages of one actor`);
  }
  return wrong;
}
