import assert from "node:assert/strict";
import { dueTimes, planOf, timerSource } from "./timer.ts";

const at = (text: string) => new Date(text);
const texts = (dates: Date[]) => dates.map((date) => date.toISOString().slice(5, 16));

Deno.test("timer: what is due, by what becomes of what was missed", () => {
  const plan = planOf("0 6 * * *", "UTC");
  const after = at("2026-11-20T06:00:00Z");
  const now = at("2026-11-23T06:00:05Z");
  const due = (missed: "last" | "all" | "none", when = now) => dueTimes(plan, { after, now: when, missed });
  assert.deepEqual(texts(due("all").send), ["11-21T06:00", "11-22T06:00", "11-23T06:00"]);
  assert.deepEqual(texts(due("last").send), ["11-23T06:00"]);
  assert.deepEqual(texts(due("none").send), ["11-23T06:00"]);
  const late = at("2026-11-23T09:00:00Z");
  assert.deepEqual(due("none", late), { send: [], passed: at("2026-11-23T06:00:00Z") });
  assert.deepEqual(due("all", at("2026-11-21T05:59:59Z")), { send: [], passed: null });
});

Deno.test("timer: a year of seconds missed is no flood", () => {
  const plan = planOf("* * * * * *", "UTC");
  const after = at("2026-11-23T00:00:00Z");
  const { send, passed } = dueTimes(plan, { after, now: at("2026-11-23T01:00:00Z"), missed: "all" });
  assert.equal(send.length, 100);
  assert.deepEqual([texts(send.slice(-1)), passed], [["11-23T01:00"], send.at(-1)]);
});

Deno.test("timer: time zones, and the two days a year that are not 24 hours long", () => {
  const plan = planOf("30 2 * * *", "Europe/Berlin");
  // 2027-03-28 has no 02:30 there: it comes when the gap is over
  const spring = dueTimes(plan, { after: at("2027-03-27T12:00:00Z"), now: at("2027-03-29T12:00:00Z"), missed: "all" });
  assert.deepEqual(texts(spring.send), ["03-28T01:00", "03-29T00:30"]);
  // 2026-10-25 has two: one is enough
  const autumn = dueTimes(plan, { after: at("2026-10-24T12:00:00Z"), now: at("2026-10-26T12:00:00Z"), missed: "all" });
  assert.deepEqual(texts(autumn.send).length, 2);
});

Deno.test("timer: what is no plan is refused where it is defined", () => {
  const key = { facility: "F", id: "1" };
  assert.throws(() => timerSource({ at: "61 * * * *", key }), TypeError);
  assert.throws(() => timerSource({ at: "* * * * *", timeZone: "Europe/Atlantis", key }), TypeError);
});
