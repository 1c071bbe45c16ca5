import type { World } from "./world.ts";

/** The machine's own time and chance. */
export function systemWorld(): World {
  return {
    nowMonoMs: () => performance.now(),
    nowWallMs: () => Date.now(),
    after(delayMs, fn) {
      const id = setTimeout(fn, delayMs);
      return { cancel: () => clearTimeout(id) };
    },
    soon: (fn) => queueMicrotask(fn),
    random: () => Math.random(),
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
  };
}
