import { type CompletionTable, flagsWithValue, type Slot } from "./table.ts";

/** The completions for bash, 4.4 or newer, as a script. */
export function bashScript(table: CompletionTable): string {
  const cases = (rows: [pattern: string, act: string][]) => rows.map(([pattern, act]) => `      ${pattern}) ${act} ;;`);
  const nouns = [...new Set(table.words.map(({ after }) => after))];
  const wordsAfter = (noun: string) => table.words.filter(({ after }) => after === noun).map(({ word }) => word);
  const values = table.commands.flatMap(({ path, flags }) =>
    flags.flatMap(({ name, value }) => value === null ? [] : [[`${path} --${name}`, value] as const])
  );
  return [
    "# waterpark's completions for bash: source <(waterpark completions bash)",
    // Not `compgen -W`: that expands what it is given, and names come from a node.
    '_waterpark_choose() { local one; for one; do [[ $one == "$cur"* ]] && COMPREPLY+=("$(printf %q "$one")"); done; }',
    '_waterpark_files() { compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen "$1" -- "$cur"); }',
    "_waterpark_names() {",
    "  local -a names",
    "  mapfile -t names < <(waterpark \"$1\" list 2>/dev/null | awk 'NR > 1 { print $1 }')",
    '  _waterpark_choose "${names[@]}"',
    "}",
    "_waterpark() {",
    "  local i word flag= place= at=0 cur=${COMP_WORDS[COMP_CWORD]}",
    "  COMPREPLY=()",
    "  for ((i = 1; i < COMP_CWORD; i++)); do",
    "    word=${COMP_WORDS[i]}",
    "    if [[ $word == = ]]; then continue",
    "    elif [[ -n $flag ]]; then flag=",
    `    elif [[ $word == -* ]]; then case $word in ${
      pattern(flagsWithValue(table).map((name) => `--${name}`))
    }) flag=$word ;; esac`,
    `    else case $place in ${
      pattern(nouns.map(quoted))
    }) place="\${place:+$place }$word" ;; *) at=$((at + 1)) ;; esac`,
    "    fi",
    "  done",
    "  [[ $cur == = ]] && cur=",
    "  if [[ -n $flag ]]; then",
    '    case "$place $flag" in',
    ...cases(grouped(values)),
    "    esac",
    "  elif [[ $cur == -* ]]; then",
    "    case $place in",
    ...cases(table.commands.map(({ path, flags }) => [
      quoted(path),
      `_waterpark_choose ${flags.map(({ name }) => `--${name}`).join(" ")}`,
    ])),
    "      *) _waterpark_choose --help --version ;;",
    "    esac",
    "  else",
    '    case "$place $at" in',
    ...cases(nouns.map((noun) => [quoted(`${noun} 0`), `_waterpark_choose ${wordsAfter(noun).join(" ")}`])),
    ...cases(
      grouped(
        table.commands.flatMap(({ path, positionals }) =>
          positionals.map((slot, i) => [`${path} ${i}`, slot] as const)
        ),
      ),
    ),
    "    esac",
    "  fi",
    "}",
    "complete -F _waterpark waterpark",
  ].join("\n");
}

/** Places that are completed the same way, side by side; those where anything may stand are left out. */
function grouped(places: readonly (readonly [place: string, slot: Slot])[]): [string, string][] {
  const byAct = new Map<string, string[]>();
  for (const [place, slot] of places) {
    const act = actOf(slot);
    if (act !== null) byAct.set(act, [...byAct.get(act) ?? [], quoted(place)]);
  }
  return [...byAct].map(([act, names]) => [pattern(names), act]);
}

function actOf(slot: Slot): string | null {
  switch (slot.is) {
    case "choice":
      return `_waterpark_choose ${slot.of.join(" ")}`;
    case "file":
      return "_waterpark_files -f";
    case "folder":
      return "_waterpark_files -d";
    case "name":
      return `_waterpark_names ${slot.of}`;
    case "text":
      return null;
  }
}

function pattern(names: readonly string[]): string {
  return names.join(" | ");
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
