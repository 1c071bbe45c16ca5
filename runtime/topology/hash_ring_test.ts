import { deepEqual, equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { mix32 } from "../base/mod.ts";
import { HashRing } from "./hash_ring.ts";

const POINTS = Array.from({ length: 400 }, (_, i) => mix32(i * 7919 + 1));
const EDGES = [0, 1, 2 ** 31, 2 ** 32 - 2, 2 ** 32 - 1];
const part = fc.stringMatching(/^[A-Z][A-Z0-9]{0,3}$/);
const name = fc.tuple(part, fc.integer({ min: 1, max: 40 })).map(([zone, number]) => `TN-${zone}-${number}`);
const names = (min: number, max: number) => fc.uniqueArray(name, { minLength: min, maxLength: max });
const point = fc.integer({ min: 0, max: 2 ** 32 - 1 });

Deno.test("ring: an example: two nodes take over from a third what was its, and nothing else moves", () => {
  const three = new HashRing(["TN-A-1", "TN-A-2", "TN-B-1"]);
  const two = new HashRing(["TN-A-1", "TN-B-1"]);
  const heirs = new Set<string>();
  for (const point of POINTS) {
    const [owner, next] = three.nodesOf(point, 2);
    const [now] = two.nodesOf(point, 1);
    if (owner === "TN-A-2") heirs.add(now);
    equal(now, owner === "TN-A-2" ? next : owner);
  }
  deepEqual([...heirs].sort(), ["TN-A-1", "TN-B-1"]);
});

Deno.test("ring: even: of 2 to 16 nodes the busiest has at most 1.15 of the mean", () => {
  fc.assert(
    fc.property(names(2, 16), (names) => {
      const shares = new HashRing(names).shares();
      equal(shares.reduce((a, b) => a + b), 2 ** 32);
      ok(Math.max(...shares) <= 1.15 * 2 ** 32 / names.length);
    }),
    { numRuns: 60 },
  );
});

Deno.test("ring: the shares are what the points get", () => {
  const ring = new HashRing(["TN-A-1", "TN-A-2", "TN-B-1"], { sectors: 2 });
  const got = new Map(ring.names.map((name) => [name, 0]));
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const [owner] = ring.nodesOf(Math.floor((i + 0.5) * 2 ** 32 / count), 1);
    got.set(owner, got.get(owner)! + 2 ** 32 / count);
  }
  ring.shares().forEach((share, i) => ok(Math.abs(share - got.get(ring.names[i])!) < 2 ** 32 / 1_000));
});

Deno.test("ring: a node that leaves gives its points to the next in line, and to all others", () => {
  fc.assert(
    fc.property(names(3, 12), fc.nat(), (names, pick) => {
      const lost = names[pick % names.length];
      const before = new HashRing(names);
      const after = new HashRing(names.filter((name) => name !== lost));
      const heirs = new Map<string, number>();
      for (const point of POINTS) {
        const line = before.nodesOf(point, names.length);
        deepEqual(after.nodesOf(point, names.length), line.filter((name) => name !== lost));
      }
      for (let i = 0; i < 6_000; i++) {
        const [owner, next] = before.nodesOf(mix32(i), 2);
        if (owner === lost) heirs.set(next, (heirs.get(next) ?? 0) + 1);
      }
      const orphans = [...heirs.values()].reduce((a, b) => a + b);
      equal(heirs.size, names.length - 1);
      ok(Math.max(...heirs.values()) <= 2 * orphans / heirs.size);
    }),
    { numRuns: 12 },
  );
});

Deno.test("ring: n distinct nodes for every point, the fewer ones first, wrapping at the top", () => {
  fc.assert(
    fc.property(names(1, 12), fc.oneof(point, fc.constantFrom(...EDGES)), fc.nat(20), (names, point, n) => {
      const ring = new HashRing(names, { sectors: 8 });
      const nodes = ring.nodesOf(point, n);
      equal(nodes.length, Math.min(n, names.length));
      equal(new Set(nodes).size, nodes.length);
      ok(nodes.every((name) => names.includes(name)));
      deepEqual(ring.nodesOf(point, names.length).slice(0, n), nodes);
    }),
  );
  // With one mark each, the point after the last mark must see the first again: the order at the top is the one at 0.
  fc.assert(
    fc.property(names(2, 5), (names) => {
      const ring = new HashRing(names, { sectors: 1 });
      deepEqual(ring.nodesOf(2 ** 32 - 1, names.length), ring.nodesOf(0, names.length));
    }),
    { numRuns: 30 },
  );
  deepEqual(new HashRing([]).nodesOf(7, 3), []);
});

Deno.test("ring: does not depend on the order of adding", () => {
  fc.assert(
    fc.property(names(1, 10), point, (names, point) => {
      const there = new HashRing(names, { sectors: 64 });
      const back = new HashRing([...names].reverse().concat(names), { sectors: 64 });
      deepEqual(there.nodesOf(point, 10), back.nodesOf(point, 10));
    }),
    { numRuns: 50 },
  );
});

Deno.test("ring: two names with one 32-bit hash do not hide one another", () => {
  const shares = new HashRing(["TN-A-102156", "TN-A-108083", "TN-A-1"]).shares();
  ok(Math.max(...shares) <= 1.15 * 2 ** 32 / 3);
});
