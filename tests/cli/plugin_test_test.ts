/**
 * `waterpark plugin test` as a person runs it: every plugin of ours holds, and each way to be impure breaks the rule that
 * it breaks.
 */
import assert from "node:assert/strict";
import { waterpark } from "./transcript.ts";

const OURS = [
  "plugins/counter.ts",
  "plugins/census.ts",
  "plugins/length_of_stay.ts",
  "plugins/early_warning.ts",
  "plugins/ward_census/moves.ts",
  "plugins/ward_census/ward.ts",
  "plugins/acute_kidney_injury/mod.ts",
  "plugins/patient/mod.ts",
];

for (const file of OURS) {
  Deno.test(`plugin test ${file} holds`, async () => {
    const { code, stdout, stderr } = await waterpark(["plugin", "test", file, "--runs", "30"]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /^held [a-z-]+: 30 histories, \d+ messages, \d+ at most\nmessages by type: /);
    assert.match(stderr, /20 of them went through a plugin host's process, to the same end/);
  });
}

const BROKEN: [file: string, rule: string, says: RegExp][] = [
  ["clock", "pure", /Date\.now/],
  ["chance", "pure", /Math\.random/],
  ["module_state", "pure", /second time/],
  ["remembers", "same in the plugin host", /projections/],
  ["in_place", "pure", /changes projections in place/],
  ["not_plain", "plain data", /types/],
  ["asynchronous", "total", /./],
  ["throws", "total", /throws\.ts/],
  ["grows", "bounded", /./],
  ["own_rule", "nobody comes twice", /came again/],
  ["elsewhere", "same in the plugin host", /projections/],
];

for (const [name, rule, says] of BROKEN) {
  Deno.test(`plugin test finds that ${name} breaks "${rule}"`, async () => {
    const { code, stdout } = await waterpark(["plugin", "test", `tests/cli/impure/${name}.ts`, "--seed", "1"]);
    assert.equal(code, 1, stdout);
    const [first, ...rest] = stdout.split("\n");
    assert.ok(first.startsWith(`broken ${name} breaks the rule "${rule}"`), first);
    assert.match(stdout, says);
    // the line that it prints finds it again
    const again = rest.find((line) => line.startsWith("again: waterpark "));
    if (again === undefined) return;
    const repeated = await waterpark(again.slice("again: waterpark ".length).split(" "));
    assert.equal(repeated.code, 1, repeated.stdout);
    assert.equal(repeated.stdout.split("\n")[0], first);
  });
}

Deno.test("plugin test: recorded histories, and JSON for programs", async () => {
  const { code, stdout } = await waterpark(
    ["plugin", "test", "plugins/census.ts", "--recorded", "tests/cli/simulated/stay.ndjson", "--seed", "1", "--json"],
  );
  const { verdict, report } = JSON.parse(stdout);
  assert.deepEqual([code, verdict, report.plugin, report.runs], [0, "held", "census", 100]);
});

Deno.test("plugin test: what is no handler, or mistyped, is said", async () => {
  const none = await waterpark(["plugin", "test", "tests/cli/simulated/no_plugin.ts"]);
  assert.deepEqual([none.code, none.stdout], [2, ""]);
  assert.match(none.stderr, /must be a module with a handler/);
  const runs = await waterpark(["plugin", "test", "plugins/census.ts", "--runs", "1.5"]);
  assert.equal(runs.code, 2);
});
