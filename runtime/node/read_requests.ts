/**
 * Questions about actors, as nodes put them to each other, and how they are read: a peer may be of another version, or
 * broken, so every field is checked before anything is done with it.
 */
import type { ReadMode } from "../gateway/mod.ts";
import { DATA_SHARDS } from "../topology/mod.ts";
import { badPayload } from "../wire/mod.ts";

/** What is asked. */
export interface ReadRequest {
  shard: number;
  key: string;
  mode: ReadMode;
  /** only messages up to this seq; 0 all */
  at: number;
  /** wait until the actor has this seq; 0 do not wait */
  after: number;
  /** what this version of this plugin would keep, and no other; left out: those that decide */
  version?: { name: string; hash: string };
}

/** What a history request asks. */
export interface HistoryRequest {
  shard: number;
  key: string;
  after: number;
  limit: number;
  /** `nearest`: from this node's own copy, if it has one; else from the writer, `fresh` being no better there */
  mode: ReadMode;
  /** wait so long for the first event, ms */
  waitMs: number;
}

/** What is asked when a sender waits for the handlers. */
export interface HandledRequest {
  shard: number;
  key: string;
  seq: number;
  timeoutMs: number;
}

const SEQ_MAX = 0xffffffff;
const LIMIT_MAX = 1000;
const WAIT_MS_MAX = 60_000;
const MODES: readonly unknown[] = ["fresh", "writer", "nearest"];

/** A read of a peer; throws `wire/bad-payload`. */
export function readReadRequest(body: unknown): ReadRequest {
  const from = fieldsOf(body);
  const request = {
    ...actorIn(from),
    mode: modeIn(from),
    at: whole(from.at, SEQ_MAX),
    after: whole(from.after, SEQ_MAX),
  };
  if (from.version === undefined || from.version === null) return request;
  const { name, hash } = fieldsOf(from.version);
  if (typeof name !== "string" || typeof hash !== "string") throw badPayload("a version without a name");
  return { ...request, version: { name, hash } };
}

/** A question for a history of a peer; throws `wire/bad-payload`. */
export function readHistoryRequest(body: unknown): HistoryRequest {
  const from = fieldsOf(body);
  return {
    ...actorIn(from),
    after: whole(from.after, SEQ_MAX),
    limit: whole(from.limit, LIMIT_MAX),
    mode: modeIn(from),
    waitMs: whole(from.waitMs, WAIT_MS_MAX),
  };
}

/** A question of a peer whether a message is handled; throws `wire/bad-payload`. */
export function readHandledRequest(body: unknown): HandledRequest {
  const from = fieldsOf(body);
  return { ...actorIn(from), seq: whole(from.seq, SEQ_MAX), timeoutMs: whole(from.timeoutMs, WAIT_MS_MAX) };
}

type Fields = Record<string, unknown>;

function fieldsOf(body: unknown): Fields {
  if (typeof body !== "object" || body === null) throw badPayload("a question without fields");
  return body as Fields;
}

function actorIn({ shard, key }: Fields): { shard: number; key: string } {
  if (typeof key !== "string" || key === "") throw badPayload("a question about no actor");
  return { shard: whole(shard, DATA_SHARDS - 1), key };
}

function modeIn({ mode }: Fields): ReadMode {
  if (!MODES.includes(mode)) throw badPayload("a read of no known mode");
  return mode as ReadMode;
}

function whole(value: unknown, max: number): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max) {
    throw badPayload("a number out of its bounds");
  }
  return value;
}
