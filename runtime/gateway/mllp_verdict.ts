/**
 * What becomes of an HL7 message, and which acknowledgements say so.
 *
 * Original mode is one answer: AA, AE or AR. In enhanced mode the sender says which of two it wants, each always (`AL`),
 * never (`NE`), of errors (`ER`) or of successes (`SU`): by MSH-15 the accept acknowledgement, CA, CE or CR, that the
 * message is kept, and by MSH-16 the application's, AA, AE or AR. Both come after the quorum has the message. The second
 * says the same once more (`recorded`), on the heels of the first, or what handlers have made of it (`handled`), when
 * they are through.
 *
 * Source: HL7 v2.7, chapter 2.9, tables 0008, 0155.
 *
 * @module
 */
import type { ActorKey } from "../base/mod.ts";
import type { Hl7AckCode } from "../wire/mod.ts";
import type { PostAnswer } from "./service.ts";

/** What becomes of a message: `AA` recorded, `AE` not now, `AR` never. */
export interface Verdict {
  code: "AA" | "AE" | "AR";
  /** for people, a stable code first; `""` where there is nothing to say */
  text: string;
  /** HL7 table 0357 */
  errorCode: number;
  /** where it stands; only of what is recorded, and only where handlers are waited for */
  place?: { key: ActorKey; seq: number };
}

/**
 * What the application's acknowledgement, and the one of original mode, stands for. `recorded`: enough copies have the
 * message. `handled`: and all handlers are through with it; AE where one stands still, or is not through within 10 s. A
 * handler's reply that is an HL7 message answering this one goes out in its place.
 */
export type MllpApplication = "recorded" | "handled";

/**
 * How a listener acknowledges. `by-message`: in original mode where MSH-15 and MSH-16 are both empty, else in enhanced
 * mode. `aa`: one answer, AA, AE or AR, to senders of enhanced mode too, if MSH-15 (or MSH-16) wants it: for those that
 * ask for enhanced mode and cannot do two steps. `original`: always one AA, AE or AR, whatever the message says.
 */
export type MllpAcknowledge = "by-message" | "aa" | "original";

/** What a message asks for in MSH-15 and MSH-16; `""` nothing. */
export interface AckWishes {
  accept: string;
  application: string;
}

/** The verdict on a message that is recorded. */
export const RECORDED: Verdict = { code: "AA", text: "", errorCode: 0 };

const NOTHING: readonly Hl7AckCode[] = [];
const ORIGINAL = { AA: ["AA"], AE: ["AE"], AR: ["AR"] } as const;
const ACCEPT = { AA: "CA", AE: "CE", AR: "CR" } as const;

/** The acknowledgements that tell a verdict, in order. */
export function acknowledgementsOf(
  code: Verdict["code"],
  { accept, application }: AckWishes,
  mode: MllpAcknowledge,
): readonly Hl7AckCode[] {
  if (mode === "original" || (accept === "" && application === "")) return ORIGINAL[code];
  const isAcceptWanted = isWanted(accept, code), isApplicationWanted = isWanted(application, code);
  if (mode === "aa") return isAcceptWanted || isApplicationWanted ? ORIGINAL[code] : NOTHING;
  const codes: Hl7AckCode[] = [];
  if (isAcceptWanted) codes.push(ACCEPT[code]);
  // a message that was not accepted gets no further: only who was told nothing of that hears it here
  if (isApplicationWanted && (code === "AA" || !isAcceptWanted)) codes.push(code);
  return codes;
}

/** The application's acknowledgement once handlers are through, or not: the accept acknowledgement has gone before it. */
export function isApplicationWanted({ application }: AckWishes, code: Verdict["code"]): boolean {
  return isWanted(application, code);
}

// what table 0155 does not know is taken for "always": an answer too many is better than one that is missed
function isWanted(wish: string, code: Verdict["code"]): boolean {
  if (wish === "" || wish === "NE") return false;
  if (wish === "ER") return code !== "AA";
  return wish !== "SU" || code === "AA";
}

/** The verdict that follows from a node's answer. */
export function verdictOf(answer: PostAnswer): Verdict {
  if (answer.state === "recorded") return RECORDED;
  const text = `${answer.code}: ${answer.message}`;
  const isFinal = answer.outcome === "not-applied" && answer.retryAfterMs === undefined &&
    /\/(?:bad-|too-large|conflict)/.test(answer.code);
  return isFinal ? never(text, 102) : notNow(text);
}

/** Not now: send it again. */
export function notNow(text: string): Verdict {
  return { code: "AE", text, errorCode: 207 };
}

/** Never. */
export function never(text: string, errorCode: number): Verdict {
  return { code: "AR", text, errorCode };
}
