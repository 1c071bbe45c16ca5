import assert from "node:assert/strict";
import { programOf, type RunHeader } from "./program.ts";
import { defineHandler, effect, type HandlerDefinition } from "./sdk.ts";
import type { Schema, SchemaResult } from "./standard_schema.ts";

/** A schema without a library: what `take` throws at is invalid, at `path`. */
function schema<T>(take: (value: unknown) => T, path: (string | number)[] = []): Schema<unknown, T> {
  return {
    "~standard": {
      version: 1,
      vendor: "test",
      validate(value): SchemaResult<T> {
        try {
          return { value: take(value) };
        } catch {
          return { issues: [{ message: `not "${JSON.stringify(value)}"`, path }] };
        }
      },
    },
  };
}

const admit = schema((value) => {
  const { ward, beds = 1 } = value as { ward?: unknown; beds?: number };
  if (typeof ward !== "string") throw new Error();
  return { ward, beds: beds + 1 };
}, ["ward"]);

const small = schema((value) => {
  if ((value as { n: number }).n > 3) throw new Error();
  return value as { n: number; ward: string };
}, ["patients", "MRN-0815", 2, "n"]);

const count = {
  name: "count",
  kind: "patient",
  initial: { n: 0, ward: "" },
  messages: { admit, discharge: schema(() => null) },
  handle: (
    _key: unknown,
    kept: { n: number },
    message: { type: string; body: { ward: string; beds: number } | null },
  ) => ["ok", { n: kept.n + (message.body?.beds ?? 1), ward: message.body?.ward ?? "" }, []] as const,
};

type Given = [type: string, text: string, contentType?: string];

/** Folds messages in a handler's program, as a host does. */
function run(handler: HandlerDefinition, ...messages: Given[]): RunHeader & { kept: unknown } {
  const program = programOf(handler);
  const { problem } = JSON.parse(program.about());
  assert.equal(problem, "");
  program.open(1, "patient", "H", "1");
  program.arm(1, "", "{}");
  for (const [i, [type, text, contentType = "application/json"]] of messages.entries()) {
    program.stage(`m${i}`, i, type, contentType, text);
  }
  const answer = program.run();
  const end = answer.indexOf("\n");
  return { ...JSON.parse(answer.slice(0, end)), kept: JSON.parse(answer.slice(end + 1)) };
}

const effectsOf = (header: RunHeader) => header.results.map(([, text]) => text === "" ? [] : JSON.parse(text));

Deno.test("a handler with schemas gets what they make of bodies, and messages of other types change nothing", () => {
  const handler = defineHandler(count);
  const { results, fault, kept } = run(
    handler,
    ["admit", '{"ward":"5W","beds":2}'],
    ["note", "{"],
    ["constructor", "{}"],
    ["admit", '{"ward":"6E"}'],
  );
  assert.deepEqual([results.length, fault, kept], [4, null, { n: 5, ward: "6E" }]);
  assert.equal(results[1][0], results[0][0]);
  // who defines it again, as a test does that changes one thing, has it looked at once
  assert.deepEqual(run(defineHandler({ ...handler }), ["admit", '{"ward":"5W","beds":2}']).kept, { n: 3, ward: "5W" });
  // a module that exports the bare object has its schemas heeded, too
  assert.deepEqual(run(count as unknown as HandlerDefinition, ["admit", '{"ward":"5W"}']).kept, { n: 2, ward: "5W" });
});

Deno.test("one schema is for the body of every message", () => {
  const handler = defineHandler({ ...count, messages: admit });
  const { kept } = run(handler, ["admit", '{"ward":"5W"}'], ["whatever", '{"ward":"6E"}'], ["admit", "7"]);
  assert.deepEqual(kept, { n: 4, ward: "6E" });
});

Deno.test("an invalid message is told of, ignored, or parks, as the handler has declared; nothing of it is shown", () => {
  const messages: Given[] = [["admit", '{"ward":5}'], ["admit", "{"], ["discharge", "null"]];
  const told = run(defineHandler({ ...count, effects: [] }), ...messages);
  assert.deepEqual([told.fault, told.kept], [null, { n: 1, ward: "" }]);
  const alert = (wrong: string) => ({
    type: "alert",
    code: "count/invalid-message",
    text: `the body of a message must be what its schema says: it is not, ${wrong}`,
  });
  assert.deepEqual(effectsOf(told), [[alert('at "ward"')], [alert("its bytes are not what its media type says")], []]);

  const ignored = run(defineHandler({ ...count, whenInvalid: "ignore" }), ...messages);
  assert.deepEqual([effectsOf(ignored), ignored.kept], [[[], [], []], { n: 1, ward: "" }]);

  const parked = run(defineHandler({ ...count, whenInvalid: "park" }), ...messages);
  assert.deepEqual([parked.results.length, parked.fault?.code], [0, "plugin_host/invalid-message"]);
  assert.equal(
    parked.fault?.message,
    'Cannot handle the message as the body of a message must be what its schema says: it is not, at "ward"',
  );
});

Deno.test("projections that their schema refuses park the message; a map's keys are not shown", () => {
  const handler = defineHandler({ ...count, projections: small });
  const { results, fault, kept } = run(handler, ["admit", '{"ward":"5W"}'], ["admit", '{"ward":"6E"}']);
  assert.deepEqual([results.length, kept, fault?.code], [1, { n: 2, ward: "5W" }, "plugin_host/invalid-projections"]);
  assert.match(fault!.message, /as they must be what their schema says: they are not, at "patients\.\*\.2\.n"$/);
  const initial = { n: 4, ward: "" };
  assert.throws(
    () => defineHandler({ ...count, initial, projections: small }),
    /its initial must be what its projections' schema says/,
  );
});

Deno.test("an asynchronous schema is refused, whether it answers a promise or needs one inside", () => {
  const later: Schema<unknown, null> = {
    "~standard": { version: 1, vendor: "test", validate: () => Promise.resolve({ value: null }) },
  };
  const inside = schema(() => null);
  Object.assign(inside["~standard"], {
    validate: () => {
      throw new Error("Cannot use Promise.prototype.then as plugins are pure: take message.at, message.id");
    },
  });
  for (const messages of [{ admit: later }, { admit: inside }]) {
    const { fault } = run(defineHandler({ ...count, messages }), ["admit", "{}"]);
    assert.equal(fault?.code, "plugin_host/async-schema");
    assert.match(fault!.message, /a schema must answer at once: it is asynchronous/);
  }
  assert.throws(
    () => defineHandler({ ...count, initial: null, projections: later, handle: () => ["ok", null, []] }),
    /must answer at once/,
  );
});

Deno.test("an effect that is not declared, and more than the declared limits, park the message", () => {
  const base = { name: "count", kind: "patient", initial: "" as string };
  const asks = defineHandler({
    ...base,
    effects: ["alert"],
    handle: () => ["ok", "", [effect.retire() as never]],
  });
  const { fault } = run(asks, ["", "{}"]);
  assert.equal(fault?.code, "plugin_host/undeclared-effect");
  assert.match(fault!.message, /"retire" as the handler has declared what it asks for: alert$/);

  const alerts = defineHandler({
    ...base,
    limits: { effectsMax: 1 },
    handle: () => ["ok", "", [effect.alert("a", ""), effect.alert("b", "")]],
  });
  assert.equal(run(alerts, ["", "{}"]).fault?.code, "plugin_host/too-many-effects");

  const grows = defineHandler({
    ...base,
    limits: { projectionsKiB: 1 },
    handle: (_key, kept) => ["ok", kept + "x".repeat(600), []],
  });
  const { results, fault: tooLarge } = run(grows, ["", "{}"], ["", "{}"]);
  assert.deepEqual([results.length, tooLarge?.code], [1, "plugin_host/too-large"]);
});

Deno.test("what is declared wrongly is refused where it is defined, with what is wrong", () => {
  const wrong: [object, RegExp][] = [
    [{ messages: 5 }, /its messages must be a Standard Schema, or one by type of message/],
    [{ messages: {} }, /1 to 1000 types: there are 0/],
    [{ messages: { admit: { parse() {} } } }, /a Standard Schema 1 for each type.*"admit" has none/],
    [{ whenInvalid: "drop" }, /must be alert, ignore or park/],
    [{ messages: undefined, whenInvalid: "park" }, /its whenInvalid needs messages/],
    [{ projections: {} }, /its projections must be a Standard Schema/],
    [{ effects: "alert" }, /its effects must be a list/],
    [{ limits: { heapMiB: 5 } }, /no limit "heapMiB" for handlers: there are projectionsKiB and effectsMax/],
    [{ limits: { projectionsKiB: 2_000 } }, /a whole number from 1 to 1024/],
    [{ limits: null }, /its limits must be an object/],
  ];
  for (const [fields, message] of wrong) {
    assert.throws(() => defineHandler({ ...count, ...fields } as never), { name: "TypeError", message });
  }
  // known only where effects are carried out
  const { problem } = JSON.parse(programOf({ ...count, effects: ["sendd"] }).about());
  assert.equal(problem, 'its effects must be such as there are: there is no "sendd"');
});
