import type { Journal } from "../journal.ts";

/**
 * P1: what was acknowledged was on three copies in two data centers (on as many as there are, in a smaller cluster), and
 * is on every voter's copy at the end, unless its actor's life has ended since.
 */
export function recordedIsKept(journal: Journal): string[] {
  const wrong: string[] = [];
  const voters = new Map<string, { node: string; ids: Set<string> }[]>();
  for (const { node, key, isVoter, messages } of journal.histories) {
    if (!isVoter) continue;
    const copies = voters.get(key);
    const copy = { node, ids: new Set(messages.map((message) => message.id)) };
    if (copies === undefined) voters.set(key, [copy]);
    else copies.push(copy);
  }
  const ended = new Map(journal.retired.map(({ key, seq }) => [key, seq]));
  const gone = new Set<string>();
  for (const [key, { messages }] of journal.whole) {
    for (const { id } of messages.slice(0, ended.get(key) ?? 0)) gone.add(`${key} ${id}`);
  }
  for (const receipt of [...journal.acknowledged, ...journal.recorded]) {
    const dataCenters = new Set(receipt.held.map((held) => held.dataCenter));
    const [copiesMin, dataCentersMin] = [Math.min(3, journal.nodes), Math.min(2, journal.dataCenters)];
    if (receipt.held.length < copiesMin || dataCenters.size < dataCentersMin) {
      wrong.push(`P1: ${receipt.id} was acknowledged at ${receipt.atMs} ms on ${receipt.held.length} copies`);
    }
    if (gone.has(`${receipt.key} ${receipt.id}`)) continue;
    const copies = voters.get(receipt.key) ?? [];
    if (copies.length === 0) wrong.push(`P1: no copy of the actor of ${receipt.id} is left`);
    for (const { node, ids } of copies) if (!ids.has(receipt.id)) wrong.push(`P1: ${receipt.id} is lost on ${node}`);
  }
  return wrong;
}
