/**
 * The promise's value, or a `TimeoutError` when it has none after so many ms. What becomes of it later is nobody's concern: a
 * library that waits for a peer that is gone must not keep us waiting with it.
 */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new DOMException("not in time", "TimeoutError")), ms);
  });
  promise.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
