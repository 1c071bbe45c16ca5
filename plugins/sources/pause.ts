/**
 * Waits so many ms, or until the signal is aborted, whichever is first; it never rejects. What is longer than a timer can
 * count (24 days) ends early: whoever waits looks at the clock again.
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(end, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
    signal.addEventListener("abort", end, { once: true });
    function end(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    }
  });
}
