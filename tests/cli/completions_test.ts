/**
 * Completions as the shells have them: the script is loaded, and asked what it would offer. A shell that this machine
 * lacks is skipped, and that is said.
 */
import assert from "node:assert/strict";
import { TREE } from "../../cli/main.ts";
import { completionTable, flagsWithValue, SHELLS } from "../../cli/completions/table.ts";
import { waterpark } from "./transcript.ts";

/** Typed so far, the cursor at the end; what is offered, sorted. `a` to `c` are what a node would list. */
const ASKED: [typed: string, offered: readonly string[]][] = [
  ["waterpark comp", ["completions"]],
  ["waterpark completions ", ["bash", "fish", "zsh"]],
  ["waterpark topology ", ["ack", "inspect", "plan", "recover"]],
  ["waterpark plugin deploy --st", ["--stage"]],
  ["waterpark plugin deploy --stage ", ["canary", "dark", "live"]],
  ["waterpark plugin deploy --stage dark --pe", ["--percent"]],
  ["waterpark plugin inspect ", ["census", "count"]],
  ["waterpark plugin inspect --json ce", ["census"]],
  ["waterpark --json plugin inspect --node http://h co", ["count"]],
  ["waterpark switch set fast ", ["off", "on"]],
  ["waterpark switch set fast on ", []],
  ["waterpark node drain ", ["$(touch pwned)", "TN-A-1"]],
  ["waterpark actor send ", []],
  ["waterpark plugin test ce", ["census.ts"]],
  ["waterpark plugin test census.ts --recorded ", ["census.ts", "stay.ndjson", "wards"]],
  ["waterpark explain mailroom/bu", ["mailroom/busy"]],
];

/** What asks a shell, given the script and the words of a command line: prints what is offered, one a line. */
const ASKING: Record<string, (script: string, typed: string) => string[]> = {
  bash: (script, typed) => {
    const words = typed.split(" ").map((word) => `'${word}'`).join(" ");
    return [
      "-c",
      `source '${script}'; COMP_WORDS=(${words}); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _waterpark; ` +
      `for one in "\${COMPREPLY[@]}"; do eval "one=$one"; printf '%s\\n' "$one"; done`,
    ];
  },
  fish: (
    script,
    typed,
  ) => ["--no-config", "-c", `source '${script}'; complete -C '${typed}' | string replace -r '\\t.*' ''`],
  zsh: (script, typed) => [
    "-f",
    "-c",
    // what is added is printed in place of being shown
    `autoload -Uz compinit; compinit -D; source '${script}'; words=(${
      typed.split(" ").map((word) => `'${word}'`).join(" ")
    });
     CURRENT=$#words; PREFIX=$words[-1]
     compadd() { while [[ $1 != -- ]]; do shift; done; shift; for one; do [[ $one == $PREFIX* ]] && print -r -- $one; done; }
     compset() { PREFIX=\${PREFIX#*=}; }
     _describe() { for one in $found; do compadd -- \${one%%:*}; done; }
     _files() { local -a all; [[ $1 == -/ ]] && all=(*(N/)) || all=(*(N)); compadd -- $all; }
     _waterpark`,
  ],
};

for (const shell of SHELLS) {
  Deno.test(`completions ${shell}: commands, flags, names and files`, async (t) => {
    const path = Deno.env.get(`WATERPARK_TEST_${shell.toUpperCase()}`) ?? shell;
    if (!await isThere(path)) return console.log(`skipped: this machine has no ${shell}`);
    const [folder, bin] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
    try {
      await Deno.mkdir(`${folder}/wards`);
      for (const file of ["census.ts", "stay.ndjson"]) await Deno.writeTextFile(`${folder}/${file}`, "");
      const { code, stdout } = await waterpark(["completions", shell]);
      assert.equal(code, 0);
      await Deno.writeTextFile(`${bin}/script`, stdout);
      // a node's answers, one name being as bad as a name can be
      const lists =
        `#!/bin/sh\ncase $1 in node) printf 'NODE\\n$(touch\\040pwned)\\nTN-A-1\\n' ;; plugin) printf 'PLUGIN\\ncensus  x\\ncount  y\\n' ;; esac\n`
          .replace("\\040", "\\342\\200\\205");
      await Deno.writeTextFile(`${bin}/waterpark`, lists, { mode: 0o755 });
      for (const [typed, offered] of ASKED) {
        await t.step(typed, async () => {
          const output = await new Deno.Command(path, {
            args: ASKING[shell](`${bin}/script`, typed),
            env: { PATH: `${bin}:${Deno.env.get("PATH")}`, HOME: folder },
            cwd: folder,
          }).output();
          const text = new TextDecoder().decode(output.stdout).replaceAll("\u2005", " ");
          const said = text.split("\n").map((line) => line.replace(/\/$/, "")).filter((line) => line !== "").sort();
          assert.deepEqual(said, [...offered].sort(), new TextDecoder().decode(output.stderr));
        });
      }
      await assert.rejects(Deno.stat(`${folder}/pwned`), "what a node is called was run");
    } finally {
      for (const each of [folder, bin]) await Deno.remove(each, { recursive: true });
    }
  });
}

Deno.test("completions: every command and verb is in the table, and a flag takes a value in all commands or in none", () => {
  const table = completionTable(TREE);
  const paths = Object.entries(TREE).flatMap(([noun, entry]) =>
    "verbs" in entry ? Object.keys(entry.verbs).map((verb) => `${noun} ${verb}`) : [noun]
  );
  assert.deepEqual(table.commands.map(({ path }) => path), paths);
  const withValue = new Set(flagsWithValue(table));
  for (const { path, flags } of table.commands) {
    for (const { name, value } of flags) assert.equal(withValue.has(name), value !== null, `${path} --${name}`);
  }
});

async function isThere(path: string): Promise<boolean> {
  try {
    return (await new Deno.Command(path, { args: ["-c", "exit 0"], stdout: "null", stderr: "null" }).output()).success;
  } catch {
    return false;
  }
}
