import assert from "node:assert/strict";
import fc from "fast-check";
import type { MessageProposal } from "../wire/mod.ts";
import { Group } from "./model_group.ts";

Deno.test("replication: a message is recorded on three of five before its receipt is given", () => {
  const group = new Group(1);
  group.birth([1, 2, 3, 4, 5]);
  const answer = group.post({ id: "a" }, 1000);
  assert.equal(answer?.state, "recorded");
  assert.ok(answer?.state === "recorded" && answer.receipt.copies.length >= 3 && answer.receipt.seq === 1);
  const again = group.post({ id: "a" }, 2000);
  assert.ok(again?.state === "recorded" && again.duplicate && again.receipt.index === answer.receipt.index);
  assert.equal(group.post({ id: "a", payload: new Uint8Array([1]) }, 3000)?.state, "conflict");
  assert.equal(group.post({ id: "b", ifMatch: 0 }, 4000)?.state, "mismatch");
  assert.equal(group.post({ id: "b", ifMatch: 1 }, 5000)?.state, "recorded");
});

Deno.test("replication: a lost writer is followed by the next member, and nothing acknowledged is lost", () => {
  const group = new Group(2);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  group.crash(1);
  const crashedAtMs = group.time.nowMs;
  const answer = group.post({ id: "b" }, crashedAtMs + 5000);
  assert.ok(answer?.state === "recorded" && answer.receipt.seq === 2);
  assert.equal(group.writer(), 2, "members campaign in placement order");
  assert.ok(group.time.nowMs - crashedAtMs < 1000, `took ${group.time.nowMs - crashedAtMs} ms`);
  assert.deepEqual(group.violations, []);
});

Deno.test("replication: one joint swap replaces two members and moves the writer", () => {
  const group = new Group(3);
  group.birth([1, 2, 3, 4, 5]);
  for (let i = 0; i < 50; i++) group.post({ id: `m${i}` }, group.time.nowMs + 1000);
  group.start(6);
  group.start(7);
  group.desire({ voters: [6, 2, 3, 7, 5], learners: [] });
  group.time.runUntil(group.time.nowMs + 5000);
  assert.equal(group.writer(), 6);
  assert.deepEqual([...group.nodes.get(6)!.replication.members(7)].sort(), [2, 3, 5, 6, 7]);
  assert.equal(group.ids(7).length, 50);
  assert.equal(group.nodes.get(1)!.replication.store(7), null, "who left has freed its memory");
  assert.equal(group.nodes.get(4)!.replication.store(7), null);
  assert.equal(group.post({ id: "after" }, group.time.nowMs + 2000)?.state, "recorded");
});

Deno.test("replication: a quiet shard sends nothing", () => {
  const group = new Group(4);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  group.time.runUntil(group.time.nowMs + 3000);
  assert.equal([...group.nodes.values()].reduce((sum, n) => sum + n.replication.counts().awake, 0), 0);
  for (const node of group.nodes.values()) assert.equal(node.replication.commitIndex(7), 2);
});

Deno.test("replication: a fresh read is refused where no majority confirms the writer", () => {
  const group = new Group(5);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  let index: number | null | undefined;
  group.nodes.get(1)!.replication.readFresh(7, (i) => index = i);
  group.time.runUntil(group.time.nowMs + 200);
  assert.equal(index, 2);
  for (const other of [2, 3, 4]) group.cut(1, other, 60_000);
  index = undefined;
  group.nodes.get(1)!.replication.readFresh(7, (i) => index = i);
  group.time.runUntil(group.time.nowMs + 250);
  assert.equal(index, undefined, "no answer while nobody confirms");
  group.nodes.get(1)!.replication.propose(7, {
    ...({} as MessageProposal),
    key: "patient/H/1",
    id: "lost",
    type: "",
    contentType: "",
    atMs: 0,
    payload: new Uint8Array(1),
    sender: "",
    n: 0,
    oldest: 0,
    term: 0,
    ifMatch: -1,
  }, () => {});
  group.time.runUntil(group.time.nowMs + 2000);
  assert.equal(index, null, "the stale writer has stepped down and says so");
  assert.deepEqual(group.violations, []);
});

Deno.test("replication: under loss, doubling, delay, cuts and crashes, what is committed is committed for ever", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const group = new Group(seed);
      group.birth([1, 2, 3, 4, 5]);
      group.lossRate = group.random.next() * 0.1;
      group.doubleRate = group.random.next() * 0.1;
      group.slowRate = group.random.next() * 0.1;
      const recorded: string[] = [];
      let crashes = 0;
      let next = 6;
      let members = [1, 2, 3, 4, 5];
      const spares: number[] = [];
      for (let i = 0; i < 30; i++) {
        const chance = group.random.next();
        if (chance < 0.08 && crashes < 2) {
          crashes++;
          const victim = members[group.random.below(5)];
          if (group.nodes.get(victim)!.alive) {
            group.crash(victim);
            group.start(next);
            members = members.map((m) => m === victim ? next : m);
            next++;
            group.time.after(500, () => group.desire({ voters: members, learners: [] }));
          }
        } else if (chance < 0.25) {
          const [a, b] = [members[group.random.below(5)], members[group.random.below(5)]];
          if (a !== b) group.cut(a, b, 200 + group.random.below(2000));
        } else if (chance < 0.35) {
          members = [...members.slice(1), members[0]];
          group.desire({ voters: members, learners: [] });
        } else if (chance < 0.5) {
          // A living copy leaves, for a new node or for one that has left before: it forgets, its incarnation stays.
          const leaver = members[group.random.below(5)];
          const spare = spares.length > 0 && group.random.next() < 0.6
            ? spares.splice(group.random.below(spares.length), 1)[0]
            : next++;
          if (!group.nodes.has(spare)) group.start(spare);
          if (group.nodes.get(leaver)!.alive) spares.push(leaver);
          members = members.map((m) => m === leaver ? spare : m);
          group.desire({ voters: members, learners: [] });
        }
        const answer = group.post({ id: `m${i}` }, group.time.nowMs + 400);
        if (answer?.state === "recorded") recorded.push(`m${i}`);
      }
      group.lossRate = group.doubleRate = group.slowRate = 0;
      group.time.runUntil(group.time.nowMs + 5000);
      const last = group.post({ id: "last" }, group.time.nowMs + 20_000);
      assert.equal(last?.state, "recorded", "it takes messages again after the faults");
      group.time.runUntil(group.time.nowMs + 3000);
      assert.deepEqual(group.violations, []);
      const ids = group.ids(group.writer()!);
      assert.equal(new Set(ids).size, ids.length, "nothing twice");
      for (const id of recorded) assert.ok(ids.includes(id), `${id} was acknowledged`);
      for (const member of members) {
        if (group.nodes.get(member)!.alive) assert.deepEqual(group.ids(member), ids, "every copy has the history");
      }
    }),
    { numRuns: 60 },
  );
});
