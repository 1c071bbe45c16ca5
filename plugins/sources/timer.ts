/**
 * timerSource: a message at certain times.
 *
 *     import { timerSource } from "@waterpark/waterpark/sources/timer";
 *     export default timerSource({
 *       name: "morning-round",
 *       at: "0 6 * * 1-5",
 *       timeZone: "Europe/Berlin",
 *       key: { kind: "ward", facility: "HOSPX", id: "3B" },
 *       type: "round",
 *     });
 *
 * One node of the cluster keeps the time, and another when that dies. A message's id is the source's name and the time for
 * which it was planned, which is also its body: whoever sends it twice sends the same. It comes late when nobody was there
 * to send it, and never early.
 *
 * @module
 */
import { Cron } from "npm:croner@11.0.1";
import { defineSource, type SourceDefinition, type SourceKey } from "@waterpark/waterpark";
import { pause } from "./pause.ts";

/** When, and to whom. */
export interface TimerSourceOptions {
  /** the source's name; usual: `timer` */
  readonly name?: string;
  /**
   * `minute hour day month weekday`, with seconds before it if there are six, `L`, `#`, `@daily` (croner's patterns); a
   * time that is left out by summer time comes right after the gap, one that is there twice comes once
   */
  readonly at: string;
  /** as `Europe/Berlin`; usual: UTC */
  readonly timeZone?: string;
  /** to which actor, or actors */
  readonly key: SourceKey | readonly SourceKey[];
  /** usual: `timer` */
  readonly type?: string;
  /** what else the body has, beside `planned` */
  readonly body?: Readonly<Record<string, unknown>>;
  /** of the times at which nobody was there: the `last`, `all` (the last 100 at most), `none`; usual: `last` */
  readonly missed?: "last" | "all" | "none";
}

const MISSED_MAX = 100;
/** Longest sleep: a clock that was set, or a machine that slept, is noticed after so many ms. */
const SLEEP_MS_MAX = 30_000;

/**
 * A source that sends at planned times; a plugin's module exports the answer as its default. It may touch nothing.
 *
 * @throws {TypeError} when `at` is no pattern, or there is no such time zone
 *
 * @example
 * ```ts
 * import { timerSource } from "./timer.ts";
 * const source = timerSource({ at: "@hourly", key: { kind: "clock", facility: "HOSPX", id: "main" } });
 * if (source.runsOn !== "one") throw new Error("unreachable");
 * ```
 */
export function timerSource(options: TimerSourceOptions): SourceDefinition & { readonly plugin: "source" } {
  const { name = "timer", type = "timer", missed = "last" } = options;
  const plan = planOf(options.at, options.timeZone ?? "UTC");
  const keys = Array.isArray(options.key) ? options.key as SourceKey[] : [options.key as SourceKey];
  return defineSource({
    name,
    runsOn: "one",
    async run({ signal, send, cursor, keep }) {
      const kept = await cursor();
      let last = typeof kept === "string" ? new Date(kept) : null;
      // at its very beginning nothing was missed
      if (last === null) await keep((last = new Date()).toISOString());
      while (!signal.aborted) {
        const due = dueTimes(plan, { after: last, now: new Date(), missed });
        for (const planned of due.send) {
          const body = { ...options.body, planned: planned.toISOString() };
          for (const key of keys) await send(key, { id: `${name}@${body.planned}`, type, body });
          await keep((last = planned).toISOString());
        }
        // what was passed over stays so, also when it is asked again after a crash
        if (due.passed !== null && due.passed > last) await keep((last = due.passed).toISOString());
        const next = plan.nextRun(last);
        if (next === null) return await pause(Infinity, signal);
        await pause(Math.min(next.getTime() - Date.now(), SLEEP_MS_MAX), signal);
      }
    },
  });
}

/** Something that knows the next time after one. */
export interface Plan {
  nextRun(after: Date): Date | null;
}

/**
 * Which of the times since the last one are to be sent now.
 *
 * @returns `send`, in order; `passed`, the latest that is due, whether it is sent or not; null when nothing is
 */
export function dueTimes(
  plan: Plan,
  { after, now, missed }: { after: Date; now: Date; missed: "last" | "all" | "none" },
): { send: Date[]; passed: Date | null } {
  const due: Date[] = [];
  let passed: Date | null = null;
  for (let time = plan.nextRun(after); time !== null && time <= now; time = plan.nextRun(time)) {
    passed = time;
    due.push(time);
    if (due.length > MISSED_MAX) due.shift();
  }
  if (missed === "all") return { send: due, passed };
  if (missed === "last") return { send: due.slice(-1), passed };
  // the time that has just come is none that was missed
  return { send: due.slice(-1).filter((time) => now.getTime() - time.getTime() <= 2 * SLEEP_MS_MAX), passed };
}

/** @throws {TypeError} when it is no pattern, or there is no such time zone */
export function planOf(at: string, timeZone: string): Plan {
  try {
    // an invalid zone is found only when a time is asked for
    const cron = new Cron(at, { timezone: timeZone, paused: true });
    cron.nextRun(new Date(0));
    return cron;
  } catch (error) {
    throw new TypeError(`Cannot use "${at}" in ${timeZone} as it must be a plan: ${(error as Error).message}`);
  }
}
