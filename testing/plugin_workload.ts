/**
 * Plugins in a simulated cluster, looked at from outside when all has settled: does the writer keep what a fold of the
 * committed history gives, has every message that a handler sent arrived once, and only those, and do the author's
 * invariants hold. The fold is by hand, of what stands in the log.
 *
 * @module
 */
import { isDeepStrictEqual } from "node:util";
import type { HandlerDefinition, HandlerMessage } from "../runtime/plugin_host/mod.ts";
import type { SeededRandom } from "../runtime/world/mod.ts";
import type { SimulatedCluster } from "../tests/simulation/cluster.ts";
import type { Journal } from "../tests/simulation/journal.ts";
import type { Workload, WorkloadMessage } from "../tests/simulation/workload.ts";
import { type MessageGenerator, postingOf } from "./addressed_messages.ts";
import { type CommittedActor, committedActors, handles } from "./committed.ts";
import { reportOf } from "./failure_report.ts";
import { asHandlerSees } from "./folding_host.ts";
import { type GivenMessage, givenOf } from "./given_message.ts";
import { foldByHand, type HandFold } from "./hand_fold.ts";
import { brokenInvariant, complaintOf, type Invariant } from "./invariants.ts";
import { replay } from "./replay.ts";
import { missing, type Owed, sentBy } from "./sent_by_handlers.ts";
import { smallest } from "./smallest.ts";
import { locked, type Problem } from "./watched_handler.ts";

/** An actor when all has settled. */
export interface SimulatedActor {
  /** what each plugin keeps, by its name */
  projections: Record<string, unknown>;
  /** its committed history */
  history: readonly HandlerMessage[];
}

/** Something that must be true of all actors together, when all has settled; by the text of their keys. */
export type FinalInvariant = (actors: ReadonlyMap<string, SimulatedActor>) => true | string;

/** What {@linkcode PluginWorkload} is given. */
export interface PluginWorkloadOptions {
  plugins: readonly HandlerDefinition[];
  messages: MessageGenerator;
  invariants: Record<string, Invariant>;
  inTheEnd: Record<string, FinalInvariant>;
  /** the call that finds it again */
  again: string;
}

/** Lost messages are much alike: so many are told. */
const FINDINGS_MAX = 5;

/** See the module's header; only within `withDoors`. */
export class PluginWorkload implements Workload {
  readonly handlers: readonly HandlerDefinition[];
  readonly #options: PluginWorkloadOptions;

  constructor(options: PluginWorkloadOptions) {
    this.#options = options;
    this.handlers = options.plugins.map(locked);
  }

  next(random: SeededRandom, options: { actors: number }): WorkloadMessage {
    return postingOf(this.#options.messages(random, options));
  }

  inspect(cluster: SimulatedCluster, journal: Journal): { wrong: string[]; stuck: string[] } {
    if (journal.unsettled.length > 0) return { wrong: [], stuck: [] };
    const actors = committedActors(cluster);
    const wrong = new Map<string, string[]>();
    const owed: Owed[] = [];
    for (const actor of actors.values()) {
      for (const plugin of this.#options.plugins.filter((plugin) => handles(plugin, actor))) {
        const fold = foldByHand(plugin, actor.key, actor.messages);
        owed.push(...sentBy(actor, plugin.name, fold));
        // The history of a life that has ended is gone from all copies, and with it what should have been.
        if (fold.steps.some(({ effects }) => effects.some(({ type }) => type === "retire"))) {
          wrong.set("retire", [`${plugin.name} ends lives (effect.retire), which a simulation cannot check`]);
        }
        const finding = this.#wrongWith(plugin, actor, fold, wrong);
        if (finding !== null) wrong.set(finding.what, [...wrong.get(finding.what) ?? [], finding.text]);
      }
    }
    const unread = [...actors.values()].filter(({ projections }) => projections === null);
    const lost = missing(owed, actors, { cluster, journal });
    return {
      wrong: [...[...wrong.values()].map(summed), ...lost.slice(0, FINDINGS_MAX), ...this.#wrongInTheEnd(actors)],
      stuck: unread.map(({ name }) => `liveness: the projections of ${name} cannot be read`),
    };
  }

  #wrongWith(plugin: HandlerDefinition, actor: CommittedActor, fold: HandFold, known: Map<string, string[]>) {
    const { name } = plugin;
    const parked = actor.parked[name];
    const broken = brokenInvariant(fold, this.#options.invariants, { plugin: name, key: actor.key });
    if (parked !== undefined || fold.fault !== null || broken !== null) {
      const what = `${name} ${broken?.rule ?? "stands still"}`;
      const text = broken?.text ?? parked?.message ?? fold.fault;
      // one test of its own is enough, and shrinking takes its time
      return { what, text: known.has(what) ? "" : this.#explained(plugin, actor) ?? `${what}: ${text}` };
    }
    const kept = actor.projections?.[name];
    if (actor.projections === null || isDeepStrictEqual(kept, fold.projections)) return null;
    const text = `${name}: the writer of ${actor.name} keeps ${brief(kept)}, a fold of its ${actor.messages.length} ` +
      `messages gives ${brief(fold.projections)}: something is kept outside the projections`;
    return { what: `${name} folds`, text };
  }

  /** What is wrong as a test of its own, of the smallest part of the history; null: it cannot be had outside the cluster. */
  #explained(plugin: HandlerDefinition, { key, messages }: CommittedActor): string | null {
    const { invariants, again } = this.#options;
    const about = { plugin: plugin.name, key };
    const history = messages.map(givenOf);
    const problemAt = (given: readonly GivenMessage[]): Problem | null => {
      const run = replay(plugin, given, { key });
      return run.problem ?? brokenInvariant(run, invariants, about);
    };
    const first = problemAt(history);
    if (first === null) return null;
    const found = smallest(history, (given) => problemAt(given)?.rule === first.rule);
    return reportOf({
      about,
      problem: problemAt(found) ?? first,
      history: found,
      changed: null,
      foundIn: history.length,
      again,
      options: { key },
      invariants,
      indifferentTo: {},
      lifeMessages: 0,
      probeMessages: 0,
    });
  }

  #wrongInTheEnd(actors: ReadonlyMap<string, CommittedActor>): string[] {
    const seen = new Map<string, SimulatedActor>();
    for (const { name, projections, messages } of actors.values()) {
      const history = messages.map((message, i) => asHandlerSees(message, i + 1));
      seen.set(name, { projections: projections ?? {}, history });
    }
    return Object.entries(this.#options.inTheEnd).flatMap(([rule, invariant]) => {
      const text = complaintOf(() => invariant(seen));
      return text === null ? [] : [`the rule "${rule}" is broken in the end: ${text}`];
    });
  }
}

function summed([first, ...more]: string[]): string {
  return more.length === 0 ? first : `${first.trimEnd()}\n... and so with ${more.length} more actors`;
}

function brief(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
}
