/**
 * `deno task sim`: simulates one seed, or a series of them, and says how each ended. See `--help`.
 *
 * A failure prints what is wrong and one line that repeats it exactly. Exit codes: 0 all held; 1 `wrong`, a promise was
 * broken; 5 `stuck`, something owed never came; 6 `crashed`, a defect threw; 2 the command line. Of several the gravest:
 * wrong before crashed before stuck.
 */
import { parseArgs } from "node:util";
import { SeededRandom } from "../../runtime/world/mod.ts";
import { drawOptions, type SimulationOptions } from "./options.ts";
import { runSeries, runTask } from "./series.ts";
import { simulate, type Verdict } from "./simulate.ts";

/** What each verdict ends the process with; the gravest first. */
export const EXIT: Record<Verdict["verdict"], number> = { wrong: 1, crashed: 6, stuck: 5, held: 0 };
const GRAVEST = Object.keys(EXIT) as Verdict["verdict"][];

const HELP = `deno task sim --seed N                one seed
deno task sim --seeds N [--from 1]    a series
deno task sim --fresh N               a series that nobody has seen yet: seeds from the clock

  --nodes N         1 to 32, over four data centers; default 8
  --set NAME=VALUE  an option that is not as the seed draws it; more than once
  --trace[=all]     every event a line; all: every commit, too
  --jobs N          processes of a series; default: one a core, but 1 for up to 20 seeds
  --fail-max N      ends a series after so many failures; default 10
  --each            a line for each seed, also of a long series`;

/** Each seed of a series up to this long gets its line. */
const LINES_MAX = 100;
const PROGRESS_MS = 250;

interface Wish {
  seeds: number[];
  nodes: number;
  override: Partial<SimulationOptions>;
  trace: "usual" | "all" | null;
  jobs: number;
  failMax: number;
  each: boolean;
}

class Misuse extends Error {}

/** Runs the command line; answers with the exit code. Tests hand in where lines go, and systems that are broken. */
export async function main(
  args: string[],
  { print = console.log, run = runTask }: { print?: (line: string) => void; run?: typeof runTask } = {},
): Promise<number> {
  let wish: Wish | "help";
  try {
    wish = readArgs(args);
  } catch (error) {
    if (!(error instanceof Misuse) && !(error instanceof TypeError)) throw error;
    console.error(`${error.message}\n\n${HELP}`);
    return 2;
  }
  if (wish === "help") {
    print(HELP);
    return 0;
  }
  const { seeds, nodes, override, trace, jobs, failMax, each } = wish;
  if (trace !== null) {
    let code = 0;
    for (const seed of seeds) {
      const verdict = simulate(seed, { nodes, override, trace: print, traceLevel: trace });
      for (const line of linesAbout(verdict, wish)) print(line);
      code = graver(code, verdict);
    }
    return code;
  }
  const count: Record<Verdict["verdict"], number> = { held: 0, wrong: 0, stuck: 0, crashed: 0 };
  const startedMs = performance.now();
  const isSeries = seeds.length > 1;
  const isTalkative = each || seeds.length <= LINES_MAX;
  const progress = new Progress(seeds.length, isSeries && Deno.stderr.isTerminal());
  let code = 0;
  let virtualMs = 0;
  let coreMs = 0;
  await runSeries({
    ...{ seeds, nodes, override, jobs, failMax, run },
    onVerdict(verdict, cpuMs) {
      count[verdict.verdict]++;
      code = graver(code, verdict);
      virtualMs += verdict.virtualMs;
      coreMs += cpuMs;
      if (isTalkative || verdict.verdict !== "held") {
        progress.hide();
        for (const line of linesAbout(verdict, wish, cpuMs)) print(line);
      }
      progress.show(count, virtualMs);
    },
  });
  progress.hide();
  if (isSeries) print(summaryOf({ count, virtualMs, coreMs, realMs: performance.now() - startedMs, jobs }));
  return code;
}

function readArgs(args: string[]): Wish | "help" {
  const { values } = parseArgs({
    // `--trace` alone is allowed, which parseArgs does not know for an option with a value.
    args: args.map((arg) => arg === "--trace" ? "--trace=usual" : arg),
    options: {
      seed: { type: "string" },
      seeds: { type: "string" },
      from: { type: "string", default: "1" },
      fresh: { type: "string" },
      nodes: { type: "string", default: "8" },
      set: { type: "string", multiple: true, default: [] },
      trace: { type: "string" },
      jobs: { type: "string" },
      "fail-max": { type: "string", default: "10" },
      each: { type: "boolean", default: false },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  if (values.trace !== undefined && values.trace !== "usual" && values.trace !== "all") {
    throw new Misuse(`--trace=${values.trace}: must be usual or all`);
  }
  const nodes = whole("nodes", values.nodes, 1, 32);
  const seeds = seedsOf(values);
  const cores = navigator.hardwareConcurrency;
  return {
    seeds,
    nodes,
    override: Object.fromEntries(values.set.map((text) => optionOf(text, nodes))),
    trace: values.trace ?? null,
    jobs: values.jobs === undefined ? seeds.length > 20 ? cores : 1 : whole("jobs", values.jobs, 1, 256),
    failMax: whole("fail-max", values["fail-max"], 1, 1e9),
    each: values.each,
  };
}

function seedsOf(values: { seed?: string; seeds?: string; from: string; fresh?: string }): number[] {
  const given = [values.seed, values.fresh].filter((value) => value !== undefined).length;
  if (given > 1 || (values.fresh !== undefined && values.seeds !== undefined)) {
    throw new Misuse("--seed, --seeds and --fresh exclude each other");
  }
  const seedMax = Number.MAX_SAFE_INTEGER - 1e9;
  // `--seed 5 --seeds 3`, the old way to say `--from 5 --seeds 3`, goes on being understood.
  const from = whole("seed", values.seed ?? values.from, 0, seedMax);
  if (values.fresh === undefined) return rangeOf(from, whole("seeds", values.seeds ?? "1", 1, 1e7));
  return rangeOf(Date.now() * 1000, whole("fresh", values.fresh, 1, 1e7));
}

function rangeOf(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => first + i);
}

function whole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^[0-9]+$/.test(text) && value >= min && value <= max) return value;
  throw new Misuse(`--${name} ${text}: must be a whole number from ${min} to ${max}`);
}

/** `lossRate=0.1`: an option that there is, with a value of its type. */
function optionOf(text: string, nodes: number): [string, unknown] {
  const at = text.indexOf("=");
  const [name, given] = at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
  const known = drawOptions(0, new SeededRandom(0), nodes) as unknown as Record<string, unknown>;
  if (!Object.hasOwn(known, name) || name === "seed" || name === "nodes") {
    throw new Misuse(`--set ${text}: no option of that name: ${Object.keys(known).join(", ")}`);
  }
  try {
    const value = JSON.parse(given);
    if (typeof value === typeof known[name]) return [name, value];
  } catch { /* is said below */ }
  throw new Misuse(`--set ${text}: must be a value like ${JSON.stringify(known[name])}`);
}

function graver(code: number, { verdict }: Verdict): number {
  return GRAVEST.map((one) => EXIT[one]).find((one) => one === code || one === EXIT[verdict])!;
}

/** The line that repeats a seed, whatever has been said on the command line. */
export function repeatLine(seed: number, { nodes, override }: Pick<Wish, "nodes" | "override">): string {
  const set = Object.entries(override).map(([name, value]) => ` --set ${quoted(`${name}=${JSON.stringify(value)}`)}`);
  return `deno task sim --seed ${seed} --nodes ${nodes}${set.join("")}`;
}

function quoted(text: string): string {
  return /^[\w=.,+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function linesAbout(verdict: Verdict, wish: Pick<Wish, "nodes" | "override">, realMs?: number): string[] {
  const { seed, acknowledged, sent, virtualMs } = verdict;
  const took = realMs === undefined
    ? ""
    : ` in ${(realMs / 1000).toFixed(2)} s (x${(virtualMs / Math.max(1, realMs)).toFixed(0)})`;
  const seconds = `${(virtualMs / 1000).toFixed(1)} s${took}`;
  const lines = [`seed ${seed}  ${verdict.verdict}  ${acknowledged} of ${sent} acknowledged  ${seconds}`];
  if (verdict.verdict === "held") return lines;
  return [...lines, ...verdict.findings.map((finding) => `  ${finding}`), `  again: ${repeatLine(seed, wish)}`];
}

function summaryOf(
  about: { count: Record<string, number>; virtualMs: number; coreMs: number; realMs: number; jobs: number },
): string {
  const { count, virtualMs, coreMs, realMs, jobs } = about;
  const seeds = Object.values(count).reduce((sum, one) => sum + one, 0);
  const ends = Object.entries(count).map(([verdict, one]) => `${one} ${verdict}`).join(", ");
  return `${seeds} seeds: ${ends}; ${(realMs / 1000).toFixed(1)} s, ${(seeds / realMs * 1000).toFixed(1)} seeds/s by ` +
    `${jobs} at a time; virtual time x${(virtualMs / realMs).toFixed(0)}, x${(virtualMs / coreMs).toFixed(0)} each`;
}

/** How far a series has come, in one line on a terminal that is written again and again. */
class Progress {
  readonly #seeds: number;
  readonly #isOn: boolean;
  readonly #startedMs = performance.now();
  #shownMs = -Infinity;

  constructor(seeds: number, isOn: boolean) {
    this.#seeds = seeds;
    this.#isOn = isOn;
  }

  show(count: Record<string, number>, virtualMs: number): void {
    const nowMs = performance.now();
    if (!this.#isOn || nowMs - this.#shownMs < PROGRESS_MS) return;
    this.#shownMs = nowMs;
    const realMs = nowMs - this.#startedMs;
    const done = Object.values(count).reduce((sum, one) => sum + one, 0);
    const leftMs = realMs / done * (this.#seeds - done);
    const text = `${done} of ${this.#seeds} seeds, ${done - count.held} failed, x${(virtualMs / realMs).toFixed(0)}, ` +
      `${Math.ceil(leftMs / 60_000)} min to go`;
    Deno.stderr.writeSync(new TextEncoder().encode(`\r\x1b[K${text}`));
  }

  hide(): void {
    if (!this.#isOn || this.#shownMs === -Infinity) return;
    this.#shownMs = -Infinity;
    Deno.stderr.writeSync(new TextEncoder().encode("\r\x1b[K"));
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
