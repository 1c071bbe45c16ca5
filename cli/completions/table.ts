/**
 * What a shell may complete, out of the table of commands: the same for all shells, which only say it in their own way.
 * Nothing here is kept by hand but what a positional's name means.
 */
import type { ArgSchema } from "gunshi";
import { EXPLANATIONS } from "../explain.ts";
import type { CommandTree } from "../usage.ts";

/** What stands at a place of the command line. */
export type Slot =
  | { is: "choice"; of: readonly string[] }
  | { is: "file" }
  | { is: "folder" }
  /** names that `waterpark <noun> list` has in its first column */
  | { is: "name"; of: string }
  /** whatever somebody types */
  | { is: "text" };

/** A flag. */
export interface FlagEntry {
  /** without dashes */
  name: string;
  description: string;
  /** what stands behind it; null: nothing */
  value: Slot | null;
}

/** A command. */
export interface CommandEntry {
  /** `plugin deploy`, `explain` */
  path: string;
  description: string;
  positionals: readonly Slot[];
  flags: readonly FlagEntry[];
}

/** All there is to complete. */
export interface CompletionTable {
  commands: readonly CommandEntry[];
  /** what may come first, and behind each noun: `["", "plugin"]`, `["plugin", "deploy"]` */
  words: readonly { after: string; word: string; description: string }[];
}

const PLAIN: Record<string, Slot> = {
  file: { is: "file" },
  url: { is: "file" },
  dir: { is: "folder" },
};

/** The table of a tree of commands. */
export function completionTable(tree: CommandTree): CompletionTable {
  const commands: CommandEntry[] = [];
  const words: { after: string; word: string; description: string }[] = [];
  for (const [noun, entry] of Object.entries(tree)) {
    words.push({ after: "", word: noun, description: entry.description });
    const isNoun = "verbs" in entry;
    const verbs = isNoun ? Object.entries(entry.verbs) : [["", entry] as const];
    const lists = isNoun && "list" in entry.verbs;
    for (const [verb, { args, description }] of verbs) {
      if (verb !== "") words.push({ after: noun, word: verb, description });
      const all = Object.entries(args);
      commands.push({
        path: verb === "" ? noun : `${noun} ${verb}`,
        description,
        positionals: all.filter(([, schema]) => schema.type === "positional").map(([name]) =>
          positionalSlot(name, noun, lists)
        ),
        flags: all.filter(([, schema]) => schema.type !== "positional").map(([name, schema]) => ({
          name,
          description: schema.description ?? "",
          value: flagSlot(name, schema),
        })).concat({ name: "help", description: "what the command does", value: null }),
      });
    }
  }
  return { commands, words };
}

function positionalSlot(name: string, noun: string, lists: boolean): Slot {
  if (PLAIN[name] !== undefined) return PLAIN[name];
  if (name === "name" && lists) return { is: "name", of: noun };
  if (name === "code") return { is: "choice", of: Object.keys(EXPLANATIONS) };
  if (name === "state") return { is: "choice", of: ["on", "off"] };
  if (name === "shell") return { is: "choice", of: SHELLS };
  return { is: "text" };
}

function flagSlot(name: string, schema: ArgSchema): Slot | null {
  if (schema.type === "boolean") return null;
  if (schema.type === "enum") return { is: "choice", of: schema.choices as readonly string[] };
  if (schema.metavar === "FILE") return { is: "file" };
  if (schema.metavar === "DIR") return { is: "folder" };
  return name === "plugin" && schema.metavar === "NAME" ? { is: "name", of: "plugin" } : { is: "text" };
}

/** The shells that there are completions for. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

/** Flags that something stands behind, by name: which a command has, a flag of the same name has in all. */
export function flagsWithValue({ commands }: CompletionTable): string[] {
  const names = commands.flatMap(({ flags }) => flags.filter(({ value }) => value !== null).map(({ name }) => name));
  return [...new Set(names)].sort();
}
