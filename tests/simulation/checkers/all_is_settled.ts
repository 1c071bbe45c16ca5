import type { Journal } from "../journal.ts";
import { messagesOf } from "./histories.ts";

/**
 * Liveness: once faults have ended, everything owed is answered, handled, and stands where placement wants it; what is
 * left of ended lives is freed on every copy.
 */
export function allIsSettled(journal: Journal): string[] {
  const wrong = journal.unsettled.map((what) => `liveness: ${what}`);
  const recorded = [...journal.acknowledged, ...journal.recorded];
  const acknowledged = new Set(recorded.map(({ key, id }) => `${key} ${id}`));
  for (const { key, id, ended } of journal.sent) {
    if (ended === "" && !acknowledged.has(`${key} ${id}`)) wrong.push(`liveness: ${id} was never acknowledged`);
  }
  for (const { node, key, seq } of journal.folded) {
    const { length } = messagesOf(journal, key);
    if (seq !== length) wrong.push(`liveness: ${node} has ${seq} of ${length} messages of ${key}`);
  }
  for (const { node, key, seq } of journal.unfreed) {
    wrong.push(`liveness: ${node} still holds seq ${seq} of ${key}, whose life has ended`);
  }
  return wrong;
}
