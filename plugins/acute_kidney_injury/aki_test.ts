import assert from "node:assert/strict";
import fc from "fast-check";
import { checkHandler, replay } from "@waterpark/waterpark/testing";
import { type About, type Creatinine, detect } from "./algorithm.ts";
import aki from "./mod.ts";

const HOUR = 3600 * 1000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 5, 1);
const ADULT: About = { ageYears: 60, interval: { low: 59, high: 104 } };
const CHILD: About = { ageYears: 9, interval: { low: 30, high: 60 } };

/** Every way through the flow chart, with its limits: what came in, what was before (how long ago), what it is. */
const CASES: [name: string, c1: number, before: [agoMs: number, value: number][], about: About, is: string][] = [
  ["nothing before, within the interval", 100, [], ADULT, "0"],
  ["nothing before, above the interval", 105, [], ADULT, "0 high"],
  ["nothing before, below the interval", 58, [], ADULT, "0 low"],
  ["nothing before, interval not known", 400, [], { ageYears: null, interval: { low: null, high: null } }, "0"],
  ["older than a year does not count", 300, [[366 * DAY, 60]], ADULT, "0 high"],
  ["within a year it does", 300, [[365 * DAY, 60]], ADULT, "3"],
  ["ratio 1.49", 149, [[6 * DAY, 100]], ADULT, "0"],
  ["ratio 1.5", 150, [[6 * DAY, 100]], ADULT, "1"],
  ["ratio 1.99", 199, [[6 * DAY, 100]], ADULT, "1"],
  ["ratio 2", 200, [[6 * DAY, 100]], ADULT, "2"],
  ["ratio 2.99", 299, [[6 * DAY, 100]], ADULT, "2"],
  ["ratio 3", 300, [[6 * DAY, 100]], ADULT, "3"],
  ["over 354 with ratio 1.5", 355, [[6 * DAY, 230]], ADULT, "3"],
  ["354 itself", 354, [[6 * DAY, 230]], ADULT, "1"],
  ["over 354 below ratio 1.5", 400, [[6 * DAY, 390]], ADULT, "0"],
  ["the lowest of the week counts", 150, [[6 * DAY, 100], [1 * DAY, 140]], ADULT, "1"],
  ["the median of the year counts", 200, [[300 * DAY, 60], [200 * DAY, 100], [100 * DAY, 180]], ADULT, "2"],
  ["of an even number the mean of the two", 165, [[300 * DAY, 100], [200 * DAY, 120]], ADULT, "1"],
  ["the lower of the two references counts: the year's", 180, [[100 * DAY, 80], [3 * DAY, 150]], ADULT, "2"],
  ["the lower of the two references counts: the week's", 180, [[100 * DAY, 150], [3 * DAY, 80]], ADULT, "2"],
  ["seven days to the hour are the week", 200, [[7 * DAY, 100]], ADULT, "2"],
  ["a rise of 26 in 48 hours", 126, [[48 * HOUR, 100]], ADULT, "0"],
  ["a rise of 27 in 48 hours", 127, [[48 * HOUR, 100]], ADULT, "1"],
  ["a rise of 27 in 49 hours", 127, [[49 * HOUR, 100]], ADULT, "0"],
  ["a rise from the lowest of two days, beside a high year", 130, [[20 * HOUR, 100], [100 * DAY, 130]], ADULT, "1"],
  ["a child over three times the limit", 181, [[6 * DAY, 120]], CHILD, "3"],
  ["a child at three times the limit", 180, [[6 * DAY, 120]], CHILD, "1"],
  ["a child of whom no limit is known", 400, [[6 * DAY, 250]], { ...CHILD, interval: { low: null, high: null } }, "1"],
  ["eighteen is no child", 355, [[6 * DAY, 230]], { ...ADULT, ageYears: 18 }, "3"],
  ["what is taken later does not count", 300, [[-1 * DAY, 60]], ADULT, "0 high"],
];

for (const [name, value, before, about, is] of CASES) {
  Deno.test(`aki: ${name}`, () => {
    const earlier = before.map(([agoMs, value]) => ({ at: NOW - agoMs, value }));
    const { stage, flag } = detect({ at: NOW, value }, earlier, about);
    assert.equal(`${stage} ${flag}`.trim(), is);
  });
}

Deno.test("aki: a higher result is never a lower stage, and results from before a year ago change nothing", () => {
  const value = fc.integer({ min: 5, max: 1000 });
  const earlier = fc.array(fc.record({ at: fc.integer({ min: 1, max: 500 * DAY }).map((ago) => NOW - ago), value }), {
    maxLength: 12,
  });
  fc.assert(fc.property(value, value, earlier, fc.constantFrom(ADULT, CHILD), (one, other, before, about) => {
    const at = (value: number, before: Creatinine[]) => detect({ at: NOW, value }, before, about);
    assert.ok(at(Math.max(one, other), before).stage >= at(Math.min(one, other), before).stage);
    assert.deepEqual(at(one, before), at(one, before.filter((each) => NOW - each.at <= 365 * DAY)));
  }));
});

/** A laboratory's report. */
function oru(
  time: string,
  value: string,
  more: { units?: string; code?: string; status?: string; range?: string } = {},
) {
  const { units = "umol/L", code = "14682-9^Creatinine^LN", status = "F", range = "59-104" } = more;
  return [
    `MSH|^~\\&|LAB|HOSPX|||20260601080000||ORU^R01|1|P|2.5`,
    "PID|1||1001^^^MRN||Doe^Jane||19600203|F",
    `OBR|1|P1|F1|BMP|||${time}`,
    "OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F",
    `OBX|2|NM|${code}||${value}|${units}|${range}||||${status}|||${time}`,
  ].join("\r");
}

Deno.test("aki: from a laboratory's reports: a warning for each stage that is reached, once", () => {
  const { projections, effects, problem } = replay(aki, [
    oru("20260101080000", "80"),
    oru("20260530080000", "1.4", { units: "mg/dL", code: "2160-0^Creatinine^LN", range: "0.7-1.2" }),
    oru("20260531080000", "130"),
    oru("20260601080000", "250"),
    "a note",
    oru("20260602080000", "90"),
  ]);
  assert.equal(problem, null);
  const said = effects.map((each) => each.type === "alert" ? each.code : each.type === "emit" && each.message.type);
  assert.deepEqual(said, ["acute-kidney-injury/stage-1", "aki", "acute-kidney-injury/stage-3", "aki"]);
  assert.deepEqual([projections.latest?.stage, projections.birthDate], [0, "1960-02-03"]);
  assert.equal(projections.results[1].value, 1.4 * 88.4);
});

Deno.test("aki: corrections replace, what is taken back goes, what comes late stands where it belongs", () => {
  const last = (...reports: (string | object)[]) => replay(aki, reports).projections;
  const first = oru("20260501080000", "80");
  assert.equal(last(first, oru("20260503080000", "240")).latest?.stage, 3);
  assert.equal(
    last(first, oru("20260503080000", "240"), oru("20260503080000", "84", { status: "C" })).latest?.stage,
    0,
  );
  assert.equal(last(first, oru("20260503080000", "240"), oru("20260503080000", "", { status: "D" })).latest?.value, 80);
  assert.equal(last(first, oru("20260503080000", "240", { status: "P" })).latest?.value, 80, "preliminary");
  const late = last(oru("20260503080000", "240"), first);
  assert.deepEqual([late.latest?.value, late.latest?.stage], [240, 3]);
  assert.equal(last(oru("20260503080000", "240", { units: "mmol/L" })).latest, null, "a unit that is none of its");
  assert.equal(last(oru("20260503080000", "240", { code: "C^Creatinine clearance" })).latest, null);
  assert.equal(last({ type: "creatinine", value: 100, takenAt: "2026-05-01T08:00:00Z" }).latest?.value, 100);
  assert.equal(last(first, { type: "creatinine", withdrawn: true, takenAt: "2026-05-01T08:00:00Z" }).latest, null);
});

Deno.test("aki: holds whatever a feed makes of it", () => {
  const time = fc.constantFrom("20250101", "20260101080000", "20260530080000+0200", "20260531", "x", "");
  const report = fc.tuple(time, fc.oneof(fc.integer({ min: 0, max: 900 }).map(String), fc.string())).map((
    [time, value],
  ) => oru(time, value.replaceAll(/[|\r\n]/g, "")));
  const json = fc.record({ type: fc.constant("creatinine"), value: fc.double(), takenAt: fc.string() }, {
    requiredKeys: ["type"],
  });
  const { types } = checkHandler(aki, {
    messages: fc.oneof({ weight: 4, arbitrary: report }, json, fc.string()),
    runs: 60,
    probeMessages: 512,
    invariants: {
      "results are a year's, in order": ({ results }) =>
        results.every(({ at }, i) => i === 0 || at > results[i - 1].at) || "they are not",
      "the verdict is the algorithm's": ({ results, latest, interval, birthDate }) => {
        if (latest === null) return results.length === 0 || "there is none";
        const about = { ageYears: birthDate === null ? null : 60, interval };
        const { at, value, ...verdict } = latest;
        assert.deepEqual(verdict, detect({ at, value }, results, about));
        return true;
      },
    },
  });
  assert.ok(types["ORU^R01"] > 0);
});
