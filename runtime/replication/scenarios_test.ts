/** What was found once, as it was found: each of these broke a promise before it was mended. */
import assert from "node:assert/strict";
import { Group } from "./model_group.ts";

const proposal = (id: string) => ({
  key: "patient/H/1",
  id,
  type: "",
  contentType: "",
  atMs: 0,
  payload: new Uint8Array(1),
  sender: "",
  n: 0,
  oldest: 0,
  term: 0,
  ifMatch: -1,
});

Deno.test("scenario: a copy is made in the bulk lane at its pace, and joins the others in theirs", () => {
  const group = new Group(3);
  group.birth([1, 2, 3]);
  const big = new Uint8Array(100_000);
  for (let i = 0; i < 20; i++) assert.ok(group.post({ id: `m${i}`, payload: big }, group.time.nowMs + 2000));
  group.start(4);
  group.bytesSent = [];
  const beganMs = group.time.nowMs;
  group.desire({ voters: [1, 2, 4], learners: [] });
  const writer = group.nodes.get(1)!.replication;
  const copy = group.nodes.get(4)!.replication;
  while (writer.stateOf(7)!.settling || copy.commitIndex(7) < writer.commitIndex(7)) {
    group.time.runUntil(group.time.nowMs + 50);
    assert.ok(group.time.nowMs < beganMs + 20_000, "it becomes a member");
  }
  const sum = (to: number, lane: number) =>
    group.bytesSent.filter((sent) => sent[0] === to && sent[1] === lane).reduce((bytes, sent) => bytes + sent[2], 0);
  assert.ok(sum(4, 2) > 2_000_000, "2 MB in the bulk lane");
  assert.ok(sum(4, 1) < 20_000 && sum(2, 2) === 0, "nothing of it elsewhere, and nobody else's in it");
  // A megabyte a second is the model's pace.
  assert.ok(group.time.nowMs - beganMs > 1500, `took ${group.time.nowMs - beganMs} ms`);
  group.bytesSent = [];
  assert.ok(group.post({ id: "after", payload: big }, group.time.nowMs + 2000));
  assert.ok(sum(4, 1) >= 100_000 && sum(4, 2) === 0, "a member like the others");
});

Deno.test("scenario: a writer that slept finds no majority among copies that have left and forgotten", () => {
  const group = new Group(4);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  // The writer is cut off; its shard is quiet, so it stays writer of term 1 in its own eyes.
  for (const other of [2, 3, 4, 5]) group.cut(1, other, 60_000);
  group.time.runUntil(group.time.nowMs + 2000);
  const writer = group.writer()!;
  assert.ok(writer === 2 || writer === 3);
  group.post({ id: "b" }, group.time.nowMs + 2000);
  // Two living copies leave and forget everything.
  group.start(6);
  group.start(7);
  const desired = { voters: [writer, 1, writer === 2 ? 3 : 2, 6, 7], learners: [] };
  for (const node of [2, 3, 4, 5, 6, 7]) group.nodes.get(node)!.replication.setDesired(7, desired);
  group.time.runUntil(group.time.nowMs + 5000);
  assert.equal(group.nodes.get(4)!.replication.store(7), null);
  group.post({ id: "c" }, group.time.nowMs + 2000);
  // Those two, and only those, are reached again by the old writer.
  for (const other of [6, 7]) group.cut(1, other, 60_000);
  for (const other of [4, 5]) {
    group.cuts.delete(`1>${other}`);
    group.cuts.delete(`${other}>1`);
    group.suspectPair(1, other, false);
  }
  const old = group.nodes.get(1)!.replication;
  let fresh: number | null | undefined;
  old.readFresh(7, (index) => fresh = index);
  const answers: string[] = [];
  old.propose(7, proposal("split"), (answer) => answers.push(answer.state));
  group.time.runUntil(group.time.nowMs + 1000);
  // A hiccup: it loses its role and looks for another majority.
  for (const other of [4, 5]) group.cut(1, other, 1000);
  group.time.runUntil(group.time.nowMs + 3000);
  old.propose(7, proposal("split2"), (answer) => answers.push(answer.state));
  group.time.runUntil(group.time.nowMs + 3000);
  assert.equal(fresh, null, "no fresh read at a deposed writer");
  assert.ok(!answers.includes("recorded"), `${answers}`);
  assert.deepEqual(group.ids(writer), ["a", "b", "c"]);
  assert.deepEqual(group.violations, []);
});

Deno.test("scenario: one voter is followed by another", () => {
  const group = new Group(5);
  group.birth([1]);
  group.ackCopies = 1;
  group.post({ id: "a" }, 1000);
  group.start(2);
  group.desire({ voters: [2], learners: [] });
  group.time.runUntil(group.time.nowMs + 5000);
  assert.equal(group.writer(), 2);
  assert.deepEqual(group.ids(2), ["a"]);
});

Deno.test("scenario: a fresh read whose question was lost is asked again", () => {
  const group = new Group(3);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  group.time.runUntil(3000);
  for (const other of [2, 3, 4, 5]) group.cuts.add(`1>${other}`);
  let index: number | null | undefined;
  group.nodes.get(1)!.replication.readFresh(7, (i) => index = i);
  group.time.runUntil(group.time.nowMs + 10);
  group.cuts.clear();
  group.time.runUntil(group.time.nowMs + 1000);
  assert.equal(index, 2);
});

Deno.test("scenario: under steady load a dead copy is replaced all the same, and a writer handed over", () => {
  const group = new Group(6);
  group.birth([1, 2, 3, 4, 5]);
  let sent = 0;
  const load = () => {
    const writer = group.writer();
    if (writer !== null) group.nodes.get(writer)!.replication.propose(7, proposal(`x${sent++}`), () => {});
    group.time.after(1, load);
  };
  group.time.after(1, load);
  group.time.runUntil(500);
  group.crash(5);
  group.time.runUntil(1500);
  group.start(6);
  group.desire({ voters: [2, 1, 3, 4, 6], learners: [] });
  group.time.runUntil(6000);
  assert.deepEqual(group.nodes.get(2)!.replication.members(7).sort(), [1, 2, 3, 4, 6]);
  assert.equal(group.writer(), 2);
});

/**
 * A swap to 6, 7, 8, 4, 5 whose last entry only those have got that it leaves out; the writer and one more are dead. Which
 * frame is first is chance, so it is tried until it comes out so.
 */
function tornSwap(seed = 1): Group {
  const group = new Group(seed);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  for (const newcomer of [6, 7, 8]) group.start(newcomer);
  group.desire({ voters: [6, 7, 8, 4, 5], learners: [] });
  const isSwapped = (node: number) => {
    const last = group.nodes.get(node)!.replication.stateOf(7)?.configurations.at(-1)?.configuration;
    return last?.voters[0] === 6 && last.old === null;
  };
  while ((group.writer() !== 4 || !isSwapped(4)) && group.time.nowMs < 3000) group.time.step();
  for (const other of [5, 6, 7, 8]) group.cuts.add(`4>${other}`);
  group.time.runUntil(group.time.nowMs + 10);
  const swapped = [1, 2, 3, 5, 6, 7, 8].filter(isSwapped);
  if (group.writer() !== 4 || swapped.length < 2 || swapped.some((node) => node > 3)) return tornSwap(seed + 1);
  group.crash(4);
  group.crash(5);
  return group;
}

Deno.test("scenario: who a swap leaves out stands for writer while nobody else has the swap's last entry", () => {
  const group = tornSwap();
  assert.equal(group.post({ id: "b" }, group.time.nowMs + 5000)?.state, "recorded");
  group.time.runUntil(group.time.nowMs + 2000);
  assert.ok([6, 7, 8].includes(group.writer()!));
  assert.deepEqual(group.ids(6), ["a", "b"]);
  assert.deepEqual(group.violations, []);
});

Deno.test("scenario: a writer that has gone without its farewell being heard is believed in no longer", () => {
  const group = tornSwap();
  while (![1, 2, 3].includes(group.writer()!)) assert.ok(group.time.step() && group.time.nowMs < 9000);
  const writer = group.writer()!;
  const { replication } = group.nodes.get(writer)!;
  while (replication.stateOf(7)!.configurations.length > 1) assert.ok(group.time.step());
  // It hands over, and resigns when that comes to nothing; nobody hears of either, and nobody suspects it.
  for (const other of [6, 7, 8]) group.cuts.add(`${writer}>${other}`);
  while (replication.isWriter(7)) assert.ok(group.time.step() && group.time.nowMs < 20_000);
  group.time.runUntil(group.time.nowMs + 100);
  group.cuts.clear();
  group.suspectPair(6, writer, true);
  assert.equal(group.post({ id: "b" }, group.time.nowMs + 5000)?.state, "recorded");
  assert.deepEqual(group.violations, []);
});

Deno.test("scenario: a copy that stood for writer in vain, unheard, is let go all the same once it is replaced", () => {
  const group = new Group(1);
  group.birth([1, 2, 3, 4, 5]);
  group.post({ id: "a" }, 1000);
  // 5 hears that it is to take over, and stands in a term that nobody hears of.
  for (const other of [1, 2, 3, 4]) group.cuts.add(`5>${other}`);
  group.desire({ voters: [5, 2, 3, 4, 1], learners: [] });
  const { replication } = group.nodes.get(5)!;
  while (replication.stateOf(7)!.role !== "candidate") assert.ok(group.time.step() && group.time.nowMs < 5000);
  group.start(6);
  for (const other of [1, 2, 3, 4, 6]) group.cut(5, other, 4000);
  group.desire({ voters: [1, 2, 3, 4, 6], learners: [] });
  group.time.runUntil(group.time.nowMs + 3500);
  const terms = [1, 5].map((node) => group.nodes.get(node)!.replication.stateOf(7)!.term);
  assert.deepEqual(terms, [1, 2], "it has been left out meanwhile, and a writer of an earlier term cannot tell it");
  // Only the writer hears it from now on: the others' elections would be another way out.
  group.time.runUntil(group.time.nowMs + 499);
  for (const other of [2, 3, 4, 6]) group.time.after(2, () => group.cuts.add(`5>${other}`));
  group.time.runUntil(group.time.nowMs + 10_000);
  assert.equal(replication.store(7), null, "it is gone");
  assert.equal(group.post({ id: "b" }, group.time.nowMs + 5000)?.state, "recorded");
  group.time.runUntil(group.time.nowMs + 500);
  assert.deepEqual(group.ids(6), ["a", "b"]);
  assert.deepEqual(group.violations, []);
});
