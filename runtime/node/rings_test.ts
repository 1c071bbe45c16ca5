import assert from "node:assert/strict";
import { nextRing, RING_PLAN, type RingEvidence, ringPlanOf, verdictOn } from "./rings.ts";

const GOOD: RingEvidence = {
  compared: 1_000,
  actors: 100,
  differences: 0,
  errors: 0,
  ms: 0.2,
  msBefore: 0.1,
  sinceMs: 600_000,
};

Deno.test("rings: on when it is through its time and was seen enough, back when it costs more than its budget", () => {
  const after = (change: Partial<RingEvidence>) => verdictOn(RING_PLAN, { ...GOOD, ...change }).state;
  assert.equal(after({}), "on");
  for (const change of [{ sinceMs: 599_999 }, { compared: 999 }, { actors: 99 }]) assert.equal(after(change), "stay");
  for (const change of [{ errors: 1 }, { differences: 1 }, { ms: 1.4 }]) {
    assert.equal(after({ ...change, sinceMs: 0, compared: 0 }), "back", "at once, not at the end of the step");
  }
  assert.equal(after({ ms: 1.2 }), "on", "a millisecond is nobody's loss");
  assert.equal(after({ ms: null }), "on");
  assert.equal(verdictOn({ ...RING_PLAN, differencesMax: 5 }, { ...GOOD, differences: 5 }).state, "on");
});

Deno.test("rings: a node, its zone, its data center, all; another node for another version", () => {
  const nodes = ["TN-A-1", "TN-B-1", "TX-A-1", "TX-B-2"].map((name) => ({ name, status: "up" as const }));
  const way: (string | null)[] = [nextRing("census", { version: 2 }, nodes)];
  while (way.at(-1) !== null) way.push(nextRing("census", { version: 2, where: way.at(-1)! }, nodes));
  const [node, zone, dataCenter, all] = way;
  assert.ok(nodes.some(({ name }) => name === node));
  assert.deepEqual([zone, dataCenter, all], [node!.slice(0, 4), node!.slice(0, 2), null]);
  const firsts = new Set(Array.from({ length: 20 }, (_, version) => nextRing("census", { version }, nodes)));
  assert.ok(firsts.size > 1);
  assert.equal(nextRing("census", { version: 1 }, []), null);
});

Deno.test("rings: a plan has defaults, and one that cannot be read is none", () => {
  assert.equal(ringPlanOf({}), null);
  assert.deepEqual(ringPlanOf({ rings: '{"stepMs": 5}' }), { ...RING_PLAN, stepMs: 5 });
  for (const rings of ["{", '{"stepMs": -1}', '{"latencyMax": "x"}']) assert.equal(ringPlanOf({ rings }), null);
});
