/**
 * Everything that CI runs, stage by stage; `deno task test` and `deno task ok`.
 *
 *     deno task test [STAGE ...]     all stages, or those whose title has one of these words
 *     deno task test --list          the stages
 *
 * A stage that runs tests counts each of them, any other counts as one. What a stage says is shown when it fails. The
 * last line is `N passed, N failed`; the exit code is 0 only when nothing failed.
 */

interface Stage {
  title: string;
  /** arguments to deno; those of a stage that counts tests begin with `test` */
  args: string[];
  /** the stage is left out where one of these is not there */
  needs?: string[];
}

const DOORS = ["mod.ts", "client.ts", "testing.ts"];

// The cheap ones first: who breaks the format wants to hear it before the clusters start.
const STAGES: Stage[] = [
  { title: "format", args: ["fmt", "--check"] },
  { title: "lint", args: ["lint"] },
  { title: "types", args: ["check"] },
  { title: "documentation of the doors", args: ["doc", "--lint", ...DOORS], needs: DOORS },
  { title: "house rules", args: ["test", "-A", "tests/house"] },
  {
    title: "unit tests, without any permission",
    args: ["test", "runtime", "client", "testing", "cli", "plugins", "bench"],
  },
  {
    title: "examples in the documentation",
    args: ["test", "-A", "--doc", "--ignore=**/*_test.ts", ...DOORS, "runtime", "client", "testing", "cli"],
  },
  {
    title: "what a message costs",
    args: ["run", "-A", "bench/guard/main.ts"],
    needs: ["bench/guard/main.ts"],
  },
  { title: "simulation", args: ["test", "-A", "tests/simulation"], needs: ["tests/simulation"] },
  {
    title: "simulation, fixed seeds",
    args: ["run", "-A", "tests/simulation/main.ts", "--from", "1", "--seeds", "40"],
    needs: ["tests/simulation/main.ts"],
  },
  {
    title: "simulation, seeds that nobody has seen yet",
    args: ["run", "-A", "tests/simulation/main.ts", "--fresh", "8"],
    needs: ["tests/simulation/main.ts"],
  },
  { title: "model", args: ["test", "-A", "tests/model"], needs: ["tests/model"] },
  { title: "command line", args: ["test", "-A", "tests/cli"], needs: ["tests/cli"] },
  { title: "interoperation with real peers", args: ["test", "-A", "tests/interop"], needs: ["tests/interop"] },
  { title: "sinks and sources with their real targets", args: ["test", "-A", "tests/sinks"], needs: ["tests/sinks"] },
  { title: "examples, end to end", args: ["test", "-A", "tests/examples"], needs: ["tests/examples"] },
  { title: "clusters of real processes", args: ["test", "-A", "tests/cluster"], needs: ["tests/cluster"] },
];

interface Result {
  passed: number;
  failed: number;
  skipped: number;
}

const ROOT = new URL("../", import.meta.url);

async function main(args: string[]): Promise<number> {
  if (args.includes("--list")) {
    for (const { title, args } of STAGES) console.log(`${title.padEnd(40)} deno ${args.join(" ")}`);
    return 0;
  }
  const stages = args.length === 0 ? STAGES : STAGES.filter(({ title }) => args.some((word) => title.includes(word)));
  if (stages.length === 0) {
    console.error(`Cannot run a stage as its title must have one of these words: ${args.join(", ")}`);
    return 2;
  }
  const total: Result = { passed: 0, failed: 0, skipped: 0 };
  for (const stage of stages) {
    if (!(await Promise.all((stage.needs ?? []).map(exists))).every(Boolean)) {
      console.log(`--   ${stage.title}: not there yet`);
      continue;
    }
    const result = await run(stage);
    total.passed += result.passed;
    total.failed += result.failed;
    total.skipped += result.skipped;
  }
  if (total.skipped > 0) console.log(`${total.skipped} skipped`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

async function run({ title, args }: Stage): Promise<Result> {
  const startMs = performance.now();
  const [verb, ...rest] = args;
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: verb === "test"
        ? ["test", "--no-prompt", "--preload=tests/fixed_seed.ts", `--junit-path=${junit}`, ...rest]
        : args,
      cwd: ROOT,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const result = verb === "test"
      ? countsOf(await Deno.readTextFile(junit), success)
      : { passed: success ? 1 : 0, failed: success ? 0 : 1, skipped: 0 };
    const seconds = ((performance.now() - startMs) / 1000).toFixed(1);
    if (!success) {
      console.log(new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr));
    }
    const counts = verb === "test" ? `  ${result.passed} passed, ${result.failed} failed` : "";
    console.log(`${success ? "ok  " : "FAIL"} ${title}${counts}  ${seconds} s`);
    return result;
  } finally {
    await Deno.remove(junit);
  }
}

/** The counts in a JUnit report. A run that failed before its first test has failed once. */
export function countsOf(xml: string, success: boolean): Result {
  const count = (pattern: RegExp) => xml.match(pattern)?.length ?? 0;
  const tests = count(/<testcase\b/g);
  const skipped = count(/<skipped\b/g);
  const failed = Math.max(count(/<(failure|error)\b/g), success ? 0 : 1);
  return { passed: Math.max(0, tests - skipped - count(/<(failure|error)\b/g)), failed, skipped };
}

function exists(path: string): Promise<boolean> {
  return Deno.stat(new URL(path, ROOT)).then(() => true, () => false);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
