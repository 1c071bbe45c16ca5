import type { Journal } from "../journal.ts";

/**
 * P2: a history has no gap, over all its lives; each message stands in it once and as it was sent; what was refused for
 * certain, and what was sent with other bytes under an id that was taken, stands nowhere. What handlers had sent is
 * `effectsOnce`'s matter.
 */
export function standsOnce(journal: Journal): string[] {
  const wrong: string[] = [];
  const sent = new Map(journal.sent.map((message) => [`${message.key} ${message.id}`, message]));
  for (const [key, { messages }] of journal.whole) {
    const seen = new Set<string>();
    messages.forEach(({ id, seq, body }, i) => {
      if (seq !== i + 1) wrong.push(`P2: seq ${seq} stands at ${i + 1} of ${key}`);
      if (seen.has(id)) wrong.push(`P2: ${id} stands twice in ${key}`);
      seen.add(id);
      const original = sent.get(`${key} ${id}`);
      if (original === undefined && id.includes("#")) return;
      if (original === undefined) wrong.push(`P2: ${id} in ${key} was sent by nobody`);
      else if (original.body !== body) wrong.push(`P2: ${id} in ${key} is not as sent`);
      else if (original.ended === "not-applied") wrong.push(`P2: ${id} stands in ${key} and was refused for certain`);
    });
  }
  for (const { id, answer } of journal.forged) {
    if (answer === "recorded") wrong.push(`P2: another message under ${id} was recorded`);
  }
  return wrong;
}
