import type { Journal } from "../journal.ts";
import { standingOutcomes } from "./standing.ts";

/** A clock may be off by 2 s before it fires nothing; and what a node knows of others' clocks is as old as its frames. */
const CLOCK_MS_MAX = 7000;

/**
 * Timers: a timer's message is recorded once, not before it is due by its writer's clock, whose clock is not far off;
 * never when it was taken back, replaced, or ended with its actor's life, by what stands before it in the log.
 */
export function timersFireOnce(journal: Journal): string[] {
  const { wrong } = timersOf(journal);
  for (const { key, id, wallMs, medianWallMs } of journal.fired) {
    const aheadMs = wallMs - medianWallMs;
    if (aheadMs > CLOCK_MS_MAX) {
      wrong.push(`timers: ${id} of ${key} was fired by a clock ${aheadMs} ms ahead of others`);
    }
  }
  return wrong;
}

/** Liveness: a timer whose time has come has fired. */
export function timersFire(journal: Journal): string[] {
  return timersOf(journal).open.filter(({ dueMs }) => dueMs < journal.endWallMs).map(({ id, dueMs }) =>
    `liveness: the timer ${id} is ${Math.round(journal.endWallMs - dueMs)} ms late`
  );
}

interface OpenTimer {
  id: string;
  dueMs: number;
}

/** What happens to an actor's timers, as its shard's log has it. */
type TimerEvent =
  | { index: number; type: "schedule"; name: string; id: string; dueMs: number }
  | { index: number; type: "cancel"; name: string }
  | { index: number; type: "retire" }
  | { index: number; type: "due"; id: string; atMs: number };

/** Plays the log: complaints about what fired, and what is open at the end. */
function timersOf(journal: Journal): { wrong: string[]; open: OpenTimer[] } {
  const wrong: string[] = [];
  const left: OpenTimer[] = [];
  for (const [key, events] of eventsOf(journal)) {
    const open = new Map<string, OpenTimer>();
    for (const event of events) {
      if (event.type === "schedule") open.set(event.name, event);
      else if (event.type === "cancel") open.delete(event.name);
      else if (event.type === "retire") open.clear();
      else {
        const found = [...open].find(([, timer]) => timer.id === event.id);
        if (found === undefined) wrong.push(`timers: ${event.id} fired for ${key}, and was not open`);
        else if (event.atMs < found[1].dueMs) {
          wrong.push(`timers: ${event.id} fired ${found[1].dueMs - event.atMs} ms early by its writer's clock`);
        }
        if (found !== undefined) open.delete(found[0]);
      }
    }
    left.push(...open.values());
  }
  return { wrong, open: left };
}

/** By actor, in the order of the log. */
function eventsOf(journal: Journal): Map<string, TimerEvent[]> {
  const events = new Map<string, TimerEvent[]>();
  const add = (key: string, event: TimerEvent) => {
    const known = events.get(key);
    if (known === undefined) events.set(key, [event]);
    else known.push(event);
  };
  for (const { key, plugin, seq, index, effects } of standingOutcomes(journal)) {
    if (plugin !== "chain") continue;
    effects.forEach(({ type, timer }, n) => {
      if (timer === undefined) return;
      const { name, dueMs } = timer;
      if (type === "schedule") add(key, { index, type, name, id: `${key}#${seq}#${plugin}#${n}`, dueMs });
      else if (type === "cancel") add(key, { index, type, name });
    });
  }
  for (const { key, index } of journal.retired) add(key, { index, type: "retire" });
  for (const [key, { messages }] of journal.whole) {
    for (const { type, id, index, atMs } of messages) {
      if (type === "due" && id.includes("#chain#")) add(key, { index, type, id, atMs });
    }
  }
  // Several of one entry keep the order in which they stand there.
  for (const list of events.values()) list.sort((a, b) => a.index - b.index);
  return events;
}
