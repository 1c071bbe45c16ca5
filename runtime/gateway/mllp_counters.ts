import type { Sample } from "../telemetry/mod.ts";

/** What all connections of a listener count together. */
export interface MllpCounters {
  /** messages taken in, whatever became of them */
  messages: number;
  /** recorded: AA, CA */
  accepted: number;
  /** of these: they were recorded before, with the same bytes */
  duplicates: number;
  /** not now: AE, CE */
  deferred: number;
  /** never: AR, CR */
  rejected: number;
  /** same id, other bytes */
  conflicts: number;
  /** batches, whose messages count one by one */
  batches: number;
  /** frames that hold no HL7 */
  notHl7: number;
  /** messages over the limit */
  tooLarge: number;
  /** connections that ended within a frame */
  cutOff: number;
  /** bytes that belong to no message */
  garbageBytes: number;
  /** TLS handshakes that failed: no certificate, a stranger's, or no TLS */
  strangers: number;
}

/** Nothing counted yet. */
export function noMllpCounts(): MllpCounters {
  return {
    messages: 0,
    accepted: 0,
    duplicates: 0,
    deferred: 0,
    rejected: 0,
    conflicts: 0,
    batches: 0,
    notHl7: 0,
    tooLarge: 0,
    cutOff: 0,
    garbageBytes: 0,
    strangers: 0,
  };
}

const HELP: Record<keyof MllpCounters, string> = {
  messages: "HL7 messages taken in",
  accepted: "HL7 messages answered AA or CA: recorded",
  duplicates: "HL7 messages that were recorded before, with the same bytes",
  deferred: "HL7 messages answered AE or CE: not now",
  rejected: "HL7 messages answered AR or CR: never",
  conflicts: "HL7 messages with the control id of another one",
  batches: "HL7 batches (FHS, BHS) taken in",
  notHl7: "MLLP frames that hold no HL7",
  tooLarge: "MLLP frames over the limit",
  cutOff: "MLLP connections that ended within a frame",
  garbageBytes: "bytes between MLLP frames",
  strangers: "MLLP connections that ended at their TLS handshake",
};

/** The counters as metrics, `mllp_not_hl7` and so on. */
export function mllpSamples(counters: MllpCounters): Sample[] {
  return (Object.keys(HELP) as (keyof MllpCounters)[]).map((what) => ({
    name: `mllp_${what.replace(/[A-Z]/g, (letter) => "_" + letter.toLowerCase())}`,
    help: HELP[what],
    value: counters[what],
  }));
}
