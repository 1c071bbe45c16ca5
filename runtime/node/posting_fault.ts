import type { Journal } from "../journal/mod.ts";
import type { Posting } from "../mailroom/mod.ts";
import { TEXT_BYTES_MAX } from "../storage/mod.ts";

const ENCODER = new TextEncoder();
const FIELDS = ["key", "id", "type", "contentType"] as const;

/**
 * Why no log would take a posting, or null. The log itself may not be the first to say so: it speaks for the quorum.
 */
export function postingFault(posting: Posting): { code: string; rule: string } | null {
  const isSound = posting.id !== "" && Number.isFinite(posting.atMs) && posting.key.isWellFormed() &&
    posting.id.isWellFormed() && posting.type.isWellFormed() && posting.contentType.isWellFormed();
  if (!isSound) return { code: "node/bad-message", rule: "its texts must be well-formed" };
  for (const field of FIELDS) {
    const text = posting[field];
    // A UTF-16 unit is at most three bytes: short texts need no encoding to be known as short.
    if (text.length * 3 > TEXT_BYTES_MAX[field] && ENCODER.encode(text).length > TEXT_BYTES_MAX[field]) {
      return { code: "mailroom/too-large", rule: `its ${field} must be shorter` };
    }
  }
  return null;
}

/** Why a node takes nothing while its journal cannot be written, or null. */
export function diskFault(journal: Journal | null): { code: string; rule: string } | null {
  if (journal === null || journal.fault === null) return null;
  const state = journal.fault === "full" ? "it is full" : "it is broken";
  return { code: "node/read-only", rule: `this node is read-only until its journal's disk takes it: ${state}` };
}
