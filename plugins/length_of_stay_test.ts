import assert from "node:assert/strict";
import { InlineHost, SeededRandom, SimulatedTime, simulatedWorld } from "@waterpark/waterpark/testing";
import lengthOfStay from "./length_of_stay.ts";

const HOUR_MS = 3600 * 1000;

/** Folds messages of these types, so many hours after the first; the projections and each message's effects. */
function fold(...stay: [type: string, hours: number][]): { projections: unknown; effects: unknown[][] } {
  const time = new SimulatedTime();
  const host = new InlineHost({ world: simulatedWorld({ time, random: new SeededRandom(1) }) });
  host.load("v1", lengthOfStay);
  const messages = stay.map(([type, hours], i) => ({
    id: `m${i}`,
    seq: i + 1,
    atMs: hours * HOUR_MS,
    type,
    contentType: "application/json",
    payload: new TextEncoder().encode("{}"),
  }));
  const folded = { projections: undefined as unknown, effects: [] as unknown[][] };
  const request = { plugin: "length-of-stay", hash: "v1", key: "patient/HOSPX/1001", after: 0, wantProjections: true };
  host.fold({ ...request, messages, fresh: false, switches: {} }, (answer) => {
    assert.equal(answer.state, "ok");
    if (answer.state !== "ok") return;
    folded.projections = answer.projections;
    folded.effects = answer.results.map(({ effects }) => effects);
  });
  time.step();
  return folded;
}

const reminder = {
  type: "schedule",
  name: "day",
  afterMs: 24 * HOUR_MS,
  message: { type: "stay/day", body: { type: "stay/day" } },
};

Deno.test("length of stay: an admission schedules a reminder, a discharge takes it back", () => {
  const { projections, effects } = fold(["admit", 0], ["note", 3], ["discharge", 5.5]);
  assert.deepEqual(projections, { admittedAt: null, hours: 5, reminders: 0 });
  assert.deepEqual(effects, [[reminder], [], [{ type: "cancel", name: "day" }]]);
});

Deno.test("length of stay: each day in is told, with the next one scheduled; after the discharge none is", () => {
  const { projections, effects } = fold(["admit", 1], ["stay/day", 25.1], ["stay/day", 49.2], ["discharge", 50], [
    "stay/day",
    50.1,
  ]);
  assert.deepEqual(projections, { admittedAt: null, hours: 49, reminders: 2 });
  const alert = { type: "alert", code: "length-of-stay/day", text: "a patient has been in for another day" };
  assert.deepEqual(effects.slice(1), [[alert, reminder], [alert, reminder], [{ type: "cancel", name: "day" }], []]);
});
