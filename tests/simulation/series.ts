/**
 * A series: many seeds, on one core in this process or on several in children. What it says about a seed is what the seed
 * says alone: simulations share nothing, in one process or in many.
 */
import process from "node:process";
import type { SimulationOptions } from "./options.ts";
import { simulate, type Verdict } from "./simulate.ts";

/** What a series is to do. */
export interface SeriesOptions {
  /** the seeds, in this order where one core does it */
  seeds: readonly number[];
  nodes: number;
  override: Partial<SimulationOptions>;
  /** processes at a time; 1: this one */
  jobs: number;
  /** ends after so many failures */
  failMax: number;
  /** how one core runs a task */
  run: (task: SeriesTask) => SeriesAnswer;
  /** told of each seed as it ends; `cpuMs` is what it took of a core */
  onVerdict(verdict: Verdict, cpuMs: number): void;
}

/** What a child is told: a line of JSON for each task. */
export interface SeriesTask {
  seed: number;
  nodes: number;
  override: Partial<SimulationOptions>;
}

/** What a child answers: a line of JSON for each task, in their order. */
export interface SeriesAnswer {
  verdict: Verdict;
  cpuMs: number;
}

/** A seed that takes longer than this in real time will never end: its virtual time stands still. */
const SEED_MS_MAX = 300_000;
const CHILD = new URL("./series_child.ts", import.meta.url);
/** Of many processes each has one core, and no use for helping threads: this saves a tenth of the time. */
const V8_FLAGS = "--single-threaded-gc";

/** Runs one task; the child's share, and that of a series on one core. */
export function runTask({ seed, nodes, override }: SeriesTask): SeriesAnswer {
  const before = process.cpuUsage();
  const verdict = simulate(seed, { nodes, override });
  const { user, system } = process.cpuUsage(before);
  return { verdict, cpuMs: (user + system) / 1000 };
}

/** Runs the series; resolves when every seed has ended, or enough have failed. */
export async function runSeries(options: SeriesOptions): Promise<void> {
  const { nodes, override, jobs, failMax } = options;
  let failures = 0;
  let next = 0;
  const take = (): SeriesTask | null => {
    if (next === options.seeds.length || failures >= failMax) return null;
    return { seed: options.seeds[next++], nodes, override };
  };
  const end = ({ verdict, cpuMs }: SeriesAnswer) => {
    if (verdict.verdict !== "held") failures++;
    options.onVerdict(verdict, cpuMs);
  };
  if (jobs > 1) {
    await Promise.all(Array.from({ length: Math.min(jobs, options.seeds.length) }, () => runChild(take, end)));
    return;
  }
  for (let task = take(); task !== null; task = take()) {
    end(options.run(task));
    // Signals and the progress line get their turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
}

/** One child after another works off tasks: a seed that ends its process, or never ends, has failed and the rest goes on. */
async function runChild(take: () => SeriesTask | null, end: (answer: SeriesAnswer) => void): Promise<void> {
  let task = take();
  while (task !== null) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", `--v8-flags=${V8_FLAGS}`, CHILD.pathname],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    const lines = linesOf(child.stdout);
    try {
      while (task !== null) {
        await writer.write(new TextEncoder().encode(`${JSON.stringify(task)}\n`));
        const line = await within(lines.next(), SEED_MS_MAX);
        if (line === "late" || line.done) {
          end({ verdict: lost(task, line === "late"), cpuMs: 0 });
          task = take();
          break;
        }
        end(JSON.parse(line.value));
        task = take();
      }
    } finally {
      await writer.close().catch(() => {});
      // Told that there is nothing more it ends by itself; one that hangs does not.
      await within(child.status, 1000) === "late" && child.kill("SIGKILL");
      await child.status;
    }
  }
}

/** The verdict on a seed whose process has ended, or will not. */
function lost({ seed, nodes }: SeriesTask, isLate: boolean): Verdict {
  return {
    seed,
    verdict: isLate ? "stuck" : "crashed",
    findings: [isLate ? `no end after ${SEED_MS_MAX / 1000} s of real time` : "the process has ended"],
    sent: 0,
    acknowledged: 0,
    virtualMs: 0,
    options: { seed, nodes } as SimulationOptions,
  };
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T | "late"> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => timer = setTimeout(() => resolve("late"), ms));
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Whole lines of a stream of text. */
export async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
