/**
 * Help, as text.
 */
import type { Args, ArgSchema } from "gunshi";
import { COMMON, type WaterparkCommand } from "./command.ts";

/** What is in the tree: verbs under a noun, or a command of one word. */
export type CommandTree = Record<
  string,
  WaterparkCommand | { description: string; verbs: Record<string, WaterparkCommand> }
>;

/** The help of the whole program. */
export function usageOfAll(tree: CommandTree): string {
  const rows: [string, string][] = [];
  for (const [noun, entry] of Object.entries(tree)) {
    if ("verbs" in entry) rows.push([`${noun} ${Object.keys(entry.verbs).join(" | ")}`, entry.description]);
    else rows.push([[noun, ...positionalsOf(entry.args)].join(" "), entry.description]);
  }
  return [
    "Waterpark: an actor database that stays up.",
    "",
    "Usage",
    "  waterpark <noun> <verb> [arguments] [flags]",
    "",
    "Commands",
    ...columns(rows),
    "",
    "Flags of every command",
    ...columns(flagRows(COMMON)),
    "",
    "Every flag is also a variable WATERPARK_<FLAG> and a field of the config file.",
    "Exit codes: 0 done, 1 failed, 2 misused, 3 no node reached, 4 outcome unknown; of sim also 5 stuck, 6 crashed.",
    "Start with: waterpark node start    Look closer: waterpark <noun> <verb> --help",
  ].join("\n");
}

/** The help of a noun. */
export function usageOfNoun(noun: string, description: string, verbs: Record<string, WaterparkCommand>): string {
  const rows = Object.entries(verbs).map(([verb, entry]): [string, string] => [
    ["waterpark", noun, verb, ...positionalsOf(entry.args)].join(" "),
    entry.description,
  ]);
  return [`${sentence(description)}`, "", "Usage", ...columns(rows)].join("\n");
}

/** The help of a command. */
export function usageOfCommand(path: readonly string[], entry: WaterparkCommand): string {
  const own = Object.fromEntries(Object.entries(entry.args).filter(([name]) => !(name in COMMON)));
  const positionals = Object.entries(own).filter(([, schema]) => schema.type === "positional");
  const flags = flagRows(own);
  const section = (title: string, lines: string[]) => lines.length === 0 ? [] : ["", title, ...lines];
  return [
    sentence(entry.description),
    "",
    "Usage",
    `  ${["waterpark", ...path, ...positionalsOf(entry.args)].join(" ")}${flags.length > 0 ? " [flags]" : ""}`,
    ...section("Arguments", columns(positionals.map(([name, schema]) => [labelOf(name), schema.description ?? ""]))),
    ...section("Flags", columns(flags)),
    ...section("Flags of every command", columns(flagRows(COMMON))),
    ...section(
      "Examples",
      entry.exampleLines.map((line) => line.includes("waterpark") ? `  ${line}` : `  waterpark ${line}`),
    ),
  ].join("\n");
}

function positionalsOf(args: Args): string[] {
  return Object.entries(args).filter(([, schema]) => schema.type === "positional")
    .map(([name, schema]) => schema.required === false ? `[${labelOf(name)}]` : labelOf(name));
}

function labelOf(name: string): string {
  return name.toUpperCase();
}

function flagRows(args: Args): [string, string][] {
  return Object.entries(args).filter(([, schema]) => schema.type !== "positional").map(([name, schema]) => [
    `--${name}${valueLabel(schema)}`,
    `${schema.description ?? ""}${
      schema.default === undefined || schema.default === false ? "" : ` (default ${schema.default})`
    }`,
  ]);
}

function valueLabel(schema: ArgSchema): string {
  if (schema.type === "boolean") return "";
  if (schema.type === "enum") return ` ${schema.choices?.join("|")}`;
  return ` ${schema.metavar ?? (schema.type === "number" ? "N" : "TEXT")}`;
}

/** What is longer has its description on a line of its own. */
const LEFT_MAX = 64;

function columns(rows: [string, string][]): string[] {
  const lengths = rows.map(([left]) => left.length).filter((length) => length <= LEFT_MAX);
  const width = Math.max(0, ...lengths);
  return rows.flatMap(([left, right]) =>
    left.length <= LEFT_MAX
      ? [`  ${left.padEnd(width)}  ${right}`.trimEnd()]
      : [`  ${left}`, `  ${" ".repeat(width)}  ${right}`.trimEnd()]
  );
}

function sentence(description: string): string {
  return `${description[0].toUpperCase()}${description.slice(1)}.`;
}
