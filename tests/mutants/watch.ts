/**
 * Watch: the child process that looks at a broken tree with the simulator's checkers. It runs in the copy, so what it
 * imports is broken; it says in lines of JSON what it saw.
 *
 *     deno run -A --no-check tests/mutants/watch.ts PROFILE FIRST COUNT
 */
import { LIVENESS, SAFETY } from "../simulation/checkers/mod.ts";
import { simulate } from "../simulation/simulate.ts";
import { OneShardSchedule } from "./one_shard.ts";
import { ONE_SHARD, type Profile, PROFILES } from "./profiles.ts";

/** What the child says of one seed. */
export interface Seen {
  seed: number;
  verdict: "held" | "wrong" | "stuck" | "crashed";
  /** names of the checkers that objected */
  checkers: string[];
  /** the first thing that is wrong */
  finding: string;
}

/** Seeds `first` to `first + count - 1`, until one does not hold. */
function watch(profile: string, first: number, count: number): void {
  const lookAt = profile === ONE_SHARD ? oneShard : wholeCluster(PROFILES[profile]);
  for (let seed = first; seed < first + count; seed++) {
    const seen = lookAt(seed);
    console.log(JSON.stringify(seen));
    if (seen.verdict !== "held") return;
  }
}

function oneShard(seed: number): Seen {
  const schedule = new OneShardSchedule(seed);
  try {
    schedule.run();
    const [finding = ""] = schedule.findings;
    return { seed, verdict: finding === "" ? "held" : "wrong", checkers: ["one_shard"], finding };
  } catch (error) {
    return { seed, verdict: "crashed", checkers: [], finding: String(error) };
  }
}

/** The checkers keep what they say; that they objected at all is noted beside it. */
function wholeCluster({ nodes, override }: Profile): (seed: number) => Seen {
  const checkers: string[] = [];
  for (const checks of [SAFETY, LIVENESS]) {
    checks.forEach((check, i) => {
      checks[i] = (journal) => {
        const findings = check(journal);
        if (findings.length > 0) checkers.push(snakeCase(check.name));
        return findings;
      };
    });
  }
  return (seed) => {
    const { verdict, findings: [finding = ""] } = simulate(seed, { nodes, override });
    return { seed, verdict, checkers, finding };
  };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

if (import.meta.main) watch(Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2]));
