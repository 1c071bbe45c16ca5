import assert from "node:assert/strict";
import type { Row } from "./history.ts";
import { InlineRunner } from "./inline_host.ts";
import { programOf } from "./program.ts";
import { defineHandler } from "./sdk.ts";
import type { Runner } from "./runner.ts";
import { type RowRequest, SESSION_LIMITS, Sessions } from "./session.ts";

const count = defineHandler({
  name: "count",
  kind: "patient",
  initial: { n: 0, last: "" },
  handle: (_key, { n }, _message, history) => ["ok", { n: n + 1, last: history.at(-1)?.id ?? "" }, []],
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
  const sessions = new Sessions({ ...SESSION_LIMITS, sliceMessages: 4 });
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
