import assert from "node:assert/strict";
import fc from "fast-check";
import { defineHandler, effect, type HandlerDefinition } from "../runtime/plugin_host/mod.ts";
import { checkHandler, type CheckOptions, HandlerCheckError } from "./check_handler.ts";
import type { GivenMessage } from "./given_message.ts";
import type { HandlerSource } from "./replay.ts";

const WARD = fc.constantFrom("5W", "6E", "ICU");
const ADMIT = fc.record({ type: fc.constant("admit"), ward: WARD });
const DISCHARGE = fc.constant({ type: "discharge" });
const MESSAGES = fc.oneof(ADMIT, DISCHARGE, fc.string());

/** Tells of a patient's ward, and makes no mistake. */
const GOOD = defineHandler({
  name: "good",
  kind: "patient",
  initial: { ward: null as string | null, moves: 0 },
  handle(key, kept, message) {
    if (message.type === "discharge") return ["ok", { ...kept, ward: null }, []];
    if (message.type !== "admit") return ["ok", kept, []];
    const { ward } = message.body as { ward: string };
    const arrived = effect.send({ kind: "ward", facility: key.facility, id: ward }, { type: "arrived" });
    return ["ok", { ward, moves: kept.moves + 1 }, [arrived]];
  },
});

// deno-lint-ignore no-explicit-any -- each bug keeps what it likes
type Handle = HandlerDefinition<any>["handle"];
const handler = (handle: Handle, initial: unknown = {}) =>
  defineHandler({ name: "bad", kind: "patient", initial, handle });

/** Checks; the error that it must end in. */
function caught(definition: HandlerSource, options: Partial<CheckOptions> = {}): HandlerCheckError {
  try {
    checkHandler(definition, { messages: MESSAGES, seed: 7, ...options });
  } catch (error) {
    if (error instanceof HandlerCheckError) return error;
    throw error;
  }
  throw new Error("nothing was found");
}

Deno.test("checkHandler: a good handler passes, and the report says what it was shown", () => {
  const report = checkHandler(GOOD, {
    messages: MESSAGES,
    seed: 7,
    invariants: {
      "the ward is where the last admission was": ({ ward }, history, effects) => {
        const last = history.findLast(({ type }) => type === "admit" || type === "discharge");
        const admissions = history.filter(({ type }) => type === "admit").length;
        return (ward === (last?.body.ward ?? null) && effects.length === admissions) || `it is ${ward}`;
      },
    },
    indifferentTo: { delay: true, double: ({ ward }) => ward === null || ward !== "" },
  });
  assert.equal(report.runs, 100);
  assert.ok(report.types.admit > 100 && report.types.discharge > 100 && report.types[""] > 100, "all types are drawn");
  assert.ok(report.longest > 20, "and long histories");
});

/** A bug, what it breaks, and the smallest history that shows it. */
interface Bug {
  name: string;
  definition: HandlerSource;
  options?: Partial<CheckOptions>;
  rule: string;
  text: RegExp;
  history: GivenMessage[];
}

let calls = 0;

const BUGS: Bug[] = [
  {
    name: "reads the clock",
    definition: handler((_key, _kept, { type }) => ["ok", type === "admit" ? { at: Date.now() } : {}, []]),
    rule: "pure",
    text: /uses Date\.now/,
    history: [{ type: "admit" }],
  },
  {
    name: "rolls the dice and hides it",
    definition: handler((_key, kept) => {
      try {
        return ["ok", { n: Math.random() }, []];
      } catch {
        return ["ok", kept, []];
      }
    }),
    rule: "pure",
    text: /uses Math\.random/,
    history: [{}],
  },
  {
    name: "uses what a plugin's context does not have",
    definition: handler((_key, kept) => ["ok", structuredClone(kept), []]),
    rule: "pure",
    text: /uses structuredClone/,
    history: [{}],
  },
  {
    name: "changes its projections in place",
    definition: handler((_key, kept, { type }) => {
      if (type === "discharge") kept.wards.length = 0;
      if (type === "admit") kept.wards = [type];
      return ["ok", kept, []];
    }, { wards: [] }),
    rule: "pure",
    text: /changes projections in place \(check_handler_test\.ts:\d+\)/,
    history: [{ type: "admit" }],
  },
  {
    name: "changes the message",
    definition: handler((_key, kept, message) => {
      if (message.type === "admit") delete message.body.ward;
      return ["ok", kept, []];
    }),
    rule: "pure",
    text: /changes message\.body in place \(check_handler_test\.ts:\d+\)/,
    history: [{ type: "admit", ward: "5W" }],
  },
  {
    name: "keeps a count in its module",
    definition: handler((_key, _kept, { type }) => ["ok", { n: type === "admit" ? ++calls : 0 }, []]),
    rule: "pure",
    text: /answers other projections the second time/,
    history: [{ type: "admit" }],
  },
  {
    name: "drops what its module has seen",
    definition: () => {
      const seen = new Set<string>();
      return handler((_key, { n }, { id }) => {
        const isNew = !seen.has(id);
        seen.add(id);
        return ["ok", { n }, isNew ? [effect.alert("bad/new", "a new one")] : []];
      }, { n: 0 });
    },
    rule: "pure",
    text: /answers other effects the second time/,
    history: [{}],
  },
  {
    name: "remembers the ward of whoever was first",
    definition: () => {
      let first = "";
      return handler((key, kept, { type, body }) => {
        if (type === "admit") first ||= `${key.id} ${body.ward}`;
        return ["ok", { ...kept, first }, []];
      });
    },
    rule: "replay",
    text: /folded between another actor's messages/,
    history: [{ type: "admit" }],
  },
  {
    name: "keeps what is no plain data",
    definition: handler((_key, _kept, { type }) => ["ok", { types: new Set([type]) }, []]),
    rule: "plain data",
    text: /projections\.types .* Set/,
    history: [{}],
  },
  {
    name: "keeps what is dropped silently",
    definition: handler((_key, _kept, { type }) => ["ok", { list: Object.assign([type], { total: 1 }) }, []]),
    rule: "plain data",
    text: /projections\.list has fields beside its elements/,
    history: [{}],
  },
  {
    name: "keeps an element a message",
    definition: handler((_key, { log }, { type, at }) => ["ok", { log: type === "admit" ? [...log, at] : log }, []], {
      log: [],
    }),
    options: { lifeMessages: 1_000_000 },
    rule: "bounded",
    text: /grow by \d+\.\d characters a message/,
    history: [{ type: "admit" }],
  },
  {
    name: "asks for what there is not",
    definition: handler((_key, kept, { type }) => ["ok", kept, type === "admit" ? [{ type: "mail" } as never] : []]),
    rule: "effects",
    text: /there are send, emit/,
    history: [{ type: "admit" }],
  },
  {
    name: "throws at what it did not think of",
    definition: handler((
      _key,
      kept,
      { type, body },
    ) => ["ok", type === "admit" ? { ward: body.ward.trim() } : kept, []]),
    options: { messages: fc.oneof(ADMIT, fc.constant({ type: "admit" })) },
    rule: "total",
    text: /TypeError.*\(check_handler_test\.ts:\d+\)/,
    history: [{ type: "admit" }],
  },
  {
    name: "depends on the order",
    definition: handler((_key, _kept, { type }) => ["ok", { isHere: type === "admit" }, []], { isHere: false }),
    options: { messages: fc.oneof(ADMIT, DISCHARGE), indifferentTo: { reorder: true } },
    rule: "indifferent to reorder",
    text: /comes to .* and, in another order, to/,
    history: [{ type: "admit" }, {}],
  },
  {
    name: "counts twice what came twice",
    definition: handler((_key, { n }, { type }) => ["ok", { n: n + (type === "admit" ? 1 : 0) }, []], { n: 0 }),
    options: { indifferentTo: { double: true } },
    rule: "indifferent to double",
    text: /with a message doubled/,
    history: [{ type: "admit" }],
  },
  {
    name: "breaks its author's word",
    definition: handler((_key, { n }, { type }) => ["ok", { n: n + (type === "admit" ? 1 : -1) }, []], { n: 0 }),
    options: {
      messages: fc.oneof(ADMIT, DISCHARGE),
      invariants: { "nobody leaves who has not come": ({ n }) => n >= 0 || `${n} are here` },
    },
    rule: "nobody leaves who has not come",
    text: /-1 are here/,
    history: [{}],
  },
  {
    name: "has an invariant that says nothing",
    definition: handler((_key, kept) => ["ok", kept, []]),
    options: { invariants: { "says nothing": (() => {}) as never } },
    rule: "says nothing",
    text: /answers undefined, not true/,
    history: [{}],
  },
];

for (const { name, definition, options, rule, text, history } of BUGS) {
  Deno.test(`checkHandler catches one that ${name}`, () => {
    const error = caught(definition, options);
    assert.equal(error.problem.rule, rule, error.message);
    assert.match(error.problem.text, text);
    assert.deepEqual(error.history, history);
  });
}

Deno.test("checkHandler: a failure that does not come again is told as such", () => {
  let isFirst = true;
  const once = handler((_key, kept) => {
    const was = isFirst;
    isFirst = false;
    return ["ok", was ? { n: 1 } : kept, []];
  });
  assert.match(caught(once).message, /not every time, so something is kept in its module/);
});

Deno.test("checkHandler: what a failure prints finds it again", () => {
  for (const name of ["breaks its author's word", "keeps an element a message"]) {
    const { definition, options } = BUGS.find((bug) => bug.name === name)!;
    const first = caught(definition, { ...options, seed: undefined });
    assert.ok(first.message.includes(`seed: ${first.again.seed}, path: "${first.again.path}"`));
    const again = caught(definition, { ...options, ...first.again });
    assert.deepEqual([again.problem, again.history], [first.problem, first.history]);
  }
});

Deno.test("checkHandler: who says so may change what it is given", () => {
  const { definition } = BUGS.find(({ name }) => name === "changes its projections in place")!;
  checkHandler(definition, { messages: MESSAGES, seed: 7, mayChangeInputs: true });
});

Deno.test("checkHandler: recorded HL7 is mutated, and shrunk to the segment that matters", () => {
  const hl7 = (event: string, id: string) =>
    [
      `MSH|^~\\&|EHR|HOSPX|||20260101||ADT^${event}|${id}|P|2.5`,
      "EVN||20260101",
      "PID|1||1001^^^MRN||Doe^Jane",
      "PV1|1|I|5W^12^B",
    ].join("\r");
  const recorded = [["A01", "A02", "A03"].map((event, i) => hl7(event, `c${i}`))];
  const bed = handler((_key, { beds }, { type, body }) => {
    const change = type === "ADT^A01" ? 1 : type === "ADT^A03" ? -1 : 0;
    return ["ok", { beds: beds + (body.first("PV1") === undefined ? 0 : change) }, []];
  }, { beds: 0 });
  const invariants = { "one bed at most": ({ beds }: { beds: number }) => (beds >= 0 && beds <= 1) || `${beds} beds` };
  checkHandler(bed, { recorded, mutations: ["delay"], invariants, seed: 7 });
  const { history } = caught(bed, { messages: undefined, recorded, invariants });
  assert.ok(history.length <= 2);
  for (const { body } of history as { body: string }[]) assert.match(body, /^MSH[^\r]*\rPV1[^\r]*$/);
});

Deno.test("checkHandler: a whole history, a factory, HL7 views and bytes are taken", () => {
  const total = checkHandler(() => GOOD, {
    messages: fc.array(fc.oneof(ADMIT, fc.uint8Array()), { maxLength: 5 }),
    runs: 20,
    lifeMessages: 0,
  });
  assert.ok(total.longest <= 5);
  assert.throws(() => checkHandler(GOOD, {}), /needs messages/);
  assert.throws(() => checkHandler({} as never, { messages: MESSAGES }), /Cannot test the handler as/);
});
