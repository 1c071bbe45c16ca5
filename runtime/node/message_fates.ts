/**
 * What became of messages, read off a shard's log from its end: what a decision led to stands behind it, and the decision
 * behind its message. So whoever goes backwards knows all about a message when he comes to it, like a reader of a
 * detective novel who begins with the last page, and need not keep what he has passed.
 */
import { decodeDone, readOutcomes } from "../effects/mod.ts";
import type { Standing } from "../actors/mod.ts";
import { MESSAGE_STATES, type MessageState, type TracedEffect } from "../gateway/mod.ts";
import { ENTRY, type ShardStore } from "../storage/mod.ts";

/** What one plugin's decision about a message led to. */
export interface Fate {
  plugin: string;
  effects: Pick<TracedEffect, "type" | "to" | "state">[];
}

/** Messages whose decisions were passed while they have not been, and done-marks likewise, at most. */
const HELD_MAX = 200_000;

/** See the file's header; one for each shard. */
export class MessageFates {
  readonly #store: ShardStore;
  readonly #withTargets: boolean;
  /** by log index and position: the code of why it was given up, "" where it was carried out */
  readonly #done = new Map<string, string>();
  /** by key and seq */
  readonly #fates = new Map<string, Map<string, Fate>>();

  /** @param withTargets whether it is told for whom effects were, which costs reading them */
  constructor(store: ShardStore, withTargets: boolean) {
    this.#store = store;
    this.#withTargets = withTargets;
  }

  /** true: so much is open that what was passed is not known any more of all */
  get isFull(): boolean {
    return this.#done.size + this.#fates.size > HELD_MAX;
  }

  /** Passes an entry that is no message; all behind it must have been passed. */
  pass(index: number): void {
    const kind = this.#store.kindAt(index);
    try {
      if (kind === ENTRY.DONE) this.#passDone(index);
      else if (kind === ENTRY.OUTCOMES) this.#passOutcomes(index);
    } catch {
      // an entry that cannot be read was told of when it was applied
    }
  }

  /** What plugins' decisions about a message led to; those that led to nothing are missing. It is asked once. */
  of(key: string, seq: number): Fate[] {
    const place = `${seq} ${key}`;
    const fates = this.#fates.get(place);
    if (fates === undefined) return [];
    this.#fates.delete(place);
    return [...fates.values()];
  }

  #passDone(index: number): void {
    for (const [outcomeIndex, position, , givenUp = ""] of decodeDone(this.#store.body(index))) {
      this.#done.set(`${outcomeIndex} ${position}`, givenUp);
    }
  }

  #passOutcomes(index: number): void {
    let position = 0;
    for (const record of readOutcomes(this.#store.body(index))) {
      const { key, seq, plugin, types } = record;
      const first = position;
      position += types.length;
      if (key === "" || record.state !== "ok" || types.length === 0) continue;
      const effects = this.#withTargets ? record.effects ?? [] : [];
      const place = `${seq} ${key}`;
      const fates = this.#fates.get(place) ?? new Map<string, Fate>();
      // Of two about one message the first in the log stands, which is passed last.
      fates.set(plugin, {
        plugin,
        effects: types.map((type, n) => ({
          type,
          to: targetOf(effects[n]),
          state: this.#stateOf(type, index, first + n),
        })),
      });
      this.#fates.set(place, fates);
    }
  }

  #stateOf(type: string, index: number, position: number): TracedEffect["state"] {
    const place = `${index} ${position}`;
    const givenUp = this.#done.get(place);
    this.#done.delete(place);
    return stateOf(type, givenUp);
  }
}

const NOTHING_TO_DO = new Set(["reply", "schedule", "cancel"]);

/** @param givenUp code of why it was, "" where it was carried out; undefined: it is not known to be done with */
export function stateOf(type: string, givenUp: string | undefined): TracedEffect["state"] {
  if (NOTHING_TO_DO.has(type)) return "none";
  return givenUp === undefined ? "open" : givenUp === "" ? "done" : "dead";
}

/** Canonical key of the actor, or name of the sink, that an effect is for; "" where there is neither. */
export function targetOf(effect: unknown): string {
  const { type, sink, key } = Object(effect);
  if (type === "deliver") return String(sink);
  if (type !== "send") return "";
  const { kind = "patient", facility = "", id = "" } = Object(key);
  return `${kind}/${facility}/${id}`;
}

/** What became of a message, the worst first. */
export function statesOf(fates: readonly Fate[], standings: readonly Standing[]): MessageState[] {
  const effects = new Set(fates.flatMap(({ effects }) => effects.map(({ state }) => state)));
  const plugins = new Set(standings.map(({ state }) => state));
  const holds: Record<MessageState, boolean> = {
    parked: plugins.has("parked"),
    dead: effects.has("dead"),
    waiting: plugins.has("waiting"),
    queued: effects.has("open"),
    sent: effects.has("done"),
    nothing: false,
  };
  const states = MESSAGE_STATES.filter((state) => holds[state]);
  return states.length === 0 ? ["nothing"] : states;
}
