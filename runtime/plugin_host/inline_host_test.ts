import assert from "node:assert/strict";
import type { FoldAnswer, FoldMessage, FoldRequest } from "../actors/mod.ts";
import { SeededRandom, SimulatedTime, simulatedWorld } from "../world/mod.ts";
import { InlineHost } from "./inline_host.ts";
import { defineHandler, effect, type HandlerDefinition } from "./sdk.ts";

const ENCODER = new TextEncoder();

function message(seq: number, body: unknown, type = "", contentType = "application/json"): FoldMessage {
  const payload = body instanceof Uint8Array
    ? body
    : ENCODER.encode(typeof body === "string" ? body : JSON.stringify(body));
  return { id: `m${seq}`, seq, atMs: 1_000 + seq, type, contentType, payload };
}

function hostOf(definition: HandlerDefinition, limits = {}) {
  const time = new SimulatedTime();
  const host = new InlineHost({ world: simulatedWorld({ time, random: new SeededRandom(1) }), limits });
  host.load("v1", definition);
  return (request: Partial<FoldRequest>): FoldAnswer => {
    let answer: FoldAnswer | undefined;
    const { after = 0, messages = [] } = request;
    host.fold({
      plugin: definition.name,
      hash: "v1",
      key: "patient/H/1",
      wantProjections: true,
      fresh: false,
      switches: {},
      ...request,
      after,
      messages,
    }, (given) => answer = given);
    assert.equal(answer, undefined, "never within the call");
    time.step();
    return answer!;
  };
}

const census = defineHandler({
  name: "census",
  kind: "patient",
  initial: { ward: null as string | null, seen: [] as number[] },
  handle(key, projections, message, history, switches) {
    if (message.type === "boom") throw new RangeError("boom");
    if (message.type === "nonsense") return { ok: true } as never;
    if (message.type === "promise") return Promise.resolve() as never;
    if (message.type === "date") return ["ok", { ward: new Date(0) as never, seen: [] }, []];
    if (message.type === "http") return ["ok", projections, [{ type: "http" } as never]];
    if (message.type === "flood") return ["ok", projections, Array(101).fill(effect.reply(1))];
    if (switches.silent) return ["ok", projections, []];
    projections.seen.push(history.length); // its own copy: may be changed
    if (message.type !== "admit") return ["ok", projections, []];
    const { ward } = message.body;
    return ["ok", { ...projections, ward }, [
      effect.send({ kind: "ward", facility: key.facility, id: ward }, { type: "arrived", patient: key.id }),
    ]];
  },
});

Deno.test("folds messages in order, with effects, digests and projections", () => {
  const fold = hostOf(census);
  const first = fold({ messages: [message(1, { ward: "5W" }, "admit"), message(2, {})] });
  assert.equal(first.state, "ok");
  if (first.state !== "ok") return;
  assert.deepEqual(first.projections, { ward: "5W", seen: [0, 1] });
  assert.deepEqual(first.results.map((each) => [each.seq, each.effects.length]), [[1, 1], [2, 0]]);
  const onceMore = hostOf(census)({ messages: [message(1, { ward: "5W" }, "admit")] });
  assert.equal(onceMore.state === "ok" && onceMore.results[0].digest, first.results[0].digest);
  const second = fold({ after: 2, messages: [message(3, {})], wantProjections: false });
  assert.deepEqual(second.state === "ok" && [second.at, second.projections], [3, undefined]);
});

Deno.test("a session that stands elsewhere says where", () => {
  const fold = hostOf(census);
  assert.deepEqual(fold({ after: 7, messages: [message(8, {})] }), { state: "behind", at: 0 });
  fold({ messages: [message(1, {}), message(2, {})] });
  assert.deepEqual(fold({ after: 4, messages: [message(5, {})] }), { state: "behind", at: 2 });
  // it cannot go back: all is to be sent again
  assert.deepEqual(fold({ after: 1, messages: [message(2, {})] }), { state: "behind", at: 0 });
  assert.equal(fold({ messages: [message(1, {}), message(2, {})] }).state, "ok");
  assert.equal(fold({ messages: [message(1, {})] }).state, "ok");
});

Deno.test("another life is another session: first projections, no history, and the seqs go on", () => {
  // by seq: a handler may be called again for one message
  const seen: number[][] = [];
  const fold = hostOf(defineHandler({
    name: "count",
    kind: "patient",
    initial: 0,
    handle(_key, n, message, history) {
      seen[message.seq - 1] = [message.seq, history.length, history.at(-1)?.seq ?? 0];
      return ["ok", n + 1, []];
    },
  }));
  assert.equal(fold({ messages: [message(1, {}), message(2, {})] }).state, "ok");
  const next = fold({ birth: 2, after: 2, messages: [message(3, {}), message(4, {})] });
  assert.deepEqual(next.state === "ok" && [next.at, next.projections, next.results.map(({ seq }) => seq)], [4, 2, [
    3,
    4,
  ]]);
  assert.deepEqual(seen.slice(2), [[3, 0, 0], [4, 1, 3]]);
  assert.deepEqual(fold({ birth: 4, after: 5, messages: [message(6, {})] }), { state: "behind", at: 4 });
  assert.deepEqual(fold({ birth: 2, after: 3, messages: [message(4, {})] }), { state: "behind", at: 2 });
});

Deno.test("faults name the message, keep what was before it, and leave the session there", () => {
  const codes: Record<string, string> = {
    boom: "plugin_host/threw",
    nonsense: "plugin_host/bad-result",
    promise: "plugin_host/bad-result",
    date: "plugin_host/not-plain-data",
    http: "plugin_host/unknown-effect",
    flood: "plugin_host/too-many-effects",
  };
  for (const [type, code] of Object.entries(codes)) {
    const fold = hostOf(census);
    const answer = fold({ messages: [message(1, {}), message(2, {}, type), message(3, {})] });
    assert.equal(answer.state, "fault");
    if (answer.state !== "fault") return;
    assert.deepEqual([answer.at, answer.code, answer.results.length], [2, code, 1]);
    if (type === "boom") assert.match(answer.stack, /RangeError: boom\n\s+at/);
    assert.deepEqual(fold({ after: 1, messages: [message(2, {})] }).state, "ok");
  }
});

Deno.test("projections at birth are the initial ones; a fresh session leaves the live one alone", () => {
  const fold = hostOf(census);
  const birth = fold({});
  assert.deepEqual(birth.state === "ok" && birth.projections, census.initial);
  fold({ messages: [message(1, {}), message(2, {})] });
  const slice = fold({ fresh: true, wantProjections: false, messages: [message(1, { ward: "1E" }, "admit")] });
  assert.equal(slice.state === "ok" && slice.at, 1);
  const past = fold({ fresh: true, after: 1, messages: [message(2, {})] });
  assert.deepEqual(past.state === "ok" && past.projections, { ward: "1E", seen: [0, 1] });
  assert.deepEqual(fold({ fresh: true, after: 2, messages: [] }), { state: "behind", at: 0 });
  assert.equal(fold({ after: 2, messages: [message(3, {})] }).state, "ok");
});

Deno.test("bodies by media type, history read like an array, switches as data", () => {
  let seen: unknown[] = [];
  const fold = hostOf(defineHandler({
    name: "look",
    kind: "patient",
    initial: 0,
    handle(_key, n, message, history, switches) {
      const { body } = message;
      if (n === 0) seen = [];
      seen.push(message.contentType.startsWith("x-application/hl7") ? body.get("PID-5.1") : body);
      if (n === 3) {
        seen.push([...history].map((each) => each.seq), history.at(-1)?.body, history.at(3), switches);
      }
      return ["ok", n + 1, []];
    },
  }));
  const hl7 = "MSH|^~\\&|LAB|H|||20260101||ADT^A01|7|P|2.5\rPID|1||1001||Doe^Jane\r";
  const answer = fold({
    switches: { night: true },
    messages: [
      message(1, { a: 1 }, "", "application/fhir+json; charset=utf-8"),
      message(2, hl7, "ADT^A01", "x-application/hl7-v2+er7"),
      message(3, "grüße", "", "text/plain"),
      message(4, Uint8Array.of(0, 200, 255), "", "application/octet-stream"),
    ],
  });
  assert.equal(answer.state, "ok");
  assert.deepEqual(seen, [
    { a: 1 },
    "Doe",
    "grüße",
    Uint8Array.of(0, 200, 255),
    [1, 2, 3],
    "grüße",
    undefined,
    { night: true },
  ]);
});

Deno.test("a body that is not what it is called is the handler's to touch", () => {
  const touch = defineHandler({
    name: "touch",
    kind: "patient",
    initial: 0,
    handle: (_key, n, message) => ["ok", message.type === "touch" ? n + message.body.a : n, []],
  });
  const answer = hostOf(touch)({ messages: [message(1, "{half"), message(2, "{half", "touch")] });
  assert.equal(answer.state, "fault");
  if (answer.state !== "fault") return;
  assert.equal(answer.at, 2);
  assert.doesNotMatch(answer.message + answer.stack, /half/);
});

Deno.test("sessions are bounded by count and bytes, the least used going first", () => {
  const fold = hostOf(census, { sessionsMax: 3 });
  const touch = (id: string, after: number) =>
    fold({ key: `patient/H/${id}`, after, messages: [message(after + 1, {})] }).state;
  assert.deepEqual(["a", "b", "c"].map((id) => touch(id, 0)), ["ok", "ok", "ok"]);
  assert.equal(touch("a", 1), "ok");
  assert.equal(touch("d", 0), "ok");
  assert.deepEqual(["a", "c", "d"].map((id) => touch(id, id === "a" ? 2 : 1)), ["ok", "ok", "ok"]);
  assert.equal(touch("b", 1), "behind");

  const keeping = defineHandler({
    name: "keeping",
    kind: "patient",
    initial: "",
    handle: (_key, kept, message) => ["ok", kept + (message.body.note ?? ""), []],
  });
  const small = hostOf(keeping, { sessionBytesMax: 20_000 });
  small({ key: "patient/H/1", messages: [message(1, { note: "x".repeat(9_000) })] });
  small({ key: "patient/H/2", messages: [message(1, { note: "x".repeat(20_000) })] });
  assert.equal(small({ key: "patient/H/2", after: 1 }).state, "ok", "the one in use stays whatever its size");
  assert.deepEqual(small({ key: "patient/H/1", after: 1 }), { state: "behind", at: 0 });
});

Deno.test("a version that is not loaded is down, not a fault", () => {
  const answer = hostOf(census)({ hash: "v2", messages: [message(1, {})] });
  assert.deepEqual(answer, { state: "down", lonely: false, code: "plugin_host/not-loaded" });
});
