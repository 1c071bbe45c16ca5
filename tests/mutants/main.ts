/**
 * `deno task mutants [NAME ...]`: breaks the product line by line, in a copy, and looks whether the simulator's checkers,
 * or the schedules and scenarios of one shard, see it. Then the unbroken tree must pass everything that caught a mutant.
 *
 *     deno task mutants                 all of them
 *     deno task mutants gap-accepted    some
 *     deno task mutants --list          their names, and what they break
 *     deno task mutants --write         puts the table, or the rows of those that are named, into README.md
 *     deno task mutants --no-control    leaves the unbroken tree out
 *     deno task mutants --jobs 1        copies at work at the same time
 *
 * Exit code 0: all are caught and the unbroken tree passes; 1: not so; 2: misused.
 */
import { parseArgs } from "node:util";
import { MUTANTS } from "./breakages/mod.ts";
import { look, lookAtSeed } from "./looking.ts";
import type { Caught, Mutant } from "./mutant.ts";
import { differingLine, lineOf, markdown, type Result } from "./table.ts";
import { mutated, textOf, TreeCopy } from "./tree.ts";

const README = new URL("README.md", import.meta.url);
const TABLE = /(<!-- table: .*? -->\n)([\s\S]*?)(\n<!-- \/table -->)/;

async function main(args: string[]): Promise<number> {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        list: { type: "boolean", default: false },
        write: { type: "boolean", default: false },
        "no-control": { type: "boolean", default: false },
        jobs: { type: "string", default: String(Math.min(4, navigator.hardwareConcurrency)) },
      },
    });
  } catch (error) {
    console.error((error as Error).message);
    return 2;
  }
  const { values, positionals: names } = parsed;
  const unknown = names.filter((name) => !MUTANTS.some((mutant) => mutant.name === name));
  const jobs = Number(values.jobs);
  if (unknown.length > 0 || !(jobs >= 1)) {
    console.error(unknown.length > 0 ? `no such mutant: ${unknown.join(", ")}` : "--jobs must be 1 or more");
    return 2;
  }
  const chosen = MUTANTS.filter(({ name }) => names.length === 0 || names.includes(name));
  if (values.list) {
    for (const { name, breaks } of chosen) console.log(`${name.padEnd(34)} ${breaks}`);
    return 0;
  }
  // A text that is not found is worth knowing before the first minute has passed.
  for (const mutant of chosen) mutated(await textOf(mutant), mutant);
  const results = await runAll(chosen, jobs);
  const escaped = results.filter(({ caught }) => caught === null).map(({ mutant }) => mutant.name);
  const broken = values["no-control"] ? [] : await control(results);
  if (values.write) await writeTable(results);
  for (const finding of broken) console.log(`the unbroken tree: ${finding}`);
  if (escaped.length > 0) console.log(`not caught: ${escaped.join(", ")}`);
  console.log(
    `${results.length - escaped.length} of ${results.length} caught, the unbroken tree ${
      values["no-control"] ? "not tried" : broken.length === 0 ? "passes" : "DOES NOT PASS"
    }`,
  );
  return escaped.length + broken.length > 0 ? 1 : 0;
}

/** Each mutant, in so many copies at a time; results in the order of the mutants. */
async function runAll(mutants: readonly Mutant[], jobs: number): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...mutants.entries()];
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, async () => {
    const tree = await TreeCopy.make();
    try {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const [at, mutant] = next;
        results[at] = await runOne(tree, mutant);
        console.log(lineOf(results[at]));
      }
    } finally {
      await tree.remove();
    }
  }));
  return results;
}

async function runOne(tree: TreeCopy, mutant: Mutant): Promise<Result> {
  const startedMs = performance.now();
  const text = await textOf(mutant);
  const place = differingLine(text, mutated(text, mutant).text);
  const caught = await tree.broken(mutant, async () => {
    for (const sight of mutant.sights) {
      const seen = await look(tree.path, sight);
      if (seen !== null) return { ...seen, sight };
    }
    return null;
  });
  return { mutant, ...place, caught, seconds: (performance.now() - startedMs) / 1000 };
}

/** What the unbroken tree shows where mutants were caught; nothing is as it should be. */
async function control(results: readonly Result[]): Promise<string[]> {
  const looks = new Map<string, (root: string) => Promise<Caught | null>>();
  for (const { caught } of results) {
    if (caught === null) continue;
    const { sight, seeds } = caught;
    if (sight.kind === "seeds") {
      looks.set(`${sight.profile}, seed ${seeds}`, (root) => lookAtSeed(root, sight.profile, seeds));
    } else looks.set(`${sight.file} ${sight.filter}`, (root) => look(root, sight));
  }
  const tree = await TreeCopy.make();
  const findings: string[] = [];
  try {
    for (const [what, lookAt] of looks) {
      const caught = await lookAt(tree.path);
      console.log(`${"control".padEnd(34)} ${caught === null ? "passes" : "FAILS"}  ${what}`);
      if (caught !== null) findings.push(`${what}: ${caught.by}: ${caught.finding}`);
    }
  } finally {
    await tree.remove();
  }
  return findings;
}

async function writeTable(results: readonly Result[]): Promise<void> {
  const text = await Deno.readTextFile(README);
  if (!TABLE.test(text)) throw new Error("README.md has no place for the table");
  const order = MUTANTS.map(({ name }) => name);
  await Deno.writeTextFile(
    README,
    text.replace(TABLE, (_, head, before, foot) => `${head}\n${markdown(results, before, order)}\n${foot}`),
  );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
