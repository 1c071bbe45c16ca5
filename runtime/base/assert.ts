/** Thrown by {@linkcode assert}: a bug of ours, never an expected answer. */
export class AssertionError extends Error {
  override name = "AssertionError";
}

/**
 * Ends the current action when `condition` does not hold. Assertions stay on in production: a process that is wrong
 * about its own state must not go on acknowledging messages.
 *
 * @param condition what must be true here
 * @param message what it means that it is not
 * @throws {AssertionError} when `condition` is false
 *
 * @example
 * ```ts
 * import { assert } from "./assert.ts";
 * assert(1 + 1 === 2, "arithmetic works");
 * ```
 */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
