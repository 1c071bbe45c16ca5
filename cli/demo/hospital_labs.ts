/**
 * Laboratory values and vital signs that hang together. Each patient has a level of their own for every analyte; being
 * ill moves it away, and it comes back with a half-life as treatment works. Values that others follow from are computed
 * (haematocrit, MCV, LDL), as an analyser does.
 *
 * @module
 */
import type { Chance } from "./hospital_chance.ts";

/** One result. */
export interface Result {
  code: string;
  text: string;
  value: string;
  units: string;
  range: string;
  /** `""`, `L`, `H`, `LL`, `HH` */
  flag: string;
}

/** What an order asks for. */
export type Panel = "CBC" | "BMP" | "LIPID" | "VITALS";

interface Analyte {
  code: string;
  text: string;
  units: string;
  low: number;
  high: number;
  /** mean and deviation among patients in their own normal state */
  mean: number;
  deviation: number;
  /** how far illness of severity 1 moves it */
  illness: number;
  digits: number;
}

const analyte = (row: [string, string, string, number, number, number, number, number, number]): Analyte => {
  const [code, text, units, low, high, mean, deviation, illness, digits] = row;
  return { code, text, units, low, high, mean, deviation, illness, digits };
};

const ANALYTES: Record<string, Analyte> = Object.fromEntries(([
  ["6690-2", "WBC", "10*3/uL", 4.5, 11, 7.2, 1.6, 6, 1],
  ["718-7", "Hemoglobin", "g/dL", 12, 17.5, 13.8, 1.4, -2.2, 1],
  ["4544-3", "Hematocrit", "%", 36, 51, 41, 4, -6, 1],
  ["789-8", "RBC", "10*6/uL", 4, 5.9, 4.7, 0.4, -0.7, 2],
  ["787-2", "MCV", "fL", 80, 100, 89, 4, 0, 1],
  ["777-3", "Platelets", "10*3/uL", 150, 400, 250, 55, -40, 0],
  ["2951-2", "Sodium", "mmol/L", 136, 145, 139.5, 2.2, -4, 0],
  ["2823-3", "Potassium", "mmol/L", 3.5, 5.1, 4.2, 0.35, 0.5, 1],
  ["2075-0", "Chloride", "mmol/L", 98, 107, 102.5, 2.3, -2, 0],
  ["2028-9", "CO2", "mmol/L", 22, 29, 25.3, 1.8, -4, 0],
  ["3094-0", "BUN", "mg/dL", 7, 20, 14.5, 4, 16, 0],
  ["2160-0", "Creatinine", "mg/dL", 0.6, 1.3, 0.95, 0.2, 0.9, 2],
  ["2345-7", "Glucose", "mg/dL", 70, 99, 98, 16, 55, 0],
  ["17861-6", "Calcium", "mg/dL", 8.6, 10.3, 9.3, 0.4, -0.4, 1],
  ["2093-3", "Cholesterol", "mg/dL", 0, 200, 188, 36, -10, 0],
  ["2571-8", "Triglyceride", "mg/dL", 0, 150, 135, 55, 20, 0],
  ["2085-9", "HDL Cholesterol", "mg/dL", 40, 100, 52, 13, -5, 0],
  ["13457-7", "LDL Cholesterol", "mg/dL", 0, 130, 110, 30, 0, 0],
  ["8867-4", "Heart rate", "/min", 60, 100, 76, 10, 28, 0],
  ["8480-6", "Systolic blood pressure", "mm[Hg]", 90, 140, 126, 14, -18, 0],
  ["8462-4", "Diastolic blood pressure", "mm[Hg]", 60, 90, 76, 8, -10, 0],
  ["9279-1", "Respiratory rate", "/min", 12, 20, 15, 2, 8, 0],
  ["8310-5", "Body temperature", "Cel", 36.1, 37.8, 36.8, 0.25, 1.5, 1],
  ["59408-5", "Oxygen saturation", "%", 94, 100, 97.5, 1, -6, 0],
] as [string, string, string, number, number, number, number, number, number][]).map((row) => [row[0], analyte(row)]));

/** Panels by name: LOINC code, title, analytes. */
export const PANELS: Record<Panel, { code: string; text: string; analytes: string[] }> = {
  CBC: {
    code: "58410-2",
    text: "CBC panel - Blood",
    analytes: ["6690-2", "789-8", "718-7", "4544-3", "787-2", "777-3"],
  },
  BMP: {
    code: "51990-0",
    text: "Basic metabolic panel - Blood",
    analytes: ["2951-2", "2823-3", "2075-0", "2028-9", "3094-0", "2160-0", "2345-7", "17861-6"],
  },
  LIPID: {
    code: "24331-1",
    text: "Lipid panel - Serum or Plasma",
    analytes: ["2093-3", "2571-8", "2085-9", "13457-7"],
  },
  VITALS: {
    code: "85353-1",
    text: "Vital signs panel",
    analytes: ["8867-4", "8480-6", "8462-4", "9279-1", "8310-5", "59408-5"],
  },
};

const HALF_LIFE_MS = 30 * 3_600_000;

/** A patient's body. */
export class Body {
  readonly #chance: Chance;
  readonly #own = new Map<string, number>();
  readonly #direction = new Map<string, number>();
  #severity: number;
  #sinceMs: number;

  /** @param severity 0 well, 1 ill, 2 very ill */
  constructor(chance: Chance, severity: number, atMs: number) {
    this.#chance = chance;
    this.#severity = severity;
    this.#sinceMs = atMs;
    for (const { code, mean, deviation } of Object.values(ANALYTES)) {
      this.#own.set(code, mean + chance.normal() * deviation);
      this.#direction.set(code, 0.6 + chance.between(0, 80) / 100);
    }
  }

  /** It gets worse. */
  worsen(severity: number, atMs: number): void {
    this.#severity = this.#illnessAt(atMs) + severity;
    this.#sinceMs = atMs;
  }

  /** How ill now, 0 to about 3. */
  illnessAt(atMs: number): number {
    return this.#illnessAt(atMs);
  }

  /** The results of a panel. */
  measure(panel: Panel, atMs: number): Result[] {
    const values = new Map(PANELS[panel].analytes.map((code) => [code, this.#valueOf(code, atMs)]));
    const of = (code: string) => values.get(code) as number;
    if (panel === "CBC") {
      // the analyser counts and measures; these follow
      values.set("4544-3", of("718-7") * 2.95 + this.#chance.normal() * 0.4);
      values.set("789-8", of("4544-3") * 10 / (89 + ((this.#own.get("787-2") as number) - 89)));
      values.set("787-2", of("4544-3") * 10 / of("789-8"));
    }
    if (panel === "LIPID") {
      values.set("2093-3", Math.max(of("2093-3"), of("2085-9") + of("2571-8") / 5 + 40));
      values.set("13457-7", of("2093-3") - of("2085-9") - of("2571-8") / 5); // Friedewald 1972
    }
    if (panel === "VITALS") {
      values.set("8462-4", Math.min(of("8462-4"), of("8480-6") - 22));
      values.set("59408-5", Math.min(100, of("59408-5")));
    }
    return PANELS[panel].analytes.map((code) => resultOf(ANALYTES[code], of(code)));
  }

  #illnessAt(atMs: number): number {
    return this.#severity * 2 ** (-(atMs - this.#sinceMs) / HALF_LIFE_MS);
  }

  #valueOf(code: string, atMs: number): number {
    const { illness, deviation, low } = ANALYTES[code];
    const level = (this.#own.get(code) as number) +
      illness * (this.#direction.get(code) as number) * this.#illnessAt(atMs);
    return Math.max(level + this.#chance.normal() * deviation * 0.15, low * 0.35, 0.1);
  }
}

function resultOf({ code, text, units, low, high, digits }: Analyte, measured: number): Result {
  const value = measured.toFixed(digits);
  // by what is reported, not by what was measured: 94.0 of 93.6 is not low
  const reported = Number(value);
  const span = high - low;
  let flag = "";
  if (reported < low) flag = reported < low - span * 0.6 ? "LL" : "L";
  if (reported > high) flag = reported > high + span * 1.2 ? "HH" : "H";
  return { code, text, value, units, range: low === 0 ? `<${high}` : `${low}-${high}`, flag };
}
