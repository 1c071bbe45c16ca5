/**
 * Verdict: what the copies' own words prove about one message. Pure; it believes no copy alone.
 *
 * Which copies count is said by the copy that has come furthest: its configuration's voters, and the standing learners
 * that placement names. A copy of a lower generation, or one that comes or goes, is heard and not counted. Where some
 * could not be asked, the question is whether they could change anything: if all of them held the message, would it be
 * on copies enough? Else it is too thin, or lost, for certain: an acknowledged message is on a majority of the voters.
 */
import { type Digest64, digestText } from "../base/mod.ts";
import type { AuditReceipt, AuditState, AuditVerdict, CopiesNeeded, CopyDifference } from "../gateway/mod.ts";
import type { CopyState, HeldMessage, Reply } from "./audit_questions.ts";

/** A node of the topology that was asked, and its reply; null: it could not be asked. */
export interface Testimony {
  node: { incarnation: number; name: string; dataCenter: string };
  reply: Reply | null;
}

/** What is known beside the copies' words. */
export interface VerdictContext {
  needed: CopiesNeeded;
  /** incarnations of the standing learners that placement names */
  learners: readonly number[];
}

/** Which of the nodes asked count, and which of those could not be asked. */
export interface Standing {
  /** the furthest copy that counts at all; null where there is no copy */
  best: CopyState | null;
  /** copies that count */
  counted: Testimony[];
  /** nodes that should have a copy that counts, and could not be asked */
  unreachable: Testimony[];
}

/** Sorts testimonies by whether they count. */
export function standingOf(testimonies: readonly Testimony[], learners: readonly number[]): Standing {
  let best: CopyState | null = null;
  for (const { reply } of testimonies) {
    if (reply?.copy && (best === null || isFurther(reply.copy, best))) best = reply.copy;
  }
  // Where nobody knows the members, everybody who cannot be asked might be one.
  const isMember = ({ node }: Testimony) =>
    best === null || best.voters.includes(node.incarnation) || learners.includes(node.incarnation);
  return {
    best,
    counted: testimonies.filter((each) => {
      const copy = each.reply?.copy;
      return copy && isMember(each) && copy.generation === best!.generation;
    }),
    unreachable: testimonies.filter((each) => each.reply === null && isMember(each)),
  };
}

/** Whether these nodes would do. */
export function isEnough(nodes: readonly Testimony[], { copies, dataCenters }: CopiesNeeded): boolean {
  return nodes.length >= copies && new Set(nodes.map(({ node }) => node.dataCenter)).size >= dataCenters;
}

/** What the testimonies prove about the message of `receipt`. */
export function verdictOn(
  receipt: AuditReceipt,
  testimonies: readonly Testimony[],
  { needed, learners }: VerdictContext,
): AuditVerdict {
  const { counted, unreachable } = standingOf(testimonies, learners);
  const holding: { by: Testimony; held: HeldMessage; isCommitted: boolean }[] = [];
  const missing: Testimony[] = [];
  const retired: Testimony[] = [];
  const unsure: Testimony[] = [...unreachable];
  for (const by of counted) {
    const { copy, answer } = by.reply!;
    const message = answer?.ask === "message" ? answer.message : null;
    if (message === null) unsure.push(by);
    else if (message === "retired") retired.push(by);
    else if (message === "absent") missing.push(by);
    else holding.push({ by, held: message, isCommitted: message.index <= copy!.commit });
  }
  const copies: Testimony[] = [];
  const differing: CopyDifference[] = [];
  const usual = mostCommon(holding.filter(({ held }) => differenceFrom(receipt, held) === null));
  for (const { by, held, isCommitted } of holding) {
    const what = differenceFrom(receipt, held) ?? (usual === null ? null : differenceBetween(usual, held));
    if (what === null) copies.push(by);
    // The end of a log that its next writer will take back is no copy, and no contradiction.
    else if (what === "term" && !isCommitted) missing.push(by);
    else differing.push({ node: by.node.name, what, ...placeOf(held) });
  }
  const state = stateOf({ copies, retired, differing, unsure, needed });
  return {
    state,
    shard: receipt.shard,
    index: receipt.index,
    seq: receipt.seq,
    needed,
    copies: namesOf(state === "retired" ? [...copies, ...retired] : copies),
    missing: namesOf(missing),
    differing,
    unreachable: namesOf(unsure),
  };
}

/** A verdict for which no copy needs to be asked. */
export function verdictUnasked(
  receipt: AuditReceipt,
  needed: CopiesNeeded,
  state: AuditState,
  differing: CopyDifference[] = [],
): AuditVerdict {
  const { shard, index, seq } = receipt;
  return { state, shard, index, seq, needed, copies: [], missing: [], differing, unreachable: [] };
}

function stateOf(
  found: {
    copies: Testimony[];
    retired: Testimony[];
    differing: CopyDifference[];
    unsure: Testimony[];
    needed: CopiesNeeded;
  },
): AuditState {
  const { copies, retired, differing, unsure, needed } = found;
  if (differing.length > 0) return "differs";
  if (isEnough(copies, needed)) return "proven";
  // Copies free an actor at the same index, but not at the same moment.
  if (retired.length > 0 && isEnough([...copies, ...retired], needed)) return "retired";
  if (isEnough([...copies, ...retired, ...unsure], needed)) return "unproven";
  return copies.length + retired.length === 0 ? "lost" : "thin";
}

function isFurther(a: CopyState, b: CopyState): boolean {
  if (a.generation !== b.generation) return a.generation > b.generation;
  // The commit index first: a copy that was left out may have campaigned into a term of its own.
  return a.commit !== b.commit ? a.commit > b.commit : a.term > b.term;
}

function differenceFrom(receipt: AuditReceipt, held: HeldMessage): CopyDifference["what"] | null {
  if (held.times !== 1) return "twice";
  if (digestText(held.digest) !== receipt.digest) return "digest";
  if (held.index !== receipt.index) return "index";
  return held.seq !== receipt.seq ? "seq" : null;
}

function differenceBetween(a: HeldMessage, b: HeldMessage): CopyDifference["what"] | null {
  if (!isSame(a.chain, b.chain)) return "chain";
  // An index was written in one term, or it is another entry.
  return a.term !== b.term ? "term" : null;
}

/** What most copies have, those first that know it as committed. */
function mostCommon(holding: readonly { held: HeldMessage; isCommitted: boolean }[]): HeldMessage | null {
  let usual: HeldMessage | null = null;
  let most = 0;
  for (const { held } of holding) {
    let weight = 0;
    for (const other of holding) {
      // More than all the copies that do not know it as committed: those may be a majority of what could be asked.
      if (differenceBetween(held, other.held) === null) weight += other.isCommitted ? holding.length + 1 : 1;
    }
    if (weight > most) [usual, most] = [held, weight];
  }
  return usual;
}

function placeOf({ index, seq, digest }: HeldMessage): { index: number; seq: number; digest: string } {
  return { index, seq, digest: digestText(digest) };
}

function isSame(a: Digest64, b: Digest64): boolean {
  return a.hi === b.hi && a.lo === b.lo;
}

function namesOf(testimonies: readonly Testimony[]): string[] {
  return testimonies.map(({ node }) => node.name).sort();
}
