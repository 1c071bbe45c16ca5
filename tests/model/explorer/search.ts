/** What is searched, and how far: each scenario in the unbroken product, each fault where it shows first. */
import { type Exploration, explore } from "./explorer.ts";
import { FAULTS, NO_FAULT } from "./faults.ts";
import { SCENARIOS } from "./scenarios.ts";

/** A search, and what it must come to. */
export interface Search {
  name: string;
  /** what every violation that it may come to begins with; "" when it must find nothing */
  expected: RegExp | "";
  run(size: Size): Exploration;
}

/** How far searches go: CI's, or the long ones'. */
export type Size = "short" | "long";

const STATES_MAX = { short: 25_000, long: 1_000_000 };
const WALKED_MAX = { short: 2_000, long: 100_000 };
/** A fault must be found within so many, whichever the size. */
const STATES_TO_FAULT_MAX = 50_000;
const SEED = 1;

/** Where each fault shows first, and which promise it breaks. */
const SHOWN: Record<keyof typeof FAULTS, { scenario: keyof typeof SCENARIOS; breaks: RegExp }> = {
  twoVotes: { scenario: "replaced", breaks: /^P3/ },
  voteWithoutLog: { scenario: "writerSwap", breaks: /^P1/ },
  noTermCheck: { scenario: "writerSwap", breaks: /two writers in one term/ },
  truncatesAlways: { scenario: "amnesia", breaks: /^P1/ },
  noLogCheck: { scenario: "deposed", breaks: /^P3/ },
  refusedVotesCount: { scenario: "writerSwap", breaks: /^P1/ },
  noJoint: { scenario: "joint", breaks: /^P1/ },
  floorForgotten: { scenario: "sleeper", breaks: /^P1/ },
  keepsIncarnation: { scenario: "amnesia", breaks: /^P3/ },
  departedForgets: { scenario: "sleeper", breaks: /^P1/ },
};

/** All of them. */
export const SEARCHES: readonly Search[] = [
  ...Object.values(SCENARIOS).map((scenario): Search => ({
    name: scenario.name,
    expected: "",
    run: (size) =>
      explore(scenario, NO_FAULT, { statesMax: STATES_MAX[size], walkedMax: WALKED_MAX[size], seed: SEED }),
  })),
  ...Object.entries(SHOWN).map(([fault, { scenario, breaks }]): Search => ({
    name: FAULTS[fault as keyof typeof FAULTS].name,
    expected: breaks,
    run: () =>
      explore(SCENARIOS[scenario], FAULTS[fault as keyof typeof FAULTS], {
        statesMax: STATES_TO_FAULT_MAX,
        walkedMax: 0,
        seed: SEED,
      }),
  })),
];

/** True when the search came to what it must. */
export function isAsExpected({ expected }: Search, { violation }: Exploration): boolean {
  return expected === "" ? violation === "" : expected.test(violation);
}

/** What it came to, in a line, and the schedule behind where that is not as expected. */
export function told(search: Search, found: Exploration): string {
  const { violation, schedule, states, depth, walked, seconds, isComplete } = found;
  const isRight = isAsExpected(search, found);
  const what = violation === ""
    ? `nothing within ${isComplete ? "all there is" : `${depth} steps`}`
    : `${violation}, in ${schedule.length} steps`;
  const counts = `${states} states, ${walked} steps walked, ${seconds.toFixed(1)} s`;
  const line = `${isRight ? "ok  " : "FAIL"} ${search.name}: ${what} (${counts})`;
  return isRight ? line : [line, ...schedule.map((step) => `       ${step}`)].join("\n");
}
