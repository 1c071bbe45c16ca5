import assert from "node:assert/strict";
import fc from "fast-check";
import { FRAME, type MessageProposal, type ProposeAnswer, type WriterHint } from "../wire/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import type { MailroomConfig } from "./config.ts";
import type { PostResult } from "./contract.ts";
import { Mailroom } from "./mailroom.ts";
import { ModelCluster } from "./model_cluster.ts";

const KEY = "patient/H/1";
const SHARD = 7;
const RECEIPT = {
  key: KEY,
  id: "",
  seq: 1,
  shard: "S00/007",
  generation: 1,
  term: 1,
  index: 1,
  writer: "TN-A-2",
  copies: ["TN-A-2", "TX-A-1"],
  digest: "00000000000000ff",
};

/** One mailroom, node 1 of three; what it proposes here and what it sends is looked at, and answered, by the test. */
class Desk {
  readonly time = new SimulatedTime();
  readonly proposed: { atMs: number; proposal: MessageProposal; done: (answer: ProposeAnswer) => void }[] = [];
  readonly sent: { atMs: number; to: number; type: number; payload: Uint8Array }[] = [];
  readonly results: PostResult[] = [];
  readonly linked = new Set([2, 3]);
  takes = true;
  hint: WriterHint | null = null;
  placement = [1, 2, 3];
  readonly mailroom: Mailroom;

  constructor(config: Partial<MailroomConfig> = {}) {
    const topology = {
      version: 1,
      shardOf: () => SHARD,
      placementOf: () => this.placement.map((incarnation) => ({ incarnation })),
      nodeByIncarnation: (incarnation: number) => ({ dataCenter: incarnation === 3 ? "TX" : "TN" }),
    };
    this.mailroom = new Mailroom({
      world: simulatedWorld({ time: this.time, random: new SeededRandom(1) }),
      self: { name: "TN-A-1", incarnation: 1 },
      send: (to, _lane, type, payload) => {
        if (this.takes) this.sent.push({ atMs: this.time.nowMs, to, type, payload });
        return this.takes;
      },
      isLinked: (incarnation) => this.linked.has(incarnation),
      topology: () => topology,
      hint: () => this.hint,
      learn: (hint) => void (this.hint = hint),
      proposeHere: (_shard, proposal, done) =>
        this.proposed.push({ atMs: this.time.nowMs, proposal: { ...proposal }, done }),
      isSuspect: () => false,
      config,
    });
  }

  post(id: string, more: { sender?: string; deadlineMs?: number; ifMatch?: number; payload?: Uint8Array } = {}): void {
    const payload = new TextEncoder().encode(id);
    const posting = { key: KEY, id, type: "", contentType: "text/plain", payload, atMs: 0, sender: "", ...more };
    this.mailroom.post(posting, (result) => this.results.push(result));
  }

  run(ms: number): void {
    this.time.runUntil(this.time.nowMs + ms);
  }
}

Deno.test("mailroom: a message is proposed here when this node writes its shard, and ends with the receipt", () => {
  const desk = new Desk();
  desk.post("a");
  assert.equal(desk.proposed.length, 0, "never within post");
  desk.run(0);
  desk.proposed[0].done({ state: "recorded", receipt: RECEIPT, duplicate: false });
  desk.proposed[0].done({ state: "conflict" });
  assert.deepEqual(desk.results, [{ state: "recorded", receipt: { ...RECEIPT, id: "a" }, duplicate: false }]);
  assert.equal(desk.mailroom.pending(), 0);
  assert.equal(desk.mailroom.counters.strayAnswers, 1);
});

Deno.test("mailroom: messages of one turn for one peer go as one frame, and so do the answers", () => {
  const [desk, writer] = [new Desk(), new Desk()];
  desk.placement = [2];
  for (let i = 0; i < 100; i++) desk.post(`m${i}`, { sender: "s" });
  desk.run(0);
  assert.equal(desk.sent.length, 1);
  for (let twice = 0; twice < 2; twice++) writer.mailroom.receive(1, FRAME.DELIVER, desk.sent[0].payload);
  assert.equal(writer.proposed.length, 100);
  assert.equal(writer.mailroom.counters.replayed, 1);
  const first = writer.proposed[3].proposal;
  assert.deepEqual([first.n, first.oldest, first.sender], [4, 1, "1.s"]);
  for (const { done } of writer.proposed) done({ state: "recorded", receipt: RECEIPT, duplicate: true });
  writer.run(0);
  assert.equal(writer.sent.length, 1);
  desk.mailroom.receive(3, FRAME.DELIVER_ANSWER, writer.sent[0].payload);
  assert.equal(desk.results.length, 0, "an answer counts from the one who was asked");
  desk.mailroom.receive(2, FRAME.DELIVER_ANSWER, writer.sent[0].payload);
  assert.deepEqual(desk.results[7], { state: "recorded", receipt: { ...RECEIPT, id: "m7" }, duplicate: true });
  assert.equal(desk.mailroom.pending() + writer.mailroom.pendingRemote(), 0);
});

Deno.test("mailroom: without a writer every slot is asked in turn, with waits of 5, 10, 20 ... 200 ms", () => {
  const desk = new Desk();
  desk.placement = [1];
  desk.post("a", { deadlineMs: 1200 });
  for (let i = 0; i < 9; i++) {
    desk.run(desk.proposed.length === 0 ? 0 : Math.min(200, 5 * 2 ** (i - 1)));
    assert.equal(desk.proposed.length, i + 1);
    desk.proposed[i].done({ state: "moved", hint: null });
  }
  for (let i = 9; desk.results.length === 0; i++) {
    desk.run(200);
    desk.proposed[i]?.done({ state: "moved", hint: null });
  }
  assert.equal(desk.results.length, 1);
  const [result] = desk.results;
  assert.ok(result.state === "refused" && result.code === "mailroom/timeout" && result.outcome === "not-applied");
});

Deno.test("mailroom: moved with news goes there at once; a new hint wakes who waits", () => {
  const desk = new Desk();
  desk.post("a");
  desk.run(0);
  desk.proposed[0].done({ state: "moved", hint: { shard: SHARD, generation: 1, term: 4, writer: 2 } });
  desk.run(0);
  assert.deepEqual(desk.sent.map(({ to }) => to), [2]);
  desk.linked.clear();
  desk.mailroom.peerChanged(2, false);
  desk.run(0);
  desk.proposed[1].done({ state: "moved", hint: null });
  desk.run(1);
  assert.equal(desk.proposed.length, 2);
  desk.hint = { shard: SHARD, generation: 1, term: 5, writer: 1 };
  desk.mailroom.writerChanged(SHARD);
  desk.run(0);
  assert.equal(desk.proposed.length, 3);
  assert.equal(desk.time.nowMs, 1);
});

Deno.test("mailroom: the deadline says unknown as soon as one try was never answered", () => {
  const desk = new Desk();
  desk.placement = [2];
  desk.post("a", { deadlineMs: 9000 });
  desk.run(8999);
  // 1 s, 2 s, 4 s: a frame may be lost
  assert.deepEqual(desk.sent.map(({ atMs }) => atMs), [0, 1000, 3000, 7000]);
  desk.run(50);
  assert.deepEqual(desk.results.map((result) => result.state === "refused" && result.outcome), ["unknown"]);
});

Deno.test("mailroom: what the transport does not take was never sent", () => {
  const desk = new Desk();
  desk.placement = [2];
  desk.takes = false;
  desk.post("a", { deadlineMs: 500 });
  desk.run(1000);
  assert.deepEqual(desk.results.map((result) => result.state === "refused" && result.outcome), ["not-applied"]);
});

Deno.test("mailroom: busy waits, conflict and precondition end", () => {
  const desk = new Desk();
  for (const id of ["a", "b", "c"]) desk.post(id);
  desk.run(0);
  desk.proposed[0].done({ state: "busy", retryAfterMs: 70 });
  desk.proposed[1].done({ state: "conflict" });
  desk.proposed[2].done({ state: "mismatch", seq: 12 });
  desk.run(69);
  assert.equal(desk.proposed.length, 3);
  desk.run(1);
  assert.equal(desk.proposed[3].proposal.id, "a");
  assert.deepEqual(
    desk.results.map((result) => result.state === "refused" && [result.code, result.outcome, result.seq]),
    [["mailroom/conflict", "not-applied", undefined], ["mailroom/precondition", "not-applied", 12]],
  );
});

Deno.test("mailroom: full is said at once, too large for ever, closed to all", () => {
  const desk = new Desk({ postingsMax: 2, itemBytesMax: 4000 });
  desk.post("large", { payload: new Uint8Array(4000) });
  for (const id of ["a", "b", "c"]) desk.post(id);
  desk.run(0);
  desk.proposed[0].done({ state: "unknown" });
  desk.mailroom.close();
  desk.post("d");
  desk.run(0);
  const codes = desk.results.map((result) => result.state === "refused" && `${result.code} ${result.outcome}`);
  assert.deepEqual(codes.sort(), [
    "mailroom/busy not-applied",
    "mailroom/closed not-applied",
    "mailroom/closed unknown",
    "mailroom/closed unknown",
    "mailroom/too-large not-applied",
  ]);
  desk.run(20_000);
  assert.equal(desk.results.length, 5);
});

Deno.test("mailroom: a refused message leaves its stream, and those behind it follow in order", () => {
  const cluster = new ModelCluster(3);
  cluster.time.runUntil(10);
  const results = new Map<string, string>();
  for (let i = 0; i < 30; i++) {
    const ifMatch = i % 10 === 4 ? 999 : undefined;
    cluster.post(22, { id: `m${i}`, sender: "s", ifMatch }, (result) => results.set(`m${i}`, result.state));
  }
  cluster.time.runUntil(5000);
  const log = cluster.shards.flatMap(({ committed }) => committed).map(({ proposal }) => proposal.id);
  assert.deepEqual(log, Array.from({ length: 30 }, (_, i) => `m${i}`).filter((_, i) => i % 10 !== 4));
  assert.equal([...results.values()].filter((state) => state === "refused").length, 3);
});

Deno.test("mailroom: with one peer gone, what was with it goes elsewhere at once", () => {
  const desk = new Desk();
  desk.placement = [2, 3];
  desk.post("a");
  desk.post("b");
  desk.run(0);
  desk.linked.delete(2);
  desk.mailroom.peerChanged(2, false);
  desk.run(0);
  assert.deepEqual(desk.sent.map(({ to }) => to), [2, 3]);
  assert.equal(desk.mailroom.counters.resent, 2);
});

Deno.test("mailroom: no bytes make receive throw", () => {
  const desk = new Desk();
  desk.placement = [2];
  desk.post("a", { sender: "s", payload: new Uint8Array(6000) });
  desk.run(0);
  const real = desk.sent[0].payload;
  const type = fc.constantFrom(FRAME.DELIVER, FRAME.DELIVER_ANSWER);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), type, (bytes, type) => desk.mailroom.receive(2, type, bytes)),
    { numRuns: 300 },
  );
  fc.assert(
    fc.property(fc.nat({ max: 120 }), fc.nat({ max: 255 }), type, (at, byte, type) => {
      const bytes = real.slice(0, real.length - (byte % 3));
      bytes[at] ^= byte;
      desk.mailroom.receive(2, type, bytes);
    }),
    { numRuns: 300 },
  );
  assert.ok(desk.mailroom.counters.malformed > 300);
});
