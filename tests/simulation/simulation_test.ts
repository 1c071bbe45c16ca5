import assert from "node:assert/strict";
import { simulate } from "./simulate.ts";

/** Fixed, so that a red run means a change of the code; the long run is `deno task sim --seeds N`. */
const SEEDS = [1, 2, 4, 6, 8, 11, 12, 13];

for (const seed of SEEDS) {
  Deno.test(`simulation: seed ${seed} holds`, () => {
    const { verdict, findings, acknowledged } = simulate(seed);
    assert.equal(verdict, "held", findings.join("\n"));
    assert.ok(acknowledged > 10, "a simulation that records nothing proves nothing");
  });
}

Deno.test("simulation: one seed is one history, to the last line of its trace", () => {
  const traces = [0, 1].map(() => {
    const lines: string[] = [];
    simulate(6, { trace: (line) => lines.push(line) });
    return lines;
  });
  assert.ok(traces[0].length > 20);
  assert.deepEqual(traces[0], traces[1]);
});

Deno.test("simulation: thirty-two nodes in four data centers hold, with all shards, crashes and restarts", () => {
  const override = { safetyMs: 10_000, shardsPerSet: 64, crashEveryMs: 1000, restartEveryMs: 0, deployEveryMs: 2000 };
  const lines: string[] = [];
  const { verdict, findings, acknowledged } = simulate(21, { nodes: 32, override, trace: (line) => lines.push(line) });
  assert.equal(verdict, "held", findings.join("\n"));
  assert.ok(acknowledged > 100);
  const published = lines.filter((line) => line.includes("published"));
  assert.ok(published.some((line) => line.endsWith("nodes=32")));
  const crashed = new Set(lines.filter((line) => / fault +crash /.test(line)).map((line) => line.slice(14, 26)));
  assert.ok(crashed.size >= 2, "some nodes were ended and came again");
});
