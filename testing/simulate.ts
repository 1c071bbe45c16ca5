import type { HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { simulate as simulateSeed, type Verdict } from "../tests/simulation/simulate.ts";
import type { SimulationOptions } from "../tests/simulation/options.ts";
import { type AddressedMessage, feedOf, generatorOf, type MessageSource } from "./addressed_messages.ts";
import { FoldingHost } from "./folding_host.ts";
import { hospitalMessages } from "./hospital_messages.ts";
import type { Invariant } from "./invariants.ts";
import { type FinalInvariant, PluginWorkload } from "./plugin_workload.ts";
import { withDoors } from "./pure_guard.ts";

/** What the author of plugins simulates. A module's `simulation` export is this, too, see `waterpark sim --plugin`. */
export interface SimulationPlan {
  /**
   * What clients send: a function that draws the next message, with the chance that it is given and no other, or an
   * arbitrary of fast-check. Default: patients admitted, moved and discharged, as HL7 and as JSON.
   */
  messages?: MessageSource;
  /** instead: a recording, sent over and over as feeds do: some lost, some twice, some out of order */
  recorded?: readonly AddressedMessage[];
  /** what must be true of every actor after every message of its committed history, per plugin */
  invariants?: Record<string, Invariant>;
  /** what must be true of all actors together when everything has settled */
  inTheEnd?: Record<string, FinalInvariant>;
}

/** How {@linkcode simulate} runs. */
export interface SimulateOptions extends SimulationPlan {
  /** handlers, deployed before the first message and again in the middle; none: the simulator's own alone */
  // deno-lint-ignore no-explicit-any -- of any projections
  plugins?: HandlerDefinition<any> | readonly HandlerDefinition<any>[];
  /** the first seed, from which everything follows; default 1 */
  seed?: number;
  /** how many seeds; default 1 */
  seeds?: number;
  /** nodes of the cluster, 3 to 32; default 8. Below 5 none crashes: fewer copies promise less */
  nodes?: number;
  /** takes every event of the cluster, a line each */
  trace?: (line: string) => void;
  /** what is not to be as the seed draws it: fewer faults, a shorter time */
  override?: Partial<SimulationOptions>;
}

/** How simulations ended. */
export interface SimulateReport {
  /**
   * The worst of all seeds: `held`; `wrong`: a promise or an invariant is broken; `stuck`: something owed never came;
   * `crashed`: a defect threw
   */
  verdict: Verdict["verdict"];
  /** of each seed */
  verdicts: Verdict[];
  /** what is wrong, seed by seed, each with the call that repeats it; `""` when all held */
  text: string;
}

const WORST = ["held", "stuck", "wrong", "crashed"] as const;
const FINDINGS_SHOWN = 3;
/** Fewer cannot keep what is promised: three copies of what is acknowledged. */
const NODES = { min: 3, max: 32 };
/** With fewer nodes there are fewer than five copies, and crashes as the simulator draws them may take all there are. */
const CRASH_NODES_MIN = 5;
const NO_CRASHES: Partial<SimulationOptions> = { crashEveryMs: 0, restartEveryMs: 0, operationEveryMs: 0 };

/**
 * Simulates whole clusters with these plugins: real nodes on a network in memory and in virtual time, clients that send
 * and repeat themselves, crashes, cuts, lost and late frames, new versions of the plugins in the middle. First anything
 * may fail; then faults end, and everything owed must come.
 *
 * Checked are the promises of the cluster (nothing acknowledged is lost, one history an actor, one writer a term,
 * everything settles), that what the writers keep is what a fold of the committed histories gives, that every message
 * which a handler sent has arrived exactly once, and the author's invariants. One seed is one history: it ends the same
 * each time, as long as generators and handlers keep to the chance and the arguments that they are given.
 *
 * Synchronous, needs no permission; a seed takes about a second. Handlers run in this process, with clock and chance
 * locked away during their calls as in `replay`.
 *
 * @param options plugins, messages, invariants, seeds
 * @returns how it ended; it does not throw for what it finds
 * @throws {TypeError} when a plugin is no handler, two have one name, or the nodes are too few or too many
 *
 * @example
 * ```ts
 * import { defineHandler } from "@waterpark/waterpark";
 * import { simulate } from "@waterpark/waterpark/testing";
 * const census = defineHandler({
 *   name: "census", kind: "patient", initial: { moves: 0 },
 *   handle: (_key, { moves }, message) => ["ok", { moves: message.type === "admit" ? moves + 1 : moves }, []],
 * });
 * const { verdict, text } = simulate({
 *   plugins: census,
 *   nodes: 3,
 *   messages: (chance) => ({ key: `HOSPX/${chance.below(5)}`, message: { type: "admit", ward: "5W" } }),
 *   invariants: { "every admission is a move": ({ moves }, history) => moves === history.length || `${moves}` },
 *   override: { safetyMs: 500 },
 * });
 * if (verdict !== "held") throw new Error(text);
 * ```
 */
export function simulate(options: SimulateOptions = {}): SimulateReport {
  const { seed = 1, seeds = 1, nodes } = options;
  const again = (each: number) => `simulate({ ..., seed: ${each}${nodes === undefined ? "" : `, nodes: ${nodes}`} })`;
  const run = simulationOf(options);
  const verdicts = Array.from({ length: seeds }, (_, i) => run(seed + i, again(seed + i)));
  const worst = Math.max(0, ...verdicts.map(({ verdict }) => WORST.indexOf(verdict)));
  const failed = verdicts.filter(({ verdict }) => verdict !== "held");
  const text = failed.map((
    each,
  ) => [`seed ${each.seed}: ${each.verdict}`, ...told(each), `again: ${again(each.seed)}`]);
  return { verdict: WORST[worst], verdicts, text: text.map((lines) => lines.join("\n")).join("\n\n") };
}

/**
 * The same, seed by seed; `again` is the call or command line that repeats it.
 *
 * @throws {TypeError} as {@linkcode simulate}, at once
 */
export function simulationOf(
  options: Omit<SimulateOptions, "seed" | "seeds">,
): (seed: number, again: string) => Verdict {
  const { nodes = 8, trace, override, messages, recorded = [], invariants = {}, inTheEnd = {} } = options;
  if (!Number.isSafeInteger(nodes) || nodes < NODES.min || nodes > NODES.max) {
    throw new TypeError(`Cannot simulate ${nodes} nodes as there may be ${NODES.min} to ${NODES.max}`);
  }
  const plugins = pluginsOf(options);
  const settings = { nodes, trace, override: { ...(nodes < CRASH_NODES_MIN ? NO_CRASHES : {}), ...override } };
  if (plugins.length === 0 && messages === undefined && recorded.length === 0) {
    return (seed) => simulateSeed(seed, settings);
  }
  const kinds = [...new Set(plugins.map(({ kind }) => kind).filter((kind) => kind !== "*"))];
  const generator = (seed: number) => {
    if (messages !== undefined) return generatorOf(messages, seed);
    return recorded.length > 0 ? feedOf(recorded) : hospitalMessages(kinds.length > 0 ? kinds : ["patient"]);
  };
  return (seed, again) =>
    withDoors(() => {
      const workload = new PluginWorkload({ plugins, messages: generator(seed), invariants, inTheEnd, again });
      return simulateSeed(seed, { ...settings, workload });
    });
}

/** The findings of a seed, as many as one reads. */
export function told({ findings }: Verdict): string[] {
  const more = findings.length - FINDINGS_SHOWN;
  return [...findings.slice(0, FINDINGS_SHOWN), ...(more > 0 ? [`... and ${more} more`] : [])];
}

function pluginsOf({ plugins = [] }: SimulateOptions): HandlerDefinition[] {
  const all = (Array.isArray(plugins) ? plugins : [plugins]) as HandlerDefinition[];
  const names = new Set(["chain"]);
  for (const plugin of all) {
    new FoldingHost(plugin); // throws where it is no handler
    if (names.has(plugin.name)) {
      throw new TypeError(`Cannot simulate "${plugin.name}" as each plugin must have a name of its own: it is taken`);
    }
    names.add(plugin.name);
  }
  return all;
}
