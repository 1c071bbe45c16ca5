/**
 * `deno task sim --seed N`: simulates one seed, or `--seeds N` of them from `--seed` on. Prints one line a seed; a failure
 * prints what is wrong and the line that repeats it. Exit code 0 held, 1 wrong, 2 misused, 5 stuck, 6 crashed.
 */
import { parseArgs } from "node:util";
import { simulate, type Verdict } from "./simulate.ts";

const EXIT: Record<Verdict["verdict"], number> = { held: 0, wrong: 1, stuck: 5, crashed: 6 };

/** Runs the command line; answers with the exit code. */
export function main(args: string[]): number {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        seed: { type: "string", default: "1" },
        seeds: { type: "string", default: "1" },
        nodes: { type: "string", default: "8" },
        trace: { type: "boolean", default: false },
        help: { type: "boolean", default: false },
      },
    }));
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  if (values.help) {
    console.log("deno task sim [--seed N] [--seeds N] [--nodes 8] [--trace]");
    return 0;
  }
  const [first, count, nodes] = [values.seed, values.seeds, values.nodes].map(Number);
  if (![first, count, nodes].every((n) => Number.isSafeInteger(n) && n >= 0) || nodes < 1 || nodes > 32) {
    console.error("--seed, --seeds and --nodes are whole numbers; 1 to 32 nodes");
    return 2;
  }
  let worst = 0;
  for (let seed = first; seed < first + count; seed++) {
    const startedMs = performance.now();
    const result = simulate(seed, { nodes, trace: values.trace ? (line) => console.log(line) : undefined });
    const realMs = performance.now() - startedMs;
    console.log(
      `seed ${seed}  ${result.verdict}  ${result.acknowledged} of ${result.sent} acknowledged  ` +
        `${(result.virtualMs / 1000).toFixed(1)} s in ${(realMs / 1000).toFixed(1)} s (x${
          (result.virtualMs / realMs).toFixed(0)
        })`,
    );
    if (result.verdict === "held") continue;
    worst = Math.max(worst, EXIT[result.verdict]);
    for (const finding of result.findings) console.log(`  ${finding}`);
    console.log(`  again: deno task sim --seed ${seed} --nodes ${nodes} --trace`);
  }
  return worst;
}

if (import.meta.main) Deno.exit(main(Deno.args));
