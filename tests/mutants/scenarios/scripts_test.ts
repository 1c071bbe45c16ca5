/** Scripts for broken lines that no schedule meets: each needs a certain frame at a certain moment. */
import assert from "node:assert/strict";
import { CaughtFrames } from "./caught_frames.ts";

const ALL = [1, 2, 3, 4, 5];

function group(): CaughtFrames {
  const group = new CaughtFrames(1);
  group.birth(ALL);
  group.record("a");
  group.wait(500);
  return group;
}

Deno.test("script: an answer under way when its copy left says nothing about the copy that comes back", () => {
  const shard = group();
  shard.catchFrames(5, 1);
  for (let i = 0; i < 10; i++) shard.record(`b${i}`);
  shard.wait(50);
  assert.ok(shard.caught > 0);
  shard.stopCatching();
  shard.start(6);
  shard.desire({ voters: [1, 2, 3, 4, 6], learners: [] });
  shard.until(() => shard.stateOf(5) === null);
  shard.desire({ voters: ALL, learners: [] });
  // What it is fed first is lost, and the old answer comes instead.
  shard.cuts.add("1>5");
  shard.until(() => shard.stateOf(1).peers.has(5));
  shard.deliverCaught();
  shard.wait(20);
  shard.cuts.clear();
  shard.wait(3000);
  shard.record("c");
  shard.wait(500);
  assert.deepEqual(shard.ids(5), shard.ids(1));
});

Deno.test("script: a permission to leave that comes when its copy is fed again is void", () => {
  const shard = group();
  shard.start(6);
  const desire = (voters: number[], nodes: number[]) => {
    for (const node of nodes) shard.nodes.get(node)!.replication.setDesired(7, { voters, learners: [] });
  };
  desire([1, 2, 3, 4, 6], [...ALL, 6]);
  shard.catchFrames(1, 5);
  shard.until(() => {
    const { configurations, peers } = shard.stateOf(1);
    if (configurations.at(-1)!.configuration.voters.includes(5) || peers.has(5)) shard.deliverCaught();
    return !peers.has(5);
  });
  shard.wait(10);
  assert.ok(shard.caught > 0, "the permission is under way");
  shard.stopCatching();
  // It is fed before it hears that it is wanted again.
  desire(ALL, [1, 2, 3, 4, 6]);
  shard.record("b");
  shard.until(() => shard.stateOf(1).peers.get(5)?.match === shard.stateOf(1).store.lastIndex);
  shard.deliverCaught();
  desire(ALL, [5]);
  shard.wait(3000);
  shard.record("c");
  shard.wait(500);
  assert.deepEqual(shard.ids(5), shard.ids(1));
});

Deno.test("script: a hand-over that comes late elects nobody who lacks what was acknowledged", () => {
  const shard = group();
  shard.catchFrames(1, 2);
  shard.desire({ voters: [2, 1, 3, 4, 5], learners: [] });
  // The writer gives up, goes on, and records what the one whom it named does not get.
  shard.wait(1500);
  assert.ok(shard.caught > 0 && shard.writer() === 1);
  shard.record("b");
  shard.stopCatching();
  shard.deliverCaught();
  shard.wait(5000);
  shard.record("c");
  shard.wait(500);
  for (const node of ALL) assert.deepEqual(shard.ids(node), ["a", "b", "c"]);
  assert.deepEqual(shard.violations, []);
});

Deno.test("script: an entry of an earlier term is not committed by counting its copies", () => {
  // Raft's figure 8. The entry is more than may be under way, so it is answered before the own term's goes behind it.
  const large = new Uint8Array(1.1 * 1024 * 1024);
  const shard = group();
  for (const node of [1, 2]) shard.cutOff(node, [3, 4, 5]);
  shard.propose(1, "b", large);
  shard.wait(30);
  assert.equal(shard.stateOf(2).store.lastIndex, 3);
  shard.until(() => [3, 4, 5].some((node) => shard.stateOf(node).role === "writer"));
  const second = [3, 4, 5].find((node) => shard.stateOf(node).role === "writer")!;
  shard.cutOff(second, ALL);
  const others = [3, 4, 5].filter((node) => node !== second);
  for (const node of others) assert.equal(shard.stateOf(node).store.lastIndex, 2, "it wrote, and nobody has it");
  shard.mend([1, 2, ...others]);
  shard.until(() => [1, 2].some((node) => shard.stateOf(node).term > 2 && shard.stateOf(node).commit >= 3));
  // Those who have counted are lost, and whoever wrote in between comes back.
  for (const node of [1, 2]) shard.cutOff(node, [3, 4, 5]);
  shard.mend([3, 4, 5]);
  shard.wait(3000);
  shard.mend();
  shard.wait(3000);
  shard.record("c");
  shard.wait(500);
  assert.deepEqual(shard.violations, []);
});

Deno.test("script: at every moment of a swap a data center may be lost", () => {
  // 1, 2 and the newcomer 6, which takes 2's place, are in one.
  for (let lostAfterMs = 0; lostAfterMs < 100; lostAfterMs += 2) {
    const shard = group();
    shard.start(6);
    shard.desire({ voters: [1, 6, 3, 4, 5], learners: [] });
    shard.wait(lostAfterMs);
    for (const node of [1, 2, 6]) shard.crash(node);
    assert.equal(shard.post({ id: "b" }, shard.time.nowMs + 10_000)?.state, "recorded", `after ${lostAfterMs} ms`);
  }
});

Deno.test("script: a message that is recorded gets its receipt again, wherever its actor stands by now", () => {
  const shard = group();
  assert.equal(shard.post({ id: "b", ifMatch: 1 }, 3000)?.state, "recorded");
  shard.record("c");
  const again = shard.post({ id: "b", ifMatch: 1 }, 5000);
  assert.ok(again?.state === "recorded" && again.duplicate && again.receipt.seq === 2, again?.state);
});

Deno.test("script: a late frame of a former term does not put a message behind its successor", () => {
  const shard = group();
  const stream = { sender: "s", oldest: 0, n: 0 };
  // 1 was given up after its deadline, its frame is still under way; 2 is recorded in term 1.
  const second = shard.post({ id: "s2", ...stream, n: 2, oldest: 2, term: 1 }, shard.time.nowMs + 1000);
  assert.equal(second?.state, "recorded");
  shard.desire({ voters: [2, 1, 3, 4, 5], learners: [] });
  shard.until(() => shard.writer() === 2);
  const late = shard.nodes.get(2)!.replication;
  let answer = "";
  const proposal = {
    ...{ key: "patient/H/1", id: "s1", type: "", contentType: "", atMs: 0, payload: new Uint8Array(1) },
    ...{ ...stream, n: 1, oldest: 1, term: 1, ifMatch: -1 },
  };
  late.propose(7, proposal, ({ state }) => answer = state);
  shard.wait(500);
  assert.equal(answer, "moved");
  assert.deepEqual(shard.ids(2), ["a", "s2"]);
});
