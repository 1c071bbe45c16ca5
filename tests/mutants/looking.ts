/**
 * Looking: runs one sight on a copy of the tree, in a process of its own, and says what was seen.
 */
import type { Caught, SeedsSight, Sight, TestSight } from "./mutant.ts";
import type { Seen } from "./watch.ts";

/** A broken tree may spin for ever; real time, as its virtual time may stand still. */
const PATIENCE_MS = 240_000;
/** Seeds that one child is given: a mutant that is seen late should not take a process's start for each. */
const SEEDS_AT_ONCE = 1000;

/** What the sight shows in the tree at `root`; null: nothing wrong. */
export function look(root: string, sight: Sight): Promise<Caught | null> {
  return sight.kind === "seeds" ? lookAtSeeds(root, sight) : lookAtTest(root, sight);
}

/** One seed alone: what the control runs of what caught a mutant. */
export async function lookAtSeed(root: string, profile: string, seed: number): Promise<Caught | null> {
  const { seen } = await watched(root, profile, { first: seed, count: 1 });
  return caughtOf(seen[0], 1);
}

async function lookAtSeeds(root: string, { profile, seeds }: SeedsSight): Promise<Caught | null> {
  for (let first = 1; first <= seeds; first += SEEDS_AT_ONCE) {
    const count = Math.min(SEEDS_AT_ONCE, seeds - first + 1);
    const { seen, isLate, stderr } = await watched(root, profile, { first, count });
    const last = seen.at(-1);
    if (isLate) return { by: "all_is_settled", seeds: first + seen.length, finding: "virtual time stands still" };
    if (last === undefined || (last.verdict === "held" && seen.length < count)) {
      return { by: "process", seeds: first + seen.length, finding: firstLine(stderr) };
    }
    const caught = caughtOf(last, last.seed);
    if (caught !== null) return caught;
  }
  return null;
}

function caughtOf(seen: Seen | undefined, seeds: number): Caught | null {
  if (seen === undefined) return { by: "process", seeds, finding: "it says nothing" };
  if (seen.verdict === "held") return null;
  const by = seen.verdict === "crashed" ? crashedBy(seen.finding) : seen.checkers.join(", ") || "all_is_settled";
  return { by, seeds, finding: firstLine(seen.finding) };
}

/** An assertion of the product, or an error that nobody expected. */
function crashedBy(finding: string): string {
  return /AssertionError|Assertion failed|assert/i.test(finding) ? "assert" : "crash";
}

async function watched(
  root: string,
  profile: string,
  { first, count }: { first: number; count: number },
): Promise<{ seen: Seen[]; isLate: boolean; stderr: string }> {
  const args = ["run", "-A", "--no-check", "tests/mutants/watch.ts", profile, String(first), String(count)];
  // A seed may take a minute when it is stuck; many of them may take long without anything being wrong.
  const { stdout, stderr, isLate } = await run(root, args, PATIENCE_MS * Math.max(1, count / 20));
  const seen = stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line) as Seen);
  return { seen, isLate, stderr };
}

async function lookAtTest(root: string, { file, filter }: TestSight): Promise<Caught | null> {
  const args = ["test", "-A", "--no-check", "--no-prompt", "--preload=tests/fixed_seed.ts", "--filter", filter, file];
  const { stdout, stderr, isLate, success } = await run(root, args, PATIENCE_MS);
  if (isLate) return { by: filter, seeds: 1, finding: "it never ends" };
  if (success && !/\b[1-9]\d* passed/.test(stdout)) throw new Error(`no test of ${file} has a name with: ${filter}`);
  return success ? null : { by: testOf(stdout) ?? filter, seeds: 1, finding: whyOf(stdout + stderr) };
}

/** The first test that failed, from deno's report. */
function testOf(report: string): string | undefined {
  return /^(.+?) \.\.\. FAILED/m.exec(report)?.[1];
}

/** Why it failed: the innermost reason, as a property reports its own around it. */
function whyOf(report: string): string {
  const reasons = [...report.matchAll(/^\s*(?:error: )?(?:Caused by:? )?(?:\w*Error)(?: \[\w+\])?: (.+)$/gm)]
    .map((match) => match[1]).filter((reason) => !reason.startsWith("Property failed"));
  return reasons.at(0)?.trim() ?? firstLine(report);
}

function firstLine(text: string): string {
  return text.trim().split("\n")[0] ?? "";
}

async function run(
  cwd: string,
  args: string[],
  patienceMs: number,
): Promise<{ stdout: string; stderr: string; success: boolean; isLate: boolean }> {
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).spawn();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, patienceMs);
  const { success, stdout, stderr } = await child.output();
  clearTimeout(timer);
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(stdout), stderr: text(stderr), success, isLate };
}
