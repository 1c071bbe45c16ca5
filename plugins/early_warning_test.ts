import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay } from "@waterpark/waterpark/testing";
import earlyWarning, { checks } from "./early_warning.ts";

const WELL = { type: "vitals", respiration: 16, saturation: 97, systolic: 120, pulse: 70, temperature: 37 };

const scoreOf = (signs: object) => replay(earlyWarning, [{ ...WELL, ...signs }]).projections.score;

Deno.test("early warning: each sign has the points of the chart, at both sides of each of its steps", () => {
  const chart: Record<string, [number, number][]> = {
    respiration: [[8, 3], [9, 1], [11, 1], [12, 0], [20, 0], [21, 2], [24, 2], [25, 3]],
    saturation: [[91, 3], [92, 2], [93, 2], [94, 1], [95, 1], [96, 0]],
    systolic: [[90, 3], [91, 2], [100, 2], [101, 1], [110, 1], [111, 0], [219, 0], [220, 3]],
    pulse: [[40, 3], [41, 1], [50, 1], [51, 0], [90, 0], [91, 1], [110, 1], [111, 2], [130, 2], [131, 3]],
    temperature: [[35, 3], [35.1, 1], [36, 1], [36.1, 0], [38, 0], [38.1, 1], [39, 1], [39.1, 2]],
  };
  for (const [sign, steps] of Object.entries(chart)) {
    for (const [value, points] of steps) assert.equal(scoreOf({ [sign]: value }), points, `${sign} ${value}`);
  }
  for (const consciousness of ["C", "V", "P", "U"]) assert.equal(scoreOf({ consciousness }), 3);
  assert.equal(scoreOf({ oxygen: true }), 2);
});

Deno.test("early warning: on scale 2 much oxygen in the blood is a sign, if it is given", () => {
  const air: [number, number][] = [[83, 3], [84, 2], [85, 2], [86, 1], [87, 1], [88, 0], [92, 0], [93, 0], [100, 0]];
  for (const [saturation, points] of air) assert.equal(scoreOf({ saturation, scale2: true }), points);
  const given: [number, number][] = [[87, 1], [88, 0], [92, 0], [93, 1], [94, 1], [95, 2], [96, 2], [97, 3]];
  for (const [saturation, points] of given) {
    assert.equal(scoreOf({ saturation, scale2: true, oxygen: true }), points + 2);
  }
});

Deno.test("early warning: who gets worse is told of once, and what cannot be is told of and not counted", () => {
  const ill = { ...WELL, respiration: 22, saturation: 93, systolic: 104, pulse: 112, temperature: 38.4 };
  const { effects, steps } = replay(earlyWarning, [WELL, ill, ill, { ...ill, temperature: 384 }, { type: "note" }]);
  assert.deepEqual(steps.map(({ projections }) => projections.score), [0, 8, 8, 8, 8]);
  assert.deepEqual(effects, [
    { type: "alert", code: "early-warning/high", text: "a patient's score is 8" },
    {
      type: "alert",
      code: "early-warning/invalid-message",
      text: 'the body of a message must be what its schema says: it is not, at "temperature"',
    },
  ]);
});

Deno.test("early warning: holds whatever comes", () => {
  const number = fc.oneof(fc.integer({ min: -1, max: 400 }), fc.double(), fc.string());
  const vitals = fc.record({
    type: fc.constant("vitals"),
    respiration: number,
    saturation: number,
    systolic: number,
    pulse: number,
    temperature: number,
    consciousness: fc.constantFrom("A", "U", "X"),
    oxygen: fc.boolean(),
    scale2: fc.boolean(),
  }, { requiredKeys: ["type"] });
  checkHandler(earlyWarning, {
    ...checks,
    messages: fc.oneof(vitals, fc.constant(WELL), fc.constant({ type: "discharge" }), fc.string()),
  });
});
