import assert from "node:assert/strict";
import type { Row } from "./history.ts";
import { InlineRunner } from "./inline_host.ts";
import { programOf } from "./program.ts";
import { defineHandler, effect } from "./sdk.ts";
import type { Runner, Turn } from "./runner.ts";
import { type RowRequest, SESSION_LIMITS, Sessions } from "./session.ts";

const count = defineHandler({
  name: "count",
  kind: "patient",
  initial: { n: 0, last: "" },
  handle: (_key, { n }, _message, history) => ["ok", { n: n + 1, last: history.at(-1)?.id ?? "" }, []],
});

/** As `count`, but never looks at the history. */
const tally = defineHandler({
  name: "tally",
  kind: "patient",
  initial: { n: 0, last: "" },
  handle: (_key, { n }, { id }) => ["ok", { n: n + 1, last: id }, []],
});

/** Misses the deadline at messages of type `slow` (once) and `loop` (always), losing its memory as a context does. */
class StallingRunner implements Runner {
  generation = 0;
  runs: number[] = [];
  #inner = new InlineRunner(programOf(count));
  #stalls = 1;

  open(session: number, kind: string, facility: string, id: string, birth: number): void {
    this.#inner.open(session, kind, facility, id, birth);
  }
  remember(session: number, row: Row): void {
    this.#inner.remember(session, row);
  }
  close(session: number): void {
    this.#inner.close(session);
  }
  run(session: number, rows: readonly Row[], projections: string, switches: string): string | null {
    this.runs.push(rows.length);
    const stalls = rows.some((row) => row.type === "loop" || (row.type === "slow" && this.#stalls-- > 0));
    if (!stalls) return this.#inner.run(session, rows, projections, switches);
    this.generation++;
    this.#inner = new InlineRunner(programOf(count));
    return null;
  }
}

function rowsOf(...types: string[]): Row[] {
  return types.map((type, i) => ({ id: `m${i + 1}`, at: 0, type, contentType: "text/plain", raw: "" }));
}

function request(rows: Row[], after = 0): RowRequest {
  const key = "patient/H/1";
  return { plugin: "count", hash: "v1", key, after, rows, wantProjections: true, fresh: false, switches: "{}" };
}

Deno.test("a missed deadline is searched one by one, and believed the second time only", () => {
  const runner = new StallingRunner();
  const sessions = new Sessions({ ...SESSION_LIMITS, callsTried: 0, sliceMessages: 4 });
  sessions.load("v1", runner);
  let progress = 0;
  const slow = sessions.fold(request(rowsOf("", "", "slow", "", "")), () => progress++);
  assert.equal(slow.answer.state, "ok");
  assert.deepEqual(runner.runs, [4, 1, 1, 1, 1, 1]);
  assert.equal(progress, 6);
  assert.equal(slow.projections, '{"last":"m4","n":5}');

  const { answer } = sessions.fold(request(rowsOf("", "loop", ""), 5));
  assert.equal(answer.state, "fault");
  if (answer.state !== "fault") return;
  assert.deepEqual([answer.at, answer.code, answer.results.length], [7, "plugin_host/deadline", 1]);
  // the context is a new one, the session's memory has been given back to it
  assert.equal(sessions.fold(request(rowsOf("", ""), 6)).projections, '{"last":"m1","n":8}');
});

Deno.test("a program that answers something else is a fault, not a crash", () => {
  for (const text of ["", "[]", "{}\n", '{"results":[["x",""]],"fault":null}\n{}', '{"results":[],"fault":null}\n{}']) {
    const sessions = new Sessions();
    const broken = { generation: 0, open() {}, remember() {}, close() {}, run: () => text };
    sessions.load("v1", broken);
    const { answer } = sessions.fold(request(rowsOf("")));
    assert.equal(answer.state === "fault" && answer.code, "plugin_host/broken-program");
  }
});

/** Runs together what is given together; misses the deadline when messages of type `slow` come with others. */
class SharedRunner extends InlineRunner {
  override generation = 0;
  together: number[] = [];

  runAll(turns: readonly Turn[]): string[] | null {
    const count = turns.reduce((sum, { rows }) => sum + rows.length, 0);
    this.together.push(count);
    if (count > 1 && turns.some(({ rows }) => rows.some(({ type }) => type === "slow"))) {
      this.generation++;
      return null;
    }
    return turns.map(({ session, rows, projections, switches }) => this.run(session, rows, projections, switches));
  }
}

/** Hands requests in at once; the projections, or how else each was answered. */
function foldAll(sessions: Sessions, requests: RowRequest[]): string[] {
  const said: string[] = [];
  sessions.foldAll(requests, (place, { answer, projections }) => {
    assert.equal(said[place], undefined, "each is answered once");
    said[place] = answer.state === "ok" ? projections! : answer.state;
  });
  return said;
}

function requestOf(id: string, rows: Row[], after = 0, hash = "v1"): RowRequest {
  return { ...request(rows, after), key: `patient/H/${id}`, hash };
}

Deno.test("many short folds share a run, each with its own session; an actor's next one waits for the next run", () => {
  const sessions = new Sessions({ ...SESSION_LIMITS, callsTried: 0, sliceMessages: 4 });
  const [one, two] = [new SharedRunner(programOf(count)), new SharedRunner(programOf(count))];
  sessions.load("v1", one);
  sessions.load("v2", two);
  const said = foldAll(sessions, [
    requestOf("a", rowsOf("", "")),
    requestOf("a", rowsOf(""), 0, "v2"),
    requestOf("b", rowsOf("")),
    requestOf("a", rowsOf(""), 2),
    requestOf("c", rowsOf(""), 7),
    requestOf("d", rowsOf("", "", "", "", "")),
    requestOf("e", rowsOf("")),
    requestOf("f", rowsOf(""), 0, "v9"),
  ]);
  const n = (n: number, last: string) => `{"last":"${last}","n":${n}}`;
  assert.deepEqual(said, [n(2, "m1"), n(1, ""), n(1, ""), n(3, "m2"), "behind", n(5, "m4"), n(1, ""), "down"]);
  // d is too long to share, and what came before it is not held up
  assert.deepEqual([one.together, two.together], [[3, 1, 1], [1]]);
});

Deno.test("a shared run that misses its deadline counts for nobody, and fewer share the next one", () => {
  const sessions = new Sessions({ ...SESSION_LIMITS, callsTried: 0, sliceMessages: 8 });
  const runner = new SharedRunner(programOf(tally));
  sessions.load("v1", runner);
  const round = (type: string, after: number) =>
    foldAll(sessions, ["a", "b", "c", "d", "e", "f"].map((id) => requestOf(id, rowsOf(type), after)));
  round("", 0);
  assert.deepEqual(round("slow", 1), new Array(6).fill('{"last":"m1","n":2}'));
  round("", 2);
  assert.deepEqual(runner.together, [6, 6, 4, 2]);
});

Deno.test("a history is kept only for who looks at it; a look at one that is not there counts for nothing", () => {
  let isCaught = false;
  const look = defineHandler({
    name: "look",
    kind: "patient",
    initial: "",
    handle(_key, text, { type }, history) {
      let ids = `${history.length}`;
      try {
        if (type === "look") ids = [...history].map(({ id }) => id).join();
      } catch {
        isCaught = true;
      }
      return ["ok", `${text}/${ids}`, []];
    },
  });
  const runner = new InlineRunner(programOf(look));
  const sessions = new Sessions();
  sessions.load("v1", runner);
  sessions.fold(requestOf("a", rowsOf("", "")));
  const { bytes } = sessions;
  sessions.fold(requestOf("a", rowsOf("", ""), 2));
  assert.ok(sessions.bytes - bytes < 20, "no message is kept");
  sessions.fold(requestOf("b", rowsOf("")));

  const { answer } = sessions.fold(requestOf("a", rowsOf("look"), 4));
  assert.deepEqual([answer, isCaught], [{ state: "behind", at: 0 }, true]);
  const again = sessions.fold(requestOf("a", rowsOf("", "", "", "", "look")));
  assert.equal(again.projections, '"/0/1/2/3/m1,m2,m3,m4"');
  assert.equal(sessions.fold(requestOf("a", rowsOf("look"), 5)).projections?.endsWith('/m1,m2,m3,m4,m5"'), true);
  // what was begun before goes on as it is until it, too, is looked at
  assert.equal(sessions.fold(requestOf("b", rowsOf(""), 1)).projections, '"/0/1"');
  assert.equal(sessions.fold(requestOf("b", rowsOf("look"), 2)).answer.state, "behind");

  // from birth all is at hand, and the host makes the call again by itself
  const fresh = new Sessions();
  fresh.load("v1", new InlineRunner(programOf(look)));
  const past = fresh.fold({ ...requestOf("a", rowsOf("", "look")), fresh: true });
  assert.equal(past.projections, '"/0/m1"');
});

Deno.test("who goes through a history is told only the results that it wants", () => {
  const talk = defineHandler({
    name: "talk",
    kind: "patient",
    initial: 0,
    handle: (_key, n, { type }) => {
      if (type === "bad") throw new Error("bad");
      return ["ok", n + 1, [effect.emit({ type, body: n })]];
    },
  });
  const sessions = new Sessions({ ...SESSION_LIMITS, sliceMessages: 2 });
  sessions.load("v1", new InlineRunner(programOf(talk)));
  const told = (request: RowRequest) => {
    const { answer, effects } = sessions.fold(request);
    assert.ok(answer.state === "ok" || answer.state === "fault");
    assert.equal(effects?.length, answer.results.length);
    return [answer.state, answer.at, answer.results.map(({ seq, effects }) => [seq, effects.length])];
  };
  const rows = rowsOf("a", "b", "c", "d", "e");
  assert.deepEqual(told({ ...requestOf("a", rows), resultsAfter: 3 }), ["ok", 5, [[4, 1], [5, 1]]]);
  assert.deepEqual(told({ ...requestOf("a", rows, 5), resultsAfter: 3 }), [
    "ok",
    10,
    [6, 7, 8, 9, 10].map((seq) => [seq, 1]),
  ]);
  assert.deepEqual(told({ ...requestOf("a", rows, 10), resultsAfter: Infinity }), ["ok", 15, []]);
  assert.deepEqual(told({ ...requestOf("a", rowsOf("a", "b", "bad"), 15), resultsAfter: 16 }), ["fault", 18, [[
    17,
    1,
  ]]]);
});

Deno.test("a program of old has its histories kept; one that only says it needs them is at fault", () => {
  const program = programOf(count);
  const old = { ...program, lean: undefined };
  const sessions = new Sessions();
  const runner = new InlineRunner(old);
  Object.defineProperty(runner, "lean", { value: undefined });
  sessions.load("v1", runner);
  sessions.fold(requestOf("a", rowsOf("", "")));
  assert.equal(sessions.fold(requestOf("a", rowsOf(""), 2)).projections, '{"last":"m2","n":3}');

  const liar = defineHandler({
    name: "liar",
    kind: "patient",
    initial: 0,
    handle: () => {
      throw Object.assign(new Error("no"), { code: "plugin_host/needs-history" });
    },
  });
  sessions.load("v2", new InlineRunner(programOf(liar)));
  assert.equal(sessions.fold(requestOf("a", rowsOf(""), 0, "v2")).answer.state, "fault");
});

Deno.test("a handler that remembers is found out at its first messages; one that only keeps a cache is not", () => {
  let seen = 0;
  const remembers = defineHandler({
    name: "remembers",
    kind: "patient",
    initial: 0,
    handle: () => ["ok", ++seen, []],
  });
  const cache = new Map<string, string>();
  const caches = defineHandler({
    name: "caches",
    kind: "patient",
    initial: "",
    handle(key, _before, message) {
      cache.set(key.id, cache.get(key.id) ?? `${key.id}!`);
      return ["ok", `${cache.get(key.id)} ${message.seq}`, []];
    },
  });
  const sessions = new Sessions();
  sessions.load("v1", new InlineRunner(programOf(remembers)));
  const { answer } = sessions.fold(request(rowsOf("", "")));
  assert.deepEqual([answer.state, answer.state === "fault" && answer.code], ["fault", "plugin_host/not-deterministic"]);
  assert.equal(answer.state === "fault" && answer.at, 1);
  sessions.load("v1", new InlineRunner(programOf(caches)));
  const fine = sessions.fold(request(rowsOf("", ""))).answer;
  assert.deepEqual([fine.state, fine.state === "ok" && fine.at], ["ok", 2]);
});

Deno.test("bytes are counted down to nothing when all is unloaded", () => {
  const sessions = new Sessions();
  sessions.load("v1", new InlineRunner(programOf(count)));
  sessions.fold(request(rowsOf("", "", "")));
  sessions.fold(request(rowsOf("")));
  assert.equal(sessions.size, 1);
  assert.ok(sessions.bytes > 0);
  sessions.unload("v1");
  assert.deepEqual([sessions.size, sessions.bytes], [0, 0]);
});
