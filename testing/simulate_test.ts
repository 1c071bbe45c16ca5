import assert from "node:assert/strict";
import fc from "fast-check";
import { defineHandler, effect, type HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { emptyJournal } from "../tests/simulation/journal.ts";
import type { CommittedActor } from "./committed.ts";
import { missing, type Owed } from "./sent_by_handlers.ts";
import { simulate, type SimulateOptions } from "./simulate.ts";

const QUICK: SimulateOptions = { nodes: 3, seed: 3, override: { safetyMs: 1500, clients: 3, actors: 6 } };
const MESSAGES: SimulateOptions["messages"] = (chance) => ({
  key: `HOSPX/${1 + chance.below(6)}`,
  message: chance.below(3) === 0 ? { type: "discharge" } : { type: "admit", ward: ["5W", "6E"][chance.below(2)] },
});

/** Where a patient is; tells the ward, and itself. */
const PATIENTS = defineHandler({
  name: "patients",
  kind: "patient",
  initial: { ward: "", moves: 0 },
  handle(key, kept, { type, body }) {
    if (type === "discharge") return ["ok", { ...kept, ward: "" }, []];
    if (type !== "admit") return ["ok", kept, []];
    const { ward } = body;
    const arrived = effect.send({ kind: "ward", facility: key.facility, id: ward }, { type: "arrived", who: key.id });
    return ["ok", { ward, moves: kept.moves + 1 }, [arrived, effect.emit({ type: "moved", body: "to a ward" })]];
  },
});

const WARDS = defineHandler({
  name: "wards",
  kind: "ward",
  initial: { arrivals: {} as Record<string, number> },
  handle(_key, { arrivals }, { body }) {
    return ["ok", { arrivals: { ...arrivals, [body.who]: (arrivals[body.who] ?? 0) + 1 } }, []];
  },
});

/** Every move of a patient is an arrival on some ward: true only if each effect has arrived exactly once. */
const IN_THE_END: SimulateOptions["inTheEnd"] = {
  "moves are arrivals": (actors) => {
    let [moves, arrivals] = [0, 0];
    for (const { projections } of actors.values()) {
      moves += (projections.patients as { moves: number } | undefined)?.moves ?? 0;
      const wards = projections.wards as { arrivals: Record<string, number> } | undefined;
      arrivals += Object.values(wards?.arrivals ?? {}).reduce((sum, count) => sum + count, 0);
    }
    return (moves === arrivals && moves > 20) || `${moves} moves, ${arrivals} arrivals`;
  },
};

Deno.test("simulate: plugins that send to each other hold, while nodes crash", () => {
  const { verdict, text, verdicts } = simulate({
    plugins: [PATIENTS, WARDS],
    messages: MESSAGES,
    inTheEnd: IN_THE_END,
    seed: 2,
    override: { safetyMs: 4000, crashEveryMs: 1500, actors: 10 },
  });
  assert.equal(verdict, "held", text);
  assert.ok(verdicts[0].acknowledged > 50);
});

Deno.test("simulate: one seed is one simulation", () => {
  const traces = [0, 1].map(() => {
    const lines: string[] = [];
    simulate({ ...QUICK, plugins: PATIENTS, messages: MESSAGES, trace: (line) => lines.push(line) });
    return lines;
  });
  assert.ok(traces[0].length > 10);
  assert.deepEqual(traces[0], traces[1]);
});

Deno.test("simulate: messages come from an arbitrary, a recording, or nowhere", () => {
  const arbitrary = fc.record({
    key: fc.record({ facility: fc.constant("H"), id: fc.constantFrom("1", "2") }),
    message: fc.record({ type: fc.constant("admit"), ward: fc.constantFrom("5W", "6E") }),
  });
  const recorded = ["A01", "A03"].map((event) => ({
    key: "H/1",
    message: `MSH|^~\\&|E|H|||1||ADT^${event}|${event}|P|2.5\rPID|1||1`,
  }));
  for (const source of [{ messages: arbitrary }, { recorded }, {}]) {
    let seen = 0;
    const { verdict, text } = simulate({
      ...QUICK,
      plugins: PATIENTS as HandlerDefinition,
      ...source,
      invariants: { "there are some": (_kept, history) => ++seen > 0 && history.length > 0 || "none" },
    });
    assert.equal(verdict, "held", text);
    assert.ok(seen > 20);
  }
});

let calls = 0;
let isFirst = true;

const BUGS: [string, SimulateOptions, RegExp][] = [
  [
    "keeps a count in its module",
    {
      plugins: { ...PATIENTS, handle: (_key, kept) => ["ok", { ...kept, moves: ++calls }, []] },
    },
    /breaks the rule "pure", at message 1 of 1: answers other projections the second time[^]*\n\.\.\. and so with \d+ more actors/,
  ],
  ["sends what it will not send again", {
    plugins: {
      ...PATIENTS,
      handle(key, kept) {
        const sent = isFirst ? [effect.send({ kind: "ward", facility: key.facility, id: "5W" }, { type: "once" })] : [];
        isFirst = false;
        return ["ok", kept, sent];
      },
    },
  }, /patients stands still: Cannot keep what the handler decides as it must decide the same twice/],
  [
    "throws at a message",
    {
      plugins: {
        ...PATIENTS,
        handle(_key, kept, { type, body }) {
          return ["ok", type === "admit" ? kept : { ...kept, ward: body.ward.trim() }, []];
        },
      },
    },
    /patients breaks the rule "total", at message 1 of 1: TypeError[^]*As a test of its own[^]*again: simulate\(.*seed: 3/,
  ],
  ["looks at the clock", {
    plugins: { ...PATIENTS, handle: (_key, kept) => ["ok", { ...kept, moves: Date.now() }, []] },
  }, /patients breaks the rule "pure", at message 1 of 1: uses Date\.now/],
  ["breaks its author's word", {
    invariants: { "two moves at most": ({ moves }) => moves <= 2 || `${moves} moves` },
  }, /breaks the rule "two moves at most", at message 3 of 3: 3 moves/],
  [
    "breaks it all together",
    { inTheEnd: IN_THE_END },
    /"moves are arrivals" is broken in the end: \d+ moves, 0 arrivals/,
  ],
];

for (const [name, options, text] of BUGS) {
  Deno.test(`simulate catches a plugin that ${name}`, () => {
    const report = simulate({ ...QUICK, plugins: PATIENTS, messages: MESSAGES, ...options });
    assert.equal(report.verdict, "wrong");
    assert.match(report.text, text);
  });
}

Deno.test("simulate: what a handler sent and did not arrive, came twice, or came changed is seen", () => {
  const payload = new TextEncoder().encode('{"a":1,"b":2}');
  const sent = { type: "t", contentType: "application/json", payload };
  const owed: Owed = { target: "ward/H/5W", id: "x", lane: "l", mayBeMissing: false, ...sent };
  const node = { core: { directory: { require: () => ({ shardOf: () => 1 }) } } };
  const cluster = { living: () => [node], lives: [], time: { nowMs: 0 } } as never;
  const look = (...messages: Partial<typeof sent>[]) => {
    const logged = messages.map((message) => ({ id: "x", at: 0, ...sent, ...message }));
    const actors = new Map([["ward/H/5W", { messages: logged } as unknown as CommittedActor]]);
    return missing([owed], actors, { cluster, journal: emptyJournal() });
  };
  assert.deepEqual(look({}), []);
  assert.deepEqual(
    look({ payload: new TextEncoder().encode('{"b":2,"a":1}') }),
    [],
    "the order of fields does not count",
  );
  assert.match(look()[0], /stands 0 times/);
  assert.match(look({}, {})[0], /stands 2 times/);
  assert.match(look({ type: "u" })[0], /is not as its handler sent it/);
  assert.match(look({ payload: new TextEncoder().encode('{"a":1}') })[0], /is not as its handler sent it/);
});

/** Counts admissions, and asks to be told of each a little later. */
const REMINDED = defineHandler({
  name: "reminded",
  kind: "patient",
  initial: { admits: 0, reminders: 0 },
  handle(_key, kept, { type }) {
    if (type === "remind") return ["ok", { ...kept, reminders: kept.reminders + 1 }, []];
    if (type !== "admit") return ["ok", kept, []];
    return ["ok", { ...kept, admits: kept.admits + 1 }, [
      effect.schedule("soon", { afterMs: 200 }, { type: "remind" }),
    ]];
  },
});

Deno.test("simulate: timers fire into the histories that are checked", () => {
  let reminders = 0;
  const report = simulate({
    ...QUICK,
    plugins: REMINDED,
    messages: MESSAGES,
    invariants: {
      "no reminder without an admission": (kept) => {
        reminders += kept.reminders;
        return kept.reminders <= kept.admits || `${kept.reminders} reminders of ${kept.admits}`;
      },
    },
  });
  assert.equal(report.verdict, "held", report.text);
  assert(reminders > 0);
});

Deno.test("simulate: what cannot be is refused", () => {
  assert.throws(() => simulate({ nodes: 2 }), /3 to 32/);
  assert.throws(() => simulate({ plugins: [PATIENTS, PATIENTS] as HandlerDefinition[] }), /"patients".* taken/);
  assert.throws(() => simulate({ plugins: {} as never }), /Cannot test the handler/);
});
