import assert from "node:assert/strict";
import type { RememberedFacts } from "../replication/mod.ts";
import { type Testimony, verdictOn } from "./testimony.ts";

/** Node `n` lived as `n`, lives as `n * 10`, and remembers a copy of shard 7. */
function node(n: number, facts: Partial<RememberedFacts> | null, about: Partial<Testimony> = {}): Testimony {
  const configuration = { voters: [1, 2, 3], old: null };
  const copy = { shard: 7, generation: 1, lastTerm: 1, lastIndex: 10, isDamaged: false, configuration, ...facts };
  return {
    name: `N-A-${n}`,
    incarnation: n * 10,
    lives: [n],
    facts: facts === null ? [] : [copy],
    held: [],
    isDamaged: false,
    ...about,
  };
}

function verdict(testimonies: Testimony[], isForced = false): string {
  const found = verdictOn({ shard: 7, born: [1, 2, 3], isForced }, testimonies);
  if (found.state === "ready") return `${found.survivor.name} ends ${found.generation}`;
  return found.state === "waits" ? `waits for ${found.missing}` : found.state;
}

Deno.test("testimony: with all members there the most complete copy goes on: the later term, then the longer log", () => {
  assert.equal(verdict([node(1, {}), node(2, { lastIndex: 11 }), node(3, {})]), "N-A-2 ends 1");
  assert.equal(verdict([node(1, { lastTerm: 2, lastIndex: 5 }), node(2, {}), node(3, {})]), "N-A-1 ends 1");
  assert.equal(verdict([node(3, {}), node(2, {}), node(1, {})]), "N-A-1 ends 1", "whoever is asked says the same");
});

Deno.test("testimony: a member that is missing is waited for, unless an operator goes on", () => {
  assert.equal(verdict([node(1, {}), node(3, {})]), "waits for 2");
  assert.equal(verdict([node(1, {}), node(3, { lastIndex: 12 })], true), "N-A-3 ends 1");
  assert.equal(verdict([node(9, null)], true), "unknown");
});

Deno.test("testimony: it is the life that counts, not the name: a node without its old journal is no member", () => {
  assert.equal(verdict([node(1, {}), node(2, {}, { lives: [] }), node(3, {})]), "waits for 2");
  assert.equal(verdict([node(1, {}), node(2, {}, { lives: [5, 2, 6] }), node(3, {})]), "N-A-1 ends 1");
});

Deno.test("testimony: the last configuration counts, and both sides of a change", () => {
  const later = { lastIndex: 12, configuration: { voters: [3, 4, 5], old: null } };
  assert.equal(verdict([node(1, {}), node(2, {}), node(3, later)]), "waits for 4,5");
  const change = { lastIndex: 12, configuration: { voters: [3, 4, 5], old: [1, 2, 3] } };
  assert.equal(verdict([node(3, change), node(4, {}), node(5, {}), node(1, {})]), "waits for 2");
  assert.equal(verdict([1, 2, 3, 4, 5].map((n) => node(n, n === 3 ? change : {}))), "N-A-3 ends 1");
});

Deno.test("testimony: a copy that had left, a member that lives: nothing is revived behind anybody's back", () => {
  assert.equal(verdict([node(1, {}), node(2, null, { held: [7] }), node(3, {})]), "doubtful");
  const living = { configuration: { voters: [1, 20, 3], old: null }, lastIndex: 12 };
  assert.equal(verdict([node(1, living), node(2, null, { held: [7] }), node(3, {})]), "lives");
  assert.equal(verdict([node(1, living), node(2, null, { held: [7] }), node(3, {})], true), "lives");
});

Deno.test("testimony: earlier generations count as nothing, and copies without an entry take the members of birth", () => {
  const ended = { generation: 1, lastTerm: 9, lastIndex: 99 };
  const configuration = { voters: [2], old: null };
  assert.equal(verdict([node(1, ended), node(2, { generation: 2, configuration }), node(3, ended)]), "N-A-2 ends 2");
  const empty = { lastTerm: 0, lastIndex: 0, configuration: null };
  assert.equal(verdict([node(1, empty), node(2, null), node(3, null)]), "N-A-1 ends 1");
  assert.equal(verdict([node(1, empty), node(2, null)]), "waits for 3");
});

Deno.test("testimony: a shard that nobody has begun goes on empty, if all first members are sure of that", () => {
  assert.equal(verdict([node(3, null), node(1, null), node(2, null)]), "N-A-1 ends 1");
  assert.equal(verdict([node(3, null), node(1, null)]), "unknown");
  assert.equal(verdict([node(3, null), node(1, null), node(2, null, { isDamaged: true })]), "unknown");
  assert.equal(verdict([node(3, null), node(1, null), node(2, null), node(4, null, { held: [7] })]), "unknown");
});

Deno.test("testimony: of every majority one copy must be undamaged", () => {
  const damaged = { isDamaged: true, lastIndex: 4 };
  assert.equal(verdict([node(1, damaged), node(2, {}), node(3, {})]), "N-A-2 ends 1");
  assert.equal(verdict([node(1, damaged), node(2, damaged), node(3, {})]), "doubtful");
  const alone = { isDamaged: true, configuration: { voters: [1], old: null } };
  assert.equal(verdict([node(1, alone)]), "doubtful");
  assert.equal(verdict([node(1, alone)], true), "N-A-1 ends 1");
});

Deno.test("testimony: the survivor is a member: what only a learner has was never acknowledged", () => {
  assert.equal(
    verdict([node(1, {}), node(2, { lastIndex: 9 }), node(3, {}), node(4, { lastIndex: 15 })]),
    "N-A-1 ends 1",
  );
});
