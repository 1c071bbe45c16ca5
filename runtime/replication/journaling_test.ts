import assert from "node:assert/strict";
import { MemoryDisk } from "../journal/mod.ts";
import { simulatedWorld } from "../world/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { takeBack } from "./durability.ts";
import { newReplica } from "./replica.ts";
import { Group, journalOn } from "./model_group.ts";

const FIVE = [1, 2, 3, 4, 5];

function disks(members: number[], syncMs = () => 2): Map<number, MemoryDisk> {
  return new Map(members.map((member) => [member, new MemoryDisk({ writeMs: () => 0.2, syncMs })]));
}

function wait(group: Group, ms: number): void {
  group.time.runUntil(group.time.nowMs + ms);
}

/** Posts one message after the other; the ids that were recorded. */
function post(group: Group, prefix: string, count: number): string[] {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) {
    const answer = group.post({ id: `${prefix}${i}` }, group.time.nowMs + 5000);
    assert(answer?.state === "recorded", JSON.stringify(answer));
    ids.push(`${prefix}${i}`);
  }
  return ids;
}

Deno.test("journal: a receipt waits until enough journals have synced, and the writer's own counts no sooner", () => {
  const group = new Group(1);
  const slow = new Set([1, 2, 3]);
  const all = new Map(FIVE.map((one) => [one, new MemoryDisk({ syncMs: () => slow.has(one) ? 200 : 1 })]));
  group.birth(FIVE, all);
  wait(group, 1000);
  const fromMs = group.time.nowMs;
  const answer = group.post({ id: "a" }, fromMs + 5000);
  assert(answer?.state === "recorded");
  assert(group.time.nowMs - fromMs > 150, `two of five are no majority: ${group.time.nowMs - fromMs} ms`);
  slow.delete(1);
  slow.delete(2);
  slow.delete(3);
  wait(group, 1000);
  const nextMs = group.time.nowMs;
  group.post({ id: "b" }, nextMs + 5000);
  assert(group.time.nowMs - nextMs < 50, `${group.time.nowMs - nextMs} ms`);
  assert.deepEqual(group.violations, []);
});

Deno.test("journal: a disk that takes its time does not cost a writer its role", () => {
  const group = new Group(2);
  group.birth(FIVE, disks(FIVE, () => 900));
  wait(group, 3000);
  const term = group.nodes.get(1)!.replication.stateOf(7)!.term;
  const answer = group.post({ id: "a" }, group.time.nowMs + 10_000);
  assert(answer?.state === "recorded");
  assert.equal(group.nodes.get(1)!.replication.stateOf(7)!.term, term);
});

Deno.test("journal: all machines crash at once, and what was acknowledged is in the most complete journal", () => {
  let shorter = 0;
  for (let seed = 1; seed <= 30; seed++) {
    const group = new Group(seed);
    const all = disks(FIVE, () => 1 + group.random.next() * 20);
    group.lossRate = 0.02;
    group.slowRate = 0.05;
    group.birth(FIVE, all);
    wait(group, 500);
    const recorded = post(group, "a", 5 + group.random.below(30));
    // One more is under way, and a writer may be lost just before.
    if (seed % 3 === 0) {
      group.crash(group.writer()!);
      recorded.push(...post(group, "b", 3));
    }
    group.post({ id: "last" }, group.time.nowMs + group.random.next() * 20);
    for (const one of FIVE) group.nodes.get(one)!.alive = false;
    const lengths = new Set<number>();
    for (const disk of all.values()) disk.crash(() => group.random.next());

    const next = new Group(seed + 1000);
    for (const one of FIVE) {
      const { journaling } = next.start(one + 10, all.get(one));
      const [facts] = journaling!.facts();
      assert.deepEqual(journaling!.lives, [one]);
      lengths.add(facts.lastIndex);
    }
    const facts = (one: number) => next.nodes.get(one)!.replication.journaling!.facts()[0];
    const best = [...next.nodes.keys()].sort((a, b) =>
      facts(b).lastTerm - facts(a).lastTerm || facts(b).lastIndex - facts(a).lastIndex
    )[0];
    if (lengths.size > 1) {
      shorter++;
    }
    const members = [...next.nodes.keys()];
    for (const one of members) {
      next.nodes.get(one)!.replication.setGeneration(7, 2, best);
    }
    next.desire({
      voters: [
        best,
        ...members.filter((one) =>
          one !== best
        ),
      ],
      learners: [],
    });
    wait(next, 3000);
    const ids = next.ids(best);
    for (const id of recorded) assert(ids.includes(id), `seed ${seed}: ${id} is lost`);
    post(next, "c", 2);
    wait(next, 2000);
    for (const one of members) assert.deepEqual(next.ids(one), next.ids(best), `seed ${seed}: ${one}`);
    assert.deepEqual(next.violations, []);
  }
  assert(shorter > 3, "copies that are all equal prove little");
});

/** Bytes of frames to the fifth node when it comes back as 50, with or without its journal. */
function bytesToReturn(withJournal: boolean): number {
  const group = new Group(9);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  for (let i = 0; i < 300; i++) group.post({ id: `m${i}`, payload: new Uint8Array(1000) }, group.time.nowMs + 5000);
  group.crash(5);
  wait(group, 500);
  post(group, "meanwhile", 10);
  const disk = all.get(5)!;
  disk.crash(() => group.random.next());
  group.start(50, withJournal ? disk : undefined);
  const { journaling } = group.nodes.get(50)!.replication;
  assert.equal(journaling?.facts()[0].lastIndex ?? 0, withJournal ? 301 : 0);
  group.desire({ voters: [1, 2, 3, 4, 50], learners: [] });
  wait(group, 3000);
  const { replication } = group.nodes.get(50)!;
  assert.deepEqual(group.ids(50), group.ids(1));
  assert(replication.members(7).includes(50), "it votes by now");
  assert.deepEqual(group.violations, []);
  return group.bytesTo.get(50)!;
}

Deno.test("journal: a node that returns is given what it lacks, and no more", () => {
  const [without, withJournal] = [bytesToReturn(false), bytesToReturn(true)];
  console.log(`copied to a returning node: ${without} bytes without a journal, ${withJournal} with one`);
  assert(without > 300_000 && withJournal < without / 20, `${without} and ${withJournal}`);
});

Deno.test("journal: an end that was never committed is replaced, and it says no to writers of earlier terms", () => {
  const group = new Group(4);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  post(group, "a", 3);
  // The writer alone has two more.
  for (const other of [2, 3, 4, 5]) group.cuts.add(`1>${other}`).add(`${other}>1`);
  const { replication } = group.nodes.get(1)!;
  for (const id of ["x", "y"]) group.post({ id }, group.time.nowMs + 50);
  group.crash(1);
  wait(group, 1000);
  group.cuts.clear();
  post(group, "b", 2);
  all.get(1)!.crash(() => 1);
  const returned = group.start(11, all.get(1));
  assert.equal(returned.journaling!.facts()[0].lastIndex, replication.store(7)!.lastIndex);
  group.desire({ voters: [11, 2, 3, 4, 5], learners: [] });
  wait(group, 5000);
  assert.deepEqual(group.ids(11), ["a0", "a1", "a2", "b0", "b1"]);
  const state = returned.stateOf(7)!;
  assert(state.term >= state.store.lastTerm && state.durable === state.store.lastIndex);
  assert.deepEqual(group.violations, []);
  // And so it stands in the journal.
  const { contents } = journalOn(all.get(1)!, {
    world: simulatedWorld({ time: group.time, random: group.random }),
    sync: "always",
    self: { name: "N-A-1", incarnation: 12 },
  });
  assert.equal(contents.copies.get(7)!.log.lastIndex, state.store.lastIndex);
});

Deno.test("journal: what a recovery has given up is laid aside when a remembered copy brings it back", () => {
  const group = new Group(5);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  post(group, "a", 3);
  for (const one of [4, 5]) group.crash(one);
  wait(group, 500);
  post(group, "b", 2);
  for (const one of [1, 2, 3]) group.crash(one);
  wait(group, 500);
  // 4 comes back, and an operator lets it go on from "a"; then 1 comes back, which has "b".
  const survivor = group.start(14, all.get(4));
  survivor.setGeneration(7, 2, 14);
  wait(group, 500);
  assert.deepEqual(group.ids(14), ["a0", "a1", "a2"]);
  const late = group.start(11, all.get(1));
  late.setGeneration(7, 2, 14);
  group.start(15, all.get(5)).setGeneration(7, 2, 14);
  group.committed.clear();
  group.desire({ voters: [14, 11, 15], learners: [] });
  wait(group, 3000);
  assert.deepEqual(group.ids(11), ["a0", "a1", "a2"]);
  const [lost] = late.generations.lost;
  assert.equal(lost.generation, 1);
  assert.deepEqual(lost.store.history("patient/H/1", 0, 9).map((i) => lost.store.message(i).id), [
    "a0",
    "a1",
    "a2",
    "b0",
    "b1",
  ]);
  assert.equal(group.nodes.get(15)!.replication.generations.lost.length, 0, "5 had nothing that the survivor lacks");
});

Deno.test("journal: a full disk: nothing is acknowledged there, others go on, and it goes on when there is room", () => {
  const group = new Group(6);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  post(group, "a", 3);
  const writer = group.writer()!;
  const disk = all.get(writer)!;
  disk.bytesMax = 0;
  // The one under way may be recorded by the others; from then on the writer is another.
  group.post({ id: "b" }, group.time.nowMs + 3000);
  wait(group, 5000);
  assert.equal(group.nodes.get(writer)!.replication.journaling!.journal.fault, "full");
  post(group, "c", 3);
  assert.notEqual(group.writer(), writer);
  disk.bytesMax = Infinity;
  wait(group, 5000);
  assert.deepEqual(group.ids(writer), group.ids(group.writer()!));
  assert.deepEqual(group.violations, []);

  const alone = new Group(7);
  const only = new MemoryDisk();
  alone.ackCopies = 1;
  alone.birth([1], new Map([[1, only]]));
  post(alone, "a", 2);
  only.bytesMax = 0;
  assert.equal(alone.post({ id: "b" }, alone.time.nowMs + 3000), null, "nothing is acknowledged");
  only.bytesMax = Infinity;
  wait(alone, 3000);
  assert.equal(alone.post({ id: "b" }, alone.time.nowMs + 3000)?.state, "recorded");
});

Deno.test("journal: the writer's own copy counts once it is synced, for the majority and for the receipt", () => {
  for (const isMajority of [true, false]) {
    const group = new Group(8);
    let syncMs = 1;
    const all = new Map([1, 2, 3].map((one) => [one, new MemoryDisk({ syncMs: () => one === 1 ? syncMs : 1 })]));
    group.birth([1, 2, 3], all);
    wait(group, 500);
    // With one follower gone the writer is needed for the majority; with both there, for the third copy of the receipt.
    group.ackCopies = isMajority ? 1 : 3;
    if (isMajority) group.crash(3);
    wait(group, 1000);
    syncMs = 200;
    const fromMs = group.time.nowMs;
    assert.equal(group.post({ id: "a" }, fromMs + 5000)?.state, "recorded");
    assert(group.time.nowMs - fromMs > 150, `${isMajority}: ${group.time.nowMs - fromMs} ms`);
  }
});

Deno.test("journal: what is taken back while it is on its way to the disk never counts as safe", () => {
  const { state } = newReplica({ shard: 7, self: 1, members: [1], generation: 1 }, null);
  state.durable = 3;
  state.journal = { given: 10, end: 10, open: [{ upTo: 5 }, { upTo: 10 }], isListed: false };
  takeBack(state, 5);
  assert.deepEqual(state.journal, { given: 4, end: 10, open: [{ upTo: 4 }, { upTo: 4 }], isListed: false });
  takeBack(state, 2);
  assert.equal(state.durable, 1);
});

Deno.test("journal: a remembered copy says no to writers of terms before its entries', and has no vote there", () => {
  const log = new ShardStore();
  log.appendEntry(5, ENTRY.OUTCOMES, new Uint8Array(3));
  const copy = { shard: 7, generation: 1, log, commit: 1, isDamaged: false, baseFile: 1 };
  const { state } = newReplica({ shard: 7, self: 9, members: [], generation: 1 }, copy);
  assert.deepEqual([state.term, state.votedFor, state.commit], [5, 9, 0]);
});

Deno.test("journal: a follower without room takes nothing in", () => {
  const group = new Group(10);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  const follower = group.writer() === 5 ? 4 : 5;
  all.get(follower)!.bytesMax = 0;
  post(group, "a", 1);
  wait(group, 100);
  const { lastIndex } = group.nodes.get(follower)!.replication.store(7)!;
  post(group, "b", 5);
  wait(group, 1000);
  assert.equal(group.nodes.get(follower)!.replication.store(7)!.lastIndex, lastIndex);
});

Deno.test("journal: what a follower without room lacks is sent to it less and less often, until it takes it", () => {
  const group = new Group(11);
  const all = disks(FIVE);
  group.birth(FIVE, all);
  wait(group, 500);
  const follower = group.writer() === 5 ? 4 : 5;
  all.get(follower)!.bytesMax = 0;
  post(group, "a", 1);
  wait(group, 100);
  for (let i = 0; i < 20; i++) group.post({ id: `m${i}`, payload: new Uint8Array(50_000) }, group.time.nowMs + 5000);
  wait(group, 5000);
  const before = group.bytesTo.get(follower)!;
  wait(group, 60_000);
  const bytes = group.bytesTo.get(follower)! - before;
  assert(bytes > 1_000_000 && bytes < 25_000_000, `${bytes} bytes in a minute`);
  all.get(follower)!.bytesMax = Infinity;
  wait(group, 10_000);
  assert.deepEqual(group.ids(follower), group.ids(group.writer()!));
  // And a loss after that is made good as soon as ever.
  group.cuts.add(`${group.writer()}>${follower}`);
  post(group, "b", 1);
  wait(group, 100);
  group.cuts.clear();
  wait(group, 300);
  assert.deepEqual(group.ids(follower), group.ids(group.writer()!));
});
