/**
 * The book of differences between two versions of a plugin: what one decided, and what the other would have. Counts are
 * exact; examples are a few of each kind, the first ones, enough to look at an actor's history. Bounded whatever comes.
 */

/** How an outcome can differ. */
export type DiffKind =
  | "projection"
  | "effects-missing"
  | "effects-added"
  | "effects-changed"
  | "parked-by-new"
  | "parked-by-old";

/** All kinds, in the order in which they are shown. */
export const DIFF_KINDS: readonly DiffKind[] = [
  "projection",
  "effects-missing",
  "effects-added",
  "effects-changed",
  "parked-by-new",
  "parked-by-old",
];

/** One message at which the versions differ. */
export interface DiffExample {
  /** how */
  kind: DiffKind;
  /** canonical key of the actor */
  key: string;
  /** of the message */
  seq: number;
  /** paths of the projections that differ, as `a.b[3]`; missing: not looked at */
  paths?: string[];
  /** types of effects that differ, or the fault's code */
  what?: string;
}

/** What is known of two versions; of one node, or of several added up. */
export interface VersionDiff {
  /** of the plugin */
  plugin: string;
  /** hash of the version that decides for most, or was live before */
  old: string;
  /** hash of the version that it is compared with */
  new: string;
  /** messages compared */
  compared: number;
  /** of those, how many came to the same */
  equal: number;
  /** messages that were not compared as there was no room */
  skipped: number;
  /** actors with at least one message compared */
  actors: number;
  /** messages by kind of difference; one message may count in several */
  counts: Record<DiffKind, number>;
  /** how many of the messages looked at differ at a path */
  paths: Record<string, number>;
  /** a few of each kind */
  examples: DiffExample[];
}

/** Examples of one kind that are kept. */
export const EXAMPLES_MAX = 10;
/** Paths that are counted apart; others are one. */
const PATHS_MAX = 50;

/** Nothing compared yet. */
export function emptyDiff(plugin: string, old: string, fresh: string): VersionDiff {
  const counts = Object.fromEntries(DIFF_KINDS.map((kind) => [kind, 0])) as Record<DiffKind, number>;
  const sums = { compared: 0, equal: 0, skipped: 0, actors: 0 };
  return { plugin, old, new: fresh, ...sums, counts, paths: {}, examples: [] };
}

/** True for kinds that somebody outside would have felt. */
export function isOfEffects(kind: DiffKind): boolean {
  return kind !== "projection" && kind !== "parked-by-old";
}

/** Messages whose effects differ, or that the new version could not handle: what promotion has to answer for. */
export function effectDifferences(diff: VersionDiff): number {
  return DIFF_KINDS.filter(isOfEffects).reduce((sum, kind) => sum + diff.counts[kind], 0);
}

/** Adds an example while there is room for its kind. */
export function addExample(diff: VersionDiff, example: DiffExample): boolean {
  if (diff.examples.filter(({ kind }) => kind === example.kind).length >= EXAMPLES_MAX) return false;
  diff.examples.push(example);
  return true;
}

/** Counts the paths at which a message's projections differ. */
export function addPaths(diff: VersionDiff, paths: readonly string[]): void {
  for (const path of paths) addPath(diff.paths, path, 1);
}

/** What several nodes know of the same two versions, as one. */
export function mergeDiffs(diffs: readonly VersionDiff[]): VersionDiff[] {
  const merged = new Map<string, VersionDiff>();
  for (const diff of diffs) {
    const name = `${diff.plugin} ${diff.old} ${diff.new}`;
    const sum = merged.get(name) ?? emptyDiff(diff.plugin, diff.old, diff.new);
    merged.set(name, sum);
    for (const field of ["compared", "equal", "skipped", "actors"] as const) sum[field] += diff[field];
    for (const kind of DIFF_KINDS) sum.counts[kind] += diff.counts[kind];
    for (const [path, count] of Object.entries(diff.paths)) addPath(sum.paths, path, count);
    for (const example of diff.examples) addExample(sum, example);
  }
  return [...merged.values()];
}

function addPath(paths: Record<string, number>, path: string, count: number): void {
  const isNew = !Object.hasOwn(paths, path);
  const name = isNew && Object.keys(paths).length >= PATHS_MAX ? "..." : path;
  paths[name] = (Object.hasOwn(paths, name) ? paths[name] : 0) + count;
}
