import type { FoldResult } from "../actors/mod.ts";
import { EFFECTS_MAX, problemOfEffect, unpackEffect } from "./effect_check.ts";
import type { RunHeader } from "./program.ts";

/** What a run of a program led to. */
export interface Run {
  results: Pick<FoldResult, "effects" | "digest">[];
  /** of each result the effects as text, `""` for none */
  effects: string[];
  fault: RunHeader["fault"];
  projections: string;
}

const NONE: FoldResult["effects"] = [];
const DIGEST = /^[0-9a-f]{16}$/;

/**
 * Reads what a program's `run` answered; null when it is not of this version's form. A bundle may hold another program
 * than ours: its answer is believed only as far as its form goes.
 *
 * @param unwanted so many results come first whose effects nobody wants: they are left as text
 */
export function readRun(text: string, rowsMax: number, unwanted = 0): Run | null {
  const end = text.indexOf("\n");
  if (end < 0) return null;
  try {
    const { results, fault } = JSON.parse(text.slice(0, end)) as RunHeader;
    if (results.length > rowsMax || (fault === null && results.length < rowsMax)) return null;
    const run: Run = { results: [], effects: [], fault: null, projections: text.slice(end + 1) };
    for (const [digest, effectsText] of results) {
      if (!DIGEST.test(digest) || typeof effectsText !== "string") return null;
      const isRead = effectsText !== "" && run.results.length >= unwanted;
      run.results.push({ digest, effects: isRead ? readEffects(effectsText) : NONE });
      run.effects.push(effectsText);
    }
    if (fault !== null) {
      run.fault = { code: `${fault.code}`, message: `${fault.message}`, stack: ownFrames(`${fault.stack}`) };
    }
    return run;
  } catch {
    return null;
  }
}

function readEffects(text: string): FoldResult["effects"] {
  const effects: unknown[] = JSON.parse(text);
  if (effects.length > EFFECTS_MAX || effects.some((effect) => problemOfEffect(effect) !== null)) {
    throw new Error("an effect that is none");
  }
  return effects.map(unpackEffect);
}

// The program cuts off what stands below `waterpark:run`; our driver stands above that.
function ownFrames(stack: string): string {
  const end = stack.indexOf("(waterpark:driver");
  return end < 0 ? stack : stack.slice(0, Math.max(0, stack.lastIndexOf("\n", end)));
}
