import { WaterparkError } from "../base/mod.ts";

/** The error for an entry of the log that is not as this version writes it. */
export function badEntry(state: string): WaterparkError {
  return new WaterparkError(`Cannot read the log entry as it must be laid out as this version does: ${state}`, {
    code: "effects/bad-entry",
    outcome: "not-applied",
  });
}
