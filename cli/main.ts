/**
 * The `waterpark` command line: noun, then verb. This file knows all commands and how they end; what they print goes
 * through `output.ts`.
 */
import { cli, type Command, define, isArgsValidationError, isCommandNotFoundError } from "gunshi";
import meta from "../deno.json" with { type: "json" };
import type { WaterparkCommand } from "./command.ts";
import { actorFind, actorResend, actorTrace } from "./commands/actor_find.ts";
import { actorHistory } from "./commands/actor_history.ts";
import { actorList } from "./commands/actor_list.ts";
import { actorSend } from "./commands/actor_send.ts";
import { actorShow } from "./commands/actor_show.ts";
import { actorWatch } from "./commands/actor_watch.ts";
import { audit } from "./commands/audit.ts";
import { benchAvailability } from "./commands/bench_availability.ts";
import { benchOverload } from "./commands/bench_overload.ts";
import { clusterRestart, clusterUpgrade } from "./commands/cluster_restart.ts";
import { clusterStart } from "./commands/cluster_start.ts";
import { clusterStatus } from "./commands/cluster_status.ts";
import { clusterStop } from "./commands/cluster_stop.ts";
import { effectDiscard, effectList, effectRetry } from "./commands/effect.ts";
import { completions } from "./commands/completions.ts";
import { explain } from "./commands/explain.ts";
import { nodeAbsent } from "./commands/node_absent.ts";
import { nodeDrain } from "./commands/node_drain.ts";
import { nodeList } from "./commands/node_list.ts";
import { nodeRemove } from "./commands/node_remove.ts";
import { nodeStart } from "./commands/node_start.ts";
import { nodeWait } from "./commands/node_wait.ts";
import { pluginDeploy } from "./commands/plugin_deploy.ts";
import { pluginDiff } from "./commands/plugin_diff.ts";
import { pluginInspect } from "./commands/plugin_inspect.ts";
import { pluginList } from "./commands/plugin_list.ts";
import { pluginCheck, pluginPause, pluginResume } from "./commands/plugin_outside.ts";
import { pluginCounts } from "./commands/plugin_counts.ts";
import { pluginPace } from "./commands/plugin_pace.ts";
import { retentionList, retentionSet } from "./commands/retention.ts";
import { pluginPromote } from "./commands/plugin_promote.ts";
import { pluginRemove } from "./commands/plugin_remove.ts";
import { pluginRollback } from "./commands/plugin_rollback.ts";
import { pluginNew } from "./commands/plugin_new.ts";
import { pluginTest } from "./commands/plugin_trial.ts";
import { lostDiscard, lostList, lostResend, lostShow } from "./commands/lost.ts";
import { switchList } from "./commands/switch_list.ts";
import { switchSet } from "./commands/switch_set.ts";
import { topologyAck } from "./commands/topology_ack.ts";
import { sim } from "./commands/sim.ts";
import { topologyInspect } from "./commands/topology_inspect.ts";
import { topologyPlan } from "./commands/topology_plan.ts";
import { topologyRecover } from "./commands/topology_recover.ts";
import { EXIT, exitCodeOf, MisuseError } from "./errors.ts";
import { Output } from "./output.ts";
import { suggest } from "./suggest.ts";
import { type CommandTree, usageOfAll, usageOfCommand, usageOfNoun } from "./usage.ts";

/** All commands. */
export const TREE: CommandTree = {
  node: {
    description: "one process of the cluster",
    verbs: {
      start: nodeStart,
      list: nodeList,
      drain: nodeDrain,
      wait: nodeWait,
      absent: nodeAbsent,
      remove: nodeRemove,
    },
  },
  cluster: {
    description: "a whole cluster of real processes on this machine",
    verbs: {
      start: clusterStart,
      status: clusterStatus,
      restart: clusterRestart,
      upgrade: clusterUpgrade,
      stop: clusterStop,
    },
  },
  topology: {
    description: "where things are",
    verbs: { inspect: topologyInspect, plan: topologyPlan, recover: topologyRecover, ack: topologyAck },
  },
  lost: {
    description: "what came back after its shard had gone on without it",
    verbs: { list: lostList, show: lostShow, resend: lostResend, discard: lostDiscard },
  },
  actor: {
    description: "things with a life: send to them, look at them",
    verbs: {
      send: actorSend,
      show: actorShow,
      history: actorHistory,
      watch: actorWatch,
      list: actorList,
      find: actorFind,
      trace: actorTrace,
      resend: actorResend,
    },
  },
  plugin: {
    description: "the modules that handle messages, and what touches the outside",
    verbs: {
      new: pluginNew,
      test: pluginTest,
      deploy: pluginDeploy,
      list: pluginList,
      inspect: pluginInspect,
      diff: pluginDiff,
      promote: pluginPromote,
      rollback: pluginRollback,
      counts: pluginCounts,
      pace: pluginPace,
      remove: pluginRemove,
      check: pluginCheck,
      pause: pluginPause,
      resume: pluginResume,
    },
  },
  effect: {
    description: "what goes out, and what could not",
    verbs: { list: effectList, retry: effectRetry, discard: effectDiscard },
  },
  retention: {
    description: "for how long histories are kept",
    verbs: { list: retentionList, set: retentionSet },
  },
  switch: {
    description: "feature flags that handlers see as data",
    verbs: { list: switchList, set: switchSet },
  },
  bench: {
    description: "what it costs and how it stands: real processes on this machine",
    verbs: { availability: benchAvailability, overload: benchOverload },
  },
  sim,
  audit,
  explain,
  completions: completions(() => TREE),
};

/** Runs one command line; the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  const out = new Output({ json: args.includes("--json") });
  const words = args[0] === "help" ? [...args.slice(1), "--help"] : [...args];
  const isNounAlone = () => {
    throw new MisuseError("", "");
  };
  const subCommands: Record<string, Command> = {};
  for (const [noun, entry] of Object.entries(TREE)) {
    subCommands[noun] = "verbs" in entry
      ? define({ name: noun, run: isNounAlone, subCommands: entry.verbs })
      : entry as Command;
  }
  try {
    const usage = await cli(words, define({ name: "waterpark", run: isNounAlone }), {
      name: "waterpark",
      version: meta.version,
      subCommands,
      strict: true,
      usageSilent: true,
      renderHeader: null,
      renderValidationErrors: null,
      renderUsage: (context) => Promise.resolve(usageFor(context.commandPath)),
    });
    if (words.includes("--version")) out.data(`waterpark ${meta.version}`);
    else if (usage !== undefined) out.data(usage);
    return EXIT.done;
  } catch (thrown) {
    if (thrown instanceof MisuseError && thrown.message === "") {
      out.talk(usageFor(words.filter((word) => !word.startsWith("-"))));
      return EXIT.misused;
    }
    const error = thrown instanceof AggregateError ? misuseIn(thrown, words) : thrown;
    out.error(error);
    return exitCodeOf(error);
  }
}

function usageFor(path: readonly string[]): string {
  const entry = TREE[path[0]];
  if (entry === undefined) return usageOfAll(TREE);
  if (!("verbs" in entry)) return usageOfCommand(path.slice(0, 1), entry);
  const verb: WaterparkCommand | undefined = entry.verbs[path[1]];
  return verb === undefined
    ? usageOfNoun(path[0], entry.description, entry.verbs)
    : usageOfCommand(path.slice(0, 2), verb);
}

/** The first fault in a command line, in our words. A typo in a name explains what else seems missing, so it goes first. */
function misuseIn({ errors }: AggregateError, words: readonly string[]): MisuseError {
  const path = words.filter((word) => !word.startsWith("-")).slice(0, 2).filter((word, i, all) =>
    i === 0 ? word in TREE : word in ((TREE[all[0]] as { verbs?: object } | undefined)?.verbs ?? {})
  );
  const help = `waterpark ${[...path, "--help"].join(" ")}`;
  const notFound = errors.find(isCommandNotFoundError);
  if (notFound !== undefined) {
    const name = String(notFound.values.commandName);
    const meant = suggest(name, notFound.candidates.filter((candidate: string) => candidate !== "waterpark"));
    const rest = [...path, meant].join(" ");
    return new MisuseError(
      `Cannot run "${[...path, name].join(" ")}" as it must be a known command`,
      meant === undefined ? help : `did you mean "waterpark ${rest}"?`,
    );
  }
  const unknown = errors.filter(isArgsValidationError).find((error) => error.code === "err:arg:unknown-option");
  if (unknown !== undefined) {
    const { rawName, candidates } = unknown.values as { rawName: string; candidates: string[] };
    const meant = suggest(rawName, candidates);
    return new MisuseError(
      `Cannot use "${rawName}" as it must be a flag of this command`,
      meant === undefined ? help : `did you mean "${meant}"?`,
    );
  }
  const first = errors[0] as Error & { code?: string; values?: { name?: string; expected?: string; actual?: string } };
  const name = first.values?.name ?? "";
  if (first.code === "err:arg:required-positional") {
    return new MisuseError(`Cannot run the command as it must have ${name.toUpperCase()}`, help);
  }
  if (first.code === "err:arg:invalid-type") {
    return new MisuseError(
      `Cannot use "${first.values?.actual}" for --${name} as it must be a ${first.values?.expected}`,
      help,
    );
  }
  if (first.code === "err:arg:invalid-choice") {
    return new MisuseError(`Cannot use that for --${name} as it must be one of those in the help`, help);
  }
  return new MisuseError(first.message, help);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
