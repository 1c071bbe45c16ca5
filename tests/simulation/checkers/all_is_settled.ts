import type { Journal } from "../journal.ts";

/** Liveness: once faults have ended, everything owed is answered, handled, and stands where placement wants it. */
export function allIsSettled(journal: Journal): string[] {
  const wrong = journal.unsettled.map((what) => `liveness: ${what}`);
  const recorded = [...journal.acknowledged, ...journal.recorded];
  const acknowledged = new Set(recorded.map(({ key, id }) => `${key} ${id}`));
  for (const { key, id, ended } of journal.sent) {
    if (ended === "" && !acknowledged.has(`${key} ${id}`)) wrong.push(`liveness: ${id} was never acknowledged`);
  }
  const lengths = new Map<string, number>();
  for (const { key, messages } of journal.histories) {
    lengths.set(key, Math.max(lengths.get(key) ?? 0, messages.length));
  }
  for (const { node, key, seq } of journal.folded) {
    const length = lengths.get(key) ?? 0;
    if (seq !== length) wrong.push(`liveness: ${node} has ${seq} of ${length} messages of ${key}`);
  }
  return wrong;
}
