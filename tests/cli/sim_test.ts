/**
 * `waterpark sim` as a person runs it. How many messages a seed makes changes with every change of the protocol, so this
 * is no transcript.
 */
import assert from "node:assert/strict";
import { waterpark } from "./transcript.ts";

Deno.test("sim: a plugin that holds, with recorded messages", async () => {
  const { code, stdout, stderr } = await waterpark([
    "sim",
    "--nodes=3",
    "--plugin=plugins/census.ts",
    "--messages=tests/cli/simulated/stay.ndjson",
  ]);
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /^seed 1 {2}held {2}\d+ of \d+ acknowledged {2}\d+\.\d s simulated\n$/);
});

Deno.test("sim: a plugin that does not: what is wrong, a test to paste, the line that repeats it, exit code 1", async () => {
  const line = "--plugin tests/cli/simulated/one_ward.ts --seed 5 --nodes 3";
  const { code, stdout, stderr } = await waterpark(["sim", ...line.split(" ")]);
  assert.equal(code, 1, stderr);
  assert.match(stdout, /^seed 5 {2}wrong /);
  assert.match(stdout, /one_ward breaks the rule "a patient is on one ward", at message 2 of 2: on 5W and 5W/);
  assert.match(stdout, /\n {6}\{ type: "admit", ward: "5W" \},\n {6}\{ type: "admit", ward: "5W" \},\n/);
  assert.ok(stdout.includes(`  again: waterpark sim ${line}\n`));
  assert.match(stderr, /^error: Cannot say that it held as all seeds must: of 1, 1 wrong\n$/);
});

Deno.test("sim: without a plugin it is the simulator's own; for programs a line of JSON a seed", async () => {
  const { code, stdout } = await waterpark(["sim", "--nodes", "3", "--seed", "2", "--json"]);
  const { seed, verdict, findings } = JSON.parse(stdout);
  assert.deepEqual([code, seed, verdict, findings], [0, 2, "held", []]);
});
