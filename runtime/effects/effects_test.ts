import assert from "node:assert/strict";
import fc from "fast-check";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { messageOf } from "./effect_message.ts";
import {
  decodeDone,
  decodeOutcomes,
  type Effect,
  effectId,
  type EffectPosting,
  type EffectPostResult,
  Effects,
  type EffectsConfig,
  encodeDone,
  encodeOutcomes,
  type OutcomeItem,
  readOutcomes,
} from "./mod.ts";
import { pack, unpack } from "../wire/mod.ts";

const CONFIG: EffectsConfig = {
  inFlightMax: 4,
  inHandMax: 8,
  sinkInHandMax: 4,
  doneGatherMs: 10,
  doneItemsMax: 8,
  retryMinMs: 10,
  retryMaxMs: 100,
  retiresWaitingMax: 2,
  firesMax: 2,
  clockOffMs: 2000,
  finalRefusals: ["conflict", "too-large", "bad-key"],
};

function item(key: string, seq: number, effects: Effect[] | null): OutcomeItem {
  return { key, plugin: "p", hash: "h", seq, state: "ok", effects, digest: "", error: null };
}

function send(id: string): Effect {
  return { type: "send", key: { facility: "F", id }, message: { type: "t", body: 1 } };
}

/** One node, one shard; `log` holds what was committed. */
function bench() {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const log: Uint8Array[] = [];
  const posts: { posting: EffectPosting; end: (result: EffectPostResult) => void }[] = [];
  const alerts: string[] = [];
  const b = {
    time,
    posts,
    alerts,
    doneEntries: 0,
    clockAheadMs: 0,
    retires: [] as { key: string; seq: number; end: (end: "done" | "void" | "wait") => void }[],
    answer: "committed" as "committed" | "lost" | "busy",
    effects: undefined as unknown as Effects,
    commit(items: OutcomeItem[]) {
      const index = log.push(encodeOutcomes(items));
      let position = 0;
      for (const { key, seq, plugin, effects } of items) {
        const types = (effects ?? []).map(({ type }) => type);
        if (effects !== null) b.effects.committed(1, { index, position, row: 0, key, seq, plugin, types, effects });
        position += effects?.length ?? 0;
      }
      b.run(0);
    },
    run: (ms: number) => time.runUntil(time.nowMs + ms),
    ids: () => posts.map(({ posting }) => posting.id),
  };
  b.effects = new Effects({
    world,
    post: (posting, end) => void posts.push({ posting, end }),
    proposeDone: (_shard, body, done) => {
      if (b.answer !== "committed") return done(b.answer);
      b.doneEntries++;
      b.effects.done(1, decodeDone(body));
      done("committed");
    },
    read: (_shard, index) => log[index - 1],
    retire: (_shard, wish, end) => void b.retires.push({ ...wish, end }),
    clockAheadMs: () => b.clockAheadMs,
    alert: (code) => void alerts.push(code),
    config: CONFIG,
  });
  return b;
}

Deno.test("effects: in order per source and target, others beside it, marked done in batches", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.commit([item("a", 1, [send("x"), send("x"), send("y")]), item("b", 1, [send("x")])]);
  assert.deepEqual(b.ids(), ["a#1#p#0", "a#1#p#2", "b#1#p#0"]);
  for (const { end } of [...b.posts]) end({ state: "recorded" });
  b.run(0);
  assert.deepEqual(b.ids().slice(3), ["a#1#p#1"]);
  b.posts[3].end({ state: "recorded" });
  assert.equal(b.effects.owed(), 4);
  b.run(50);
  assert.equal(b.effects.owed(), 0);
  assert.equal(b.doneEntries, 1);
});

Deno.test("effects: tried again with longer waits until the target takes it; what is refused for good is told", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.commit([item("a", 1, [send("x"), send("x")])]);
  for (let attempt = 0; attempt < 5; attempt++) {
    b.posts[attempt].end({ state: "refused", code: "mailroom/busy", outcome: "not-applied" });
    b.run(101);
  }
  assert.deepEqual(b.ids(), Array(6).fill("a#1#p#0"));
  b.posts[5].end({ state: "refused", code: "mailroom/conflict", outcome: "not-applied" });
  b.run(0);
  assert.deepEqual(b.alerts, ["effects/refused"]);
  assert.equal(b.ids()[6], "a#1#p#1");
});

Deno.test("effects: followers owe and do nothing; the next writer goes on with what is left", () => {
  const b = bench();
  b.commit([item("a", 1, [send("x"), { type: "reply", body: 1 }]), item("a", 2, [send("x")])]);
  assert.equal(b.posts.length, 0);
  b.effects.done(1, [[1, 0]]);
  b.effects.becameWriter(1);
  assert.equal(b.effects.owed(), 1, "a reply is not owed");
  b.run(0);
  assert.deepEqual(b.ids(), ["a#2#p#0"]);
  b.effects.lostWriter(1);
  b.effects.becameWriter(1);
  b.run(0);
  assert.equal(b.posts.length, 1, "what is under way to that target is waited for");
  b.posts[0].end({ state: "recorded" });
  b.run(0);
  assert.deepEqual(b.ids(), ["a#2#p#0", "a#2#p#0"], "and then repeated under the same id");
});

Deno.test("effects: what an earlier time as writer left refused does not stop the next one's", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.commit([item("a", 1, [send("x")])]);
  b.posts[0].end({ state: "refused", code: "mailroom/timeout", outcome: "unknown" });
  b.effects.lostWriter(1);
  // Another writer has carried it out meanwhile: here it is never posted again, and its stream stays stopped.
  b.effects.done(1, [[1, 0]]);
  b.commit([item("a", 2, [send("x")])]);
  b.effects.becameWriter(1);
  b.run(200);
  assert.equal(b.posts[1].posting.id, "a#2#p#0");
  assert.notEqual(b.posts[1].posting.sender, b.posts[0].posting.sender);
});

Deno.test("effects: holds so many in hand and takes the rest from the log when there is room", () => {
  const b = bench();
  b.effects.becameWriter(1);
  for (let seq = 1; seq <= 40; seq++) b.commit([item("a", seq, [send(`${seq}`)])]);
  for (let done = 0; done < 40; done++) {
    assert(b.posts.length - done <= CONFIG.inFlightMax);
    b.posts[done].end({ state: "recorded" });
    b.run(20);
  }
  assert.equal(new Set(b.ids()).size, 40);
  b.run(100);
  assert.equal(b.effects.owed(), 0);
});

Deno.test("effects: while done-marks do not get through it goes so far and no further", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.answer = "busy";
  for (let seq = 1; seq <= 40; seq++) b.commit([item("a", seq, [{ type: "alert", code: `${seq}`, text: "" }])]);
  b.run(1000);
  assert(b.alerts.length < 20);
  b.answer = "committed";
  b.run(1000);
  assert.equal(b.alerts.length, 40);
  assert.equal(b.effects.owed(), 0);
});

Deno.test("effects: what cannot be posted or read is told and holds nothing up", () => {
  const b = bench();
  b.effects.becameWriter(1);
  const bad = { type: "send", key: { facility: "", id: "" }, message: { type: "t" } } as Effect;
  b.commit([item("a", 1, [bad, { type: "later" } as never])]);
  // there is no such entry
  const place = { index: 2, position: 0, row: 0, key: "a", seq: 2, plugin: "p" };
  b.effects.committed(1, { ...place, types: ["send"], effects: [send("x")] });
  b.run(100);
  assert.deepEqual(b.alerts, ["effects/refused", "effects/refused", "effects/bad-entry"]);
  assert.equal(b.posts.length, 0);
});

Deno.test("effects: a message's body decides its bytes", () => {
  const bytesOf = (message: Record<string, unknown>) => {
    const { contentType, payload } = messageOf({ type: "emit", message: { type: "t", ...message } }, "k")!;
    return [contentType, new TextDecoder().decode(payload)];
  };
  assert.deepEqual(bytesOf({ body: { a: 1 } }), ["application/json", '{"a":1}']);
  assert.deepEqual(bytesOf({ body: "a" }), ["application/json", '"a"']);
  assert.deepEqual(bytesOf({ body: "MSH|", contentType: "x-application/hl7-v2+er7" }), [
    "x-application/hl7-v2+er7",
    "MSH|",
  ]);
  assert.deepEqual(bytesOf({ body: "a", contentType: "application/json; charset=utf-8" }), [
    "application/json; charset=utf-8",
    '"a"',
  ]);
  assert.deepEqual(bytesOf({ body: new Uint8Array([65]) }), ["application/octet-stream", "A"]);
  assert.deepEqual(bytesOf({ patient: "1001" }), ["application/json", '{"patient":"1001"}']);
  assert.deepEqual(bytesOf({}), ["application/json", "null"]);
});

Deno.test("effects: an id is short enough for the log, and another for another key", () => {
  const long = (last: string) => `ward/${"x".repeat(600)}/${last}`;
  assert.equal(effectId("ward/F/1", 3, "p", 0), "ward/F/1#3#p#0");
  assert(effectId(long("a"), 3, "p", 0).length <= 400);
  assert.notEqual(effectId(long("a"), 3, "p", 0), effectId(long("b"), 3, "p", 0));
});

Deno.test("outcome entries: written as MessagePack has it, read as far as somebody asks", () => {
  const text = fc.string({ unit: "binary", maxLength: 40 });
  const long = fc.string({ unit: "grapheme", minLength: 20, maxLength: 300 });
  const effects = fc.array(
    fc.oneof(
      fc.record({ type: fc.constantFrom("send", "retire", "later"), body: fc.jsonValue() }),
      fc.record({ body: fc.uint8Array({ maxLength: 5 }), type: text }),
      fc.record({ deep: fc.jsonValue(), number: fc.double({ noNaN: true }) }),
    ),
    { maxLength: 20 },
  ) as unknown as fc.Arbitrary<Effect[]>;
  const anyItem: fc.Arbitrary<OutcomeItem> = fc.record({
    key: fc.oneof(text, long),
    plugin: fc.constantFrom("p", "q", "ü"),
    hash: fc.constantFrom("h".repeat(64), "i".repeat(64)),
    seq: fc.oneof(fc.nat(300), fc.nat(), fc.maxSafeNat()),
    state: fc.constantFrom("ok", "parked"),
    effects: fc.option(effects),
    digest: text,
    error: fc.option(
      fc.record({ code: text, message: long, stack: text }, { requiredKeys: ["code", "message"] }),
    ),
  });
  fc.assert(fc.property(fc.array(anyItem, { maxLength: 20 }), fc.boolean(), (items, isPacked) => {
    const body = encodeOutcomes(items.map((item) => {
      return isPacked && item.effects !== null ? { ...item, packed: pack(item.effects) } : item;
    }));
    assert.deepEqual(
      body,
      pack(items.map(({ key, plugin, hash, seq, state, effects, digest, error }) => {
        const how = state === "ok" ? 0 : 1;
        return [key, plugin, hash, seq, how, effects, digest, error === null ? null : Object.values(error)];
      })),
    );
    const rows = unpack(body) as unknown[][];
    readOutcomes(body).forEach((record, i) => {
      const [key, plugin, hash, seq, , effects, digest, error] = rows[i];
      assert.deepEqual([record.key, record.plugin, record.hash, record.seq, record.digest], [
        key,
        plugin,
        hash,
        seq,
        digest,
      ]);
      assert.deepEqual([record.state, record.effects], [items[i].state, effects]);
      const said = record.error;
      assert.deepEqual(said === null ? null : Object.values(said), error);
      assert.equal(record.hasEffects, effects !== null);
      const types = ((effects ?? []) as { type?: unknown }[]).map(({ type }) => typeof type === "string" ? type : "");
      assert.deepEqual(record.types, types);
    });
  }));
});

Deno.test("outcome entries: decoding gives back what was encoded; anything else throws", () => {
  const items: OutcomeItem[] = [
    item("", 9, null),
    item("a", 1, [send("x")]),
    { ...item("a", 2, null), state: "parked", error: { code: "c", message: "m" } },
    { ...item("a", 3, null), state: "parked", error: { code: "c", message: "m", stack: "at f\nat g" } },
  ];
  assert.deepEqual(decodeOutcomes(encodeOutcomes(items)), items);
  assert.deepEqual(decodeDone(encodeDone([[1, 2], [70_000, 0]])), [[1, 2], [70_000, 0]]);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
    for (const decode of [decodeOutcomes, decodeDone]) {
      try {
        decode(bytes);
      } catch (error) {
        assert.match((error as { code: string }).code, /^(effects\/bad-entry|wire\/bad-payload)$/);
      }
    }
  }));
});
