import assert from "node:assert/strict";
import fc from "fast-check";
import { Group } from "./model_group.ts";
import { termBefore } from "./generations.ts";

const SHARD = 7;

/** Five members, three of them gone for good with whatever only they had. */
function halfLost(seed: number): { group: Group; acknowledged: string[] } {
  const group = new Group(seed);
  group.birth([1, 2, 3, 4, 5]);
  const acknowledged: string[] = [];
  for (let i = 0; i < 5; i++) {
    const id = `m${i}`;
    assert.equal(group.post({ id }, group.time.nowMs + 5000)?.state, "recorded");
    acknowledged.push(id);
  }
  group.time.runUntil(group.time.nowMs + 500);
  for (const lost of [1, 2, 3]) group.crash(lost);
  group.time.runUntil(group.time.nowMs + 2000);
  return { group, acknowledged };
}

function recover(group: Group, generation: number, survivor: number): void {
  for (const { alive, replication } of group.nodes.values()) {
    if (alive) replication.setGeneration(SHARD, generation, survivor);
  }
}

Deno.test("generations: without a majority nothing is recorded; a survivor goes on with what it has", () => {
  const { group, acknowledged } = halfLost(1);
  assert.equal(group.writer(), null, "two of five elect nobody");
  assert.deepEqual(group.nodes.get(4)!.replication.standingStill(), [SHARD]);

  recover(group, 2, 4);
  group.desire({ voters: [4, 5, 6], learners: [] });
  group.start(6).setGeneration(SHARD, 2, 4);
  assert.equal(group.writer(), 4);
  const answer = group.post({ id: "after" }, group.time.nowMs + 5000);
  assert.equal(answer?.state, "recorded");
  if (answer?.state === "recorded") {
    assert.equal(answer.receipt.generation, 2);
    assert(answer.receipt.term > termBefore(2), "its terms are above all of the generation before");
  }
  group.time.runUntil(group.time.nowMs + 5000);
  assert.deepEqual(group.nodes.get(4)!.replication.members(SHARD).toSorted(), [4, 5, 6]);
  for (const node of [4, 5, 6]) assert.deepEqual(group.ids(node), [...acknowledged, "after"]);
  assert.deepEqual(group.nodes.get(4)!.replication.standingStill(), []);
});

Deno.test("generations: what comes back from a lower one is laid aside, and its frames are nothing to anybody", () => {
  const group = new Group(2);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "both" }, 5000);
  group.time.runUntil(group.time.nowMs + 500);
  for (const here of [1, 2, 3]) for (const there of [4, 5]) group.cut(here, there, 20_000);
  group.time.runUntil(group.time.nowMs + 1000);
  // The majority goes on, and acknowledges; the operator, who sees 4 and 5 only, recovers.
  assert.equal(group.post({ id: "cut off" }, group.time.nowMs + 5000)?.state, "recorded");
  for (const node of [4, 5]) group.nodes.get(node)!.replication.setGeneration(SHARD, 2, 5);
  const writer = group.nodes.get(5)!.replication;
  writer.setDesired(SHARD, { voters: [5, 4, 1], learners: [] });
  let state = "";
  writer.propose(SHARD, {
    key: "patient/H/1",
    id: "recovered",
    type: "",
    contentType: "text/plain",
    atMs: 0,
    payload: new Uint8Array([1]),
    sender: "",
    n: 0,
    oldest: 0,
    term: 0,
    ifMatch: -1,
  }, (answer) => state = answer.state);

  group.time.runUntil(group.time.nowMs + 30_000);
  assert.notEqual(state, "unknown");
  // Healed, but nobody there knows of the recovery yet: neither side takes anything of the other.
  assert.equal(group.nodes.get(1)!.replication.isWriter(SHARD), true);
  assert.equal(writer.isWriter(SHARD), true);
  assert.deepEqual(group.ids(2), ["both", "cut off"]);

  for (const node of [1, 2, 3]) group.nodes.get(node)!.replication.setGeneration(SHARD, 2, 5);
  group.time.runUntil(group.time.nowMs + 5000);
  assert.deepEqual([1, 4, 5].map((node) => group.ids(node)), Array(3).fill(["both", "recovered"]));
  assert.equal(group.nodes.get(2)!.replication.store(SHARD), null);
  for (const node of [1, 2, 3]) {
    const { generations } = group.nodes.get(node)!.replication;
    const [copy] = generations.lost;
    const ids = copy.store.history("patient/H/1", 0, 100).map((index) => copy.store.message(index).id);
    assert.deepEqual([copy.generation, ids], [1, ["both", "cut off"]]);
    assert.equal(generations.discard(SHARD, 1), true);
    assert.equal(generations.lost.length, 0);
  }
  // A late word from the past changes nothing.
  group.nodes.get(1)!.replication.setGeneration(SHARD, 1, 1);
  assert.equal(group.nodes.get(1)!.replication.generations.of(SHARD), 2);
});

Deno.test("generations: a survivor without a copy goes on with an empty history", () => {
  const { group } = halfLost(3);
  group.crash(4);
  group.crash(5);
  const fresh = group.start(9);
  fresh.setGeneration(SHARD, 2, 9);
  group.time.runUntil(group.time.nowMs + 100);
  assert.equal(fresh.isWriter(SHARD), true);
  assert.deepEqual(group.ids(9), []);
});

Deno.test("generations: whoever survives, all copies end with the survivor's log and one writer", () => {
  fc.assert(
    fc.property(fc.nat(), fc.constantFrom(4, 5), fc.boolean(), (seed, survivor, twice) => {
      const { group } = halfLost(seed);
      const before = group.nodes.get(survivor)!.replication;
      const held = before.store(SHARD)!.history("patient/H/1", 0, 100).map((i) => before.store(SHARD)!.message(i).id);
      recover(group, 2, survivor);
      if (twice) {
        group.time.runUntil(group.time.nowMs + group.random.below(300));
        recover(group, 3, survivor);
      }
      group.desire({ voters: [9 - survivor, survivor, 6], learners: [] });
      group.start(6).setGeneration(SHARD, twice ? 3 : 2, survivor);
      group.time.runUntil(group.time.nowMs + 5000);
      for (const node of [4, 5, 6]) assert.deepEqual(group.ids(node), held);
      assert.equal(group.writer(), 9 - survivor, "handed over to the one that placement names");
      assert.deepEqual(group.violations, []);
    }),
    { numRuns: 30 },
  );
});
