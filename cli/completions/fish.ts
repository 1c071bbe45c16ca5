import { type CompletionTable, flagsWithValue, type Slot } from "./table.ts";

/** The completions for fish, as a script. */
export function fishScript(table: CompletionTable): string {
  const nouns = [...new Set(table.words.map(({ after }) => after))];
  const lines: string[] = [];
  const when = (test: string, rest: string) => lines.push(`complete -c waterpark -n ${quoted(test)} ${rest}`);
  for (const { after, word, description } of table.words) {
    when(`__waterpark_at ${quoted(after)} 0`, `-a ${word} -d ${quoted(description)}`);
  }
  for (const { path, flags, positionals } of table.commands) {
    for (const { name, description, value } of flags) {
      when(`__waterpark_in ${quoted(path)}`, `-l ${name}${valueOf(value)} -d ${quoted(description)}`);
    }
    for (const [i, slot] of positionals.entries()) {
      if (slot.is !== "text") when(`__waterpark_at ${quoted(path)} ${i}`, wordOf(slot));
    }
  }
  return [
    "# waterpark's completions for fish: waterpark completions fish | source",
    "function __waterpark_place # the command, and how many words stand behind it",
    "    set -l flag",
    "    set -l place",
    "    set -l at 0",
    "    for word in (commandline -opc)[2..-1]",
    '        if test -n "$flag"',
    "            set flag",
    "        else if string match -q -- '-*' $word",
    `            contains -- $word ${flagsWithValue(table).map((name) => `--${name}`).join(" ")}; and set flag $word`,
    `        else if contains -- "$place" ${nouns.map(quoted).join(" ")}`,
    '            set place (string trim -- "$place $word")',
    "        else",
    "            set at (math $at + 1)",
    "        end",
    "    end",
    "    echo $place",
    "    echo $at",
    "end",
    "function __waterpark_in",
    "    set -l now (__waterpark_place)",
    '    test "$now[1]" = "$argv[1]"',
    "end",
    "function __waterpark_at",
    "    set -l now (__waterpark_place)",
    '    test "$now[1]" = "$argv[1]" -a "$now[2]" = "$argv[2]"',
    "end",
    "function __waterpark_names",
    "    waterpark $argv[1] list 2>/dev/null | awk 'NR > 1 { print $1 }'",
    "end",
    "complete -c waterpark -f",
    ...lines,
  ].join("\n");
}

function valueOf(slot: Slot | null): string {
  switch (slot?.is) {
    case undefined:
      return "";
    case "choice":
      return ` -x -a ${quoted(slot.of.join(" "))}`;
    case "file":
      return " -r -F";
    case "folder":
      return " -x -a '(__fish_complete_directories)'";
    case "name":
      return ` -x -a ${quoted(`(__waterpark_names ${slot.of})`)}`;
    default:
      return " -x";
  }
}

function wordOf(slot: Slot): string {
  return slot.is === "file" ? "-F" : valueOf(slot).trim().replace(/^-x /, "");
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
