/** Machines fail without ending: they are slow, they stand still, their clocks are wrong. */
import type { Fault } from "./ground.ts";

/** Each turn of a node's event loop takes long. */
export const slowNodes: Fault = {
  name: "slow-nodes",
  everyMs: (options) => options.slowNodeEveryMs,
  strike(ground) {
    const { loop, name } = ground.anyNode();
    if (loop === null) return;
    const lagMs = ground.random.next() < 0.5 ? ground.between(0.1, 2) : ground.between(2, 60);
    ground.trace("slow", name, { lagMs: lagMs.toFixed(1) });
    loop.lagMs = lagMs;
    ground.lasts(ground.between(300, 5000), () => loop.lagMs = 0);
  },
};

/** A process is stopped and goes on later, with all that has come meanwhile: one, two, rarely all at once. */
export const stalls: Fault = {
  name: "stalls",
  everyMs: (options) => options.stallEveryMs,
  strike(ground) {
    const chance = ground.random.next();
    const victims = chance < 0.05
      ? ground.cluster.living()
      : chance < 0.3
      ? [ground.anyNode(), ground.anyNode()]
      : [ground.anyNode()];
    const ms = ground.random.next() < 0.5 ? ground.between(100, 700) : ground.between(700, 5000);
    for (const { loop, name } of victims) {
      ground.trace("stalls", name, { ms: Math.round(ms) });
      loop?.stall(ms);
    }
  },
};

/** Off by more than this, a clock counts as wrong, ms: what the product takes for wrong. */
const CLOCK_OFF_MS = 2000;

/**
 * A wall clock is set: by little, by some seconds, by hours, forwards or back. A quarter of the clocks may be wrong at a
 * time: the promise is about clocks that differ from most others, so one more has itself mended instead.
 */
export const clockJumps: Fault = {
  name: "clock-jumps",
  everyMs: (options) => options.clockJumpEveryMs,
  strike(ground) {
    const { clock, name } = ground.anyNode();
    const mostMs = [50, 5000, 3 * 3_600_000][ground.random.below(3)];
    const offsetMs = clock.offsetMs + Math.round(ground.between(-mostMs, mostMs));
    const living = ground.cluster.living();
    const wrong = living.filter((node) => node.clock !== clock && Math.abs(node.clock.offsetMs) > CLOCK_OFF_MS).length;
    clock.offsetMs = Math.abs(offsetMs) > CLOCK_OFF_MS && (wrong + 1) * 4 > living.length ? 0 : offsetMs;
    ground.trace("clock", name, { offsetMs: clock.offsetMs });
  },
};
