import type { Journal } from "../journal.ts";

/** A message that was to be recorded at a given seq only stands there or nowhere. */
export function ifMatchHolds(journal: Journal): string[] {
  const wrong: string[] = [];
  const wanted = new Map(journal.sent.map(({ key, id, ifMatch }) => [`${key} ${id}`, ifMatch]));
  for (const [key, { messages }] of journal.whole) {
    for (const { id, seq } of messages) {
      const ifMatch = wanted.get(`${key} ${id}`) ?? -1;
      if (ifMatch >= 0 && seq !== ifMatch + 1) {
        wrong.push(`P2: ${id} was to stand behind seq ${ifMatch} and stands at ${seq}`);
      }
    }
  }
  return wrong;
}
