import type { PluginFolders, PluginVersion } from "../topology/mod.ts";

/** How much a version may hurt before it is taken back by itself. */
export interface VersionBudget {
  /** actors at which it may stand still */
  parkedMax: number;
  /** of all actors, where there are `actorsMin` at least, in percent */
  parkedPercentMax: number;
  /** below so many actors a percentage says nothing */
  actorsMin: number;
}

/** As DESIGN says; one actor of six is no sixth of anything. */
export const VERSION_BUDGET: VersionBudget = { parkedMax: 20, parkedPercentMax: 1, actorsMin: 100 };

/** The version that is on trial: the canary, or a live one whose predecessor still folds along; null: there is none. */
export function onTrial({ live, canary, dark }: PluginFolders): PluginVersion | null {
  if (canary !== null) return canary;
  return live !== null && dark.some((one) => one.proven && one.version < live.version) ? live : null;
}

/** Why the version must go; null: it may stay. */
export function whyBack(
  { parked, actors }: { parked: number; actors: number },
  { parkedMax, parkedPercentMax, actorsMin }: VersionBudget = VERSION_BUDGET,
): string | null {
  if (parked > parkedMax) return `by itself: it stood still at ${parked} actors, more than ${parkedMax}`;
  const percent = actors === 0 ? 0 : parked / actors * 100;
  if (actors < actorsMin || percent <= parkedPercentMax) return null;
  return `by itself: it stood still at ${parked} of ${actors} actors, more than ${parkedPercentMax} %`;
}
