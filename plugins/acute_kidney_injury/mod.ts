/**
 * acute-kidney-injury: looks at every creatinine result in the light of those before it, and warns, once for each stage
 * that is reached. The algorithm, and where it comes from: algorithm.ts. It is why an actor keeps its whole history: a
 * result means little without those of the year before.
 *
 * It takes ORU as HL7 v2 (OBX with LOINC 14682-9 or 2160-0, or named creatinine; umol/L or mg/dL) and JSON:
 * `{"type": "creatinine", "value": 123, "unit": "umol/L", "takenAt": "2026-01-02T08:00:00Z", "high": 104}`.
 *
 *     waterpark plugin deploy plugins/acute_kidney_injury/mod.ts
 *
 * A warning is an `alert` without patient data, and an `aki` message in the patient's own history, which other plugins and
 * watchers see. To show how it is done, not for care: no regulator has looked at it.
 *
 * @module
 */
import { defineHandler, effect } from "@waterpark/waterpark";
import { type About, type Creatinine, detect, type Verdict } from "./algorithm.ts";
import { birthDateIn, type Reported, resultsIn } from "./results.ts";

const DAY_MS = 24 * 3600 * 1000;
const YEAR_DAYS = 365.25;
/** Results that are kept: one a day, and some more. */
const KEPT_MAX = 400;
const KEPT_DAYS = 365;

/** What is kept of a patient. */
export interface Kidneys {
  /** results of the last 365 days, oldest first */
  results: Creatinine[];
  /** `YYYY-MM-DD`; null: not known */
  birthDate: string | null;
  /** the laboratory's latest reference interval, umol/L */
  interval: About["interval"];
  /** the verdict on the latest result; null: there is none yet */
  latest: (Creatinine & Verdict) | null;
}

const INITIAL: Kidneys = { results: [], birthDate: null, interval: { low: null, high: null }, latest: null };

export default defineHandler({
  name: "acute-kidney-injury",
  kind: "patient",
  initial: INITIAL,
  handle(_key, kept, message) {
    let kidneys: Kidneys = { ...kept, birthDate: birthDateIn(message) ?? kept.birthDate };
    const before = kept.latest?.stage ?? 0;
    for (const result of resultsIn(message)) kidneys = withResult(kidneys, result);
    const { latest } = kidneys;
    if (latest === null || latest.stage === before || latest.stage === 0) return ["ok", kidneys, []];
    return ["ok", kidneys, [
      effect.alert(
        `acute-kidney-injury/stage-${latest.stage}`,
        `a patient has reached AKI warning stage ${latest.stage}`,
      ),
      effect.emit({ type: "aki", body: { type: "aki", ...latest } }),
    ]];
  },
});

/** A result takes the place of another of the same time, which it corrects; one that comes late stands where it belongs. */
function withResult(kidneys: Kidneys, { at, value, interval, isWithdrawn }: Reported): Kidneys {
  const others = kidneys.results.filter((other) => other.at !== at);
  const all = isWithdrawn ? others : [...others, { at, value }].sort((a, b) => a.at - b.at);
  const newest = all.at(-1);
  if (newest === undefined) return { ...kidneys, results: [], latest: null };
  const results = all.filter((each) => newest.at - each.at <= KEPT_DAYS * DAY_MS).slice(-KEPT_MAX);
  const known = interval.low === null && interval.high === null ? kidneys.interval : interval;
  const about = { ageYears: ageAt(newest.at, kidneys.birthDate), interval: known };
  return { ...kidneys, results, interval: known, latest: { ...newest, ...detect(newest, results, about) } };
}

function ageAt(at: number, birthDate: string | null): number | null {
  return birthDate === null ? null : Math.floor((at - Date.parse(birthDate)) / (YEAR_DAYS * DAY_MS));
}
