import assert from "node:assert/strict";
import type { Journal } from "./journal.ts";
import { main } from "./main.ts";
import type { SeriesTask } from "./series.ts";
import { simulate, type Verdict } from "./simulate.ts";

/** Short, and with all that is in a longer one. */
const SHORT = ["--set", "safetyMs=1500", "--set", "shardsPerSet=1"];

async function run(args: string[], spoil?: (journal: Journal) => void): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await main(args, {
    print: (line) => lines.push(line),
    run: ({ seed, nodes, override }: SeriesTask) => ({
      verdict: simulate(seed, { nodes, override, spoil }),
      cpuMs: 1,
    }),
  });
  return { code, lines };
}

const ENDS: Record<Exclude<Verdict["verdict"], "held">, { code: number; spoil: (journal: Journal) => void }> = {
  wrong: { code: 1, spoil: (journal) => journal.acknowledged[0].held = [] },
  stuck: { code: 5, spoil: (journal) => journal.unsettled.push("somebody waits") },
  crashed: {
    code: 6,
    spoil: () => {
      throw new Error("a defect");
    },
  },
};

for (const [verdict, { code, spoil }] of Object.entries(ENDS)) {
  Deno.test(`sim: a simulation that is ${verdict} ends with ${code}, says why, and how to see it again`, async () => {
    const args = ["--seed", "3", "--nodes", "5", ...SHORT];
    const { code: ended, lines } = await run(args, spoil);
    assert.equal(ended, code, lines.join("\n"));
    assert.match(lines[0], new RegExp(`^seed 3  ${verdict}  `));
    assert.ok(lines.length >= 3, "what is wrong stands between");
    assert.equal(lines.at(-1), "  again: deno task sim --seed 3 --nodes 5 --set safetyMs=1500 --set shardsPerSet=1");
    assert.equal((await run(args)).code, 0, "the same seed holds when nothing is broken");
  });
}

Deno.test("sim: of several failures the gravest gives the code, and enough of them end a series", async () => {
  let simulated = 0;
  const spoil = (journal: Journal) => ENDS[simulated++ % 2 === 0 ? "stuck" : "wrong"].spoil(journal);
  const { code, lines } = await run(["--seeds", "8", "--fail-max", "5", ...SHORT], spoil);
  assert.equal(lines.filter((line) => line.startsWith("  again: ")).length, 5);
  assert.match(lines.at(-1)!, /^5 seeds: 0 held, 2 wrong, 3 stuck, 0 crashed; /);
  assert.equal(code, 1);
});

Deno.test("sim: the line that a failure prints repeats it, to the last line of the trace", async () => {
  const options = { near: 0.5, far: 3 };
  const args = ["--seed", "6", "--set", `latencyMs=${JSON.stringify(options)}`, ...SHORT, "--set", "lossRate=0.03"];
  const { lines } = await run(args, ENDS.stuck.spoil);
  const again = lines.at(-1)!.replace("  again: deno task sim ", "").replaceAll("'", "").split(" ");
  const [first, second] = [await run([...args, "--trace=all"]), await run([...again, "--trace=all"])];
  assert.ok(first.lines.length > 200);
  assert.deepEqual(first.lines, second.lines);
});

Deno.test("sim: other processes come to the same trace, and so does one that has simulated others before", async () => {
  const args = ["--seed", "7", ...SHORT];
  await run(["--seed", "5", ...SHORT]);
  const here = await run([...args, "--trace=all"]);
  for (let i = 0; i < 2; i++) {
    const command = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", new URL("./main.ts", import.meta.url).pathname, ...args, "--trace=all"],
    });
    const { code, stdout } = await command.output();
    assert.equal(code, 0);
    assert.deepEqual(new TextDecoder().decode(stdout).trimEnd().split("\n"), here.lines);
  }
});

Deno.test("sim: a series by two processes says of each seed what one process says", async () => {
  const verdictsOf = ({ lines }: { lines: string[] }) =>
    lines.filter((line) => line.startsWith("seed ")).map((line) => line.replace(/ in .*/, "")).sort();
  const args = ["--from", "3", "--seeds", "6", ...SHORT];
  const [one, two] = [await run([...args, "--jobs", "1"]), await run([...args, "--jobs", "2"])];
  assert.equal(two.code, 0);
  assert.equal(verdictsOf(one).length, 6);
  assert.deepEqual(verdictsOf(one), verdictsOf(two));
});

Deno.test("sim: fresh seeds are new, and printed", async () => {
  const { code, lines } = await run(["--fresh", "2", ...SHORT]);
  assert.equal(code, 0);
  const [first, second] = lines.map((line) => Number(/^seed (\d+) /.exec(line)?.[1]));
  assert.ok(first > 1e15 && second === first + 1);
});

Deno.test("sim: what cannot be understood is misuse", async () => {
  const wrong = [
    ["--seed", "x"],
    ["--seed", "-1"],
    ["--nodes", "33"],
    ["--nodes", "0"],
    ["--what"],
    ["--trace=some"],
    ["--set", "noSuch=1"],
    ["--set", "lossRate=much"],
    ["--set", "seed=3"],
    ["--fresh", "2", "--seed", "1"],
    ["--jobs", "0"],
  ];
  const complain = console.error;
  console.error = () => {};
  try {
    for (const args of wrong) assert.equal((await run(args)).code, 2, args.join(" "));
  } finally {
    console.error = complain;
  }
  assert.equal((await run(["--help"])).code, 0);
});
