/** A record of at most `max` entries; the oldest by their `at` give way, those without a time first. */
export function keepNewest<T extends { at: string | null }>(entries: Map<string, T>, max: number): Record<string, T> {
  let kept = [...entries];
  if (kept.length > max) kept = kept.toSorted(([, a], [, b]) => compare(b.at ?? "", a.at ?? "")).slice(0, max);
  // fromEntries, unlike assignment, takes `__proto__` for a name like any other
  return Object.fromEntries(kept);
}

// not localeCompare: handlers must not depend on the machine's language
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
