import assert from "node:assert/strict";
import fc from "fast-check";
import type { AuditReceipt, AuditVerdict } from "../gateway/mod.ts";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { parseShard } from "../topology/mod.ts";
import { SeededRandom, simulatedWorld } from "../world/mod.ts";
import { AuditFixture, type FixtureMessage, NAMES } from "./audit_fixture.ts";
import type { Answer, HeldMessage, Question } from "./audit_questions.ts";
import { verdictOn } from "./audit_verdict.ts";
import { Witness } from "./audit_witness.ts";
import type { RequestResult } from "./requests.ts";

const MESSAGES: FixtureMessage[] = Array.from({ length: 30 }, (_, i) => ({
  key: `patient/HOSPX/${i % 3}`,
  id: `m${i}`,
  text: `message ${i}`,
}));

function recorded(nodes?: number[]) {
  const fixture = new AuditFixture();
  const receipts = fixture.record(MESSAGES, nodes);
  return { fixture, receipts, last: receipts[29] };
}

/** Puts other bytes where the message at `index` stands, and lets its digests be. */
function flip({ fixture, node, receipt }: { fixture: AuditFixture; node: number; receipt: AuditReceipt }): void {
  const { store } = fixture.copy(node, parseShard(receipt.shard));
  store.message(receipt.index).payload[0] ^= 1;
}

Deno.test("audit: what stands on all copies is proven, by name and by place", () => {
  const { fixture, receipts } = recorded();
  for (const receipt of receipts) {
    for (const asked of [receipt, { ...receipt, key: undefined, id: undefined }, { ...receipt, clusterId: "c1" }]) {
      const { state, copies, missing, needed } = fixture.audit(asked);
      assert.deepEqual([state, copies.length, missing], ["proven", 5, []]);
      assert.deepEqual(needed, { copies: 3, dataCenters: 2 });
    }
  }
});

Deno.test("audit: three copies in two data centers are enough, in one data center or two copies are not", () => {
  const spread = recorded([1, 3, 4]);
  assert.equal(spread.fixture.audit(spread.last).state, "proven");
  const thin = recorded([1, 2]);
  // Two nodes have no copy at all, one has an empty one.
  thin.fixture.copy(4, parseShard(thin.last.shard));
  const verdict = thin.fixture.audit(thin.last);
  assert.deepEqual([verdict.state, verdict.copies, verdict.missing], ["thin", ["TN-A-1", "TN-B-1"], ["FL-A-1"]]);
});

Deno.test("audit: a copy without the message, or with other bytes, is named", () => {
  const { fixture, last } = recorded();
  fixture.copy(3, parseShard(last.shard)).store.truncateFrom(last.index);
  const lacking = fixture.audit(last);
  assert.deepEqual([lacking.state, lacking.missing, lacking.copies.length], ["proven", ["TX-A-1"], 4]);
  flip({ fixture, node: 4, receipt: last });
  const { state, differing, copies } = fixture.audit(last);
  assert.equal(state, "differs");
  assert.deepEqual(differing.map(({ node, what }) => [node, what]), [["FL-A-1", "digest"]]);
  assert.equal(copies.length, 3);
});

Deno.test("audit: a history that is another before the message is found by its chain", () => {
  const { fixture, receipts, last } = recorded();
  const shard = parseShard(last.shard);
  const first = receipts.find((receipt) => receipt.key === last.key)!;
  // The copy is made anew, with the first message of the actor changed in its log, digests and all.
  fixture.copies.get(5)!.delete(shard);
  const copy = fixture.copy(5, shard);
  for (const [i, { key, id, text }] of MESSAGES.entries()) {
    if (receipts[i].shard !== last.shard) continue;
    const payload = new TextEncoder().encode(receipts[i] === first ? "falsified" : text);
    copy.commit = copy.store.appendMessage(1, { key, id, type: "", contentType: "x/y", atMs: 0, payload }).index;
  }
  const { state, differing } = fixture.audit(last);
  assert.deepEqual([state, differing.map(({ node, what }) => [node, what])], ["differs", [["UT-A-1", "chain"]]]);
});

Deno.test("audit: what a receipt invents or falsifies is found", () => {
  const { fixture, last } = recorded();
  const cases: [Partial<AuditReceipt>, string, string | undefined][] = [
    [{ id: "never-sent" }, "lost", undefined],
    [{ key: undefined, id: undefined, index: 4000 }, "lost", undefined],
    [{ digest: "0000000000000000" }, "differs", "digest"],
    [{ seq: last.seq - 1 }, "differs", "seq"],
    [{ index: last.index - 1 }, "differs", "index"],
    [{ shard: "S00/000" }, "differs", "shard"],
    [{ clusterId: "another" }, "foreign", undefined],
  ];
  for (const [falsified, state, what] of cases) {
    const verdict = fixture.audit({ ...last, ...falsified });
    assert.deepEqual([verdict.state, verdict.differing[0]?.what], [state, what], JSON.stringify(falsified));
  }
});

Deno.test("audit: who cannot be asked is said; he matters where he could change the verdict", () => {
  const { fixture, last } = recorded();
  fixture.suspects.add(5);
  fixture.silent.add(4);
  const three = fixture.audit(last);
  assert.deepEqual([three.state, three.copies.length, three.unreachable], ["proven", 3, ["FL-A-1", "UT-A-1"]]);
  assert.equal(fixture.asked.includes(5), false, "a suspect is not asked");
  assert.equal(fixture.audit({ ...last, id: "never-sent" }).state, "lost", "two of five cannot be the majority");
  fixture.silent.add(3);
  assert.equal(fixture.audit(last).state, "unproven");
  assert.equal(fixture.audit({ ...last, id: "never-sent" }).state, "unproven");
});

Deno.test("audit: copies of an older generation, and such as come or go, are heard and not counted", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  for (const node of [1, 2]) fixture.copy(node, shard).generation = 2;
  const { state, copies } = fixture.audit(last);
  assert.deepEqual([state, copies], ["thin", ["TN-A-1", "TN-B-1"]]);
  for (const node of [1, 2, 3, 4, 5]) Object.assign(fixture.copy(node, shard), { generation: 1, voters: [1, 3, 4] });
  assert.deepEqual(fixture.audit(last).copies, ["FL-A-1", "TN-A-1", "TX-A-1"]);
});

Deno.test("audit: the end of a log of another term is no copy; committed, it is a contradiction", () => {
  const { fixture, last } = recorded();
  const copy = fixture.copy(3, parseShard(last.shard));
  const message = copy.store.message(last.index);
  const { key, id, type, contentType, atMs } = message;
  const payload = message.payload.slice();
  copy.store.truncateFrom(last.index);
  copy.store.appendMessage(7, { key, id, type, contentType, atMs, payload });
  assert.equal(fixture.audit(last).state, "differs");
  copy.commit = last.index - 1;
  const { state, missing } = fixture.audit(last);
  assert.deepEqual([state, missing], ["proven", ["TX-A-1"]]);
});

Deno.test("audit: a peer that answers nonsense could not be asked", () => {
  const { fixture, last } = recorded();
  fixture.copy(2, parseShard(last.shard)).voters = ["x" as unknown as number];
  assert.deepEqual(fixture.audit(last).unreachable, ["TN-B-1"]);
});

Deno.test("audit: an id that stands twice on a copy is found", () => {
  const { state, differing } = judged([{}, { times: 2 }, { times: 3 }]);
  assert.deepEqual([state, differing.map(({ what }) => what)], ["differs", ["twice", "twice"]]);
});

Deno.test("audit: copies enough in one data center are not enough", () => {
  assert.equal(judged([{}, {}, {}]).state, "proven");
  assert.equal(judged([{}, {}, {}], { dataCenter: "TN" }).state, "thin");
});

Deno.test("audit: who knows the message as committed is believed, and not the more that do not", () => {
  const late = { term: 7, isCommitted: false };
  const { state, copies, missing } = judged([late, late, late, {}, {}]);
  assert.deepEqual([state, copies, missing], ["thin", ["N4", "N5"], ["N1", "N2", "N3"]]);
});

Deno.test("audit: where there is no copy at all, everybody who cannot be asked might have one", () => {
  const fixture = new AuditFixture();
  const receipt = { shard: "S00/000", index: 4, seq: 2, digest: "0000000000000001" };
  assert.equal(fixture.audit(receipt).state, "lost");
  for (const node of [3, 4, 5]) fixture.suspects.add(node);
  assert.deepEqual([fixture.audit(receipt).state, fixture.compare(0).state], ["unproven", "unproven"]);
});

/** The verdict on a message that each of these copies has, but for what is said of it. */
function judged(
  copies: (Partial<HeldMessage> & { isCommitted?: boolean })[],
  { dataCenter }: { dataCenter?: string } = {},
): AuditVerdict {
  const held = { index: 4, seq: 2, term: 1, digest: { hi: 0, lo: 1 }, chain: { hi: 0, lo: 2 }, times: 1 };
  const voters = copies.map((_, i) => i + 1);
  const testimonies = copies.map(({ isCommitted = true, ...more }, i) => ({
    node: { incarnation: i + 1, name: `N${i + 1}`, dataCenter: dataCenter ?? `D${i + 1}` },
    reply: {
      copy: { generation: 1, term: 1, commit: isCommitted ? 9 : 3, last: 9, voters },
      answer: { ask: "message" as const, message: { ...held, ...more } },
    },
  }));
  const receipt = { shard: "S00/000", index: 4, seq: 2, digest: "0000000000000001" };
  return verdictOn(receipt, testimonies, { needed: { copies: 3, dataCenters: 2 }, learners: [] });
}

Deno.test("audit: what is under way when it is asked about is asked about again", () => {
  const { fixture, last } = recorded([1, 2]);
  fixture.time.after(50, () => void fixture.record(MESSAGES, [3]));
  assert.equal(fixture.audit(last).state, "proven");
});

Deno.test("audit: a copy where nobody looked for it is found by what the others say of the members", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  // Placement wants four nodes at most, and this one is not among them.
  const elsewhere = NAMES.indexOf(fixture.topology.placementOf(shard)[4].name) + 1;
  fixture.topology.placementOf = () =>
    NAMES.map((_, i) => fixture.topology.nodeByIncarnation(i + 1)!)
      .filter(({ incarnation }) => incarnation !== elsewhere);
  fixture.copies.get(1)!.delete(shard);
  assert.equal(fixture.audit(last).copies.includes(NAMES[elsewhere - 1]), elsewhere !== 1);
});

Deno.test("audit: a node audits so many receipts at a time, and says busy beyond; the system shard has none", () => {
  const fixture = new AuditFixture({ openMax: 50 });
  const [last] = fixture.record(MESSAGES);
  const codes: string[] = [];
  const take = (result: RequestResult) => codes.push(result.ok ? "ok" : result.code);
  for (let i = 0; i <= 50; i++) fixture.auditings[0].receipt(last, take);
  assert.deepEqual(codes, ["node/busy"]);
  fixture.time.runUntil(20_000);
  assert.equal(codes.filter((code) => code === "ok").length, 50);
  fixture.auditings[0].receipt({ ...last, shard: "SYS/000" }, take);
  assert.equal(codes.at(-1), "topology/bad-shard");
  assert.throws(() => fixture.auditings[0].receipt({ ...last, shard: "S99/000" }, take), {
    code: "topology/bad-shard",
  });
});

Deno.test("copies: equal ones agree, whatever else stands in their logs", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  const { state, actors, messages, upTo, copies } = fixture.compare(shard, { deep: true });
  const own = MESSAGES.filter(({ key }) => fixture.topology.shardOf(key) === shard);
  assert.deepEqual([state, messages, upTo], ["agree", own.length, last.index]);
  assert.equal(actors, new Set(own.map(({ key }) => key)).size);
  assert.equal(new Set(copies.map(({ digest }) => digest)).size, 1);
  assert.ok(copies.every(({ stands, damaged }) => stands && damaged === 0));
  // A copy that knows of more, and one that knows less to be committed.
  fixture.copy(2, shard).store.appendEntry(1, ENTRY.NOOP, new Uint8Array(0));
  fixture.copy(3, shard).commit--;
  const behind = fixture.compare(shard);
  assert.deepEqual([behind.state, behind.upTo], ["agree", last.index - 1]);
  const none = fixture.compare(1000);
  assert.deepEqual([none.state, none.copies], ["lost", []]);
});

Deno.test("copies: a copy does not speak of what it has not committed, nor in place of one that has gone", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  const copy = fixture.copy(2, shard);
  const heard = (between: () => void): Answer[] => {
    const witness = new Witness({
      world: simulatedWorld({ time: fixture.time, random: new SeededRandom(1) }),
      copyOf: (shard) => {
        const copy = fixture.copies.get(2)!.get(shard);
        return copy === undefined ? null : { ...copy, last: copy.store.lastIndex };
      },
      config: { sliceUnits: 1, requestsMax: 1 },
    });
    const questions: Question[] = [{ ask: "summary", shard, upTo: last.index, deep: true }, { ask: "copy", shard }];
    let answers: Answer[] = [];
    assert.ok(witness.answer(questions, (replies) => void (answers = replies.map(({ answer }) => answer))));
    assert.equal(witness.answer(questions, () => assert.fail("it was too much")), false);
    fixture.time.after(0, between);
    fixture.time.runUntil(fixture.time.nowMs + 1000);
    return answers;
  };
  assert.equal(heard(() => {})[0]?.ask, "summary");
  copy.commit--;
  assert.equal(heard(() => {})[0], null);
  copy.commit++;
  const gone = heard(() => void fixture.copies.get(2)!.set(shard, { ...copy, store: new ShardStore(), commit: 0 }));
  assert.deepEqual(gone, [null, { ask: "copy" }]);
});

Deno.test("copies: an actor that differs is found, by its place, and by its key where asked for", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  const copy = fixture.copy(4, shard);
  const message = copy.store.message(last.index);
  const { key, id, type, contentType, atMs } = message;
  copy.store.truncateFrom(last.index);
  copy.store.appendMessage(1, { key, id, type, contentType, atMs, payload: new Uint8Array([1]) });
  const found = fixture.compare(shard);
  assert.deepEqual([found.state, found.differingCount], ["differs", 1]);
  assert.equal(found.differing[0].at, `${last.shard}#${last.index}`);
  assert.equal(JSON.stringify(found).includes(key), false);
  const chains = Map.groupBy(found.differing[0].copies, ({ chain }) => chain);
  assert.deepEqual(
    [...chains.values()].map((some) => some.map(({ node }) => node)).sort((a, b) => a.length - b.length),
    [
      ["FL-A-1"],
      ["TN-A-1", "TN-B-1", "TX-A-1", "UT-A-1"],
    ],
  );
  assert.equal(fixture.compare(shard, { withKeys: true }).differing[0].key, key);
});

Deno.test("copies: bytes that have changed under their digest are found when all are read", () => {
  const { fixture, last } = recorded();
  const shard = parseShard(last.shard);
  flip({ fixture, node: 2, receipt: last });
  assert.equal(fixture.compare(shard).state, "agree");
  const { state, copies } = fixture.compare(shard, { deep: true });
  assert.equal(state, "differs");
  assert.deepEqual(copies.filter(({ damaged }) => damaged !== 0).map(({ node }) => node), ["TN-B-1"]);
});

Deno.test("copies: a shard of many actors is gone through in slices, and buckets", () => {
  const fixture = new AuditFixture();
  const shard = fixture.topology.shardOf("patient/HOSPX/0");
  const keys: string[] = [];
  for (let i = 0; keys.length < 5000; i++) {
    const key = `patient/HOSPX/${i}`;
    if (fixture.topology.shardOf(key) === shard) keys.push(key);
  }
  fixture.record(keys.map((key) => ({ key, id: "a", text: "x" })));
  fixture.record([{ key: keys[7], id: "b", text: "only here" }], [2]);
  fixture.copy(1, shard).store.appendEntry(1, ENTRY.NOOP, new Uint8Array(0));
  for (const node of [1, 3, 4, 5]) fixture.copy(node, shard).commit = 5000;
  assert.equal(fixture.compare(shard).state, "agree");
  for (const node of [1, 3, 4, 5]) {
    const { store } = fixture.copy(node, shard);
    while (store.lastIndex < 5001) store.appendEntry(1, ENTRY.NOOP, new Uint8Array(0));
    fixture.copy(node, shard).commit = 5001;
  }
  const startMs = fixture.time.nowMs;
  const { state, differingCount, differing } = fixture.compare(shard);
  assert.deepEqual([state, differingCount, differing[0].at], ["differs", 1, `${"S"}${fixtureShard(shard)}#8`]);
  assert.ok(fixture.time.nowMs > startMs);
});

function fixtureShard(shard: number): string {
  return `${String(Math.floor(shard / 64)).padStart(2, "0")}/${String(shard % 64).padStart(3, "0")}`;
}

Deno.test("audit: whatever single thing is changed on whatever copies, a message is proven only where enough agree", () => {
  const change = fc.record({
    node: fc.integer({ min: 1, max: 5 }),
    how: fc.constantFrom("flip", "cut", "none", "mute"),
  });
  fc.assert(
    fc.property(fc.uniqueArray(change, { selector: ({ node }) => node, maxLength: 5 }), (changes) => {
      const { fixture, last } = recorded();
      const good = new Set([1, 2, 3, 4, 5]);
      for (const { node, how } of changes) {
        if (how === "flip") flip({ fixture, node, receipt: last });
        else if (how === "cut") fixture.copy(node, parseShard(last.shard)).store.truncateFrom(last.index);
        else if (how === "none") fixture.copies.get(node)!.delete(parseShard(last.shard));
        else fixture.suspects.add(node);
        good.delete(node);
      }
      // Node 1 asks itself, whoever suspects it.
      if (fixture.suspects.has(1)) good.add(1);
      const { state, copies } = fixture.audit(last);
      const dataCenters = new Set([...good].map((node) => Math.max(2, node)));
      const isEnough = good.size >= 3 && dataCenters.size >= 2;
      const isFlipped = changes.some(({ node, how }) => how === "flip" && !(node === 1 && fixture.suspects.has(1)));
      assert.equal(state === "proven", isEnough && !isFlipped, `${state} on ${copies}`);
    }),
    { numRuns: 60 },
  );
});
