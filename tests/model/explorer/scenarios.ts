/** What is explored: a group, where it begins, and how much of each kind of trouble it may meet. */

/** What is counted down. Frames arrive for nothing, in any order. */
export const BUDGETS = [
  "proposals",
  "crashes",
  /** 11 s pass for a node that waits for something */
  "timeouts",
  /** so much time passes that a writer sends again, but does not give up */
  "resends",
  /** of a writer, or of who has died */
  "suspicions",
  /** suspicions of others */
  "doubts",
  /** frames that arrive and are still under way */
  "doubles",
  /** a second passes: a look at members, a question whether one may go */
  "sweeps",
  "handOvers",
  /** placement wants the next members; as many as the scenario has */
  "wants",
] as const;

/** A kind of trouble. */
export type Budget = typeof BUDGETS[number];

/** One search. */
export interface Scenario {
  name: string;
  members: number[];
  /** incarnations that are there, or come after a crash, and have no copy yet */
  spares: number[];
  /** voters that placement wants, from birth on, then one after the other */
  wants: number[][];
  /**
   * What happens before the search: `suspect N M`, `propose N X`, `late N` (11 s pass), `sweep N`, `crash N`, `want`;
   * `pass N M`: what is under way from N arrives at M; `among N M ...`: all between these arrives, until it is quiet;
   * `settle`: among all
   */
  script: string[];
  budget: Partial<Record<Exclude<Budget, "wants">, number>>;
  termMax: number;
}

const THREE = { members: [1, 2, 3], spares: [], wants: [[1, 2, 3]], termMax: 3 };
const SPARE = { members: [1, 2, 3], spares: [4], termMax: 3 };

/** All of them; what each looks for stands in its name. */
export const SCENARIOS = {
  election: {
    ...THREE,
    name: "an election while a message is recorded",
    script: ["suspect 2 1", "suspect 3 1"],
    budget: { proposals: 1, timeouts: 1, doubles: 1 },
  },
  candidates: {
    ...THREE,
    name: "two candidates",
    script: ["suspect 2 1", "suspect 3 1", "late 3"],
    budget: { proposals: 1, timeouts: 1 },
  },
  deposed: {
    ...THREE,
    name: "a deposed writer that has not heard of it",
    script: ["propose 1 1", "suspect 2 1", "suspect 3 1", "among 2 3"],
    budget: { proposals: 2, timeouts: 1, resends: 1, suspicions: 1, doubles: 1 },
  },
  amnesia: {
    ...THREE,
    name: "one of the two that have a message dies",
    script: ["propose 1 1", "pass 1 2", "pass 2 1", "suspect 3 1"],
    budget: { proposals: 1, crashes: 1, timeouts: 2, suspicions: 2 },
  },
  swap: {
    ...SPARE,
    name: "a swap, and an election in it",
    wants: [[1, 2, 3], [1, 2, 4]],
    script: ["want"],
    budget: { proposals: 1, timeouts: 1, suspicions: 2 },
  },
  joint: {
    ...SPARE,
    name: "a joint configuration, and an election in it",
    wants: [[1, 2, 3], [1, 2, 4]],
    script: ["want", "pass 1 4", "pass 4 1", "pass 1 4", "pass 4 1"],
    budget: { proposals: 1, timeouts: 2, suspicions: 2 },
  },
  writerSwap: {
    ...SPARE,
    name: "a swap of the writer, which hands over",
    wants: [[1, 2, 3], [4, 2, 3]],
    script: ["want"],
    budget: { proposals: 1, timeouts: 1, resends: 1, sweeps: 1 },
  },
  replaced: {
    ...SPARE,
    name: "one dies, and is replaced",
    wants: [[1, 2, 3], [1, 2, 4]],
    script: ["propose 1 1", "pass 1 2", "crash 3", "suspect 1 3", "suspect 2 3"],
    budget: { timeouts: 2, suspicions: 2 },
  },
  departed: {
    ...SPARE,
    name: "a copy leaves and comes back",
    wants: [[1, 2, 3], [1, 2, 4], [1, 2, 3]],
    script: ["want", "settle"],
    budget: { proposals: 1, timeouts: 1, sweeps: 1, doubles: 1 },
  },
  sleeper: {
    members: [1, 2, 3],
    spares: [4, 5],
    name: "a writer that slept through its own removal",
    wants: [[1, 2, 3], [2, 3, 4], [2, 4, 5]],
    script: ["propose 1 1", "suspect 2 1", "suspect 3 1", "among 2 3", "want", "among 2 3 4", "want", "among 2 3 4 5"],
    budget: { proposals: 1, resends: 2, sweeps: 1 },
    termMax: 3,
  },
} satisfies Record<string, Scenario>;
