/**
 * Waiting for a state, with a limit: what the tests do in place of sleeping.
 */

/** The promise's value, or an error that says what did not come true within `ms`. */
export async function within<T>(ms: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Not so within ${ms} ms: ${what}`)), ms);
  });
  try {
    return await Promise.race([promise, limit]);
  } finally {
    clearTimeout(timer);
  }
}

/** Asks `question` until its answer is not null, and answers that; an error when it still is after `ms`. */
export async function until<T>(ms: number, what: string, question: () => Promise<T | null> | T | null): Promise<T> {
  const endMs = Date.now() + ms;
  let last: unknown;
  for (;;) {
    try {
      const answer = await question();
      if (answer !== null) return answer;
    } catch (error) {
      last = error;
    }
    if (Date.now() > endMs) throw new Error(`Not so within ${ms} ms: ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
