/** What `waterpark plugin new` writes: a plugin that works, its test, and what a person needs to know of both. */
import meta from "../deno.json" with { type: "json" };

/** The files of a new project, by their names in its folder. */
export async function projectFiles({ name, kind }: { name: string; kind: string }): Promise<Record<string, string>> {
  // The versions that Waterpark was tested with, so that the registry need not be asked.
  const lock = await fetch(new URL("../deno.lock", import.meta.url));
  return {
    "deno.lock": await lock.text(),
    "deno.json": JSON.stringify({ imports: importsHere(), nodeModulesDir: "none", unstable: ["net"] }, null, 2) + "\n",
    [`${name}.ts`]: pluginText(name, kind),
    [`${name}_test.ts`]: testText(name),
    "README.md": readmeText(name, kind),
  };
}

/**
 * What Waterpark imports, and itself from where this command line runs. Deno resolves the imports of a module by the
 * configuration of the program, not by that of the module's own package.
 */
function importsHere(): Record<string, string> {
  const ours = new URL("../", import.meta.url);
  return Object.fromEntries(
    Object.entries(meta.imports).map(([name, to]) => [name, to.startsWith("./") ? new URL(to, ours).href : to]),
  );
}

function pluginText(name: string, kind: string): string {
  return `/** ${name}: where an actor is, and how often it has moved. Say here what yours does. */
import { defineHandler, effect } from "@waterpark/waterpark";

export default defineHandler({
  name: ${JSON.stringify(name)},
  kind: ${JSON.stringify(kind)},
  // what is kept before the first message: plain data, with a bound
  initial: { place: "", moves: 0 },
  // pure: no clock (message.at is the time), no chance, no files, nothing kept outside
  handle(_key, kept, message) {
    if (message.type !== "moved") return ["ok", kept, []];
    const place: unknown = message.body?.to;
    if (typeof place !== "string" || place === "") return ["ok", kept, []];
    const moves = kept.moves + 1;
    const effects = moves === 10 ? [effect.alert("${name}/restless", "somebody has moved ten times")] : [];
    return ["ok", { place, moves }, effects];
  },
});
`;
}

function testText(name: string): string {
  return `import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay } from "@waterpark/waterpark/testing";
import handler from "./${name}.ts";

Deno.test("${name}: the place is that of the last move", () => {
  const { projections, problem } = replay(handler, [{ type: "moved", to: "A" }, "a note", { type: "moved", to: "B" }]);
  assert.deepEqual([projections, problem], [{ place: "B", moves: 2 }, null]);
});

Deno.test("${name}: holds whatever comes", () => {
  const moved = fc.record({ type: fc.constant("moved"), to: fc.oneof(fc.constantFrom("A", "B"), fc.string(), fc.nat()) });
  checkHandler(handler, {
    messages: fc.oneof(moved, fc.constant({ type: "note" }), fc.string()),
    invariants: {
      "who has moved is somewhere": ({ place, moves }) => (moves > 0) === (place !== "") || \`\${moves} moves to "\${place}"\`,
    },
  });
});
`;
}

function readmeText(name: string, kind: string): string {
  return `# ${name}

A plugin for Waterpark: it handles the messages of \`${kind}\` actors.

    deno test                                   # its test
    waterpark plugin test ${name}.ts            # looks for a history at which it breaks a rule
    waterpark sim --plugin ${name}.ts           # whole clusters with it, while nodes crash
    waterpark plugin deploy ${name}.ts          # every node runs it, while messages flow

Then \`waterpark actor send ${
    kind === "patient" ? "" : `${kind}/`
  }HOSPX/1 '{"type":"moved","to":"A"}'\`, and \`waterpark actor show\` of the same.

\`deno.json\` names the Waterpark that this was made with, by its place on the machine or its URL: change it where that is
elsewhere. The plugin's own file may import \`@waterpark/waterpark\`, modules beside it, and packages by their exact version,
as in \`npm:zod@4.6.7\`; all of that becomes one file when it is deployed.
`;
}
