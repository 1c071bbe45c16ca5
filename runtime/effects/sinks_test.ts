import assert from "node:assert/strict";
import fc from "fast-check";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import {
  type DeadLetter,
  decodeDone,
  type DoneItem,
  type Effect,
  type EffectPosting,
  Effects,
  encodeOutcomes,
  type OutcomeItem,
  type SinkDelivery,
  type SinkEnd,
  type SinkPolicy,
} from "./mod.ts";

const CONFIG = {
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

const POLICY: SinkPolicy = {
  hash: "v1",
  attempts: 3,
  firstMs: 100,
  mostMs: 1_000,
  whenDead: "skip",
  isPaused: false,
};

function deliver(sink: string, body: unknown = 1): Effect {
  return { type: "deliver", sink, message: { type: "t", body } };
}

/** One node, one shard, sinks that answer as told. */
function bench(policy: Partial<SinkPolicy> = {}) {
  const time = new SimulatedTime();
  const world = simulatedWorld({ time, random: new SeededRandom(1) });
  const log: Uint8Array[] = [];
  const posts: EffectPosting[] = [];
  const marks: DoneItem[] = [];
  const tries: { sink: string; delivery: SinkDelivery; end: (end: SinkEnd) => void }[] = [];
  const b = {
    time,
    posts,
    marks,
    tries,
    policy: { ...POLICY, ...policy } as SinkPolicy | null,
    seq: 0,
    effects: undefined as unknown as Effects,
    commit(key: string, effects: Effect[]) {
      const item: OutcomeItem = {
        ...{ key, plugin: "p", hash: "h", seq: ++b.seq, state: "ok", effects, digest: "", error: null },
      };
      const index = log.push(encodeOutcomes([item]));
      const types = effects.map(({ type }) => type);
      b.effects.committed(1, { index, position: 0, row: 0, key, seq: b.seq, plugin: "p", types, effects });
    },
    run: (ms: number) => time.runUntil(time.nowMs + ms),
    said: () => tries.map(({ delivery }) => `${delivery.id} ${delivery.attempt}`),
  };
  b.effects = new Effects({
    world,
    post: (posting, end) => {
      posts.push(posting);
      end({ state: "recorded" });
    },
    proposeDone: (_shard, body, done) => {
      marks.push(...decodeDone(body));
      b.effects.done(1, decodeDone(body));
      done("committed");
    },
    read: (_shard, index) => log[index - 1],
    retire: () => {},
    clockAheadMs: () => 0,
    alert: () => {},
    sinks: {
      policyOf: () => b.policy,
      deliver: (sink, delivery, end) => void tries.push({ sink, delivery, end }),
    },
    config: CONFIG,
  });
  return b;
}

const RETRY = { state: "retry", code: "x/down", text: "it is down" } as const;

Deno.test("sinks: one actor's deliveries to one sink come one after the other, others beside them", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.commit("patient/F/a", [deliver("x"), deliver("x"), deliver("y")]);
  b.commit("patient/F/b", [deliver("x", { n: 1 })]);
  b.run(1);
  assert.deepEqual(b.said(), ["patient/F/a#1#p#0 1", "patient/F/a#1#p#2 1", "patient/F/b#2#p#0 1"]);
  const { key, contentType, bytes } = b.tries[2].delivery;
  assert.deepEqual([key.id, contentType, new TextDecoder().decode(bytes)], ["b", "application/json", '{"n":1}']);
  b.tries[0].end({ state: "done", answer: "AA" });
  b.run(20);
  assert.equal(b.said()[3], "patient/F/a#1#p#1 1");
  assert.deepEqual(b.marks, [[1, 0, "AA"]], "what the target said stands beside the mark");
});

Deno.test("sinks: a target that takes nothing is tried for ever, a message that alone fails becomes a dead letter", () => {
  const b = bench();
  b.effects.becameWriter(1);
  b.commit("patient/F/a", [deliver("x"), deliver("x")]);
  for (let i = 0; i < 20; i++) {
    b.run(1_001);
    b.tries[i].end(RETRY);
  }
  assert.equal(b.said().at(-1), "patient/F/a#1#p#0 20");
  assert.equal(b.posts.length, 0, "nobody gets through, so it is not the message's fault");
  b.commit("patient/F/b", [deliver("x")]);
  b.run(1_001);
  b.tries.at(-2)!.end({ state: "done" });
  b.run(1);
  assert.equal(b.said().at(-2), "patient/F/b#2#p#0 1");
  b.tries.at(-1)!.end(RETRY);
  b.run(50);
  assert.deepEqual(b.posts.map(({ key, type }) => [key.split("/").slice(0, 2).join("/"), type]), [[
    "dead_letter/x",
    "dead",
  ]]);
  assert.equal(b.marks.find(([, , , givenUp]) => givenUp !== undefined)?.[3], "x/down", "the log says why");
  const letter: DeadLetter = JSON.parse(new TextDecoder().decode(b.posts[0].payload));
  assert.deepEqual([letter.effect, letter.attempts, letter.code, letter.bytes], [
    "patient/F/a#1#p#0",
    21,
    "x/down",
    "MQ==",
  ]);
  assert.equal(b.said().at(-1), "patient/F/a#1#p#1 1", "the next one goes on");
  assert.deepEqual(b.effects.sinkCounts(), [{ sink: "x", done: 1, retried: 20, dead: 1, inHand: 1, held: 0 }]);
});

Deno.test("sinks: what is held holds up its own actor until an operator or another version decides", () => {
  const b = bench({ whenDead: "hold" });
  b.effects.becameWriter(1);
  b.commit("patient/F/a", [deliver("x"), deliver("x"), deliver("x")]);
  b.commit("patient/F/b", [deliver("x")]);
  b.run(1);
  b.tries[0].end({ state: "dead", code: "x/refused", text: "no" });
  b.tries[1].end({ state: "done" });
  b.run(5_000);
  assert.equal(b.tries.length, 2);
  const [held] = b.effects.deliveries({ limit: 1 });
  assert.deepEqual([held.id, held.state, held.code], ["patient/F/a#1#p#0", "held", "x/refused"]);
  assert.equal(b.effects.release("patient/F/b#2#p#0", "discard"), false, "there is none of that id");
  assert.ok(b.effects.release(held.id, "discard"));
  b.run(20);
  assert.equal(b.said()[2], "patient/F/a#1#p#1 1");
  b.tries[2].end({ state: "dead", code: "x/refused", text: "no" });
  b.policy = { ...POLICY, whenDead: "hold", hash: "v2" };
  b.effects.sinksChanged();
  b.run(1);
  assert.equal(b.said()[3], "patient/F/a#1#p#1 1", "it begins anew with the new version");
  b.tries[3].end({ state: "dead", code: "x/refused", text: "no" });
  assert.equal(b.effects.sinkCounts()[0].held, 1);
  b.effects.lostWriter(1);
  b.run(1);
  assert.deepEqual([b.effects.sinkCounts()[0].held, b.effects.sinkCounts()[0].inHand], [0, 0]);
  b.effects.becameWriter(1);
  b.run(1);
  assert.equal(b.said()[4], "patient/F/a#1#p#1 1", "the next writer tries it again");
});

Deno.test("sinks: one that is not there, or paused, keeps its deliveries waiting", () => {
  const b = bench({ isPaused: true });
  b.effects.becameWriter(1);
  b.commit("patient/F/a", [deliver("x")]);
  b.run(5_000);
  assert.equal(b.effects.deliveries({ limit: 9 })[0].code, "effects/sink-paused");
  b.policy = null;
  b.run(5_000);
  assert.equal(b.effects.deliveries({ limit: 9 })[0].code, "effects/no-such-sink");
  b.policy = POLICY;
  b.run(1_001);
  assert.deepEqual(b.said(), ["patient/F/a#1#p#0 1"]);
});

Deno.test("sinks: with more than the hand holds, and roles that come and go, each arrives, in order", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({
        actor: fc.constantFrom("a", "b", "c"),
        sinks: fc.array(fc.constantFrom("x", "y"), { maxLength: 4 }),
      }),
      fc.constantFrom("end", "end", "end", "role", "fail"),
    ),
    { maxLength: 60 },
  );
  fc.assert(fc.property(steps, (all) => {
    const b = bench({ attempts: 1_000 });
    const wanted = new Map<string, string[]>();
    const arrived = new Map<string, string[]>();
    let next = 0;
    const answer = (end: SinkEnd) => {
      const { sink, delivery, end: tell } = b.tries[next++];
      const lane = `${delivery.key.id} ${sink}`;
      const list = arrived.get(lane) ?? [];
      // at least once: what was under way when the role was lost comes again
      if (end.state === "done" && !list.includes(delivery.id)) arrived.set(lane, [...list, delivery.id]);
      tell(end);
    };
    b.effects.becameWriter(1);
    for (const step of all) {
      if (step === "role") {
        b.effects.lostWriter(1);
        b.run(1);
        b.effects.becameWriter(1);
      } else if (typeof step === "string") {
        if (next < b.tries.length) answer(step === "end" ? { state: "done" } : RETRY);
      } else {
        b.commit(`patient/F/${step.actor}`, step.sinks.map((sink) => deliver(sink)));
        step.sinks.forEach((sink, n) => {
          const lane = `${step.actor} ${sink}`;
          wanted.set(lane, [...wanted.get(lane) ?? [], `patient/F/${step.actor}#${b.seq}#p#${n}`]);
        });
      }
      b.run(1);
      for (const { inHand } of b.effects.sinkCounts()) assert.ok(inHand < 4 + 4, `${inHand} in hand`);
    }
    for (let i = 0; i < 2_000 && b.effects.owed() > 0; i++) {
      while (next < b.tries.length) answer({ state: "done" });
      b.run(1_001);
    }
    assert.equal(b.effects.owed(), 0);
    assert.deepEqual(new Map([...arrived].sort()), new Map([...wanted].sort()));
  }));
});
