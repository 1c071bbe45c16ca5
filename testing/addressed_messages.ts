/**
 * Where the messages of a simulation come from: an author's generator, an arbitrary of fast-check, or a recording that
 * is sent as feeds send it, not always whole and in order.
 *
 * @module
 */
import fc from "fast-check";
import { type ActorKey, formatKey, parseKey } from "../runtime/base/mod.ts";
import type { WorkloadMessage } from "../tests/simulation/workload.ts";
import { type GivenMessage, logged } from "./given_message.ts";
import type { ArbitraryLike } from "./histories.ts";

/** A message and who it is for. */
export interface AddressedMessage {
  /** the actor, or its key as text: `HOSPX/1001`, `ward/HOSPX/5W` */
  key: ActorKey | string;
  /** what is sent; an id or time in it is not heeded, as the simulated clients give their own */
  message: GivenMessage;
}

/** The only chance that a generator may use: the same seed gives the same messages. */
export interface Chance {
  /** a number from 0 up to, not including, 1 */
  next(): number;
  /** a whole number from 0 up to, not including, `bound` */
  below(bound: number): number;
}

/** Draws the next message; `actors` is how many the seed wants there to be, about. */
export type MessageGenerator = (chance: Chance, options: { actors: number }) => AddressedMessage;

/** Messages of a simulation. */
export type MessageSource = MessageGenerator | ArbitraryLike<AddressedMessage>;

/** How often a recorded message is lost, sent twice, or sent after the one behind it; of 1. */
const RATES = { drop: 0.02, double: 0.05, reorder: 0.05 };
/** Values drawn from an arbitrary at a time. */
const BATCH = 256;

/** A generator from an arbitrary; `seed` is that of the simulation. */
export function generatorOf(source: MessageSource, seed: number): MessageGenerator {
  if (typeof source === "function") return source;
  let batches = 0;
  let drawn: AddressedMessage[] = [];
  return () => {
    if (drawn.length === 0) {
      const settings = { numRuns: BATCH, seed: Math.imul(seed, 0x9e3779b1) + batches++ | 0 };
      drawn = fc.sample(source as fc.Arbitrary<AddressedMessage>, settings);
    }
    return drawn.shift()!;
  };
}

/** A recording as a feed sends it; at its end it begins anew. */
export function feedOf(recorded: readonly AddressedMessage[]): MessageGenerator {
  let at = 0;
  const waiting: AddressedMessage[] = [];
  return (chance) => {
    for (;;) {
      const message = waiting.shift() ?? recorded[at++ % recorded.length];
      const fate = chance.next();
      if (fate < RATES.drop) continue;
      if (fate < RATES.drop + RATES.double) waiting.push(message);
      else if (fate < RATES.drop + RATES.double + RATES.reorder) {
        waiting.push(message);
        continue;
      }
      return message;
    }
  };
}

/**
 * The message as a client posts it.
 *
 * @throws {WaterparkError} `base/bad-key` when the key is none
 */
export function postingOf({ key, message }: AddressedMessage): WorkloadMessage {
  const [{ type, contentType, payload }] = logged([message]);
  return { key: formatKey(typeof key === "string" ? parseKey(key) : key), type, contentType, payload };
}
