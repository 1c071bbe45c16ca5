import { type CompletionTable, flagsWithValue, type Slot } from "./table.ts";

/** The completions for zsh, as a script: to be sourced, or to be a file `_waterpark` in `$fpath`. */
export function zshScript(table: CompletionTable): string {
  const cases = (rows: [pattern: string, act: string][]) => rows.map(([pattern, act]) => `      ${pattern}) ${act} ;;`);
  const nouns = [...new Set(table.words.map(({ after }) => after))];
  return [
    "#compdef waterpark",
    "# waterpark's completions for zsh: source <(waterpark completions zsh), behind compinit",
    "_waterpark_names() { compadd -- ${(f)\"$(waterpark $1 list 2>/dev/null | awk 'NR > 1 { print $1 }')\"} }",
    "_waterpark() {",
    "  local i word flag= place= at=0",
    "  local -a found",
    "  for ((i = 2; i < CURRENT; i++)); do",
    "    word=$words[i]",
    "    if [[ -n $flag ]]; then flag=",
    `    elif [[ $word == -* ]]; then case $word in ${
      flagsWithValue(table).map((name) => `--${name}`).join(" | ")
    }) flag=$word ;; esac`,
    `    else case $place in ${
      nouns.map(quoted).join(" | ")
    }) place="\${place:+$place }$word" ;; *) at=$((at + 1)) ;; esac`,
    "    fi",
    "  done",
    "  if [[ -z $flag && $PREFIX == --*=* ]]; then flag=${PREFIX%%=*}; compset -P '*='; fi",
    "  if [[ -n $flag ]]; then",
    '    case "$place $flag" in',
    ...cases(
      table.commands.flatMap(({ path, flags }) =>
        flags.flatMap(({ name, value }) => rowOf(`${path} --${name}`, value))
      ),
    ),
    "    esac",
    "  elif [[ $PREFIX == -* ]]; then",
    "    case $place in",
    ...cases(
      table.commands.map((
        { path, flags },
      ) => [quoted(path), described("flag", flags.map((flag) => [`--${flag.name}`, flag.description]))]),
    ),
    "      *) compadd -- --help --version ;;",
    "    esac",
    "  else",
    '    case "$place $at" in',
    ...cases(nouns.map((noun) => [
      quoted(`${noun} 0`),
      described(
        "command",
        table.words.filter(({ after }) => after === noun).map(({ word, description }) => [word, description]),
      ),
    ])),
    ...cases(
      table.commands.flatMap(({ path, positionals }) => positionals.flatMap((slot, i) => rowOf(`${path} ${i}`, slot))),
    ),
    "    esac",
    "  fi",
    "}",
    'if [[ $funcstack[1] == _waterpark ]]; then _waterpark "$@"; else compdef _waterpark waterpark; fi',
  ].join("\n");
}

function described(title: string, rows: [string, string][]): string {
  const items = rows.map(([word, description]) => quoted(`${word.replaceAll(":", "\\:")}:${description}`));
  return `found=(${items.join(" ")}); _describe ${title} found`;
}

function rowOf(place: string, slot: Slot | null): [string, string][] {
  switch (slot?.is) {
    case "choice":
      return [[quoted(place), `compadd -- ${slot.of.join(" ")}`]];
    case "file":
      return [[quoted(place), "_files"]];
    case "folder":
      return [[quoted(place), "_files -/"]];
    case "name":
      return [[quoted(place), `_waterpark_names ${slot.of}`]];
    default:
      return [];
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
