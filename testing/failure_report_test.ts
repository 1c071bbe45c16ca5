import assert from "node:assert/strict";
import fc from "fast-check";
import { defineHandler } from "../runtime/plugin_host/mod.ts";
import { checkHandler, type CheckOptions, HandlerCheckError } from "./check_handler.ts";
import { sourceOf } from "./failure_report.ts";
import { envelopeOf, type GivenMessage, logged } from "./given_message.ts";
import { growth } from "./growth.ts";
import { literalOfMessage } from "./literal.ts";
import { replay } from "./replay.ts";

const MESSAGES = fc.oneof(fc.record({ type: fc.constant("admit"), ward: fc.string() }), fc.uint8Array(), fc.string());

/** Runs the test that a report has, as its author would once pasted, and with what it imports; what it throws. */
function paste(report: string, handler: unknown): unknown {
  const code = report.slice(report.indexOf("import assert"));
  const body = code.replace(/^import .*$/gm, "").replaceAll(/: (Invariant|\(projections: any\) => unknown) =/g, " =");
  let thrown: unknown = null;
  const Test = (_name: string, run: () => void) => {
    try {
      run();
    } catch (error) {
      thrown = error;
    }
  };
  new Function("assert", "replay", "growth", "handler", "Deno", body)(assert, replay, growth, handler, { test: Test });
  return thrown;
}

const define = (handle: Parameters<typeof defineHandler<{ n: number; log: number[] }>>[0]["handle"]) =>
  defineHandler({ name: "bad", kind: "patient", initial: { n: 0, log: [] }, handle });
const count = define((_key, kept, { type }) => ["ok", { ...kept, n: kept.n + (type === "admit" ? 1 : 0) }, []]);

const CASES: [string, ReturnType<typeof define>, Partial<CheckOptions>][] = [
  ["a call", define((_key, kept, { type }) => ["ok", { ...kept, n: type === "admit" ? Math.random() : 0 }, []]), {}],
  ["bytes", define((_key, kept, { body }) => ["ok", { ...kept, n: body.at(0) === 7 ? body.nothing.at : 1 }, []]), {
    messages: fc.oneof(fc.uint8Array(), fc.constant(Uint8Array.of(7, 8))),
  }],
  ["an arrow", count, { invariants: { "n is small": ({ n }) => n < 3 || `it is ${n}` } }],
  ["a method", count, {
    invariants: {
      "n is small"({ n }) {
        return n < 2 || "it is not";
      },
    },
  }],
  ["growth", define((_key, kept, { at }) => ["ok", { ...kept, log: [...kept.log, at] }, []]), {}],
  ["all of it", count, { indifferentTo: { double: true } }],
  ["a view", define((_key, kept, { type }) => ["ok", { ...kept, n: type === "admit" ? 1 : 2 }, []]), {
    indifferentTo: { reorder: (kept) => kept.n },
  }],
  ["another actor", define(({ id }, kept) => ["ok", { ...kept, n: id === "7" ? NaN : 1 }, []]), {
    key: { facility: "H", id: "7" },
  }],
  [
    "a later message",
    define((
      _key,
      kept,
      { at },
      history,
    ) => ["ok", { ...kept, n: at - (history.at(-1)?.at ?? at) > 9e7 ? NaN : 1 }, []]),
    { messages: undefined, recorded: [[{ type: "admit" }, { type: "admit" }]] },
  ],
];

for (const [name, handler, options] of CASES) {
  Deno.test(`failure report: the test that is printed fails, and passes once mended: ${name}`, () => {
    let report = "";
    try {
      checkHandler(handler, { messages: MESSAGES, seed: 3, runs: 500, ...options });
    } catch (error) {
      assert.ok(error instanceof HandlerCheckError, String(error));
      report = error.message;
    }
    assert.notEqual(report, "", "nothing was found");
    assert.notEqual(paste(report, handler), null, report);
    const mended = define((_key, kept) => ["ok", kept, []]);
    assert.equal(paste(report, mended), null, report);
  });
}

Deno.test("failure report: any message is printed as what it is", () => {
  const body = fc.oneof(
    fc.jsonValue(),
    fc.string(),
    fc.uint8Array(),
    fc.constant("MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.5\rPID|1||7"),
    fc.constant(JSON.parse('{"__proto__": {"a-b": 1}}')),
  );
  const message = fc.oneof(
    body.filter((value) => typeof value === "string" || (typeof value === "object" && value !== null)),
    fc.record({
      body,
      type: fc.string(),
      at: fc.nat(),
      id: fc.string(),
      contentType: fc.constantFrom("application/json", "text/plain", "application/fhir+json", "image/png"),
    }, { requiredKeys: ["body"] }),
  ) as fc.Arbitrary<GivenMessage>;
  fc.assert(fc.property(message, (given) => {
    const printed = new Function(`return ${literalOfMessage(given)}`)() as GivenMessage;
    assert.deepEqual(logged([printed]), logged([given]), literalOfMessage(given));
    assert.equal(envelopeOf(printed).contentType, envelopeOf(given).contentType);
  }));
});

Deno.test("failure report: functions are printed as expressions", () => {
  const methods = {
    plain(n: number) {
      return n > 1;
    },
    "with blanks"(n: number) {
      return n > 1;
    },
    arrow: (n: number) => n > 1,
    bare: (n: number) => {
      return n > 1;
    },
    named: function named(n: number) {
      return n > 1;
    },
  };
  for (const [name, method] of Object.entries(methods)) {
    assert.equal(new Function(`return (${sourceOf(method)})(2)`)(), true, name);
  }
});
