/**
 * Which refusals are for good. What a source brings is tried again by the runtime while that is of use; what is left is a
 * message that no later attempt will get in, or a cluster that does not answer. The first is laid aside, the second waited
 * for: mixing them up would lose messages, or stop a feed for ever.
 *
 * @module
 */

/** Whether `send` rejected because of the message itself. */
export function isForGood(error: unknown): boolean {
  const { code, outcome } = error as { code?: unknown; outcome?: unknown };
  return outcome === "not-applied" && typeof code === "string" &&
    /\/(bad-key|bad-id|bad-content-type|bad-json|bad-payload|too-large|conflict)$/.test(code);
}

/** What is wrong with it, without what is in it. */
export function reasonOf(error: unknown): string {
  const { code, name, message } = error as { code?: unknown; name?: string; message?: string };
  return typeof code === "string" ? `${code}: ${message}` : `${name}: ${message}`;
}
