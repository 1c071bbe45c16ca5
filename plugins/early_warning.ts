/**
 * early-warning: the National Early Warning Score 2 of each set of vital signs, and an alert when it calls for somebody.
 * Read it for the types: schemas (zod's) say what a message's body must be and what is kept, and from them the compiler
 * knows what `message.body` and `kept` are. A temperature of 370 never comes to the handler: it changes nothing, and the
 * effect `alert` says that such a message came.
 *
 *     waterpark plugin test plugins/early_warning.ts
 *     waterpark plugin deploy plugins/early_warning.ts
 *     waterpark actor send HOSPX/1001 '{"type":"vitals","respiration":22,"saturation":93,"systolic":104,"pulse":112,"temperature":38.4}'
 *     waterpark actor show HOSPX/1001
 *
 * Not a medical device. Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, charts 1 and 2.
 *
 * @module
 */
// deno-lint-ignore no-import-prefix -- a plugin says itself which version it is bundled with
import * as z from "npm:zod@4.6.7";
import { defineHandler, effect } from "@waterpark/waterpark";

/** One set of vital signs. The ranges are what can be measured at all: what lies outside is a slip of the hand. */
const vitals = z.object({
  /** breaths a minute */
  respiration: z.number().min(0).max(80),
  /** SpO2 in percent */
  saturation: z.number().min(30).max(100),
  /** gets oxygen */
  oxygen: z.boolean().default(false),
  /** scale 2, for hypercapnic respiratory failure: a competent clinician has said so */
  scale2: z.boolean().default(false),
  /** systolic blood pressure, mmHg */
  systolic: z.number().min(20).max(320),
  /** beats a minute */
  pulse: z.number().min(0).max(320),
  /** alert; new confusion, or responsive to voice, to pain, or unresponsive */
  consciousness: z.enum(["A", "C", "V", "P", "U"]).default("A"),
  /** degrees Celsius */
  temperature: z.number().min(20).max(45),
});

const kept = z.object({
  score: z.int().min(0).max(20).nullable(),
  risk: z.enum(["low", "low-medium", "medium", "high"]).nullable(),
  /** when it was taken in */
  at: z.number().nullable(),
});

export default defineHandler({
  name: "early-warning",
  kind: "patient",
  initial: { score: null, risk: null, at: null },
  projections: kept,
  messages: { vitals, discharge: z.object({}) },
  whenInvalid: "alert",
  effects: ["alert"],
  limits: { projectionsKiB: 1, effectsMax: 1 },
  handle(_key, before, message) {
    if (message.type === "discharge") return ["ok", { score: null, risk: null, at: null }, []];
    const parts = partsOf(message.body);
    const score = parts.reduce((sum, points) => sum + points, 0);
    const risk = riskOf(score, Math.max(...parts));
    const isUrgent = (risk === "medium" || risk === "high") && risk !== before.risk;
    const effects = isUrgent ? [effect.alert(`early-warning/${risk}`, `a patient's score is ${score}`)] : [];
    return ["ok", { score, risk, at: message.at }, effects];
  },
});

/** The points of each sign. */
function partsOf(signs: z.output<typeof vitals>): number[] {
  return [
    pointsOf(signs.respiration, [[8, 3], [11, 1], [20, 0], [24, 2]], 3),
    saturationPoints(signs),
    signs.oxygen ? 2 : 0,
    pointsOf(signs.systolic, [[90, 3], [100, 2], [110, 1], [219, 0]], 3),
    pointsOf(signs.pulse, [[40, 3], [50, 1], [90, 0], [110, 1], [130, 2]], 3),
    signs.consciousness === "A" ? 0 : 3,
    pointsOf(signs.temperature, [[35, 3], [36, 1], [38, 0], [39, 1]], 2),
  ];
}

function saturationPoints({ saturation, oxygen, scale2 }: z.output<typeof vitals>): number {
  if (!scale2) return pointsOf(saturation, [[91, 3], [93, 2], [95, 1]], 0);
  const high: [number, number][] = oxygen ? [[92, 0], [94, 1], [96, 2]] : [];
  return pointsOf(saturation, [[83, 3], [85, 2], [87, 1], ...high], oxygen ? 3 : 0);
}

/** The points of the first step that the value is not above. */
function pointsOf(value: number, steps: readonly (readonly [upTo: number, points: number])[], above: number): number {
  return steps.find(([upTo]) => value <= upTo)?.[1] ?? above;
}

function riskOf(score: number, worst: number): "low" | "low-medium" | "medium" | "high" {
  if (score >= 7) return "high";
  if (score >= 5) return "medium";
  return worst === 3 ? "low-medium" : "low";
}

const WELL = { type: "vitals", respiration: 16, saturation: 97, systolic: 120, pulse: 70, temperature: 37 };
const ILL = { ...WELL, respiration: 24, saturation: 92, oxygen: true, pulse: 125, temperature: 39.2 };

/** What `waterpark plugin test` holds against it; it makes more of these histories by mixing them up. */
export const checks = {
  recorded: [
    [WELL, { ...WELL, respiration: 22 }, ILL, { ...ILL, temperature: 392 }, WELL, { type: "discharge" }],
    [ILL, "a note", { type: "vitals" }, { ...ILL, consciousness: "X" }, { ...ILL, consciousness: "V" }],
  ],
  invariants: {
    "a high score is a high risk": ({ score, risk }: z.output<typeof kept>) =>
      (score ?? 0) < 7 || risk === "high" || `${score} is ${risk}`,
  },
};
