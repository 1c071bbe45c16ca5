import { type Effect, messageOf } from "../effects/mod.ts";
import { TEXT_BYTES_MAX } from "../storage/mod.ts";

/** What is known of an actor's timers from committed outcomes. */
export interface OpenTimers {
  /** how many the actor has */
  count(): number;
  /** whether the plugin has one of this name */
  has(name: string): boolean;
}

/** Bounds of {@linkcode TimerWishes}. */
export interface TimerLimits {
  /** open timers of one actor */
  timersMax: number;
  /** payload of a timer's message, bytes */
  timerBytesMax: number;
}

/** A plugin's effects as the log takes them, or why it does not. */
export type SettledWishes = { effects: Effect[] } | { code: string; message: string };

const ENCODER = new TextEncoder();

/**
 * What a plugin's decisions about one actor do to its timers, before they are committed: times that are relative become
 * wall times, and an outcome that would have the actor hold more timers than it may is none. Decisions run ahead of
 * what is committed, so those that are still under way are counted in; other plugins' under way are not, so together
 * they may exceed the bound by what they decide at the same time.
 */
export class TimerWishes {
  readonly #limits: TimerLimits;
  /** decided and perhaps not committed: what the outcome at `seq` opens and closes, in order */
  #underWay: { seq: number; name: string; opens: boolean }[] = [];

  constructor(limits: TimerLimits) {
    this.#limits = limits;
  }

  /** Forgets what was decided: it does not stand. */
  clear(): void {
    this.#underWay = [];
  }

  /**
   * Looks at the effects that a message led to, and counts them in if they may stand.
   *
   * @param at the message's seq and time, and the seq up to which outcomes are committed
   */
  settle(
    effects: Effect[],
    at: { seq: number; atMs: number; mark: number },
    open: OpenTimers,
  ): SettledWishes {
    if (!effects.some(({ type }) => type === "schedule" || type === "cancel")) return { effects };
    const settled: Effect[] = [];
    const wishes: { seq: number; name: string; opens: boolean }[] = [];
    for (const effect of effects) {
      if (effect.type === "schedule") {
        const { name, message, at: dueMs = at.atMs + (effect.afterMs ?? NaN) } = effect;
        const fault = this.#faultOf(effect, dueMs);
        if (fault !== null) return fault;
        settled.push({ type: "schedule", name, at: dueMs, message });
        wishes.push({ seq: at.seq, name, opens: true });
      } else {
        settled.push(effect);
        if (effect.type === "cancel") wishes.push({ seq: at.seq, name: effect.name, opens: false });
      }
    }
    this.#underWay = this.#underWay.filter(({ seq }) => seq > at.mark);
    const { timersMax } = this.#limits;
    if (countAfter([...this.#underWay, ...wishes], open) > timersMax) {
      return { code: "actors/too-many-timers", message: `the actor would have more than ${timersMax} open timers` };
    }
    this.#underWay.push(...wishes);
    return { effects: settled };
  }

  /** A timer that cannot be recorded when it is due must not be taken now. */
  #faultOf(effect: Effect & { type: "schedule" }, dueMs: number): { code: string; message: string } | null {
    const { timerBytesMax } = this.#limits;
    const bad = (message: string) => ({ code: "actors/bad-timer", message });
    if (!Number.isFinite(dueMs)) return bad("it has no time");
    let message;
    try {
      message = messageOf(effect, "")!;
    } catch {
      return bad("its message has no bytes");
    }
    const { payload, type, contentType } = message;
    if (payload.length > timerBytesMax) return bad(`its message has ${payload.length} bytes of ${timerBytesMax}`);
    const isLong = ENCODER.encode(type).length > TEXT_BYTES_MAX.type ||
      ENCODER.encode(contentType).length > TEXT_BYTES_MAX.contentType;
    return isLong || !type.isWellFormed() || !contentType.isWellFormed() ? bad("its type is none") : null;
  }
}

function countAfter(wishes: readonly { name: string; opens: boolean }[], open: OpenTimers): number {
  const now = new Map<string, boolean>();
  let count = open.count();
  for (const { name, opens } of wishes) {
    const was = now.get(name) ?? open.has(name);
    if (opens !== was) count += opens ? 1 : -1;
    now.set(name, opens);
  }
  return count;
}
