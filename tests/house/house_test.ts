/**
 * The rules of the house, as tests. Each is tried on a bad sample too: a check that cannot fail is a defect.
 */
import assert from "node:assert/strict";
import { EXPLANATIONS } from "../../cli/explain.ts";
import { NODE_V8_FLAGS } from "../../cli/v8_flags.ts";
import { codesIn, staleComplaints, unexplainedComplaints } from "./codes.ts";
import { relativeLinks, roomComplaints } from "./documents.ts";
import { dependencyComplaints, doorComplaints, floorComplaints, FLOORS, pluginComplaints } from "./imports.ts";
import { bannedWordComplaints, longFiles, nameComplaints, sizeComplaints, withoutCommentsAndTexts } from "./text.ts";
import { exists, readText, readTree, type SourceFile } from "./tree.ts";

const tree = await readTree();
const sample = (path: string, { text = "", imports = [] as string[], isProduct = true } = {}): SourceFile => ({
  path,
  text,
  imports,
  isProduct,
});

function holds(complaints: string[]): void {
  assert.equal(complaints.length, 0, `\n  ${complaints.join("\n  ")}\n`);
}

Deno.test("rooms import from floors below", async (t) => {
  const bad = [
    sample("runtime/base/a.ts", { imports: ["runtime/world/mod.ts"] }),
    sample("runtime/mailroom/a.ts", { imports: ["runtime/replication/mod.ts"] }),
    sample("runtime/node/a.ts", { imports: ["mod.ts"] }),
    sample("runtime/cellar/a.ts"),
  ];
  await t.step("catches", () => assert.equal(floorComplaints(bad).length, 4));
  await t.step("lets good ones pass", () => {
    holds(
      floorComplaints([sample("runtime/node/a.ts", { imports: ["runtime/base/mod.ts", "npm:hono", "node:path"] })]),
    );
    holds(floorComplaints([sample("runtime/base/a.ts", { imports: ["mod.ts"], isProduct: false })]));
  });
  await t.step("the tree", () => holds(floorComplaints(tree)));
});

Deno.test("another room is entered through its door", async (t) => {
  const bad = [sample("cli/a.ts", { imports: ["runtime/base/key.ts", "runtime/base/mod.ts"] })];
  await t.step("catches", () => assert.equal(doorComplaints(bad).length, 1));
  await t.step("the tree", () => holds(doorComplaints(tree)));
});

Deno.test("plugins import the package's door only", async (t) => {
  const bad = [
    sample("plugins/a/mod.ts", { imports: ["mod.ts", "plugins/a/b.ts", "runtime/base/mod.ts", "plugins/b/mod.ts"] }),
  ];
  await t.step("catches", () => assert.equal(pluginComplaints(bad).length, 2));
  await t.step("the tree", () => holds(pluginComplaints(tree)));
});

Deno.test("a dependency has one importer", async (t) => {
  const bad = [sample("cli/a.ts", { imports: ["npm:x"] }), sample("runtime/node/a.ts", { imports: ["npm:x"] })];
  await t.step("catches", () => assert.equal(dependencyComplaints(bad).length, 1));
  await t.step("the tree", () => holds(dependencyComplaints(tree)));
});

Deno.test("time, chance and the machine come through the world; one file prints", async (t) => {
  const bad = [
    sample("runtime/actors/a.ts", { text: "const t = Date.now(); // Math.random()\nDeno.exit(1);" }),
    sample("cli/a.ts", { text: "console.log(`${Deno.args}`)" }),
    sample("runtime/actors/b.ts", { text: "f(`a ${g(`b ${performance.now()}`)} c`)" }),
  ];
  await t.step("catches", () => assert.equal(bannedWordComplaints(bad).length, 4));
  await t.step("lets words in texts pass", () => {
    const text = `/* Date.now */ const a = "setTimeout", b = 'it\\'s Deno.x', c = \`console.log \${1}\`; // Deno.y`;
    assert.equal(withoutCommentsAndTexts(text).includes("Deno"), false);
    holds(bannedWordComplaints([sample("runtime/actors/a.ts", { text })]));
    holds(bannedWordComplaints([sample("runtime/world/a.ts", { text: "Date.now()" })]));
  });
  await t.step("the tree", () => holds(bannedWordComplaints(tree)));
});

Deno.test("files are short, or say why not", async (t) => {
  const long = "x\n".repeat(501);
  await t.step("catches", () => assert.equal(sizeComplaints([sample("a.ts", { text: long })]).length, 1));
  await t.step(
    "hears reasons",
    () => holds(sizeComplaints([sample("a.ts", { text: `// house: long because x\n${long}` })])),
  );
  await t.step("the tree", () => {
    const getting = longFiles(tree);
    if (getting.length > 0) console.log(`past 300 lines, worth a look:\n  ${getting.join("\n  ")}`);
    holds(sizeComplaints(tree));
  });
});

Deno.test("files are named after what they are", async (t) => {
  const bad = ["runtime/base/utils.ts", "cli/fooBar.ts", "runtime/common/a.ts", "cli/a-b.ts"].map((path) =>
    sample(path)
  );
  await t.step("catches", () => assert.equal(nameComplaints(bad).length, 4));
  await t.step("the tree", () => holds(nameComplaints(tree)));
});

Deno.test("every error code is explained, and no other", async (t) => {
  const files = [
    sample("runtime/mailroom/a.ts", {
      text:
        'function no(code: string) { return `mailroom/${code}`; } no("full"); f({ code: "base/bad" }); import "./base/x";',
    }),
    sample("runtime/gateway/b.ts", {
      text: 'no("gateway/late: too late"); no(`gateway/long: over ${max}`); // `gateway/what`',
    }),
  ];
  await t.step("finds codes", () => {
    const codes = ["base/bad", "gateway/late", "gateway/long", "mailroom/full"];
    assert.deepEqual([...codesIn(files).keys()].sort(), codes);
  });
  await t.step("catches", () => {
    assert.equal(unexplainedComplaints(files, ["base/bad"]).length, 3);
    assert.equal(staleComplaints(files, ["base/bad", "mailroom/full", "node/gone"]).length, 1);
  });
  await t.step("the tree", () => {
    holds(unexplainedComplaints(tree, Object.keys(EXPLANATIONS)));
    holds(staleComplaints(tree, Object.keys(EXPLANATIONS)));
  });
});

Deno.test("documents and tree agree", async (t) => {
  await t.step("catches", () => {
    assert.equal(roomComplaints("base", { name: "A", rooms: ["base", "node"] }).length, 1);
    assert.deepEqual(relativeLinks("[a](b.md#c) [d](https://e) [f](#g) `[h](i)`\n```\n[j](k)\n```\n[l](m/n)"), [
      "b.md",
      "m/n",
    ]);
  });
  const architecture = await readText("ARCHITECTURE.md");
  await t.step({
    name: "ARCHITECTURE.md knows every room",
    ignore: architecture === null,
    fn: () => holds(roomComplaints(architecture!, { name: "ARCHITECTURE.md", rooms: FLOORS.flat() })),
  });
  for (const name of ["README.md", "ARCHITECTURE.md"]) {
    const document = await readText(name);
    await t.step({
      name: `${name}'s links lead somewhere`,
      ignore: document === null,
      fn: async () => {
        for (const link of relativeLinks(document!)) assert.ok(await exists(link), `${name} links to ${link}`);
      },
    });
  }
});

Deno.test("whatever may start a node tells V8 the same", async (t) => {
  const starts = (text: string) => text.split("\n").filter((line) => /"-A"|deno run -A .*cli\/main\.ts/.test(line));
  const lacking = (text: string) => starts(text).filter((line) => !line.includes(`--v8-flags=${NODE_V8_FLAGS}`));
  await t.step("catches", () => {
    assert.equal(lacking(`x\n  exec deno run -A "$root/cli/main.ts"\nconst f = ["run", "-A"];`).length, 2);
  });
  for (const name of ["bin/waterpark", "bin/waterpark.cjs", "deno.json"]) {
    const text = await readText(name);
    await t.step({
      name,
      ignore: text === null,
      fn: () => {
        assert.notEqual(starts(text!).length, 0);
        holds(lacking(text!));
      },
    });
  }
});
