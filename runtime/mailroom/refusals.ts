import type { Outcome } from "../base/mod.ts";
import type { PostResult } from "./contract.ts";

/** A posting that ended without a receipt. */
export type Refusal = Extract<PostResult, { state: "refused" }>;

function refused(code: string, outcome: Outcome, message: string): Refusal {
  return { state: "refused", code: `mailroom/${code}`, outcome, message };
}

/** The mailroom is full. */
export function busy({ open, bytes, retryAfterMs }: { open: number; bytes: number; retryAfterMs: number }): Refusal {
  const message = `Cannot post as the mailroom is full: ${open} postings, ${bytes} bytes`;
  return { ...refused("busy", "not-applied", message), retryAfterMs };
}

/** The message could never be sent. */
export function tooLarge(bytes: number, bytesMax: number): Refusal {
  return refused("too-large", "not-applied", `Cannot post as a message may take ${bytesMax} bytes: ${bytes} bytes`);
}

/** The key is none. */
export function noShard(): Refusal {
  return refused("bad-key", "not-applied", "Cannot post as the key must name an actor: it has no shard");
}

/** Another message stands under this id. */
export function conflict(key: string): Refusal {
  const message = `Cannot post to "${key}" as an id names one message: another one stands under it`;
  return refused("conflict", "not-applied", message);
}

/**
 * The actor's history has gone on, or is not yet there. `unknown` when an earlier try may still be appended (or was, in
 * a log that the answering writer has not seen).
 */
export function precondition(outcome: Outcome, seq: number): Refusal {
  return {
    ...refused("precondition", outcome, `Cannot post as the actor's last seq must be as given: it is ${seq}`),
    seq,
  };
}

/** No final answer in time. */
export function afterDeadline(outcome: Outcome): Refusal {
  const state = outcome === "unknown" ? "no receipt came back" : "no writer took it";
  return { ...refused("timeout", outcome, `Cannot post as the deadline has passed: ${state}`), retryAfterMs: 1_000 };
}

/** No final answer in time, and it is known why. */
export function withoutMajority(outcome: Outcome): Refusal {
  const message = "Cannot post as the shard stands still: too many of the copies that it needs are gone";
  return { ...refused("no-majority", outcome, message), retryAfterMs: 5_000 };
}

/** An earlier message of the stream was refused for now. */
export function stopped(outcome: Outcome): Refusal {
  const message = "Cannot post as an earlier message of this sender to this actor was refused and must be posted first";
  return refused("stopped", outcome, message);
}

/** The node stops. */
export function closed(outcome: Outcome): Refusal {
  return refused("closed", outcome, "Cannot post as the mailroom is closed: the node stops");
}
