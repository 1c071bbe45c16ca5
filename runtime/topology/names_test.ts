import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseNodeName, readNodeName } from "./node_name.ts";
import { indexInSet, parseShard, setOfFacility, shardText, SYSTEM_SHARD } from "./shard.ts";
import { assignHomes } from "./homes.ts";

Deno.test("names: a node's name says where it stands", () => {
  deepEqual(parseNodeName("TN-B-2"), { dataCenter: "TN", zone: "B", number: 2 });
  deepEqual(parseNodeName("US1-EAST2-17"), { dataCenter: "US1", zone: "EAST2", number: 17 });
  for (const bad of ["", "TN", "TN-A", "tn-a-1", "TN-A-01", "TN-A-1-1", "1N-A-1", "TN--1", "TN-A-1\n", "Ä-A-1"]) {
    throws(() => parseNodeName(bad), { code: "topology/bad-name" });
  }
  fc.assert(fc.property(fc.anything(), (value) => {
    equal(readNodeName(value), null);
  }));
});

Deno.test("shards: text and number are one", () => {
  equal(shardText(0), "S00/000");
  equal(shardText(5 * 64 + 17), "S05/017");
  equal(shardText(SYSTEM_SHARD), "SYS/000");
  for (let shard = 0; shard <= SYSTEM_SHARD; shard++) equal(parseShard(shardText(shard)), shard);
  for (const bad of ["", "S16/000", "S00/064", "S5/17", "SYS/001", "s05/017", " S05/017"]) {
    throws(() => parseShard(bad), { code: "topology/bad-shard" });
  }
});

Deno.test("shards: the hashes that say where histories lie never change", () => {
  deepEqual(["HOSPX", "HOSPY", "St. Jude"].map(setOfFacility), [2, 1, 3]);
  deepEqual(["patient/HOSPX/1001", "patient/HOSPX/1002", "ward/HOSPX/5W"].map(indexInSet), [27, 3, 15]);
});

Deno.test("homes: even, stable, moving the fewest", () => {
  const dataCenters = fc.uniqueArray(fc.constantFrom("TN", "TX", "FL", "UT", "CA", "NY", "WA"), { minLength: 1 });
  fc.assert(fc.property(dataCenters, dataCenters, (first, second) => {
    const before = assignHomes(first, []);
    const after = assignHomes(second, before);
    const sizes = second.map((name) => after.filter((home) => home === name).length);
    equal(sizes.reduce((a, b) => a + b), 16);
    deepEqual(Math.max(...sizes) - Math.min(...sizes) <= 1, true);
    deepEqual(assignHomes([...second].reverse(), after), after);
    deepEqual(assignHomes([...second].reverse(), before), after);
    // Fewest: a set moves only from a data center that is gone or has too many.
    const kept = after.filter((home, set) => home === before[set]).length;
    const best = [...second]
      .map((name) => before.filter((home) => home === name).length)
      .sort((a, b) => b - a)
      .map((had, rank) => Math.min(had, Math.floor(16 / second.length) + (rank < 16 % second.length ? 1 : 0)))
      .reduce((a, b) => a + b);
    equal(kept, best);
  }));
  deepEqual(assignHomes([], []), []);
  equal(new Set(assignHomes(Array.from({ length: 20 }, (_, i) => `D${i}`), [])).size, 16);
});
