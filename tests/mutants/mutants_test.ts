/** The mutants keep up with the code: what does not find its line breaks nothing, and would be caught by nobody. */
import assert from "node:assert/strict";
import { MUTANTS } from "./breakages/mod.ts";
import type { Mutant } from "./mutant.ts";
import { ONE_SHARD, PROFILES } from "./profiles.ts";
import { differingLine } from "./table.ts";
import { mutated, textOf } from "./tree.ts";

for (const mutant of MUTANTS) {
  Deno.test(`mutants: ${mutant.name} finds its line`, async () => {
    const text = await textOf(mutant);
    const { line, before, after } = differingLine(text, mutated(text, mutant).text);
    assert.ok(line > 1 && before !== after);
    for (const sight of mutant.sights) {
      if (sight.kind === "seeds") assert.ok(sight.profile === ONE_SHARD || sight.profile in PROFILES, sight.profile);
      else assert.match(await textOf({ ...mutant, file: sight.file }), new RegExp(`Deno.test\\(.*${sight.filter}`));
    }
    assert.ok(mutant.sights.length > 0);
  });
}

Deno.test("mutants: each has a name of its own, and stands in the table", async () => {
  const names = MUTANTS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  const readme = await Deno.readTextFile(new URL("README.md", import.meta.url));
  for (const name of names) assert.ok(readme.includes(`| ${name} |`) || readme.includes(`| ${name} `), name);
});

Deno.test("mutants: a line that is not there, or there twice, or two lines, are no mutant", () => {
  const mutant: Mutant = { name: "a", breaks: "", file: "b.ts", before: "x", after: "y", sights: [] };
  assert.throws(() => mutated("z", mutant), /stands 0 times in b.ts/);
  assert.throws(() => mutated("x x", mutant), /stands 2 times in b.ts/);
  assert.deepEqual(mutated("z\nx\nz", mutant), { text: "z\ny\nz", line: 2 });
  assert.deepEqual(differingLine("z\nx\nz", "z\ny\nz"), { line: 2, before: "x", after: "y" });
  assert.deepEqual(differingLine("z\nx\nw", "z\nw"), { line: 2, before: "x", after: "" });
  assert.throws(() => differingLine("z\nx\nw", "y\ny\nw"), /one line/);
});
