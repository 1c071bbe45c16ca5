/**
 * Mutant: one line of the product broken on purpose, as a tired programmer might break it, and where that must show. A
 * picture: a fire drill. The house is not on fire; what is tried is whether the alarm rings, and how soon.
 */

/** A broken line. */
export interface Mutant {
  /** words with hyphens, as they are given on the command line */
  name: string;
  /** the promise that it breaks: P1 to P7 of the design, or an invariant of a room */
  breaks: string;
  /** the file, from the root */
  file: string;
  /** a piece of one line; stands in the file exactly once */
  before: string;
  /** what stands there in the mutant */
  after: string;
  /** where it must be seen; tried in this order until one of them sees it */
  sights: Sight[];
}

/** One way of looking at a tree. The unbroken tree must pass it. */
export type Sight = SeedsSight | TestSight;

/** Seeds of a simulation, one after another from 1 on. */
export interface SeedsSight {
  kind: "seeds";
  /** one of `profiles.ts`: the whole cluster in some weather, or one shard alone */
  profile: string;
  /** so many at most */
  seeds: number;
}

/** A test, mostly a scripted scenario. */
export interface TestSight {
  kind: "test";
  /** from the root */
  file: string;
  /** only tests whose names contain this */
  filter: string;
}

/** How a mutant, or the unbroken tree, showed that it is broken. */
export interface Caught {
  /** file name of the checker, name of the test; `assert` when the product's own assertion stopped it */
  by: string;
  /** the seeds that it took; 1 for a script */
  seeds: number;
  /** the first thing that is wrong, in words */
  finding: string;
}

/** Schedules of one shard: thousands a minute, so the first place to look for a broken protocol. */
export function oneShard(count = 4000): SeedsSight {
  return { kind: "seeds", profile: "one-shard", seeds: count };
}

/** Seeds of a profile. */
export function seeds(profile: string, count: number): SeedsSight {
  return { kind: "seeds", profile, seeds: count };
}

/** Scripts made for mutants. */
export const SCRIPTS = "tests/mutants/scenarios/scripts_test.ts";

/** One script. */
export function script(file: string, filter: string): TestSight {
  return { kind: "test", file, filter };
}
