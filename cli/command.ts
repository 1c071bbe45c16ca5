/**
 * What every command has in common: flags that all take, settings from three places, a printer, a client.
 */
import type { Args, ArgValues, Command } from "gunshi";
import { connect, type WaterparkClient } from "../client.ts";
import { MisuseError } from "./errors.ts";
import { Output } from "./output.ts";
import { readConfig, resolveSettings } from "./settings.ts";

/** Flags of every command. */
export const COMMON = {
  node: {
    type: "string",
    default: "http://127.0.0.1:8600",
    metavar: "URL,...",
    description: "node to ask, or several, by their HTTP addresses",
  },
  token: { type: "string", metavar: "TOKEN", description: "bearer token" },
  json: { type: "boolean", default: false, description: "JSON for programs, one value a line" },
  config: { type: "string", metavar: "FILE", description: "JSON file with flags as fields" },
} as const satisfies Args;

/** A command in action. */
export interface Call<V> {
  /** flags and positionals */
  values: V;
  /** the printer */
  out: Output;
  /** the nodes of `--node` */
  client: WaterparkClient;
}

/** What makes a command. */
export interface CommandSpec<A extends Args> {
  /** one line, no full stop */
  description: string;
  /** its own flags and positionals, positionals in order */
  args: A;
  /** command lines that work, without `waterpark` */
  examples: readonly string[];
  /** does it; what it throws decides the exit code */
  run(call: Call<ArgValues<A & typeof COMMON>>): Promise<void> | void;
}

/** A command as the tree holds it. */
export interface WaterparkCommand extends Command {
  args: Args;
  description: string;
  exampleLines: readonly string[];
}

const knownFlags = new Set<string>();

/** Makes a command. */
export function command<const A extends Args>(spec: CommandSpec<A>): WaterparkCommand {
  const args: Args = { ...spec.args, ...COMMON };
  const flags = Object.entries(args).filter(([, schema]) => schema.type !== "positional").map(([name]) => name);
  for (const flag of flags) knownFlags.add(flag);
  const positionals = Object.keys(args).length - flags.length;
  return {
    description: spec.description,
    args,
    exampleLines: spec.examples,
    async run(context) {
      const extra = context.positionals[context.commandPath.length + positionals];
      if (extra !== undefined) {
        throw new MisuseError(
          `Cannot use "${extra}" as ${context.commandPath.join(" ")} takes ${positionals || "no"} arguments`,
          `waterpark ${context.commandPath.join(" ")} --help`,
        );
      }
      const env = (name: string) => Deno.env.get(name);
      const configPath = context.values.config ?? env("WATERPARK_CONFIG");
      const file = configPath === undefined ? {} : await readConfig(String(configPath), knownFlags);
      const values = resolveSettings(args, { values: context.values, explicit: context.explicit, env, file });
      await spec.run({
        values: values as ArgValues<A & typeof COMMON>,
        out: new Output({ json: values.json === true }),
        get client() {
          const urls = String(values.node).split(",").map((url) => url.trim());
          return connect(urls, { token: values.token as string | undefined, whenNobody: "fail" });
        },
      });
    },
  };
}
