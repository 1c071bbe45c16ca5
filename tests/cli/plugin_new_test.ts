/** `waterpark plugin new`, and everything that the README which it writes says. */
import assert from "node:assert/strict";
import { waterpark } from "./transcript.ts";

Deno.test("plugin new: a project whose test passes, which holds, simulates, bundles, and is not overwritten", async () => {
  const parent = await Deno.makeTempDir();
  const dir = `${parent}/bed-watch`;
  try {
    const made = await waterpark(["plugin", "new", dir, "--kind", "bed"]);
    assert.deepEqual([made.code, made.stdout.trim().split("\n").length], [0, 5], made.stderr);

    const test = await new Deno.Command(Deno.execPath(), { args: ["test", "--quiet"], cwd: dir }).output();
    assert.ok(test.success, new TextDecoder().decode(test.stdout) + new TextDecoder().decode(test.stderr));

    const file = `${dir}/bed-watch.ts`;
    const held = await waterpark(["plugin", "test", file, "--runs", "20"]);
    assert.equal(held.code, 0, held.stdout + held.stderr);
    const simulated = await waterpark(["sim", "--plugin", file, "--nodes", "3"]);
    assert.equal(simulated.code, 0, simulated.stdout + simulated.stderr);

    const again = await waterpark(["plugin", "new", dir]);
    assert.equal(again.code, 2);
    assert.match(again.stderr, /the folder must be empty: it has /);
    const named = await waterpark(["plugin", "new", `${parent}/Bed Watch`]);
    assert.equal(named.code, 2);
    assert.match(named.stderr, /lower-case letters/);
  } finally {
    await Deno.remove(parent, { recursive: true });
  }
});

Deno.test("plugin test: the author's checks may stand in a module of their own", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const checks = `${dir}/checks.ts`;
    await Deno.writeTextFile(checks, `export const checks = { invariants: { "nothing holds": () => "as said" } };`);
    const { code, stdout } = await waterpark(["plugin", "test", "plugins/counter.ts", "--checks", checks]);
    assert.equal(code, 1);
    assert.match(stdout, /^broken counter breaks the rule "nothing holds"/);
    await Deno.writeTextFile(checks, `export const checks = { invariant: {} };`);
    const mistyped = await waterpark(["plugin", "test", "plugins/counter.ts", "--checks", checks]);
    assert.equal(mistyped.code, 2);
    assert.match(mistyped.stderr, /did you mean "invariants"/);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
