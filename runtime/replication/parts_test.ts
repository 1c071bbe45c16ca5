import assert from "node:assert/strict";
import fc from "fast-check";
import { ENTRY, ShardStore } from "../storage/mod.ts";
import { ByteWriter } from "../wire/mod.ts";
import {
  type Configuration,
  decodeConfiguration,
  encodeConfiguration,
  everyVoter,
  hasMajority,
  majorityIndex,
} from "./configuration.ts";
import { blankMessage, RAFT, RaftReader, writeMessage } from "./raft_message.ts";
import { newShardState, type Progress } from "./shard_state.ts";
import { SenderOrder } from "./sender_order.ts";
import { acknowledgedIndex, type Waiter, WaitingList } from "./waiting.ts";

const u32 = fc.nat(0xffffffff);

Deno.test("raft message: what is written is read back, one record after another", () => {
  const message = fc.record({
    type: fc.constantFrom(...Object.values(RAFT)),
    shard: fc.nat(1024),
    generation: u32,
    term: u32,
    index: u32,
    logTerm: u32,
    commit: u32,
    round: u32,
    session: u32,
    flag: fc.nat(2),
    count: u32,
    entries: fc.uint8Array({ maxLength: 40 }),
    entriesAt: fc.constant(0),
    entriesTo: fc.constant(0),
  });
  fc.assert(fc.property(fc.array(message, { maxLength: 5 }), (messages) => {
    const writer = new ByteWriter();
    for (const one of messages) writeMessage(writer, one);
    const reader = new RaftReader(writer.take());
    for (const one of messages) {
      const read = blankMessage();
      assert.ok(reader.next(read));
      const again = new ByteWriter();
      writeMessage(again, { ...read, entries: read.entries.subarray(read.entriesAt, read.entriesTo) });
      const expected = new ByteWriter();
      writeMessage(expected, one);
      assert.deepEqual(again.take(), expected.take());
    }
    assert.ok(!reader.next(blankMessage()));
  }));
});

Deno.test("raft message: any garbage is a value or wire/bad-payload", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
    const reader = new RaftReader(bytes);
    try {
      while (reader.next(blankMessage()));
    } catch (error) {
      assert.equal((error as { code?: string }).code, "wire/bad-payload");
    }
  }));
});

const voters = fc.uniqueArray(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 7 });
const configuration = fc.record({ voters, old: fc.option(voters) }, { noNullPrototype: true }) as fc.Arbitrary<
  Configuration
>;

Deno.test("configuration: two majorities of one configuration meet, and a swap's meet both sides'", () => {
  fc.assert(fc.property(configuration, fc.func(fc.boolean()), (config, chosen) => {
    const yes = (voter: number) => chosen(voter);
    const no = (voter: number) => !chosen(voter);
    assert.ok(!(hasMajority(config, yes) && hasMajority(config, no)), "two majorities without a common member");
    if (config.old !== null && hasMajority(config, yes)) {
      assert.ok(
        hasMajority({ voters: config.old, old: null }, yes) && hasMajority({ voters: config.voters, old: null }, yes),
      );
    }
  }));
});

Deno.test("configuration: the majority's index is the greatest that a majority holds", () => {
  fc.assert(fc.property(configuration, fc.array(fc.nat(50), { minLength: 21, maxLength: 21 }), (config, indexes) => {
    const index = majorityIndex(config, (voter) => indexes[voter]);
    assert.ok(hasMajority(config, (voter) => indexes[voter] >= index));
    assert.ok(!hasMajority(config, (voter) => indexes[voter] >= index + 1));
  }));
});

Deno.test("configuration: it survives its entry, and nothing else passes for one", () => {
  fc.assert(fc.property(configuration, (config) => {
    assert.deepEqual(decodeConfiguration(encodeConfiguration(config, 5)), { configuration: config, writer: 5 });
    assert.equal(new Set(everyVoter(config)).size, everyVoter(config).length);
  }));
  for (const bad of [[], [1], [0xc0], [0x93, 0x90, 0xc0, 1], [0x93, 0x92, 1, 1, 0xc0, 1]]) {
    assert.throws(() => decodeConfiguration(new Uint8Array(bad)), { code: "wire/bad-payload" });
  }
});

Deno.test("waiting: everybody is answered once, in order of index, when his time has come", () => {
  const entries = fc.array(fc.record({ index: fc.integer({ min: 1, max: 30 }), byRule: fc.boolean() }), {
    maxLength: 40,
  });
  fc.assert(fc.property(entries, fc.array(fc.tuple(fc.nat(4), fc.nat(4)), { maxLength: 20 }), (entries, steps) => {
    const list = new WaitingList();
    const open = new Set<Waiter>();
    for (const { index, byRule } of entries) {
      const waiter = { index, byRule, duplicate: false, done: () => {} };
      open.add(waiter);
      list.add(waiter);
    }
    let committed = 0, acknowledged = 0;
    for (const [more, moreAcknowledged] of steps) {
      committed += more;
      acknowledged = Math.min(committed, acknowledged + moreAcknowledged);
      for (const waiter of list.settle(committed, acknowledged)) {
        assert.ok(open.delete(waiter), "answered twice");
        assert.ok(waiter.index <= (waiter.byRule ? acknowledged : committed), "answered too early");
      }
      for (const waiter of open) {
        assert.ok(waiter.index > (waiter.byRule ? acknowledged : committed), "not answered though due");
      }
      assert.equal(list.length, open.size);
    }
    assert.equal(list.takeAll().length, open.size);
  }));
});

Deno.test("sender order: the next number, or the oldest open one, and nothing else", () => {
  const order = new SenderOrder();
  const check = (sender: string, n: number, oldest: number) => {
    order.seek(sender, "patient/X/1");
    return order.check(n, oldest);
  };
  assert.equal(check("s", 2, 1), 1, "2 before 1 is a gap");
  assert.equal(check("s", 1, 1), null);
  order.appended(1);
  assert.equal(check("s", 2, 1), null);
  assert.equal(check("s", 3, 1), 2);
  assert.equal(check("s", 4, 4), null, "all before 4 have ended");
  assert.equal(check("s", 1, 1), 2, "a late frame is no oldest");
  assert.equal(check("new", 7, 7), null, "a new writer goes on where the sender stands");
  order.seek("s", "patient/X/2");
  assert.equal(order.check(9, 9), null, "another actor's messages are another stream");
  order.clear();
  assert.equal(check("s", 3, 2), 2, "forgotten");
});

Deno.test("sender order: as if every stream were remembered, or forgotten as a whole", () => {
  const op = fc.record({
    stream: fc.nat(900),
    kind: fc.constantFrom("next" as const, "skips" as const, "again" as const),
  });
  fc.assert(fc.property(fc.array(op, { maxLength: 2000 }), (ops) => {
    const order = new SenderOrder();
    const last = new Map<number, number>();
    for (const { stream, kind } of ops) {
      const key = `patient/Ü/${stream % 30}`;
      order.seek(`sender ${Math.floor(stream / 30)}`, key);
      const before = last.get(stream) ?? 0;
      const n = before + (kind === "next" ? 1 : kind === "skips" ? 2 : 0);
      if (n === 0) continue;
      const answer = order.check(n, kind === "again" ? 1 : before + 1);
      if (kind === "next") {
        assert.equal(answer, null, "the next one is always taken");
        order.appended(n);
        last.set(stream, n);
      } else if (kind === "skips") assert.equal(answer, before + 1, "never one whose predecessor is missing");
      else assert.ok(answer === before + 1 || answer === 1 || (answer === null && n === 1), `${answer}`);
    }
  }));
});

Deno.test("a receipt relies on copies that can be named, each node once", () => {
  const store = new ShardStore();
  const state = newShardState({
    shard: 0,
    self: 1,
    store,
    configuration: { voters: [1, 2, 3], old: null },
    generation: 1,
  });
  store.appendEntry(1, ENTRY.DONE, new Uint8Array());
  state.commit = 1;
  const rule = { copies: 3, dataCenters: 2 };
  const acknowledged = (names: Record<number, string>) => {
    state.peers.clear();
    for (const incarnation of [2, 3]) state.peers.add(newProgress({ incarnation, match: 1 }));
    return acknowledgedIndex(state, rule, {
      nameOf: (one) => names[one] ?? `incarnation-${one}`,
      dataCenterOf: (one) => (names[one] ?? "").slice(0, 2),
      isSuspect: () => false,
    });
  };
  assert.equal(acknowledged({ 1: "TN-A-1", 2: "TX-A-1", 3: "FL-A-1" }), 1);
  assert.equal(acknowledged({ 1: "TN-A-1", 2: "TX-A-1" }), 0, "of the third nobody here knows where it is");
  assert.equal(acknowledged({ 1: "TN-A-1", 2: "TX-A-1", 3: "TX-A-1" }), 0, "two lives of one node are one copy");
});

function newProgress(fields: Partial<Progress>): Progress {
  return {
    incarnation: 0,
    name: "",
    dataCenter: "",
    session: 1,
    match: 0,
    next: 1,
    commit: 0,
    round: 0,
    answeredAtMs: 0,
    sentAtMs: 0,
    flyingBytes: 0,
    resends: 0,
    refusedIndex: 0,
    refusedAtMs: 0,
    settled: true,
    isKnown: true,
    isBulk: false,
    ...fields,
  };
}
