/**
 * Bodies of the two kinds of log entry about what handlers decided, as MessagePack.
 *
 *     OUTCOMES  [[key, plugin, hash, seq, state, effects | null, digest, error | null], ...]
 *     DONE      [[outcomeIndex, position], ...], of a delivery also what the target said, and of one that was given up
 *               the code of why: [outcomeIndex, position, answer | null, code]
 *
 * `position` counts the effects of all items of the OUTCOMES entry at log index `outcomeIndex`, from 0, whether or not
 * an item stood: so it follows from the bytes alone. An item with the key "" is a *start*: from log index `seq` on the
 * plugin handles the shard's messages; what was recorded up to there counts as handled.
 */
import { pack, unpack } from "../wire/mod.ts";
import { badEntry } from "./bad_entry.ts";
import type { Effect } from "./effect.ts";
import { MsgpackCursor } from "./msgpack_cursor.ts";
import { OutcomeRecord } from "./outcome_record.ts";
import { OutcomeWriter } from "./outcome_writer.ts";

/** Why a plugin stands still for an actor. */
export interface OutcomeError {
  /** stable name of the fault */
  code: string;
  /** what the host said, at most 500 characters; may quote data, so it is shown to who may see the actor and not logged */
  message: string;
  /** where in the plugin's code, a line a frame, at most 1000 characters; left out where nothing is known of it */
  stack?: string;
}

/** What a handler decided about one message; with no effects, about all messages from the last outcome to `seq`. */
export interface OutcomeItem {
  /** canonical key of the actor; "" for a start */
  key: string;
  /** name of the plugin */
  plugin: string;
  /** SHA-256 of the bundle that decided */
  hash: string;
  /** the message's place in the actor's history; of a start, the shard's log index */
  seq: number;
  /** `parked`: the plugin could not handle it and stands still for this actor */
  state: "ok" | "parked";
  /** null for none */
  effects: Effect[] | null;
  /** the same effects as MessagePack, where somebody has packed them */
  packed?: Uint8Array;
  /** digest of the projections after it, hexadecimal */
  digest: string;
  /** only with `parked` */
  error: OutcomeError | null;
}

const WRITER = new OutcomeWriter();

/** The body of an OUTCOMES entry. */
export function encodeOutcomes(items: readonly OutcomeItem[]): Uint8Array {
  return WRITER.write(items);
}

/**
 * Reads the body of an OUTCOMES entry, its effects only where they are asked for; the records look into `body`.
 *
 * @throws {WaterparkError} `effects/bad-entry` or `wire/bad-payload`
 */
export function readOutcomes(body: Uint8Array): OutcomeRecord[] {
  const cursor = new MsgpackCursor(body);
  const records: OutcomeRecord[] = [];
  let before: OutcomeRecord | null = null;
  for (let left = cursor.array(); left > 0; left--) records.push(before = new OutcomeRecord(cursor, before));
  if (!cursor.isAtEnd) throw badEntry("more bytes than outcomes");
  return records;
}

/**
 * Reads the body of an OUTCOMES entry.
 *
 * @throws {WaterparkError} `effects/bad-entry` or `wire/bad-payload`
 */
export function decodeOutcomes(body: Uint8Array): OutcomeItem[] {
  return readOutcomes(body).map((record) => {
    const { key, plugin, hash, seq, state, digest, error } = record;
    return { key, plugin, hash, seq, state, effects: record.readEffects(), digest, error };
  });
}

/** One effect that is done with: log index of its OUTCOMES entry, its position therein, target's answer, why it was given up. */
export type DoneItem = [outcomeIndex: number, position: number, answer?: string | null, givenUp?: string];

/** The body of a DONE entry. */
export function encodeDone(items: readonly DoneItem[]): Uint8Array {
  return pack(items);
}

/**
 * Reads the body of a DONE entry.
 *
 * @throws {WaterparkError} `effects/bad-entry` or `wire/bad-payload`
 */
export function decodeDone(body: Uint8Array): DoneItem[] {
  return rowsOf(unpack(body)).map(([outcomeIndex, position, answer, givenUp]) => {
    if (!isWhole(outcomeIndex) || !isWhole(position)) throw badEntry("a done-mark with wrong fields");
    if (typeof givenUp === "string") {
      return [outcomeIndex, position, typeof answer === "string" ? answer : null, givenUp];
    }
    return typeof answer === "string" ? [outcomeIndex, position, answer] : [outcomeIndex, position];
  });
}

function rowsOf(value: unknown): unknown[][] {
  if (!Array.isArray(value) || !value.every(Array.isArray)) throw badEntry("not a list of lists");
  return value;
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
