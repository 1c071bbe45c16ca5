import fc from "fast-check";
import { type FullKey, fullKey } from "../runtime/base/mod.ts";
import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { type Failure, reportOf } from "./failure_report.ts";
import { FoldingHost } from "./folding_host.ts";
import type { GivenMessage } from "./given_message.ts";
import { growth } from "./growth.ts";
import { historiesOf, type HistorySource } from "./histories.ts";
import { type Indifference, indifferenceOf } from "./indifference.ts";
import { brokenInvariant, type Invariant } from "./invariants.ts";
import { withDoors } from "./pure_guard.ts";
import { type HandlerSource, replay, type ReplayOptions } from "./replay.ts";
import { smallest } from "./smallest.ts";
import type { Problem } from "./watched_handler.ts";

/** What {@linkcode checkHandler} checks a handler with. */
// deno-lint-ignore no-explicit-any -- as the author's handler has it
export interface CheckOptions<P = any> extends Partial<HistorySource>, ReplayOptions {
  /** what must be true after every message, by a name that says it */
  invariants?: Record<string, Invariant<P>>;
  /**
   * What does not matter to the handler: the projections, or what a function takes of them, must be the same when a
   * message is doubled, the order changed, everything delayed. Only what is named is checked.
   */
  indifferentTo?: Indifference<P>;
  /** histories; default 100 */
  runs?: number;
  /** messages of a drawn history at most, where `messages` gives single ones; default 30 */
  messagesMax?: number;
  /**
   * messages that an actor may get in its life; default 100,000. Projections that grow with each message and would
   * have more than the 1 MiB that a host keeps by then break the rule `bounded`. 0: not checked.
   */
  lifeMessages?: number;
  /**
   * messages that are really folded to see it, twice as many, and four times if it grows; default 256. Raise it where
   * lists are cut late.
   */
  probeMessages?: number;
  /** where chance begins; default by the clock. What a failure prints finds it again */
  seed?: number;
  /** of a failure: go straight to it */
  path?: string;
}

/** What was checked. */
export interface CheckReport {
  /** name of the plugin */
  plugin: string;
  /** histories */
  runs: number;
  /** messages in them */
  messages: number;
  /** messages of the longest */
  longest: number;
  /** messages by type: whether the generator comes to everything */
  types: Record<string, number>;
  /** where chance began */
  seed: number;
}

/** A handler broke a rule; its message is the whole report. */
export class HandlerCheckError extends Error {
  /** `HandlerCheckError` */
  override name = "HandlerCheckError";
  /** the rule, and what is wrong */
  readonly problem: Problem;
  /** the smallest history that shows it */
  readonly history: readonly GivenMessage[];
  /** options that find it again */
  readonly again: { seed: number; path: string };

  /** Made by {@linkcode checkHandler}. */
  constructor(failure: Omit<Failure, "again">, again: { seed: number; path: string }) {
    const { seed, path } = again;
    super(
      reportOf({ ...failure, again: `checkHandler(handler, { ..., seed: ${seed}, path: ${JSON.stringify(path)} })` }),
    );
    this.problem = failure.problem;
    this.history = failure.history;
    this.again = again;
  }
}

/** Growth folds long lives, so it looks at few histories: a list that grows does so in almost any. */
const GROWTH_RUNS = 4;
const GROWTH_PATH = "bounded/";

/**
 * Looks for a history at which a handler breaks a rule: it must handle every message, be pure and deterministic, keep
 * plain data that stays within its bound, ask for effects that there are, come to the same result however the history
 * reaches it, and keep its author's invariants.
 *
 * Histories are drawn by fast-check, or recorded ones are mutated: messages dropped, doubled, reordered, delayed, those
 * of another actor mixed in. A history that fails is shrunk, and printed as a test to be pasted. What a handler may use
 * during a call is what a plugin's context has, see {@linkcode replay}. Synchronous, needs no permission.
 *
 * A check that holds has looked at `runs` histories, and no others: the report says of which types their messages were.
 *
 * @param handler what `defineHandler` answered, or a function that makes a fresh one
 * @param options messages or recorded histories, invariants, bounds
 * @returns what was checked
 * @throws {HandlerCheckError} when a rule is broken: its message says which, how to find it again, and has the test
 * @throws {TypeError} when it is no handler, or there are neither messages nor recorded histories
 *
 * @example
 * ```ts
 * import fc from "fast-check";
 * import { defineHandler } from "@waterpark/waterpark";
 * import { checkHandler } from "@waterpark/waterpark/testing";
 * const census = defineHandler({
 *   name: "census", kind: "patient", initial: { ward: "" },
 *   handle: (_key, kept, message) => ["ok", message.type === "admit" ? { ward: message.body.ward } : kept, []],
 * });
 * const admit = fc.record({ type: fc.constant("admit"), ward: fc.constantFrom("5W", "6E") });
 * checkHandler(census, {
 *   messages: fc.oneof(admit, fc.constant({ type: "discharge" })),
 *   runs: 20,
 *   invariants: {
 *     "the ward is that of the last admission": ({ ward }, history) =>
 *       ward === (history.findLast(({ type }) => type === "admit")?.body.ward ?? "") || `it is ${ward}`,
 *   },
 * });
 * ```
 */
export function checkHandler<P>(handler: HandlerSource<P>, options: CheckOptions<P>): CheckReport {
  return withDoors(() => new HandlerCheck(handler, options).run());
}

class HandlerCheck<P> {
  readonly #source: HandlerSource<P>;
  readonly #handler: HandlerDefinition<P>;
  readonly #options: CheckOptions<P>;
  readonly #histories: fc.Arbitrary<readonly GivenMessage[]>;
  readonly #report: CheckReport;
  /** the first history that failed, and the last: what fast-check has shrunk it to */
  #first: Failed | null = null;
  #last: Failed | null = null;
  readonly #about: { plugin: string; key: FullKey };
  readonly #life: { lifeMessages: number; probeMessages: number };

  constructor(source: HandlerSource<P>, options: CheckOptions<P>) {
    const { messagesMax = 30, lifeMessages = 100_000, probeMessages = 256 } = options;
    this.#source = source;
    this.#handler = typeof source === "function" ? source() : source;
    this.#options = options;
    new FoldingHost(this.#handler); // throws where it is no handler
    const { name, kind } = this.#handler;
    this.#about = { plugin: name, key: fullKey({ kind, facility: "HOSPX", id: "1001", ...options.key }) };
    this.#life = { lifeMessages, probeMessages };
    this.#histories = historiesOf({ ...options, messagesMax });
    this.#report = { plugin: this.#handler.name, runs: 0, messages: 0, longest: 0, types: {}, seed: 0 };
  }

  run(): CheckReport {
    const { runs = 100, seed, path = "" } = this.#options;
    const isAboutGrowth = path.startsWith(GROWTH_PATH);
    let again = seed;
    if (!isAboutGrowth) {
      const details = this.#search((history) => this.#problemAt(history), { runs, seed, path });
      again = details.seed;
      if (details.failed) throw this.#error(details, "", (history) => this.#problemAt(history));
    }
    if (this.#life.lifeMessages > 0 && (isAboutGrowth || path === "")) {
      const problemAt = (history: readonly GivenMessage[]) => this.#growthAt(history);
      const settings = { runs: GROWTH_RUNS, seed: again, path: path.slice(GROWTH_PATH.length) };
      const details = this.#search(problemAt, settings);
      again = details.seed;
      if (details.failed) throw this.#error(details, GROWTH_PATH, problemAt);
    }
    return { ...this.#report, seed: again! };
  }

  #search(problemAt: ProblemAt, { runs, seed, path }: { runs: number; seed?: number; path: string }) {
    this.#first = this.#last = null;
    const property = fc.property(this.#histories, (history) => {
      const found = problemAt(history);
      if (found === null) return true;
      this.#last = { history, ...found };
      this.#first ??= this.#last;
      return false;
    });
    return fc.check(property, {
      numRuns: runs,
      ...(seed === undefined ? {} : { seed }),
      ...(path === "" ? {} : { path }),
    });
  }

  #problemAt(history: readonly GivenMessage[]): Found | null {
    const options = this.#options;
    const run = replay(this.#source, history, options);
    this.#count(run.steps.map(({ message }) => message.type));
    const problem = run.problem ?? brokenInvariant(run, options.invariants ?? {}, this.#about);
    if (problem !== null) return { problem, changed: null };
    const { indifferentTo } = options;
    if (indifferentTo === undefined) return null;
    return indifferenceOf(this.#handler, history, { ...options, indifferentTo, projections: run.projections });
  }

  #growthAt(history: readonly GivenMessage[]): Found | null {
    const { key, switches } = this.#options;
    const problem = growth(this.#handler, history, { key, switches, ...this.#life });
    return problem === null ? null : { problem, changed: null };
  }

  #error(details: FailedRun, prefix: string, problemAt: ProblemAt): unknown {
    if (this.#last === null) return details.errorInstance; // what was given is no message
    const found = this.#smallest(problemAt);
    const { key, switches, mayChangeInputs, invariants = {}, indifferentTo = {} } = this.#options;
    return new HandlerCheckError({
      ...found,
      about: this.#about,
      foundIn: this.#first!.history.length,
      options: { key, switches, mayChangeInputs },
      invariants,
      indifferentTo: indifferentTo as Indifference,
      ...this.#life,
    }, { seed: details.seed, path: `${prefix}${details.counterexamplePath}` });
  }

  #smallest(problemAt: ProblemAt): Failed {
    const last = this.#last!;
    const { rule, text } = last.problem;
    const isIt = (history: readonly GivenMessage[]) => problemAt(history)?.problem.rule === rule;
    if (!isIt(last.history)) {
      const hint = "; not every time, so something is kept in its module: give a function that makes a fresh handler";
      return { ...last, problem: { ...last.problem, text: `${text}${hint}` } };
    }
    let history = smallest(last.history, isIt);
    // what stands behind the message at which it shows has no part in it
    const { seq } = problemAt(history)?.problem ?? last.problem;
    if (seq > 0 && isIt(history.slice(0, seq))) history = history.slice(0, seq);
    const found = problemAt(history);
    return found === null ? last : { history, ...found };
  }

  #count(types: string[]): void {
    const report = this.#report;
    report.runs++;
    report.messages += types.length;
    report.longest = Math.max(report.longest, types.length);
    for (const type of types) report.types[type] = (report.types[type] ?? 0) + 1;
  }
}

type Found = { problem: Problem; changed: readonly GivenMessage[] | null };
type FailedRun = { seed: number; counterexamplePath: string | null; errorInstance: unknown };
type Failed = Found & { history: readonly GivenMessage[] };
type ProblemAt = (history: readonly GivenMessage[]) => Found | null;
