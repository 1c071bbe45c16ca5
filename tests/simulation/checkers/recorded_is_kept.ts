import type { Journal } from "../journal.ts";

/** P1: what was acknowledged was on three copies in two data centers, and is on every voter's copy at the end. */
export function recordedIsKept(journal: Journal): string[] {
  const wrong: string[] = [];
  const held = new Map<string, Set<string>>();
  for (const history of journal.histories) {
    if (!history.isVoter) continue;
    held.set(`${history.node} ${history.key}`, new Set(history.messages.map((m) => m.id)));
  }
  const voters = new Map<string, string[]>();
  for (const history of journal.histories) {
    if (history.isVoter) voters.set(history.key, [...voters.get(history.key) ?? [], history.node]);
  }
  for (const receipt of journal.acknowledged) {
    const dataCenters = new Set(receipt.held.map((h) => h.dataCenter));
    if (receipt.held.length < 3 || dataCenters.size < Math.min(2, journal.dataCenters)) {
      wrong.push(`P1: ${receipt.id} was acknowledged at ${receipt.atMs} ms on ${receipt.held.length} copies`);
    }
    const nodes = voters.get(receipt.key) ?? [];
    if (nodes.length === 0) wrong.push(`P1: no copy of the actor of ${receipt.id} is left`);
    for (const node of nodes) {
      if (!held.get(`${node} ${receipt.key}`)!.has(receipt.id)) wrong.push(`P1: ${receipt.id} is lost on ${node}`);
    }
  }
  return wrong;
}
