/**
 * The algorithm of NHS England for detecting acute kidney injury (AKI) from serum creatinine.
 *
 * Source: NHS England, patient safety alert NHS/PSA/D/2014/010, "Standardising the early identification of acute kidney
 * injury", 9 June 2014, with the flow chart "Algorithm for generating patient-based prompts for AKI". In its words: C1 is
 * the result that has come in, RV1 the lowest value within 0 to 7 days, RV2 the median of those within 8 to 365 days, of
 * the ratios C1 / RV1 and C1 / RV2 the higher one counts; D is the rise from the lowest value within 48 hours.
 *
 * A prompt to look at a patient, no diagnosis: it knows neither urine output nor what else is the matter.
 *
 * @module
 */

/** One creatinine result. */
export interface Creatinine {
  /** when the blood was taken, ms since 1970 */
  at: number;
  /** umol/L */
  value: number;
}

/** What the flow chart answers. */
export interface Verdict {
  /** AKI warning stage; 0: none */
  stage: 0 | 1 | 2 | 3;
  /** without a result in 365 days: how it stands to the laboratory's reference interval, where that is known */
  flag: "" | "low" | "high";
  /** the reference value, umol/L, and what it is; null: no result within 365 days */
  reference: { value: number; kind: "lowest in 7 days" | "median of 8 to 365 days" } | null;
  /** C1 by the reference value, two digits */
  ratio: number | null;
  /** rise from the lowest value within 48 hours, umol/L; null: there is none */
  rise: number | null;
}

/** About the patient and the laboratory, as far as it is known. */
export interface About {
  /** whole years at the time of C1; null: not known, and taken for an adult's */
  ageYears: number | null;
  /** the laboratory's reference interval, umol/L */
  interval: { low: number | null; high: number | null };
}

const HOUR_MS = 3600 * 1000;
const DAY_MS = 24 * HOUR_MS;
const ADULT_YEARS = 18;
const RISE_MIN = 26;
const STAGE_3_ABOVE = 354;
const STAGE_3_CHILD_TIMES = 3;

/**
 * What the chart says of `c1`.
 *
 * @param c1 the result that has come in
 * @param earlier other results of the patient, in any order; those that are not older than `c1`, or older than 365 days,
 *   do not count
 */
export function detect(c1: Creatinine, earlier: readonly Creatinine[], about: About): Verdict {
  const before = earlier.map(({ at, value }) => ({ value, agoMs: c1.at - at })).filter(({ agoMs }) => agoMs > 0);
  const within = (fromMs: number, toMs: number) =>
    before.filter(({ agoMs }) => agoMs > fromMs && agoMs <= toMs).map(({ value }) => value);
  const week = within(0, 7 * DAY_MS);
  const year = within(7 * DAY_MS, 365 * DAY_MS);
  const twoDays = within(0, 48 * HOUR_MS);
  const rise = twoDays.length === 0 ? null : rounded(c1.value - Math.min(...twoDays));
  const reference = referenceOf(week, year);
  if (reference === null) return { stage: 0, flag: flagOf(c1.value, about), reference, ratio: null, rise };
  const ratio = c1.value / reference.value;
  return {
    stage: stageOf(c1.value, { ratio, rise, about }),
    flag: "",
    reference,
    ratio: rounded(ratio),
    rise,
  };
}

/** The lower reference gives the higher ratio, which is the one that counts. */
function referenceOf(week: number[], year: number[]): Verdict["reference"] {
  const rv1 = week.length === 0 ? Infinity : Math.min(...week);
  const rv2 = year.length === 0 ? Infinity : median(year);
  if (rv1 === Infinity && rv2 === Infinity) return null;
  return rv1 <= rv2
    ? { value: rv1, kind: "lowest in 7 days" }
    : { value: rounded(rv2), kind: "median of 8 to 365 days" };
}

function stageOf(
  value: number,
  { ratio, rise, about }: { ratio: number; rise: number | null; about: About },
): Verdict["stage"] {
  if (ratio < 1.5) return rise !== null && rise > RISE_MIN ? 1 : 0;
  const { ageYears, interval: { high } } = about;
  const isChild = ageYears !== null && ageYears < ADULT_YEARS;
  const isVeryHigh = isChild ? high !== null && value > STAGE_3_CHILD_TIMES * high : value > STAGE_3_ABOVE;
  if (isVeryHigh || ratio >= 3) return 3;
  return ratio >= 2 ? 2 : 1;
}

function flagOf(value: number, { interval: { low, high } }: About): Verdict["flag"] {
  if (high !== null && value > high) return "high";
  return low !== null && value < low ? "low" : "";
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
