import type { Journal } from "../journal.ts";

/** P2: one history per actor, each message once and as sent, in each client's order; copies are prefixes of each other. */
export function oneHistory(journal: Journal): string[] {
  const wrong: string[] = [];
  const sent = new Map(journal.sent.map((message) => [`${message.key} ${message.id}`, message]));
  const longest = new Map<string, { id: string; seq: number; body: string }[]>();
  for (const { node, key, messages } of journal.histories) {
    const seen = new Set<string>();
    const places = new Map<number, number>();
    messages.forEach((message, i) => {
      if (message.seq !== i + 1) wrong.push(`P2: seq ${message.seq} stands at ${i + 1} on ${node}`);
      if (seen.has(message.id)) wrong.push(`P2: ${message.id} stands twice on ${node}`);
      seen.add(message.id);
      const original = sent.get(`${key} ${message.id}`);
      if (original === undefined) wrong.push(`P2: ${message.id} on ${node} was sent by nobody`);
      else if (original.body !== message.body) wrong.push(`P2: ${message.id} on ${node} is not as sent`);
      else {
        const last = places.get(original.client) ?? 0;
        if (original.place <= last) wrong.push(`P2: ${message.id} on ${node} stands behind a later one of its sender`);
        places.set(original.client, original.place);
      }
    });
    const known = longest.get(key);
    if (known === undefined || messages.length > known.length) longest.set(key, messages);
  }
  for (const { node, key, messages } of journal.histories) {
    const reference = longest.get(key)!;
    messages.forEach((message, i) => {
      if (reference[i].id !== message.id) wrong.push(`P2: ${node} and another copy differ at seq ${i + 1}`);
    });
  }
  for (const receipt of journal.acknowledged) {
    const at = longest.get(receipt.key)?.[receipt.seq - 1];
    if (at?.id !== receipt.id) {
      wrong.push(`P2: the receipt of ${receipt.id} names seq ${receipt.seq}, which is another's`);
    }
  }
  return wrong;
}
