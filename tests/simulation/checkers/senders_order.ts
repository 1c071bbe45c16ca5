import type { Journal } from "../journal.ts";

/** P2: messages of one sender to one actor stand in the order in which they were sent. */
export function sendersOrder(journal: Journal): string[] {
  const wrong: string[] = [];
  const sent = new Map(journal.sent.map((message) => [`${message.key} ${message.id}`, message]));
  for (const [key, { messages }] of journal.whole) {
    const places = new Map<number, number>();
    for (const { id } of messages) {
      const original = sent.get(`${key} ${id}`);
      if (original === undefined) continue;
      const { client, place } = original;
      if (place <= (places.get(client) ?? 0)) {
        wrong.push(`P2: ${id} in ${key} stands behind a later one of its sender`);
      }
      places.set(client, place);
    }
  }
  return wrong;
}
