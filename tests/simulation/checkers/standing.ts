import type { Journal, Outcome } from "../journal.ts";

/** The outcomes that stand, in log order: of two of one plugin about one message the first one does. */
export function standingOutcomes(journal: Journal): Outcome[] {
  const marks = new Map<string, number>();
  return journal.outcomes.filter(({ key, plugin, state, seq }) => {
    const at = `${plugin} ${key}`;
    if (key === "" || state !== "ok" || seq <= (marks.get(at) ?? 0)) return false;
    marks.set(at, seq);
    return true;
  });
}

/** An outcome of the `chain` plugin, and which version has decided. */
export interface Decision {
  outcome: Outcome;
  version: number;
}

/** By `key seq`, the decision of the `chain` plugin about a message; one without effects speaks for those before, too. */
export function decisionsOf(journal: Journal): Map<string, Decision> {
  const decisions = new Map<string, Decision>();
  const versions = new Map(journal.versions.map(({ hash, version }) => [hash, version]));
  const marks = new Map<string, number>();
  for (const outcome of standingOutcomes(journal)) {
    const { key, plugin, seq, hash } = outcome;
    if (plugin !== "chain") continue;
    const decision = { outcome, version: versions.get(hash) ?? 0 };
    for (let at = (marks.get(key) ?? 0) + 1; at <= seq; at++) decisions.set(`${key} ${at}`, decision);
    marks.set(key, seq);
  }
  return decisions;
}
