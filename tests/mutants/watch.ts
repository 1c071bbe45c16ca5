/**
 * Watch: the child process that looks at a broken tree with the simulator's checkers. It runs in the copy, so what it
 * imports is broken; it says in lines of JSON what it saw.
 *
 *     deno run -A --no-check tests/mutants/watch.ts PROFILE FIRST COUNT
 */
import { LIVENESS, SAFETY } from "../simulation/checkers/mod.ts";
import { simulate } from "../simulation/simulate.ts";
import { PROFILES } from "./profiles.ts";

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
function watch(name: string, first: number, count: number): void {
  const { nodes, override } = PROFILES[name];
  const objected: string[] = [];
  for (const checks of [SAFETY, LIVENESS]) {
    checks.forEach((check, i) => {
      checks[i] = (journal) => {
        const findings = check(journal);
        if (findings.length > 0) objected.push(snakeCase(check.name));
        return findings;
      };
    });
  }
  for (let seed = first; seed < first + count; seed++) {
    const { verdict, findings } = simulate(seed, { nodes, override });
    console.log(JSON.stringify({ seed, verdict, checkers: objected, finding: findings[0] ?? "" } satisfies Seen));
    if (verdict !== "held") return;
  }
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

if (import.meta.main) watch(Deno.args[0], Number(Deno.args[1]), Number(Deno.args[2]));
